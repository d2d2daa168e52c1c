"""Options that are open on one side and gone on the other: expired, assigned, exercised.

Gone at the broker: the event is missing here, and the stock tells which one it was. Gone here and past their last day:
the broker has not booked the end yet, as over a weekend.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from itertools import combinations

from tradelake.reconcile.causes import Explaining, Root
from tradelake.reconcile.circumstances import Circumstances, Row
from tradelake.reconcile.differences import Difference
from tradelake.reconcile.facts import minus, plus
from tradelake.reconcile.proposals import booked_at, event
from tradelake.units import MONEY_SCALE, MONEY_UNIT, QUANTITY_SCALE, plain, product, to_decimal, to_units

COUNT_MAX = 10
WORDS = {"expire": "expired", "assign": "assigned", "exercise": "exercised"}


@dataclass(frozen=True, slots=True)
class Gone:
    """Contracts that one side has no more, and the shares that would have come (+) or gone (-) with them."""

    difference: Difference
    contracts: Decimal
    shares: Decimal
    expired: bool


def of_options(explaining: Explaining) -> None:
    """Find the options that are gone on one side, with the shares that came or went instead."""
    for at_broker in (True, False):
        positions = {each.name: each for each in explaining.in_section("positions")}
        by_underlying: dict[str, list[Gone]] = defaultdict(list)
        for each in positions.values():
            gone = _gone(each, explaining.circumstances, at_broker=at_broker)
            if gone is not None:
                by_underlying[explaining.circumstances.contract(each.name).underlying or ""].append(gone)
        for underlying, options in by_underlying.items():
            stock = positions.get(underlying)
            shares = minus(stock.theirs, stock.ours) if stock else Decimal(0)
            delivering = _delivering(options, shares if at_broker else minus(None, shares))
            for gone in options:
                delivered = stock if gone in delivering else None
                if at_broker and (delivered or gone.expired):
                    _missing_here(explaining, gone, delivered)
                elif gone.expired:
                    _not_yet_there(explaining, gone, delivered)


def _gone(difference: Difference, circumstances: Circumstances, *, at_broker: bool) -> Gone | None:
    """Return what is gone of an option position at the broker, or here; None for anything else."""
    contract = circumstances.contract(difference.name)
    sides = (difference.ours, difference.theirs) if at_broker else (difference.theirs, difference.ours)
    before, after = (side or Decimal(0) for side in sides)
    if contract.asset_type != "OPTION" or not before or after * before < 0 or abs(after) >= abs(before):
        return None
    contracts = minus(before, after)
    # A holder of a call and a writer of a put get shares, the two others give them.
    size = to_units(contracts, QUANTITY_SCALE) * (1 if contract.option_type == "CALL" else -1)
    delivered = product(size, MONEY_UNIT, to_units(contract.multiplier, QUANTITY_SCALE))
    delivers = contract.plain and contract.settlement != "CASH"
    over = contract.expiration is not None and contract.expiration <= circumstances.until
    shares = to_decimal(delivered, MONEY_SCALE) if delivers else Decimal(0)
    return Gone(difference, abs(contracts), shares, expired=over and not after)


def _delivering(options: Sequence[Gone], shares: Decimal) -> Sequence[Gone]:
    """Return the fewest of some options whose deliveries add up to the shares by which the stock differs."""
    candidates = [gone for gone in options if gone.shares][:COUNT_MAX]
    for count in range(1, len(candidates) + 1) if shares else ():
        for chosen in combinations(candidates, count):
            if reduce(plus, (gone.shares for gone in chosen)) == shares:
                return chosen
    return ()


def _missing_here(explaining: Explaining, gone: Gone, stock: Difference | None) -> None:
    circumstances, difference = explaining.circumstances, gone.difference
    contract = circumstances.contract(difference.name)
    kind = "expire" if stock is None else "assign" if (difference.ours or 0) < 0 else "exercise"
    rows: tuple[Row, ...] = ()
    if stock is None and contract.settlement == "CASH":
        cause = f"{_count(gone)} settled in cash on {contract.expiration}: record a cash_settle with the price."
    else:
        rows = _rows(circumstances, gone, kind)
        cause = f"{_count(gone)} {WORDS[kind]}{'.' if stock else f' on {contract.expiration}.'}"
    if stock is not None:
        cause += (
            f" {plain(abs(gone.shares))} {stock.name} {'came in' if gone.shares > 0 else 'went out'} at the broker."
        )
    found = explaining.gone(rows)
    root = explaining.found(Root(replace(difference, break_class="missing_here", cause=cause), rows))
    explaining.follow([*found, *([stock] if stock else [])], [root])
    explaining.believe(rows)
    explaining.under(root, [difference.name])


def _not_yet_there(explaining: Explaining, gone: Gone, stock: Difference | None) -> None:
    expiration = explaining.circumstances.contract(gone.difference.name).expiration
    cause = f"The contract ended on {expiration}, and the broker has not booked its end yet."
    root = explaining.found(Root(replace(gone.difference, break_class="timing", cause=cause)))
    explaining.under(root, [gone.difference.name, *([stock.name] if stock else [])])


def _count(gone: Gone) -> str:
    return "1 contract was" if gone.contracts == 1 else f"{plain(gone.contracts)} contracts were"


def _rows(circumstances: Circumstances, gone: Gone, kind: str) -> tuple[Row, ...]:
    """Return the option event of each book that holds contracts; none where it is unclear whose they are."""
    name = gone.difference.name
    expiration = circumstances.contract(name).expiration
    early = expiration is None or expiration > circumstances.until
    at = booked_at(circumstances, None if early else expiration)
    sizes = {account: abs(held) for account, held in circumstances.holders.get(name, {}).items()}
    if len(sizes) == 1:
        sizes = dict.fromkeys(sizes, gone.contracts)
    elif gone.difference.theirs:
        return ()
    return tuple(event(kind, circumstances, name, at, account_id=account, quantity=n) for account, n in sizes.items())
