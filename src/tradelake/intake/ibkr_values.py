"""How IBKR writes numbers, days and times in a Flex statement, turned into exact plain text.

The user of a Flex query chooses the format of days (`20250131`, `2025-01-31`, `01/31/2025`, `31/01/2025`,
`31-JAN-25`), of times (`153000`, `15:30:00`) and what stands between them (`;`, `,`, a blank, nothing). Times
are New York times unless a zone is written. Where a text is none of these the functions return None: the
caller refuses the row, nothing is guessed.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tradelake import units

if TYPE_CHECKING:
    from collections.abc import Iterable

NEW_YORK = ZoneInfo("America/New_York")
CLOSE = time(16, 0)
BOOKING = time(16, 20)

_ZONES: dict[str, tzinfo] = {
    "EST": timezone(timedelta(hours=-5)),
    "EDT": timezone(timedelta(hours=-4)),
    "ET": NEW_YORK,
    "UTC": UTC,
    "GMT": UTC,
    "Z": UTC,
}
_MONTH_NAMES = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
_MONTHS = {name: month for month, name in enumerate(_MONTH_NAMES.split(), 1)}
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?")
_LOOSE = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/\d")
_DAY = r"\d{8}|\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{1,2}-[A-Za-z]{3}-(?:\d{4}|\d{2})"
_CLOCK = r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?|\d{6}"
_INSTANT = re.compile(
    rf"(?P<day>{_DAY})(?:(?:[;,T]\s?|\s|)(?P<clock>{_CLOCK})(?:\s?(?P<zone>[A-Za-z]{{1,4}}|[+-]\d{{2}}:?\d{{2}}))?)?"
)


def number(text: str) -> str:
    """Return a broker's number as plain digits; what is no number comes back as it was.

    Thousands separators, a missing zero before or after the point and an exponent are IBKR's ways of writing.
    """
    plain = text.strip()
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if _LOOSE.fullmatch(plain):
        return units.plain(Decimal(plain))
    return text


def negated(text: str) -> str:
    """Return the number with the other sign; what is no number comes back as it was."""
    plain = number(text)
    if not _PLAIN.fullmatch(plain) or plain == "0":
        return plain
    return plain[1:] if plain.startswith("-") else f"-{plain}"


def exact(text: str, scale: int) -> int | None:
    """Return a broker's number as an integer of 10**-scale; None for no number or too many decimals."""
    plain = number(text)
    if not _PLAIN.fullmatch(plain) or len(plain.partition(".")[2]) > scale or len(plain) > 40:
        return None
    return units.to_units(plain, scale)


def codes(text: str) -> frozenset[str]:
    """Return the codes of a `notes` or `code` attribute."""
    return frozenset(part.strip() for part in re.split(r"[;,]", text) if part.strip())


def weekday_before(day: date) -> date:
    """Return the day itself, or the Friday before a weekend: old options expire on Saturdays."""
    return day - timedelta(days=max(0, day.weekday() - 4))


@dataclass(frozen=True, slots=True)
class Clock:
    """Reads the days and times of one document.

    `day_first` says how days with slashes are written; None where the document does not tell, or contradicts
    itself.
    """

    day_first: bool | None = None

    @classmethod
    def of(cls, texts: "Iterable[str]") -> "Clock":
        """Learn from all days of a document whether a day with slashes begins with the day or the month."""
        found = [match for match in map(_SLASHED.match, texts) if match]
        day_first = any(int(match[1]) > 12 for match in found)
        month_first = any(int(match[2]) > 12 for match in found)
        return cls(None if day_first == month_first else day_first)

    def day(self, text: str) -> str | None:
        """Return the day of a day or an instant as YYYY-MM-DD."""
        match = _INSTANT.fullmatch(text.strip())
        found = self._day(match["day"]) if match else None
        return found.isoformat() if found else None

    def instant(self, text: str, *, time_missing: time) -> str | None:
        """Return an instant in ISO-8601 with its offset; `time_missing` is the time of a bare day."""
        match = _INSTANT.fullmatch(text.strip())
        day = self._day(match["day"]) if match else None
        if match is None or day is None:
            return None
        clock = _clock(match["clock"]) if match["clock"] else time_missing
        zone = _zone(match["zone"]) if match["zone"] else NEW_YORK
        if clock is None or zone is None:
            return None
        return datetime.combine(day, clock, zone).isoformat()

    def _day(self, text: str) -> date | None:
        if "/" in text:
            first, second, year = (int(part) for part in text.split("/"))
            if self.day_first is None and first != second:
                return None
            month, day = (second, first) if self.day_first else (first, second)
        elif text[-3:].isdigit() and "-" not in text:
            year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
        elif text[4] == "-" and text[:4].isdigit():
            year, month, day = (int(part) for part in text.split("-"))
        else:
            days, name, years = text.split("-")
            year, month, day = int(years), _MONTHS.get(name.upper(), 0), int(days)
        return _date(year + 2000 if year < 100 else year, month, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _clock(text: str) -> time | None:
    digits, _, fraction = text.replace(":", "").partition(".")
    try:
        return time(
            int(digits[:2]),
            int(digits[2:4]),
            int(digits[4:6] or "0"),
            int(fraction.ljust(6, "0")) if fraction else 0,
        )
    except ValueError:
        return None


def _zone(text: str) -> tzinfo | None:
    if text[0] in "+-":
        sign = -1 if text[0] == "-" else 1
        hours, minutes = int(text[1:3]), int(text[-2:])
        return timezone(sign * timedelta(hours=hours, minutes=minutes)) if hours < 24 and minutes < 60 else None
    return _ZONES.get(text.upper())
