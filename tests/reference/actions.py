# mypy: ignore-errors
"""Corporate actions and moves of a random stream."""

from datetime import timedelta
from fractions import Fraction as F

from tests.reference.exact import R, dec, new_york_date, num
from tests.reference.stream import Stream, stamp


class Actions(Stream):
    def new_terms(self, stock, factor=F(1), underlying=None):
        """OCC-style adjustment of every live option on a stock, each into a fresh instrument."""
        for i, d in list(self.sc["instruments"].items()):
            if (
                d.get("underlying") != stock
                or not self.book.holders(i)
                or d["expiry"] < new_york_date(self.now).isoformat()
            ):
                continue
            new, name = {k: v for k, v in d.items() if k != "deliverable"}, f"{i}~{self.n}"
            new["underlying"], times = underlying or stock, F(1)
            parts = d.get("deliverable") or [{"instrument": stock, "quantity": "100"}]
            if factor.denominator == 1 and "deliverable" not in d:
                new["strike"], times = dec(R(num(d["strike"]) / factor)), factor
            else:
                shares = num(parts[0]["quantity"]) * factor
                new["deliverable"] = [
                    {"instrument": underlying or stock, "quantity": dec(F(int(shares) or 1))},
                    {"cash": "3.21"},
                ]
            self.sc["instruments"][name] = new
            if self.add({"kind": "option_adjust", "instrument": i, "new_instrument": name, "ratio": f"{times}/1"}):
                d["closed"] = True  # no more trading in the old terms

    def do_split(self):
        s, f = self.rng.choice(self.stocks), self.rng.choice(["2/1", "3/1", "3/2", "21/20", "1/5", "1/10", "7/3"])
        cil = {"cash_in_lieu_price": self.money(50)} if self.rng.random() < 0.6 else {}
        if self.add({"kind": "split", "instrument": s, "ratio": f, **cil}):
            self.new_terms(s, F(f))

    def do_dividend(self):
        pay = {"pay_at": stamp(self.now + timedelta(days=20))} if self.rng.random() < 0.5 else {}
        self.add(
            {"kind": "cash_dividend", "instrument": self.rng.choice(self.stocks), "per_share": self.money(2, 4), **pay}
        )

    def do_roc(self):
        self.add(
            {"kind": "return_of_capital", "instrument": self.rng.choice(self.stocks), "per_share": self.money(20, 3)}
        )

    def fresh(self, prefix, kind="stock"):
        name = f"{prefix}{self.n}"
        self.sc["instruments"][name] = {"type": kind}
        return name

    def do_spin(self):
        child = self.fresh("SPN")
        cil = {"cash_in_lieu_price": self.money(30)} if self.rng.random() < 0.5 else {}
        if self.add(
            {
                "kind": "spin_off",
                "instrument": self.rng.choice(self.stocks),
                "new_instrument": child,
                "ratio": self.rng.choice(["1/5", "1/3", "1/1"]),
                "basis_fraction": self.money(1, 4),
                **cil,
            }
        ):
            self.stocks.append(child)

    def do_symbol(self):
        old, new = self.rng.choice(self.stocks), self.fresh("SYM")
        if self.add({"kind": "symbol_change", "instrument": old, "new_instrument": new}):
            self.stocks[self.stocks.index(old)] = new
            self.new_terms(old, underlying=new)

    def do_merger(self):
        if len(self.stocks) < 2:
            return
        r, old, new = self.rng, self.rng.choice(self.stocks), self.fresh("MRG")
        ev = {"kind": "merger", "instrument": old}
        style = r.choice(["cash", "stock", "mixed", "mixed"])
        if style != "stock":
            ev["cash_per_share"] = self.money(40)
        if style != "cash":
            ev.update(
                new_instrument=new,
                ratio=r.choice(["1/2", "3/4", "2/1"]),
                new_price=self.money(60),
                treatment=r.choice(["reorganization", "taxable"]),
            )
            if style == "stock":
                ev["treatment"] = "reorganization"
            if r.random() < 0.5:
                ev["cash_in_lieu_price"] = self.money(60)
        if self.add(ev):
            self.stocks.remove(old)
            if style != "cash":
                self.stocks.append(new)
                self.new_terms(old, F(ev["ratio"]), underlying=new)

    def do_rights(self):
        rts = self.fresh("RTS", "right")
        self.add(
            {
                "kind": "rights_issue",
                "instrument": self.rng.choice(self.stocks),
                "new_instrument": rts,
                "ratio": "1/1",
                "basis_fraction": self.rng.choice(["0", "0.04"]),
            }
        )

    def do_subscribe(self):
        held = self.held({"right"}, 1)
        if held:
            a, i, p = self.rng.choice(held)
            if self.rng.random() < 0.3:
                self.add({"kind": "expire", "account": a, "instrument": i})
            else:
                q = R(p * F(self.rng.randint(1, 100), 100)) or p
                self.add(
                    {
                        "kind": "subscribe",
                        "account": a,
                        "instrument": i,
                        "quantity": dec(q),
                        "price": self.money(40),
                        "new_instrument": self.rng.choice(self.stocks),
                        "shares": dec(R(q / 10) or F(1)),
                        **self.costs(),
                    }
                )

    def part(self, a, i, p):
        q = abs(p) if self.rng.random() < 0.3 else abs(p) * F(self.rng.randint(1, 100), 100)
        q = F(round(q)) if p.denominator == 1 else R(q)
        return {"instrument": i, "quantity": dec(q), **self.named(a, i, q)} if q else None

    def do_transfer(self):
        held = self.held({"stock", "option"})
        if held and len(self.accounts()) > 1:
            a, i, p = self.rng.choice(held)
            m = self.part(a, i, p)
            to = self.rng.choice([x for x in self.accounts() if x != a])
            if m:
                self.add({"kind": "transfer", "account": a, "to": to, **m})

    def do_fork(self):
        free = [c for c in self.children if c not in self.book.open_accounts | self.book.closed_accounts]
        if free:
            c = self.rng.choice(free)
            p = self.sc["accounts"][c]["parent"]
            moves = [m for m in (self.part(*h) for h in self.held({"stock", "option"}) if h[0] == p) if m]
            self.add({"kind": "fork", "account": p, "to": c, "moves": moves, "cash": self.money(100)})

    def do_merge(self):
        live = [c for c in self.children if c in self.book.open_accounts]
        if live:
            c = self.rng.choice(live)
            self.add({"kind": "merge", "account": c, "to": self.sc["accounts"][c]["parent"]})
