# mypy: ignore-errors
"""A random stream while it grows: events are kept only when the reference accepts them."""

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction as F

from tests.reference.book import Book
from tests.reference.exact import R, Reject, dec, instant, new_york_date
from tests.reference.oracle import replay
from tests.reference.told import PHASE, check_static

START = datetime(2025, 1, 2, 15, 0, tzinfo=UTC)
METHODS = ["FIFO", "LIFO", "HIFO", "AVERAGE", "SPECIFIC"]
WEIGHTS = {
    "plain": {"stock": 20, "late": 2, "cancel": 2, "correct": 2, "duplicate": 1},
    "full": {
        "stock": 30,
        "option": 25,
        "exercise": 5,
        "late": 3,
        "cancel": 3,
        "correct": 4,
        "duplicate": 2,
        "split": 2,
        "dividend": 2,
        "roc": 1,
        "spin": 1,
        "symbol": 1,
        "merger": 1,
        "rights": 1,
        "subscribe": 2,
        "transfer": 4,
        "fork": 1,
        "merge": 1,
        "cash": 1,
    },
}


def stamp(t: datetime) -> str:
    return t.isoformat().replace("+00:00", "Z")


class Stream:
    def __init__(
        self, seed: int, events: int, profile: str = "full", invalid: float = 0.0, weights: dict[str, int] | None = None
    ):
        self.weights = weights or WEIGHTS[profile]
        self.rng = random.Random(f"{seed}/{events}/{profile}/{invalid}")
        self.profile, self.invalid, self.want, self.now, self.n = profile, invalid, events, START, 0
        r = self.rng
        names = ["A", "B", "C"][: r.randint(1, 3)]
        accounts = {a: {"lot_method": r.choice(METHODS)} for a in names}
        self.children = []
        if profile == "full":
            for p in names:
                self.children.append(p + "1")
                accounts[p + "1"] = {"parent": p, "lot_method": accounts[p]["lot_method"]}
        instruments = {s: {"type": "stock"} for s in ("AAA", "BBB", "CCC")[: r.randint(1, 3)]}
        self.stocks = list(instruments)
        if profile == "full":
            instruments["IDX"] = {"type": "index"}
            for u in [*list(self.stocks), "IDX"]:
                for day in ("2025-01-17", "2025-02-21", "2025-04-17", "2026-01-16"):
                    for right in "CP":
                        o = {
                            "type": "option",
                            "underlying": u,
                            "expiry": day,
                            "right": right,
                            "strike": str(r.choice([45, 50, "52.5", 60])),
                        }
                        if u == "IDX":
                            o.update(strike=str(r.choice([5800, 5850])), settlement="cash", style="european")
                        instruments[f"{u}_{day[2:7]}{right}"] = o
        self.sc = {
            "id": f"fuzz-{profile}-{seed}",
            "title": "generated",
            "group": "fuzz",
            "lot_method": "FIFO",
            "accounts": accounts,
            "instruments": instruments,
            "events": [],
        }
        self.book = Book(self.sc)

    # ---- adding events
    def add(self, ev, in_order=True):
        """Keep the event only if it is valid; True if kept."""
        self.n += 1
        ev = {"id": f"e{self.n}", "at": stamp(self.now), **ev}
        self.sc["events"].append(ev)
        try:
            if in_order:  # cheap: apply to the running book
                check_static(self.sc, ev)
                live = dict(ev, key=(instant(ev["at"]), PHASE[ev["kind"]], len(self.sc["events"]) - 1))
                before = len(self.book.errors)
                self.book.apply(live)
                if len(self.book.errors) > before:
                    raise Reject("dynamic")
            else:  # the past changed: replay everything
                fresh = replay(self.sc)
                if len(fresh.errors) > len(self.book.errors):
                    raise Reject("dynamic")
                self.book = fresh
            return True
        except Reject:
            self.sc["events"].pop()
            self.book.errors = self.book.errors[:0] if not self.invalid else self.book.errors
        except AssertionError:  # outside the format (a lot rounds to nothing)
            self.sc["events"].pop()
            self.book = replay(self.sc)
        return False

    def tick(self):
        self.now += timedelta(seconds=self.rng.choice([1, 60, 3600, 20 * 3600, 3 * 86400]) + self.rng.randint(0, 50))

    def accounts(self):
        return sorted(self.book.open_accounts)

    def money(self, hi, places=2):
        return dec(F(self.rng.randint(0, hi * 10**places), 10**places))

    def costs(self):
        r = self.rng
        return {
            k: v
            for k, v in (
                ("commission", r.choice(["0", "0", "0.65", "1", "4.95", "0.3333"])),
                ("fees", r.choice(["0", "0", "0.02", "0.01", "-0.25", "0.00000007"])),
            )
            if v != "0"
        }

    def held(self, kinds, sign=0):
        out = []
        for a, i in sorted({(l.account, l.instrument) for l in self.book.lots}):
            p = self.book.position(a, i)
            if p and self.sc["instruments"][i]["type"] in kinds and a in self.book.open_accounts and p * sign >= 0:
                out.append((a, i, p))
        return out

    def named(self, a, i, q):
        if self.book.method(a) != "SPECIFIC" or self.rng.random() < 0.4:
            return {}
        lots, left = self.book.lots_of(a, i), abs(q)
        self.rng.shuffle(lots)
        agg = {}
        for l in lots:
            x = min(left, abs(l.qty))
            if x:
                agg[l.open] = agg.get(l.open, F(0)) + x
                left -= x
        return {"lots": [{"open": o, "quantity": dec(x)} for o, x in agg.items()]}

    def trade(self, kinds, at=None):
        r, option = self.rng, "option" in kinds
        today = new_york_date(at or self.now)
        pool = [
            i
            for i, d in self.sc["instruments"].items()
            if d["type"] in kinds
            and not d.get("closed")
            and (d["expiry"] >= today.isoformat() if option else i in self.stocks)
        ]
        held = [h for h in self.held(kinds) if h[1] in pool]
        if held and r.random() < 0.55:  # trade against an existing position
            a, i, p = r.choice(held)
            q = -p if r.random() < 0.3 else -p * F(r.randint(1, 150), 100)
            q = F(round(q)) if option or p.denominator == 1 else R(q)
            if q == 0:
                return None
            extra = {}
            if abs(q) <= abs(p):
                extra = {
                    **({"effect": "close"} if r.random() < 0.5 else {}),
                    **(self.named(a, i, q) if at is None else {}),
                }
        else:
            if not pool:
                return None
            a, i = r.choice(self.accounts()), r.choice(pool)
            q = (
                F(r.randint(1, 12))
                if option
                else F(r.choice([1, 3, 7, 10, 33, 100, 101, 250]))
                if r.random() < 0.75
                else F(r.randint(1, 99999), r.choice([100, 10000]))
            )
            q, extra = q * r.choice([1, 1, -1]), {}
        return {
            "kind": "trade",
            "account": a,
            "instrument": i,
            "quantity": dec(q),
            **self.costs(),
            **extra,
            "price": self.money(12 if option else 90, r.choice([2, 2, 4])),
            "exec_id": f"X{self.n}",
            "group": r.choice(["strategy:s1", "strategy:s2", ["order:o1", "strategy:s1"]]),
        }
