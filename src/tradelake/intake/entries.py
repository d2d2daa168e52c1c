"""What the JSON fields of an execution row hold: chosen lots, tags, deliverables, moves, corrections and chains.

Every reader takes JSON text and returns its content in one canonical form: numbers as plain decimal text, no
entry that means nothing. What cannot be read raises BadJson, which says in words what is wrong.
"""

import json
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tradelake.intake.fields import BY_NAME, ID_LENGTH_MAX, JSON_LENGTH_MAX, Field
from tradelake.intake.numbers import NUMBER, WHOLE_DIGITS_MAX
from tradelake.intake.rules import written
from tradelake.intake.times import INSTANT_PATTERN
from tradelake.units import plain

ENTRIES_MAX = 1000
DELIVERED = {"instrument_id", "quantity", "cost_fraction", "cash"}
MOVED = {"instrument_id", "quantity", "percent", "lots"}
DEFAULTS = {"commission": "0", "fees": "0", "currency": "USD"}
LOWER = ("cash_category", "treatment")
SHORT = {"C": "CALL", "P": "PUT"}
FIXED = ("kind", "trade_id", "leg_id", "target_id", "set", "recorded_at")
CHAINS = {"chain_join": "chains, and a name", "chain_split": "trades", "chain_name": "chain and name"}
EXAMPLES = {
    "lots": '[{"open":"T-1","quantity":"100"}]',
    "tags": '["combo"]',
    "deliverable": '[{"instrument_id":"NVDA","quantity":"150"}]',
    "moves": '[{"instrument_id":"NVDA","quantity":"150"}]',
    "set": '{"price":"10.10"}',
    "chain": '{"chains":["C-1","C-2"]}',
}


class BadJson(ValueError):
    """What is wrong with the JSON of a field, in words, its code, and what to do where an example does not say it."""

    def __init__(self, why: str, *, code: str = "bad_json", action: str = "") -> None:
        super().__init__(why)
        self.code, self.action = code, action


