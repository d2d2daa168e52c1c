"""What becomes of one Flex row, and the refusals that all kinds of rows share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tradelake.intake.ibkr_xml import Row


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one row: an event with its `values`, kept as it is, or a reject with its reason.

    `owner` is the number of the row whose event took this one over, for a kept row.
    """

    outcome: str
    code: str = ""
    message: str = ""
    field: str = ""
    value: str = ""
    action: str = ""
    values: "Mapping[str, str | None] | None" = None
    owner: int | None = None


def event(given: "Mapping[str, str | None]") -> Decision:
    """Return the decision that a row is an event."""
    return Decision("event", values=given)


def kept(code: str, message: str, *, owner: int | None = None) -> Decision:
    """Return the decision that a row is stored and is no event."""
    return Decision("kept", code, message, owner=owner)


def reject(code: str, message: str, *, field: str, value: str, action: str) -> Decision:
    """Return the decision that a row cannot be used."""
    return Decision("reject", code, message, field, value, action)


def bad_timestamp(row: "Row", field: str) -> Decision:
    """Refuse a row whose day or time cannot be read."""
    return reject(
        "bad_timestamp",
        f"{field} {row.get(field)!r} is no day or time that a Flex query writes, or its order of day and"
        " month is unclear.",
        field=field,
        value=row.get(field),
        action="Set the date format yyyyMMdd, the time format HHmmss and the separator ; in the Flex query"
        " and run it again.",
    )


def missing_day(field: str) -> Decision:
    """Refuse a row that names no day."""
    return reject(
        "missing_field",
        f"The row has neither {field} nor a date.",
        field=field,
        value="",
        action="Add Date/Time and Trade Date to the section in the Flex query and run it again.",
    )
