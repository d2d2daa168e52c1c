"""NautilusTrader keeps a position of each pair: every fill is applied to it, at average price, profit in cents."""

from collections import defaultdict
from decimal import Decimal

import nautilus_trader
from common import answer, cut, money, report, rows, timed
from nautilus_trader.core.uuid import UUID4
from nautilus_trader.model.currencies import USD
from nautilus_trader.model.enums import AssetClass, LiquiditySide, OptionKind, OrderSide, OrderType
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import (
    AccountId,
    ClientOrderId,
    InstrumentId,
    PositionId,
    StrategyId,
    Symbol,
    TradeId,
    TraderId,
    Venue,
    VenueOrderId,
)
from nautilus_trader.model.instruments import Equity, Instrument, OptionContract
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.model.position import Position

VENUE, TRADER, STRATEGY = Venue("XNYS"), TraderId("DESK-001"), StrategyId("ALL-001")
TICK, ONE = Price.from_str("0.01"), Quantity.from_int(1)
Applied = tuple[int, Instrument, OrderFilled]


def instrument_of(contract: str, multiplier: int) -> Instrument:
    """Return a stock, or the option whose name ends with day, right and strike."""
    symbol = Symbol(contract)
    identity = InstrumentId(symbol, VENUE)
    if multiplier == 1:
        return Equity(identity, symbol, USD, 2, TICK, ONE, 0, 0)
    kind = OptionKind.CALL if contract[-9] == "C" else OptionKind.PUT
    strike = Price.from_str(f"{Decimal(contract[-8:]) / 1000:.2f}")
    size = Quantity.from_int(multiplier)
    return OptionContract(
        identity, symbol, AssetClass.EQUITY, USD, 2, TICK, size, ONE, contract[:-15], kind, strike, 0, 0, 0, 0
    )


def events(numbers: dict[tuple, int]) -> list[Applied]:
    """Return the fills as events of one pair each; one that flips is two of them, as the engine cuts it."""
    instruments: dict[str, Instrument] = {}
    found: list[Applied] = []
    for order, (fill, closes, opens) in enumerate(cut(rows())):
        account, contract, side, quantity, price, fee, multiplier, at = fill
        if contract not in instruments:
            instruments[contract] = instrument_of(contract, multiplier)
        number = numbers.setdefault((account, contract), len(numbers))
        for part in filter(None, (closes, opens)):
            event = OrderFilled(
                TRADER, STRATEGY, instruments[contract].id, ClientOrderId(f"O-{order}"), VenueOrderId(f"V-{order}"),
                AccountId(account), TradeId(f"T-{order}"), PositionId(f"{account}-{contract}"),
                OrderSide.BUY if side > 0 else OrderSide.SELL, OrderType.MARKET, Quantity.from_int(part),
                Price.from_str(money(price)), USD, Money.from_str(f"{money(fee * part // quantity)} USD"),
                LiquiditySide.TAKER, UUID4(), at * 1000, at * 1000,
            )  # fmt: skip
            found.append((number, instruments[contract], event))
    return found


def fold(applied: list[Applied]) -> tuple[dict[int, Position], list[tuple[int, Position]]]:
    """Return the positions that are open, and those that were closed."""
    open_: dict[int, Position] = {}
    closed: list[tuple[int, Position]] = []
    for number, instrument, fill in applied:
        position = open_.get(number)
        if position is None:
            open_[number] = Position(instrument, fill)
            continue
        position.apply(fill)
        if position.is_closed:
            closed.append((number, open_.pop(number)))
    return open_, closed


def main() -> None:
    """Make the events, and apply all of them."""
    numbers: dict[tuple, int] = {}
    applied = events(numbers)
    seconds, (open_, closed) = timed(lambda: fold(applied))
    cents, within = defaultdict[int, int](int), defaultdict[int, int](int)
    for number, position in closed:
        cents[number] += int(position.realized_pnl.as_decimal() * 100)
        # Each fill that closes rounds by half a cent at most; one alone makes whole cents.
        closing = position.events[-1].order_side
        within[number] += sum(event.order_side == closing for event in position.events) // 2
    held = {number: int(position.signed_decimal_qty()) for number, position in open_.items()}
    answer(
        ((*pair, cents[number], held.get(number, 0), within[number]) for pair, number in numbers.items()),
        "cents",
        "quantity",
        "within",
    )
    report(nautilus_trader.__version__, ("apply all fills to positions", seconds, "rebuild"))


main()