def canonical(value: object) -> str:
    """Write a value as JSON with sorted keys and without blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def chain_kind(chain: dict[str, Any]) -> str:
    """Return the kind of event that has a content like this."""
    return "chain_join" if "chains" in chain else "chain_split" if "trades" in chain else "chain_name"


def lots_total(lots: Iterable[dict[str, str]]) -> Decimal:
    """Return how much all chosen lots together are."""
    return sum((Decimal(lot["quantity"]) for lot in lots), Decimal(0))


def _value(text: str) -> Any:
    if len(text) > JSON_LENGTH_MAX:
        raise BadJson(f"has at most {JSON_LENGTH_MAX} characters")
    try:
        return json.loads(text, parse_int=str, parse_float=_refuse, parse_constant=_refuse)
    except BadJson:
        raise
    except (ValueError, RecursionError):
        raise BadJson(f"asks for JSON, and '{written(text)}' is none") from None


def _refuse(number: str) -> None:
    raise BadJson(f"asks for numbers as text, and there was the float {written(number)}")


def _list(text: str) -> list[Any]:
    return _is_list(_value(text), text)


def _is_list(value: Any, text: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > ENTRIES_MAX:
        raise BadJson(f"asks for a JSON list of at most {ENTRIES_MAX} entries, and there was '{written(text)}'")
    return value


def _object(text: str) -> dict[str, Any]:
    value = _value(text)
    if not isinstance(value, dict) or not value:
        raise BadJson(f"asks for a JSON object with at least one name, and there was '{written(text)}'")
    return value


def _entries(entries: list[Any], wanted: str, fits: Callable[[set[str]], bool]) -> list[dict[str, Any]]:
    for entry in entries:
        if not isinstance(entry, dict) or not fits(set(entry)):
            raise BadJson(f"asks for entries with {wanted}, and there was '{written(canonical(entry))}'")
    return entries


def _lots(text: str) -> list[dict[str, str]]:
    return _chosen(_list(text))


def _chosen(lots: list[Any]) -> list[dict[str, str]]:
    entries = _entries(lots, "open and quantity", lambda names: names == {"open", "quantity"})
    return [{"open": _id(entry["open"]), "quantity": _positive(entry["quantity"])} for entry in entries]


def _tags(text: str) -> list[str]:
    return [_id(entry) for entry in _list(text)]


def _deliverable(text: str) -> list[dict[str, str]]:
    def fits(names: set[str]) -> bool:
        return names <= DELIVERED and ("cash" in names) != ({"instrument_id", "quantity"} <= names)

    return [
        {
            key: _id(value) if key == "instrument_id" else _number(value) if key == "cash" else _positive(value)
            for key, value in entry.items()
        }
        for entry in _entries(_list(text), "instrument_id and quantity, or cash", fits)
    ]


def _moves(text: str) -> list[dict[str, Any]]:
    def fits(names: set[str]) -> bool:
        size = names & {"quantity", "percent", "lots"}
        return "instrument_id" in names and names <= MOVED and bool(size) and ("percent" not in size or len(size) == 1)

    wanted = "instrument_id and quantity or percent, and lots of a quantity"
    return [_move(entry) for entry in _entries(_list(text), wanted, fits)]


def _move(entry: dict[str, Any]) -> dict[str, Any]:
    move: dict[str, Any] = {"instrument_id": _id(entry["instrument_id"])}
    if "percent" in entry:
        percent = _positive(entry["percent"])
        if Decimal(percent) > 100:
            raise BadJson(f"asks for a percent of at most 100, and there was '{percent}'")
        return {**move, "percent": percent}
    if "lots" in entry:
        move["lots"] = _chosen(_is_list(entry["lots"], canonical(entry["lots"])))
    quantity = entry["quantity"] if "quantity" in entry else plain(lots_total(move["lots"]))
    return {**{name: value for name, value in move.items() if value}, "quantity": _positive(quantity)}


def _set(text: str) -> dict[str, Any]:
    return {name: _change(name, value) for name, value in _object(text).items()}


def _change(name: str, value: Any) -> Any:
    """Return what a correction sets a field to: text, the content of a JSON field, or None to remove it.

    A field that no event lacks is set to its default where it is removed.
    """
    field = BY_NAME.get(name)
    if field is None:
        raise BadJson(
            f"names '{written(name)}', and an execution has no such field",
            code="unknown_field",
            action="Name fields of an execution, or leave the name out.",
        )
    if name in FIXED:
        raise BadJson(
            f"names {name}, and no correction changes it",
            code="field_not_allowed",
            action="Cancel the event and record the right one.",
        )
    if value is None:
        return DEFAULTS.get(name)
    if field.reads == "json":
        try:
            return READERS[name](value if isinstance(value, str) else canonical(value))
        except BadJson as bad:
            raise BadJson(f"names {name}, which {bad}", action=f"Write it like {EXAMPLES[name]}.") from bad
    if not isinstance(value, str) or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise BadJson(f"asks for text as the {name}, and there was '{written(canonical(value))}'")
    return _spelled(field, value)


def _spelled(field: Field, text: str) -> str:
    """Return a text as intake would write what it reads there; what it would refuse stays as it is."""
    if field.reads in ("quantity", "money") and NUMBER.fullmatch(text):
        return plain(Decimal(text))
    if field.reads == "word":
        word = text.lower() if field.name in LOWER else text.upper()
        return SHORT.get(word, word) if field.name == "option_type" else word
    if field.reads == "ratio":
        return re.sub(r"\b0+(?=[0-9])", "", text)
    if field.reads == "instant" and re.fullmatch(INSTANT_PATTERN, text):
        with suppress(ValueError, OverflowError):
            return datetime.fromisoformat(text).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return text


def _chain(text: str) -> dict[str, Any]:
    chain = _object(text)
    if set(chain) == {"chain", "name"}:
        return {name: _id(value) for name, value in chain.items()}
    many = "chains" if "chains" in chain else "trades"
    if not set(chain) <= {many, "name"} or many not in chain or (many == "trades" and "name" in chain):
        raise BadJson(f"asks for chains, for trades, or for chain and name, and there was '{written(text)}'")
    ids = [_id(entry) for entry in _is_list(chain[many], canonical(chain[many]))]
    if not ids:
        raise BadJson(f"asks for at least one id in {many}, and there was none")
    return {many: ids, **({"name": _id(chain["name"])} if "name" in chain else {})}


def _id(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= ID_LENGTH_MAX or not value.isprintable():
        raise BadJson(
            f"asks for texts of 1 to {ID_LENGTH_MAX} printable characters, and there was '{written(canonical(value))}'"
        )
    return value


def _number(value: object) -> str:
    parts = NUMBER.fullmatch(value) if isinstance(value, str) else None
    if parts is None or len(parts[1]) > WHOLE_DIGITS_MAX or len((parts[2] or "").rstrip("0")) > 8:
        shown = written(canonical(value))
        raise BadJson(f"asks for plain decimals with at most 8 decimals, and there was '{shown}'")
    return plain(Decimal(str(value)))


def _positive(value: object) -> str:
    number = _number(value)
    if number == "0" or number.startswith("-"):
        raise BadJson(f"asks for positive quantities, and there was '{number}'")
    return number


READERS: dict[str, Callable[[str], Any]] = {
    "lots": _lots,
    "tags": _tags,
    "deliverable": _deliverable,
    "moves": _moves,
    "set": _set,
    "chain": _chain,
}
