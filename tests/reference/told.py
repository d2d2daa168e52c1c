# mypy: ignore-errors
"""What an event says, what is wrong with it whatever the position, and which events are known at an instant."""

from datetime import date, datetime
from fractions import Fraction as F
from typing import Any

from tests.reference.exact import QUANTUM, Reject, instant, new_york_date, num

CORPORATE = {
    "split",
    "cash_dividend",
    "return_of_capital",
    "spin_off",
    "rights_issue",
    "merger",
    "symbol_change",
    "option_adjust",
}
PHASE = {
    **dict.fromkeys(CORPORATE, 0),
    **dict.fromkeys(("trade", "transfer", "fork", "merge", "cash", "subscribe"), 1),
    **dict.fromkeys(("exercise", "assign", "cash_settle"), 2),
    "expire": 3,
}
REQUIRED = {
    "trade": "account instrument quantity price",
    "exercise": "account instrument contracts",
    "assign": "account instrument contracts",
    "cash_settle": "account instrument settlement_price",
    "expire": "account instrument",
    "split": "instrument ratio",
    "cash_dividend": "instrument per_share",
    "return_of_capital": "instrument per_share",
    "spin_off": "instrument new_instrument ratio basis_fraction",
    "rights_issue": "instrument new_instrument ratio basis_fraction",
    "merger": "instrument",
    "symbol_change": "instrument new_instrument",
    "option_adjust": "instrument new_instrument ratio",
    "subscribe": "account instrument quantity new_instrument shares price",
    "transfer": "account to instrument",
    "fork": "account to moves",
    "merge": "account to",
    "cash": "account amount category",
    "cancel": "target",
    "correct": "target set",
}
NUMBERS = [
    "quantity",
    "price",
    "commission",
    "fees",
    "contracts",
    "settlement_price",
    "cash_in_lieu_price",
    "per_share",
    "basis_fraction",
    "cash_per_share",
    "new_price",
    "shares",
    "cash",
    "amount",
]
POSITIVE = {
    "exercise": ["contracts"],
    "assign": ["contracts"],
    "cash_settle": ["contracts"],
    "expire": ["contracts"],
    "transfer": ["quantity"],
    "subscribe": ["quantity", "shares"],
}


def trade_date(ev: dict[str, Any]) -> date:
    return date.fromisoformat(ev["trade_date"]) if ev.get("trade_date") else new_york_date(instant(ev["at"]))


def ratio(text):
    a, b = text.split("/")
    return F(a) / F(b)


def opt(ev, field, default="0"):
    v = ev.get(field)
    return num(default if v is None else v)


def charges_of(ev: dict[str, Any]) -> F:
    return opt(ev, "commission") + opt(ev, "fees")


def bad_instrument(instruments, name):
    i = instruments[name]
    if i.get("type") not in ("stock", "index", "option", "right"):
        return True
    if i["type"] != "option":
        return False
    try:
        date.fromisoformat(i["expiry"])
        return (
            i["right"] not in ("C", "P")
            or num(i["strike"]) <= 0
            or i["underlying"] not in instruments
            or num(i.get("multiplier", "100")) <= 0
        )
    except (KeyError, ValueError, TypeError, Reject):
        return True


