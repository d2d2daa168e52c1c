# mypy: ignore-errors
"""Slow, obvious reference of the accounting on exact fractions: a scenario in, its `expected` section out."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction as F
from typing import Any

from tests.reference.book import Book
from tests.reference.exact import R, dec, instant, num
from tests.reference.told import charges_of, groups, ratio, resolve, trade_date

FOREVER = datetime.max.replace(tzinfo=UTC)


def replay(sc: dict[str, Any], T: datetime = FOREVER, K: datetime = FOREVER) -> Book:
    events, errors, duplicates = resolve(sc, K)
    book = Book(sc)
    for ev in events:
        if ev["key"][0] <= T:
            book.apply(ev)
    book.errors = errors + book.errors
    book.duplicates, book.events = duplicates, [e for e in events if e["key"][0] <= T]
    total = sum(c[2] for c in book.cash_entries)  # the money identity over all accounts
    assert total == (
        sum(r["pnl"] for r in book.rows)
        + sum(book.dividends.values())
        + book.external
        - sum(l.basis for l in book.lots)
    ), "cash identity broken in " + sc["id"]
    return book


def positions(book):
    out = []
    for a, i in sorted({(l.account, l.instrument) for l in book.lots}):
        lots = book.lots_of(a, i)
        q, b, k = sum(l.qty for l in lots), sum(l.basis for l in lots), sum(l.charges for l in lots)
        if q == 0:
            continue
        agg = {}
        for l in lots:
            e = agg.setdefault((l.open, l.day.isoformat()), [F(0), F(0)])
            e[0], e[1] = e[0] + l.qty, e[1] + l.basis
        units = q * book.mult(i)
        out.append(
            {
                "account": a,
                "instrument": i,
                "quantity": dec(q),
                "average_price": dec(R(b / units)),
                "average_price_ex_fees": dec(R((b - k) / units)),
                "cost_basis": dec(b),
                "lots": [
                    {"open": o, "open_date": d, "quantity": dec(v[0]), "cost_basis": dec(v[1])}
                    for (o, d), v in agg.items()
                ],
            }
        )
    return out


def closed(book):
    agg = {}
    for r in book.rows:
        k = (r["account"], r["instrument"], r["open"], r["close"], r["how"])
        e = agg.setdefault(k, {"quantity": F(0), "proceeds": F(0), "cost": F(0), "pnl": F(0), "term": r["term"]})
        for f in ("quantity", "proceeds", "cost", "pnl"):
            e[f] += r[f]
    return [
        {
            "account": k[0],
            "instrument": k[1],
            "open": k[2],
            "close": k[3],
            "how": k[4],
            "term": e["term"],
            **{f: dec(e[f]) for f in ("quantity", "proceeds", "cost", "pnl")},
        }
        for k, e in agg.items()
    ]


def totals(book, T=FOREVER):
    return {
        a: {
            "realized_pnl": dec(sum((r["pnl"] for r in book.rows if r["account"] == a), F(0))),
            "fees": dec(book.fees[a]),
            "dividends": dec(book.dividends[a]),
            "cash": dec(sum((c[2] for c in book.cash_entries if c[1] == a and c[0] <= T), F(0))),
        }
        for a in book.sc["accounts"]
    }


def breaks(sc):
    br, out = sc["broker"], []
    a, T = br["account"], instant(br["as_of"])
    book = replay(sc, T)
    if "executions" in br:
        refused = {e.get("event") for e in book.errors}
        ours = {
            e["exec_id"]: e
            for e in book.events
            if e["kind"] == "trade" and e["account"] == a and e.get("exec_id") and e["id"] not in refused
        }
        theirs = {e["exec_id"]: e for e in br["executions"]}
        for x in sorted(set(ours) | set(theirs)):
            o, t = ours.get(x), theirs.get(x)
            base = {"account": a, "instrument": (o or t)["instrument"], "exec_id": x}
            if not o:
                out.append({"type": "missing_trade", **base, "ours": None, "broker": dec(num(t["quantity"]))})
            elif not t:
                out.append({"type": "extra_trade", **base, "ours": dec(num(o["quantity"])), "broker": None})
            else:
                for kind, f in (
                    ("quantity", lambda e: num(e["quantity"])),
                    ("price", lambda e: num(e["price"])),
                    ("fee", charges_of),
                ):
                    if f(o) != f(t):
                        out.append({"type": kind, **base, "ours": dec(f(o)), "broker": dec(f(t))})
    if "positions" in br:
        theirs = {p["instrument"]: num(p["quantity"]) for p in br["positions"]}
        for i in sorted(set(theirs) | {l.instrument for l in book.lots if l.account == a}):
            o, t = book.position(a, i), theirs.get(i, F(0))
            if o != t:
                recent = [
                    e
                    for e in book.events
                    if e["kind"] == "split"
                    and e["instrument"] == i
                    and T - timedelta(days=7) <= e["key"][0] <= T
                    and o == t * ratio(e["ratio"])
                ]
                out.append(
                    {
                        "type": "stale_split" if recent else "position",
                        "account": a,
                        "instrument": i,
                        "ours": dec(o),
                        "broker": dec(t),
                    }
                )
    return out


def compute(sc: dict[str, Any]) -> dict[str, Any]:
    """The full `expected` section of a scenario."""
    book = replay(sc)
    out = {
        "positions": positions(book),
        "closed": closed(book),
        "totals": totals(book),
        "errors": book.errors,
        "duplicates": book.duplicates,
    }
    names = {g for e in sc["events"] for g in groups(e)}
    out["groups"] = {
        g: {
            "realized_pnl": dec(sum((r["pnl"] for r in book.rows if g in r["groups"]), F(0))),
            "net_cash": dec(sum((c[2] for c in book.cash_entries if g in c[3]), F(0))),
        }
        for g in sorted(names)
    }
    out["trade_dates"] = {e["id"]: trade_date(e).isoformat() for e in book.events}
    out["as_of"] = []
    for q in (sc.get("expected") or {}).get("as_of") or []:
        T, K = instant(q["effective"]), instant(q["known"])
        b = replay(sc, T, K)
        out["as_of"].append(
            {
                "effective": q["effective"],
                "known": q["known"],
                "positions": positions(b),
                "totals": totals(b, T),
                "errors": b.errors,
            }
        )
    if "broker" in sc:
        out["breaks"] = breaks(sc)
    return out
