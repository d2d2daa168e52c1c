"""Single values of Python become text, exactly, or are refused.

Whole numbers and Decimals are written out exactly. A float is refused, because what it shows is not what was
meant: 0.1 as a float is 0.1000000000000000055511151231257827.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any

from tradelake.intake.entries import canonical
from tradelake.intake.fields import EXECUTION, Field, Form
from tradelake.intake.numbers import WHOLE_DIGITS_MAX
from tradelake.intake.rules import Finding, written

BITS_MAX = 400
PLACES_MAX = 200
OBJECTS = ("set", "chain")
ONE_OBJECT = "Write one JSON object per line, with the names of the fields as its keys."


class JsonFloat(str):
    """A number of a JSON text that has a point or an exponent, as it was written."""

    __slots__ = ()


class RefusedValue(ValueError):
    """A value that no field takes; carries what is wrong with it."""

    def __init__(self, field: str, value: object, finding: Finding) -> None:
        super().__init__(finding.message)
        self.field, self.value, self.finding = field, value, finding


def unknown_field(name: str, form: Form) -> Finding:
    """Say that no field has this name, and which one is nearest."""
    nearest = get_close_matches(name, form.fields, n=1, cutoff=0.5)
    hint = f"; the nearest is {nearest[0]}" if nearest else ""
    return Finding(
        "unknown_field",
        f"{form.noun} has no field '{written(name)}'{hint}.",
        f"Write {nearest[0]}, or leave the field out." if nearest else "Leave the field out.",
    )


def float_number(name: str, value: object) -> Finding:
    """Say that a float is no exact number."""
    return Finding(
        "float_number",
        f"{name} asks for an exact number, and there was the float {written(value)}.",
        'Write the number as text, for example "12.50", or give it as a Decimal.',
    )


def bad_type(name: str, kind: str) -> Finding:
    """Say that a field does not take values of this kind."""
    return Finding(
        "bad_type",
        f"{name} asks for text or a plain value, and there was one of the type {kind}.",
        "Write the value as text.",
    )


def clean(row: object, form: Form = EXECUTION) -> Mapping[str, str]:
    """Return the fields of a row of a form as text; raise RefusedValue for the first that cannot be."""
    if isinstance(row, RefusedValue):
        raise row
    if not isinstance(row, Mapping):
        finding = Finding("bad_json", f"A row asks for fields by name, and there was '{written(row)}'.", ONE_OBJECT)
        raise RefusedValue("", row, finding)
    for name, value in row.items():
        if type(value) is not str or name not in form.fields:
            return {name: text for name, text in _texts(row, form) if text is not None}
    return row


def _texts(row: Mapping[str, object], form: Form) -> Iterator[tuple[str, str | None]]:
    for name, value in row.items():
        field = form.fields.get(name)
        if value is None:
            yield name, None
        elif field is None:
            raise RefusedValue(str(name), value, unknown_field(str(name), form))
        else:
            yield name, value if type(value) is str else _as_text(field, value)


def without_halves(row: Mapping[str, str]) -> Mapping[str, str]:
    """Return the row; raise RefusedValue where a text cannot be written as UTF-8."""
    for name, text in row.items():
        if not is_encodable(text):
            finding = Finding("bad_text", f"{name} has half a character of UTF-16.", "Write the whole character.")
            raise RefusedValue(name, ascii(text), finding)
    return row


def _as_text(field: Field, value: object) -> str:
    if isinstance(value, float | JsonFloat) or (isinstance(value, Real) and not isinstance(value, Integral)):
        raise RefusedValue(field.name, value, float_number(field.name, value))
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, date):
        return value.isoformat()
    if type(value) is not bool and isinstance(value, Decimal | Integral):
        return _exactly(field, value if isinstance(value, Decimal) else int(value))
    if field.reads == "json" and isinstance(value, Mapping if field.name in OBJECTS else list | tuple):
        return canonical(_plainly(field, value))
    raise RefusedValue(field.name, value, bad_type(field.name, type(value).__name__))


def _exactly(field: Field, value: Decimal | int) -> str:
    if isinstance(value, int):
        if value.bit_length() > BITS_MAX:
            finding = Finding(
                "number_too_large",
                f"{field.name} has at most {WHOLE_DIGITS_MAX} digits, and there was a whole number of "
                f"{value.bit_length()} bits.",
                "Check the number.",
            )
            raise RefusedValue(field.name, hex(value), finding)
        return str(value)
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > PLACES_MAX:
        return str(value)  # NaN, or an exponent that would fill the memory when written out: no plain number
    return format(value, "f")


def _plainly(field: Field, value: object) -> Any:
    if isinstance(value, Mapping):
        kept = {str(key): item for key, item in value.items() if item is not None or field.name == "set"}
        return {key: None if item is None else _plainly(field, item) for key, item in kept.items()}
    if isinstance(value, list | tuple):
        return [_plainly(field, item) for item in value]
    return _as_text(field, value)


def is_encodable(text: str) -> bool:
    """Whether a text can be written as UTF-8: JSON can name halves of UTF-16 characters, which cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
