# mypy: ignore-errors
"""Lots of one account and instrument: which one goes first, and how a trade closes and opens them."""

import copy
from collections import defaultdict
from fractions import Fraction as F

from tests.reference.exact import Reject, anniversary, instant, num, take
from tests.reference.told import charges_of, groups, trade_date


class Lot:
    def __init__(self, account, instrument, open_id, key, day, qty, basis, charges):
        self.account, self.instrument, self.open, self.key, self.day = account, instrument, open_id, key, day
        self.qty, self.basis, self.charges = qty, basis, charges  # signed, signed, charges inside the basis


class Ledger:
    def __init__(self, sc):
        self.sc, self.lots, self.rows, self.cash_entries, self.fees = sc, [], [], [], defaultdict(F)
        self.dividends, self.external, self.errors = defaultdict(F), F(0), []
        self.created = defaultdict(int)  # lots opened so far per event
        self.open_accounts = {a for a, d in sc["accounts"].items() if not (d or {}).get("parent")}
        self.closed_accounts = set()

    # ---- small helpers
    def method(self, account):
        return (self.sc["accounts"][account] or {}).get("lot_method") or self.sc.get("lot_method") or "FIFO"

    def inst(self, name):
        return self.sc["instruments"][name]

    def mult(self, name):
        i = self.inst(name)
        return num(i.get("multiplier", "100")) if i["type"] == "option" else F(1)

    def lots_of(self, account, instrument):
        return sorted((l for l in self.lots if (l.account, l.instrument) == (account, instrument)), key=lambda l: l.key)

    def position(self, account: str, instrument: str) -> F:
        return sum((l.qty for l in self.lots_of(account, instrument)), F(0))

    def holders(self, instrument):
        return sorted({l.account for l in self.lots if l.instrument == instrument})

    def pay(self, ev, account, amount, when=None):
        self.cash_entries.append((when or instant(ev["at"]), account, amount, groups(ev)))

    def charge(self, ev, account):
        self.fees[account] += charges_of(ev)
        return charges_of(ev)

    def row(self, ev, lot, quantity, proceeds, cost, how):
        long_term = lot.qty > 0 and trade_date(ev) > anniversary(lot.day)
        self.rows.append(
            {
                "account": lot.account,
                "instrument": lot.instrument,
                "open": lot.open,
                "close": ev["id"],
                "quantity": quantity,
                "proceeds": proceeds,
                "cost": cost,
                "pnl": proceeds - cost,
                "how": how,
                "term": "LT" if long_term else "ST",
                "groups": groups(ev),
            }
        )

    def add_lot(self, lot):
        assert lot.qty * self.position(lot.account, lot.instrument) >= 0, (
            "long and short lots together: outside this format"
        )
        self.lots.append(lot)
        if self.method(lot.account) == "AVERAGE":  # one pool per account and instrument
            pool = self.lots_of(lot.account, lot.instrument)
            merged = Lot(
                lot.account,
                lot.instrument,
                "*",
                pool[0].key,
                pool[0].day,
                sum(l.qty for l in pool),
                sum(l.basis for l in pool),
                sum(l.charges for l in pool),
            )
            self.lots = [l for l in self.lots if l not in pool] + [merged]

    def pick(self, account, instrument, quantity, named=None):
        """Which lots supply `quantity` (positive): list of (lot, units). Changes nothing."""
        lots, method, chosen = self.lots_of(account, instrument), self.method(account), []
        if named and method != "AVERAGE":
            if sum(num(n["quantity"]) for n in named) != quantity:
                raise Reject("specific_lots_mismatch")
            for n in named:
                want = num(n["quantity"])
                for l in lots:
                    free = abs(l.qty) - sum(x for c, x in chosen if c is l)
                    x = min(want, free) if l.open == n["open"] else F(0)
                    if x:
                        chosen.append((l, x))
                        want -= x
                if want:
                    raise Reject("specific_lot_unavailable")
            return chosen
        if method == "LIFO":
            lots = lots[::-1]
        elif method == "HIFO":
            lots = sorted(lots, key=lambda l: (-(l.basis / l.qty), l.key))
        for l in lots:
            x = min(quantity, abs(l.qty))
            if x:
                chosen.append((l, x))
                quantity -= x
        assert quantity == 0, "caller checked the position"
        return chosen

    def slice(self, lot, x):
        """Remove x units from a lot; return the lot as it was, and the signed basis and charges that leave."""
        was, b, k = copy.copy(lot), take(lot.basis, x, abs(lot.qty)), take(lot.charges, x, abs(lot.qty))
        lot.qty -= x if lot.qty > 0 else -x
        lot.basis -= b
        lot.charges -= k
        if lot.qty == 0:
            self.lots.remove(lot)
        return was, b, k

    def new_key(self, ev):
        self.created[ev["id"]] += 1
        return ev["key"] + (self.created[ev["id"]],)

    def trade(self, ev, account, instrument, dq, gross, charges, how="trade", embedded=F(0), named=None):
        """Buy (dq>0) or sell dq units for `gross`: close opposite lots first, open the rest. Moves no cash."""
        pos, sign, left = self.position(account, instrument), (1 if dq > 0 else -1), abs(dq)
        closing = min(abs(pos), left) if pos * dq < 0 else F(0)
        for lot, x in self.pick(account, instrument, closing, named) if closing else []:
            g, c, e = take(gross, x, left), take(charges, x, left), take(embedded, x, left)
            gross, charges, embedded, left = gross - g, charges - c, embedded - e, left - x
            was, b, _ = self.slice(lot, x)
            self.row(ev, was, x, *((g - c, b) if was.qty > 0 else (-b, g + c)), how)
        if left:
            self.add_lot(
                Lot(
                    account,
                    instrument,
                    ev["id"],
                    self.new_key(ev),
                    trade_date(ev),
                    sign * left,
                    sign * gross + charges,
                    charges + embedded,
                )
            )