def check_static(sc, ev):
    """Raise Reject for anything wrong that does not depend on positions."""
    kind, accounts, instruments = ev.get("kind"), sc["accounts"], sc["instruments"]
    if kind not in REQUIRED:
        raise Reject("unknown_kind")
    at = instant(ev.get("at"))
    if "known_at" in ev:
        instant(ev["known_at"])
    if any(ev.get(field) is None for field in REQUIRED[kind].split()):
        raise Reject("missing_field")
    if any(ev[field] not in accounts for field in ("account", "to") if field in ev):
        raise Reject("unknown_account")
    if ev.get("to") is not None and ev["to"] == ev["account"]:
        raise Reject("same_account")
    for field in ("instrument", "new_instrument"):
        if field in ev:
            if ev[field] not in instruments:
                raise Reject("unknown_instrument")
            if bad_instrument(instruments, ev[field]):
                raise Reject("invalid_instrument")
    for text in [ev[f] for f in NUMBERS if ev.get(f) is not None]:
        num(text)
    if any(num(ev[f]) < 0 for f in POSITIVE.get(kind, []) if ev.get(f) is not None):
        raise Reject("nonpositive_quantity")
    inst = instruments.get(ev.get("instrument"), {})
    is_option = inst.get("type") == "option"
    for q in [num(ev[f]) for f in ("quantity", "contracts", "shares") if ev.get(f) is not None]:
        if (q * QUANTUM).denominator != 1:
            raise Reject("quantity_scale")
        if q == 0:
            raise Reject("zero_quantity")
        if is_option and q.denominator != 1:
            raise Reject("fractional_contracts")
    if kind == "trade":
        if inst["type"] == "index":
            raise Reject("not_tradable")
        if num(ev["price"]) < 0 and not (is_option and ev.get("combo")):
            raise Reject("negative_price")
        if is_option and trade_date(ev) > date.fromisoformat(inst["expiry"]):
            raise Reject("trade_after_expiry")
    if kind in ("exercise", "assign", "cash_settle", "option_adjust") and not is_option:
        raise Reject("invalid_instrument")
    if kind in ("exercise", "assign", "cash_settle"):
        if (inst.get("settlement", "physical") == "cash") != (kind == "cash_settle"):
            raise Reject("wrong_settlement")
        if inst.get("style") == "european" and new_york_date(at) < date.fromisoformat(inst["expiry"]):
            raise Reject("european_early_exercise")
    if kind == "expire":
        if inst["type"] not in ("option", "right"):
            raise Reject("invalid_instrument")
        if is_option and new_york_date(at) < date.fromisoformat(inst["expiry"]):
            raise Reject("expire_before_expiry")


def content(e):
    """What makes two deliveries of an execution the same."""
    return (
        e["kind"],
        e.get("instrument"),
        instant(e["at"]),
        opt(e, "commission"),
        opt(e, "fees"),
        [num(e[f]) if e.get(f) is not None else None for f in ("quantity", "contracts", "price")],
    )


def resolve(sc: dict[str, Any], known: datetime) -> tuple[list[dict[str, Any]], list[dict[str, str]], list[str]]:
    """Apply duplicates, cancels and corrections in arrival order. Returns (events, errors, duplicates)."""
    ops, errors, duplicates, by_exec = {}, [], [], {}
    bad = [name for name in sc["instruments"] if bad_instrument(sc["instruments"], name)]
    errors.extend({"instrument": name, "code": "invalid_instrument"} for name in bad)

    def root(oid):
        while ops[oid]["ev"]["kind"] == "correct":
            oid = ops[oid]["ev"]["target"]
        return oid

    def current(oid, extra=None):
        ev = dict(ops[oid]["ev"])
        for o in ops.values():
            if o["ev"]["kind"] == "correct" and o["active"] and root(o["ev"]["id"]) == oid:
                ev.update(o["ev"]["set"])
        ev.update(extra or {})
        return ev

    for seq, ev in enumerate(sc["events"]):
        try:
            if instant(ev.get("known_at", ev.get("at"))) > known:
                continue
        except Reject:
            pass  # unreadable time: refused below, always known
        try:
            check_static(sc, ev)
            if ev["kind"] == "cancel":
                if ev["target"] not in ops:
                    raise Reject("unknown_target")
                t = ops[ev["target"]]
                if not t["active"]:
                    raise Reject("already_cancelled")
                t["active"] = False
                if t["ev"]["kind"] == "cancel":
                    ops[t["ev"]["target"]]["active"] = True
            elif ev["kind"] == "correct":
                if ev["target"] not in ops or ops[ev["target"]]["ev"]["kind"] == "cancel":
                    raise Reject("unknown_target")
                base = root(ev["target"])
                if not ops[base]["active"]:
                    raise Reject("target_cancelled")
                check_static(sc, current(base, ev["set"]))
            elif ev.get("exec_id"):
                key = (ev["account"], ev["exec_id"])
                if key in by_exec:
                    first = by_exec[key]
                    if content(ev) in (content(ops[first]["ev"]), content(current(first))):
                        duplicates.append(ev["id"])
                        continue
                    raise Reject("conflicting_duplicate")
                by_exec[key] = ev["id"]
            ops[ev["id"]] = {"ev": ev, "active": True, "seq": seq}
        except Reject as e:
            errors.append({"event": ev["id"], "code": e.args[0]})
    out = []
    for oid, o in ops.items():
        if o["active"] and o["ev"]["kind"] not in ("cancel", "correct"):
            ev = current(oid)
            ev["key"] = (instant(ev["at"]), PHASE[ev["kind"]], o["seq"])
            out.append(ev)
    return sorted(out, key=lambda e: e["key"]), errors, duplicates


def groups(ev):
    g = ev.get("group") or []
    return [g] if isinstance(g, str) else list(g)
