"""The words of a scenario in the words of an execution row.

A scenario gives a trade its side by the sign of its quantity, and names instants, instruments and prices in its own
way. A correction there sets fields in these words too, and one of them may decide several fields of a row (a new
quantity may turn the side), so what it sets is read off the row of the whole corrected event.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Event = Mapping[str, Any]
EFFECTS = {"open": "_TO_OPEN", "close": "_TO_CLOSE", "auto": "", None: ""}
NAMES = {
    "id": "trade_id",
    "at": "executed_at",
    "account": "account_id",
    "to": "to_account_id",
    "instrument": "instrument_id",
    "new_instrument": "new_instrument_id",
    "exec_id": "broker_execution_id",
    "category": "cash_category",
    "contracts": "quantity",
    "settlement_price": "price",
    "per_share": "amount_per_unit",
    "cash_per_share": "amount_per_unit",
    "target": "target_id",
}
COMMON = ("id", "kind", "at", "exec_id", "trade_date", "reason")
OWN = ("account", "commission", "fees")
CLOSING = (*OWN, "instrument", "contracts", "lots")
TRADED = (*OWN, "instrument", "quantity", "price", "lots", "delta")
HANDED = ("account", "to", "cash")
GIVEN = ("instrument", "new_instrument", "ratio", "cash_in_lieu_price")
FIELDS: dict[str, tuple[str, ...]] = {
    "exercise": (*CLOSING, "quantity"),
    "assign": (*CLOSING, "quantity"),
    "cash_settle": (*CLOSING, "settlement_price"),
    "expire": CLOSING,
    "subscribe": (*TRADED, "new_instrument", "shares"),
    "cash": (*OWN, "instrument", "amount", "category"),
    "split": GIVEN,
    "cash_dividend": ("instrument", "per_share", "pay_at"),
    "return_of_capital": ("instrument", "per_share"),
    "spin_off": (*GIVEN, "basis_fraction"),
    "rights_issue": (*GIVEN, "basis_fraction"),
    "merger": (*GIVEN, "cash_per_share", "new_price", "treatment"),
    "symbol_change": ("instrument", "new_instrument"),
    "option_adjust": ("instrument", "new_instrument", "ratio"),
    "transfer": (*HANDED, "instrument", "quantity", "lots"),
    "fork": (*HANDED, "moves"),
    "merge": HANDED,
    "lot_method": ("account", "method"),
    "cancel": ("target",),
    "correct": ("target", "set"),
    "chain_join": ("account", "chain"),
    "chain_split": ("account", "chain"),
    "chain_name": ("account", "chain"),
}
DECIDED: dict[str, tuple[str, ...]] = {
    "quantity": ("quantity", "action"),
    "effect": ("action",),
    "group": ("tags",),
    "combo": ("tags",),
}
WORDS = {*COMMON, *TRADED, *DECIDED, *(name for names in FIELDS.values() for name in names)}


def executions(events: Iterable[Event]) -> list[dict[str, Any]]:
    """Return the events of a scenario, in order of arrival, as execution rows."""
    told: dict[str, Event] = {}
    rows = []
    for event in events:
        rows.append(execution(event, told=told))
        told[event["id"]] = event
    return rows


def execution(event: Event, *, told: Mapping[str, Event] | None = None) -> dict[str, Any]:
    """Return a scenario's event as an execution row; *told* has the events that came before it, by id."""
    kind = event.get("kind")
    fields = FIELDS.get(str(kind), TRADED)
    given = {name: event[name] for name in (*COMMON, *fields) if name in event}
    row: dict[str, Any] = {NAMES.get(name, name): value for name, value in given.items()}
    row["recorded_at"] = event.get("known_at", event.get("at"))
    if kind == "trade":
        row |= _side(event)
    if isinstance(row.get("moves"), list):
        row["moves"] = [{NAMES.get(key, key): value for key, value in move.items()} for move in row["moves"]]
    if kind == "correct" and isinstance(event.get("set"), Mapping):
        row["set"] = _changes(event, told or {})
    tags = [*_groups(event), *(["combo"] if event.get("combo") else [])]
    if tags:
        row["tags"] = tags
    return {name: value for name, value in row.items() if value is not None}


def _side(event: Event) -> dict[str, Any]:
    """Return the action and the unsigned quantity of a trade."""
    quantity, effect = event.get("quantity"), event.get("effect")
    sells = isinstance(quantity, str) and quantity.startswith("-")
    return {
        "action": ("SELL" if sells else "BUY") + EFFECTS.get(effect, f"_{effect}"),
        "quantity": str(quantity).removeprefix("-") if sells else quantity,
    }


def _groups(event: Event) -> Sequence[str]:
    group = event.get("group") or []
    return [group] if isinstance(group, str) else group


def _changes(correction: Event, told: Mapping[str, Event]) -> dict[str, Any]:
    """Return what a correction sets, in the fields of an execution row."""
    changes = correction["set"]
    row = execution({**_corrected(correction.get("target"), told), **changes})
    known = (name for name in changes if name in WORDS)
    decided = (field for name in known for field in DECIDED.get(name, (NAMES.get(name, name),)))
    return {field: row.get(field) for field in decided}


def _corrected(target: object, told: Mapping[str, Event]) -> Event:
    """Return the event that *target* cures or is, with all earlier corrections of it; a trade where it is unknown."""
    root = _root(target, told)
    if root is None:
        return {"kind": "trade", "id": target}
    event = dict(told[root])
    dropped = _cancelled(told)
    for name, other in told.items():
        if other.get("kind") == "correct" and name not in dropped and _root(other.get("target"), told) == root:
            event |= other.get("set") or {}
    return event


def _root(target: object, told: Mapping[str, Event]) -> str | None:
    """Return the id of the event that a chain of corrections ends in, None where one of them is unknown."""
    while isinstance(target, str) and target in told:
        if told[target].get("kind") != "correct":
            return target
        target = told[target].get("target")
    return None


def _cancelled(told: Mapping[str, Event]) -> set[str]:
    """Return the ids of the events that are cancelled; the cancel of a cancel brings its target back."""
    dropped: set[str] = set()
    for event in told.values():
        target = event.get("target")
        if event.get("kind") == "cancel" and isinstance(target, str) and target in told and target not in dropped:
            dropped.add(target)
            if told[target].get("kind") == "cancel":
                dropped.discard(told[target]["target"])
    return dropped
