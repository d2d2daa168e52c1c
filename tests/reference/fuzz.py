# mypy: ignore-errors
"""Random scenarios with the reference's answers, for differential testing.

The same seed, events, profile, weights and invalid rate always give the same scenario. Without `invalid` no event
is refused.
"""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction as F
from typing import Any

from tests.reference.actions import Actions
from tests.reference.exact import dec, instant, new_york_date, num
from tests.reference.oracle import compute, replay
from tests.reference.stream import START, stamp
from tests.reference.told import resolve


class Gen(Actions):
    def do_stock(self):
        ev = self.trade({"stock"})
        if ev:
            self.add(ev)

    def do_option(self):
        ev = self.trade({"option"})
        if ev:
            self.add(ev)

    def do_late(self):
        at = self.now - timedelta(seconds=self.rng.randint(1, max(1, int((self.now - START).total_seconds()))))
        ev = self.trade({"stock"}, at)
        if ev:
            self.add({**ev, "at": stamp(at), "known_at": stamp(self.now)}, in_order=False)

    def trades(self):
        out, _, _ = resolve(self.sc, instant(stamp(self.now)))
        return [e for e in out if e["kind"] == "trade"]

    def do_cancel(self):
        ts = self.trades()
        if ts:
            self.add({"kind": "cancel", "target": self.rng.choice(ts)["id"]}, in_order=False)

    def do_correct(self):
        ts = self.trades()
        if ts:
            t, r = self.rng.choice(ts), self.rng
            change = r.choice(
                [
                    {"price": self.money(60)},
                    {"commission": self.money(3)},
                    {"fees": "0.07", "price": self.money(9)},
                    {"quantity": dec(num(t["quantity"]) * 2)},
                ]
            )
            self.add({"kind": "correct", "target": t["id"], "set": change}, in_order=False)

    def do_duplicate(self):
        ts = [e for e in self.sc["events"] if e.get("exec_id")]
        if ts:
            self.add({**self.rng.choice(ts), "id": f"d{self.n}", "known_at": stamp(self.now)}, in_order=False)

    def do_exercise(self):
        held = [h for h in self.held({"option"}) if self.sc["instruments"][h[1]].get("settlement") != "cash"]
        if held:
            a, i, p = self.rng.choice(held)
            self.add(
                {
                    "kind": "exercise" if p > 0 else "assign",
                    "account": a,
                    "instrument": i,
                    **self.costs(),
                    "contracts": dec(F(self.rng.randint(1, int(abs(p))))),
                }
            )

    def expiries(self):
        """Process every option whose expiry day has passed."""
        for a, i, p in self.held({"option"}):
            d = self.sc["instruments"][i]
            if d["expiry"] < new_york_date(self.now).isoformat():
                day = datetime.combine(date.fromisoformat(d["expiry"]), datetime.min.time(), UTC)
                at = max(day + timedelta(hours=22), self.last) + timedelta(seconds=1)
                self.last = at
                base = {"account": a, "instrument": i, "at": stamp(at), "known_at": stamp(self.now)}
                if d.get("settlement") == "cash":
                    self.add({"kind": "cash_settle", **base, "settlement_price": self.money(5900)}, False)
                    continue
                if self.rng.random() < 0.4:
                    self.add(
                        {
                            "kind": "exercise" if p > 0 else "assign",
                            **base,
                            "contracts": dec(F(self.rng.randint(1, int(abs(p))))),
                        },
                        False,
                    )
                if self.book.position(a, i):
                    self.add({"kind": "expire", **base}, False)

    def do_cash(self):
        kind = self.rng.choice(["deposit", "fee", "interest"])
        amount = "-" + self.money(5) if kind == "fee" else self.money(500)
        self.add({"kind": "cash", "account": self.rng.choice(self.accounts()), "amount": amount, "category": kind})

    def add_invalid(self):
        """An event that must be refused, appended as it is."""
        r, base = (
            self.rng,
            {
                "kind": "trade",
                "account": self.accounts()[0],
                "instrument": self.stocks[0],
                "quantity": "1",
                "price": "1",
            },
        )
        self.n += 1
        ev = {
            "id": f"bad{self.n}",
            "at": stamp(self.now),
            **base,
            **r.choice(
                [
                    {"quantity": "NaN"},
                    {"quantity": "0"},
                    {"account": "ZZ"},
                    {"instrument": "NOPE"},
                    {"price": "-1"},
                    {"fees": "x"},
                    {"at": "2025-03-03T10:00:00"},
                    {"quantity": "0.000000001"},
                    {"kind": "teleport"},
                    {"price": None},
                    {"quantity": "-99999999", "effect": "close"},
                    {"kind": "cancel", "target": "nosuch"},
                    {"kind": "transfer", "to": self.accounts()[0]},
                    {"kind": "expire"},
                ]
            ),
        }
        self.sc["events"].append(ev)
        self.book = replay(self.sc)

    def run(self) -> dict[str, Any]:
        w, tries, self.last = self.weights, 0, START
        while len(self.sc["events"]) < self.want and tries < self.want * 6:
            tries += 1
            self.tick()
            self.expiries()
            if self.rng.random() < self.invalid:
                self.add_invalid()
            else:
                getattr(self, "do_" + self.rng.choices(list(w), list(w.values()))[0])()
        sc = self.sc
        for d in sc["instruments"].values():
            d.pop("closed", None)
        span = int((self.now - START).total_seconds()) or 1
        times = [stamp(START + timedelta(seconds=self.rng.randint(0, span))) for _ in range(6)]
        sc["expected"] = {"as_of": [{"effective": times[k], "known": times[k + 1]} for k in (0, 2, 4)]}
        sc["expected"] = compute(sc)
        return sc
