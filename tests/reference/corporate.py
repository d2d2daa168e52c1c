# mypy: ignore-errors
"""Corporate actions and moves between accounts, applied to a ledger."""

import math
from fractions import Fraction as F

from tests.reference.exact import R, Reject, dec, instant, num, share_out
from tests.reference.ledger import Ledger, Lot
from tests.reference.told import opt, ratio, trade_date


class Corporate(Ledger):
    def rescale(self, ev, account, old, new, factor):
        """Scale quantities of all lots, keep basis and open dates, then pay the fraction where a price is given."""
        lots = self.lots_of(account, old)
        total = R(abs(sum(l.qty for l in lots)) * factor)
        for l, q in zip(lots, share_out(total, [abs(l.qty) for l in lots])):
            assert q, "a lot rounds to nothing: outside this format"
            l.qty = q if l.qty > 0 else -q
        for l in lots:  # relabel only after all are scaled
            self.lots.remove(l)
        for l in lots:
            l.instrument = new
            self.add_lot(l)
        self.cash_in_lieu(ev, account, new, total - math.floor(total))

    def cash_in_lieu(self, ev, account, instrument, fraction):
        if fraction and ev.get("cash_in_lieu_price"):
            sign = 1 if self.position(account, instrument) > 0 else -1
            money = R(fraction * num(ev["cash_in_lieu_price"]))
            self.pay(ev, account, sign * money)
            self.trade(ev, account, instrument, -sign * fraction, money, F(0), "cash_in_lieu")

    def do_split(self, ev):
        for a in self.holders(ev["instrument"]):
            self.rescale(
                ev, a, ev["instrument"], ev.get("new_instrument", ev["instrument"]), ratio(ev.get("ratio", "1/1"))
            )

    do_option_adjust = do_symbol_change = do_split

    def do_cash_dividend(self, ev):
        when = instant(ev["pay_at"]) if ev.get("pay_at") else None
        for a in self.holders(ev["instrument"]):
            amount = R(self.position(a, ev["instrument"]) * num(ev["per_share"]))
            self.dividends[a] += amount
            self.pay(ev, a, amount, when)

    def recover(self, ev, lot, amount, how):
        """Cash `amount` (positive) on a lot reduces its basis toward zero; the excess is realized."""
        if lot.qty > 0:
            excess = max(F(0), amount - lot.basis)
            lot.basis -= amount - excess
            lot.charges = min(lot.charges, lot.basis)
            if excess:
                self.row(ev, lot, abs(lot.qty), excess, F(0), how)
        else:
            excess = max(F(0), amount + lot.basis)
            lot.basis += amount - excess
            if excess:
                self.row(ev, lot, abs(lot.qty), F(0), excess, how)

    def do_return_of_capital(self, ev):
        for a in self.holders(ev["instrument"]):
            lots = self.lots_of(a, ev["instrument"])
            pos = self.position(a, ev["instrument"])
            money = R(abs(pos) * num(ev["per_share"]))
            self.pay(ev, a, money if pos > 0 else -money)
            for l, part in zip(lots, share_out(money, [abs(l.qty) for l in lots])):
                self.recover(ev, l, part, "return_of_capital")

    def do_spin_off(self, ev):
        part, child = num(ev["basis_fraction"]), ev["new_instrument"]
        for a in self.holders(ev["instrument"]):
            lots = self.lots_of(a, ev["instrument"])
            total = R(abs(sum(l.qty for l in lots)) * ratio(ev["ratio"]))
            for l, q in zip(lots, share_out(total, [abs(l.qty) for l in lots])):
                b, k = R(l.basis * part), R(l.charges * part)
                assert q or not (b or k), "a lot that gets nothing would lose its cost: outside this format"
                l.basis, l.charges = l.basis - b, l.charges - k
                if q:
                    self.add_lot(Lot(a, child, l.open, l.key, l.day, q if l.qty > 0 else -q, b, k))
            self.cash_in_lieu(ev, a, child, total - math.floor(total))

    do_rights_issue = do_spin_off

    def do_merger(self, ev):
        old, new = ev["instrument"], ev.get("new_instrument")
        per_share, taxable = opt(ev, "cash_per_share"), ev.get("treatment") == "taxable"
        for a in self.holders(old):
            lots, pos = self.lots_of(a, old), self.position(a, old)
            sizes = [abs(l.qty) for l in lots]
            money = R(abs(pos) * per_share)
            self.pay(ev, a, money if pos > 0 else -money)
            cash = share_out(money, sizes)
            if not new:
                for l, c in zip(lots, cash):
                    was, b, _ = self.slice(l, abs(l.qty))
                    self.row(ev, was, abs(was.qty), *((c, b) if was.qty > 0 else (-b, c)), "merger")
                continue
            total = R(sum(sizes) * ratio(ev["ratio"]))
            shares = share_out(total, sizes)
            for l, c, q in zip(lots, cash, shares):
                value = R(q * opt(ev, "new_price"))  # FMV of the new shares of this lot
                if taxable:
                    sides = (c + value, l.basis) if l.qty > 0 else (-l.basis, c + value)
                    self.row(ev, l, abs(l.qty), *sides, "merger")
                    l.basis, l.charges = (value if l.qty > 0 else -value), F(0)
                    l.open, l.key, l.day = ev["id"], self.new_key(ev), trade_date(ev)
                elif c and l.qty > 0:
                    gain = max(F(0), min(c + value - l.basis, c))
                    self.row(ev, l, l.qty, c, c - gain, "boot")
                    l.basis += gain - c
                    l.charges = min(l.charges, l.basis)
                elif c:
                    self.recover(ev, l, c, "boot")
            self.rescale(ev, a, old, new, ratio(ev["ratio"]))

    # ---- moves between accounts
    def move(self, source, target, instrument, quantity, named):
        for lot, x in self.pick(source, instrument, quantity, named):
            sign = 1 if lot.qty > 0 else -1
            was, b, k = self.slice(lot, x)
            twin = [l for l in self.lots_of(target, instrument) if (l.key, l.open) == (was.key, was.open)]
            if twin:  # pieces of one lot that meet again are rejoined
                twin[0].qty, twin[0].basis, twin[0].charges = (
                    twin[0].qty + sign * x,
                    twin[0].basis + b,
                    twin[0].charges + k,
                )
            else:
                self.add_lot(Lot(target, instrument, was.open, was.key, was.day, sign * x, b, k))

    def do_transfer(self, ev):
        moves = [
            {
                "instrument": ev["instrument"],
                "lots": ev.get("lots"),
                "quantity": ev.get("quantity") or dec(sum(num(n["quantity"]) for n in ev["lots"])),
            }
        ]
        self.move_all(ev, moves)

    def move_all(self, ev, moves):
        a, to = ev["account"], ev["to"]
        for m in moves:  # check all first: a refused move changes nothing
            have, there = self.position(a, m["instrument"]), self.position(to, m["instrument"])
            if num(m["quantity"]) > abs(have):
                raise Reject("transfer_exceeds_position")
            if have * there < 0:
                raise Reject("transfer_against_position")
            self.pick(a, m["instrument"], num(m["quantity"]), m.get("lots"))
        for m in moves:
            self.move(a, to, m["instrument"], num(m["quantity"]), m.get("lots"))
        if ev.get("cash"):
            self.pay(ev, a, -num(ev["cash"]))
            self.pay(ev, to, num(ev["cash"]))

    def do_fork(self, ev):
        self.move_all(ev, ev["moves"])
        self.open_accounts.add(ev["to"])

    def do_merge(self, ev):
        a = ev["account"]
        self.move_all(
            ev,
            [
                {"instrument": i, "quantity": dec(abs(self.position(a, i)))}
                for i in sorted({l.instrument for l in self.lots if l.account == a})
            ],
        )
        self.open_accounts.discard(a)
        self.closed_accounts.add(a)
