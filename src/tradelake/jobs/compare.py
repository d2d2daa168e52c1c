"""Expected answers against a book's: every value that is named has to agree, and nothing may be there besides."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
NOTHING = {"realized_pnl": "0", "fees": "0", "cash": "0", "dividends": "0"}
POSITION_KEYS = ("account", "instrument")
CLOSED_KEYS = ("account", "instrument", "open", "close", "how")
BREAK_KEYS = ("type", "instrument", "exec_id")
INFORMATIONAL = ("exercised", "assigned")


def compare(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    """Return one line per difference; an absent section means an empty one."""
    found = _state("", wanted, got, strict=True)
    found += _rows("closed", wanted.get("closed"), got["closed"], CLOSED_KEYS)
    if sorted(wanted.get("duplicates") or []) != sorted(got["duplicates"]):
        found.append(f"duplicates: expected {wanted.get('duplicates') or []}, got {got['duplicates']}")
    for section in ("groups", "trade_dates"):
        for name, value in (wanted.get(section) or {}).items():
            for field, expected in value.items() if isinstance(value, dict) else [("", value)]:
                have = got[section].get(name)
                actual = have[field] if field and have else have
                if not _same(expected, actual):
                    found.append(f"{section} {name} {field}: expected {expected}, got {actual}")
    for when, state in zip(wanted.get("as_of") or [], got["as_of"], strict=True):
        found += _state(f"as of {when['effective']}, known {when['known']}: ", when, state, strict=False)
    if "breaks" in got:
        found += _rows("breaks", wanted.get("breaks"), got["breaks"], BREAK_KEYS)
    return found


def _same(expected: Any, actual: Any) -> bool:
    if actual is None or expected is None:
        return expected is actual
    texts = (str(expected), format(actual, "f") if isinstance(actual, Decimal) else str(actual))
    if all(NUMBER.fullmatch(text) for text in texts):
        return Decimal(texts[0]) == Decimal(texts[1])
    return texts[0] == texts[1]


def _state(where: str, wanted: Mapping[str, Any], got: Mapping[str, Any], *, strict: bool) -> list[str]:
    found = _rows(where + "positions", wanted.get("positions"), got["positions"], POSITION_KEYS)
    if strict or "totals" in wanted:
        for account, totals in got["totals"].items():
            expected = {**NOTHING, **((wanted.get("totals") or {}).get(account) or {})}
            for name, amount in totals.items():
                if not _same(expected[name], amount):
                    found.append(f"{where}totals {account} {name}: expected {expected[name]}, got {_text(amount)}")
    if strict or "errors" in wanted:
        found += _rows(where + "errors", wanted.get("errors"), got["errors"], ("event", "instrument"))
    return found


def _rows(
    what: str, wanted: Sequence[Mapping[str, Any]] | None, got: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> list[str]:
    """Compare two sets of rows that are known by *keys*; of a row only the given fields are compared."""

    def known_by(row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(row.get(key, "trade" if key == "how" else None) for key in keys)

    want, have = ({known_by(row): row for row in rows} for rows in (wanted or [], got))
    found = []
    if len(want) != len(wanted or []):
        found.append(f"{what}: the expected section names a row twice")
    for key in sorted({*want, *have}, key=str):
        if key not in have:
            found.append(f"{what} {_text(key)}: expected, not there")
        elif key not in want:
            found.append(f"{what} {_text(key)}: there, not expected: {_text(have[key])}")
        else:
            for field, expected in want[key].items():
                if field == "lots":
                    found += _rows(f"{what} {_text(key)} lots", expected, have[key]["lots"], ("open", "open_date"))
                elif not _same(expected, have[key].get(field)):
                    found.append(f"{what} {_text(key)} {field}: expected {expected}, got {_text(have[key].get(field))}")
    return found


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(part)}" for key, part in value.items())
    if isinstance(value, tuple):
        return " ".join(str(part) for part in value if part is not None)
    return str(value)
