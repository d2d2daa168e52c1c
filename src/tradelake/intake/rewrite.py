"""An event back as the row that tells it, and that row with a correction applied.

A correction names fields of an execution row. Whether the corrected event is one that intake would take is asked in
the only way that cannot differ from intake: the event is written as a row again, the fields are set, and the row
is validated like any other.
"""

from collections.abc import Mapping
from typing import Any

from tradelake import sessions
from tradelake.intake.details import as_text, inside_of
from tradelake.intake.entries import canonical
from tradelake.intake.fields import BY_NAME
from tradelake.tables import TRADE_LOG

NAMING = ("instrument_id", "contract_symbol", "symbol")
TERMS = (*NAMING, "strike", "expiration", "option_type", "multiplier", "asset_type")
SPELLED = ("strike", "expiration", "option_type")
CHARGES = ("commission", "fees")
NOT_TOLD = ("recorded_at", "trade_date")
AS_THEY_ARE = tuple(name for name in TRADE_LOG.names if name in BY_NAME and name not in (*CHARGES, *NOT_TOLD))


def as_row(event: Mapping[str, Any]) -> dict[str, str]:
    """Return a row of `trade_log`, or of `incoming`, as the fields of an execution row in text.

    Validated again it is the same event. The knowledge time is left out; a trade date and charges only stand
    where they say more than the default.
    """
    row = {name: as_text(event[name]) for name in AS_THEY_ARE if event.get(name) is not None}
    row |= {name: as_text(event[name]) for name in CHARGES if event.get(name)}
    if event["trade_date"] != sessions.trade_date(event["executed_at"]):
        row["trade_date"] = as_text(event["trade_date"])
    if event["kind"] == "cash":
        row["amount"] = as_text(event["net_amount"])
    return row | inside_of(event.get("details"))


def corrected(row: Mapping[str, str], changes: Mapping[str, Any]) -> dict[str, str]:
    """Return the row with the fields of a correction set: to text, to the content of a JSON field, or away.

    A row that is given another instrument keeps no term of the old one, and a new strike, expiration or option_type
    makes it another contract of the same terms otherwise.
    """
    dropped: tuple[str, ...] = ()
    if any(name in changes for name in NAMING):
        dropped = TERMS
    elif any(name in changes for name in SPELLED):
        dropped = ("instrument_id", "contract_symbol")
    whole: dict[str, Any] = {**{name: text for name, text in row.items() if name not in dropped}, **changes}
    return {
        name: value if isinstance(value, str) else canonical(value)
        for name, value in whole.items()
        if value is not None
    }
