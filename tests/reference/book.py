# mypy: ignore-errors
"""The slow and obvious book: every kind of event applied to the ledger, one after the other."""

from fractions import Fraction as F

from tests.reference.corporate import Corporate
from tests.reference.exact import R, Reject, dec, num, share_out, take
from tests.reference.told import charges_of


class Book(Corporate):
    def apply(self, ev):
        try:
            for a in [ev.get("account")] + ([ev["to"]] if ev.get("to") and ev["kind"] != "fork" else []):
                if a in self.closed_accounts:
                    raise Reject("account_closed")
                if a is not None and a not in self.open_accounts:
                    raise Reject("account_not_open")
            getattr(self, "do_" + ev["kind"])(ev)
        except Reject as e:
            self.errors.append({"event": ev["id"], "code": e.args[0]})

    # ---- trades
    def do_trade(self, ev):
        a, i, dq = ev["account"], ev["instrument"], num(ev["quantity"])
        pos, effect = self.position(a, i), ev.get("effect", "auto")
        if effect == "close" and (pos * dq >= 0 or abs(dq) > abs(pos)):
            raise Reject("close_exceeds_open")
        if effect == "open" and pos * dq < 0:
            raise Reject("effect_conflict")
        if ev.get("lots"):
            self.pick(a, i, min(abs(dq), abs(pos)) if pos * dq < 0 else F(0), ev["lots"])  # may reject, no effect
        gross = R(abs(dq) * num(ev["price"]) * self.mult(i))
        self.pay(ev, a, (-gross if dq > 0 else gross) - self.charge(ev, a))
        self.trade(ev, a, i, dq, gross, charges_of(ev), named=ev.get("lots"))

    def do_cash(self, ev):
        self.pay(ev, ev["account"], num(ev["amount"]))
        self.external += num(ev["amount"])
        if ev["category"] == "fee":
            self.fees[ev["account"]] -= num(ev["amount"])

    def do_subscribe(self, ev):
        a, rights, shares = ev["account"], num(ev["quantity"]), num(ev["shares"])
        if self.position(a, ev["instrument"]) < rights:
            raise Reject("contracts_exceed_open")
        picked, left = self.pick(a, ev["instrument"], rights, ev.get("lots")), rights
        price, charges = R(shares * num(ev["price"])), self.charge(ev, a)
        self.pay(ev, a, -price - charges)
        for lot, x in picked:
            s, p, c = take(shares, x, left), take(price, x, left), take(charges, x, left)
            shares, price, charges, left = shares - s, price - p, charges - c, left - x
            was, b, k = self.slice(lot, x)
            self.row(ev, was, x, b, b, "exercised")
            self.trade(ev, a, ev["new_instrument"], s, p + b, c, embedded=k)

    # ---- option life cycle
    def do_exercise(self, ev):
        a, o, n = ev["account"], self.inst(ev["instrument"]), num(ev["contracts"])
        holder = ev["kind"] == "exercise"
        pos = self.position(a, ev["instrument"])
        if (pos if holder else -pos) < n:
            raise Reject("exercise_exceeds_long" if holder else "assignment_exceeds_short")
        buys = (o["right"] == "C") == holder  # call holder and put writer buy the stock
        mult = self.mult(ev["instrument"])
        parts = o.get("deliverable") or [{"instrument": o["underlying"], "quantity": dec(mult)}]
        stocks = [p for p in parts if "instrument" in p]
        cash_each = sum((num(p["cash"]) for p in parts if "cash" in p), F(0))
        picked = self.pick(a, ev["instrument"], n, ev.get("lots"))
        left, charges = n, self.charge(ev, a)
        for lot, x in picked:
            c = take(charges, x, left)
            charges, left = charges - c, left - x
            strike, cash = R(num(o["strike"]) * mult * x), R(cash_each * x)
            self.pay(ev, a, (cash - strike if buys else strike - cash) - c)
            was, b, k = self.slice(lot, x)
            if not stocks:  # cash-only deliverable: closed for the net cash
                value = cash - strike if o["right"] == "C" else strike - cash
                self.row(ev, was, x, *((value - c, b) if holder else (-b, value + c)), "cash_settled")
                continue
            self.row(ev, was, x, abs(b), abs(b), "exercised" if holder else "assigned")
            value = strike - cash + b if buys else strike - cash - b
            weights = [num(p.get("cost_fraction", "1")) for p in stocks]
            for p, v, cc, kk in zip(stocks, share_out(value, weights), share_out(c, weights), share_out(k, weights)):
                q = num(p["quantity"]) * x
                self.trade(ev, a, p["instrument"], q if buys else -q, v, cc, embedded=kk)

    do_assign = do_exercise

    def close_contracts(self, ev, price, how):
        a, i = ev["account"], ev["instrument"]
        pos = self.position(a, i)
        if pos == 0:
            raise Reject("nothing_to_expire")
        n = num(ev["contracts"]) if ev.get("contracts") else abs(pos)
        if n > abs(pos):
            raise Reject("contracts_exceed_open")
        if ev.get("lots"):
            self.pick(a, i, n, ev["lots"])
        gross = R(n * price * self.mult(i))
        self.pay(ev, a, (gross if pos > 0 else -gross) - self.charge(ev, a))
        self.trade(ev, a, i, -n if pos > 0 else n, gross, charges_of(ev), how, named=ev.get("lots"))

    def do_expire(self, ev):
        self.close_contracts(ev, F(0), "expired")

    def do_cash_settle(self, ev):
        o = self.inst(ev["instrument"])
        above = num(ev["settlement_price"]) - num(o["strike"])
        self.close_contracts(ev, max(F(0), above if o["right"] == "C" else -above), "cash_settled")
