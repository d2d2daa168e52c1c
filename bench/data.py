"""A log of events for the benchmarks: seeded, the same every time, written in chunks so that it is never in memory.

An episode is what a desk calls a trade: an account opens something, and in the end it is closed, expires, is assigned
or exercised, turns round, or stays open. Accounts and tickers are drawn by Zipf's law. An order is filled in one to
four parts. Some fills are busted and told again with another price, and some arrive days after they happened. A plain
log has trades only, in the order of time: what expires is closed on its last day instead, so that every peer can follow
it. Prices and charges are whole cents and charges are per unit, so that every profit by FIFO is exact in cents.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from bench.market import BOOKS, TICKERS, Market, Numbers, instants, skewed, strikes_near
from bench.market import SEED as MARKET_SEED

CHUNK = 1_000_000
DAY_ROWS = 1_000
LATE_OF_DAY = 5
CENTS = pl.Decimal(18, 2)
# Events of an episode, with what is left at the end, so that as many episodes are drawn as a log needs. Of a contract
# that several episodes have all expires at once, so that in a very large log it is fewer.
PER_EPISODE, PER_EPISODE_OF_MANY, MANY = 3.1, 3.05, 50_000_000
PER_PLAIN_EPISODE = 2.9
BUSTED, LATE = 0.003, 0.005
OPEN_SECOND, CLOSE_SECOND = 34_260, 57_000
AFTER_CLOSE = 58_500
STOCK_CENTS, OPTION_CENTS = 1, 65
MARKET = Market()
STRATEGIES = ("wheel", "covered", "income", "swing", "hedge", "earnings", "index", "other")
HELD, TRADED, FLIPPED, LEFT = range(4)


@dataclass(frozen=True)
class Log:
    """A log that was written: its files in order of arrival, and the same as plain fills where it is plain."""

    rows: int
    files: list[Path]
    fills: list[Path]


def write(folder: Path, rows: int, *, plain: bool = False) -> Log:
    """Write a log of exactly *rows* events to Parquet files of at most some CHUNK rows each."""
    folder.mkdir(parents=True, exist_ok=True)
    files, fills = [], []
    for number, chunk in enumerate(_chunks(rows, plain=plain)):
        files.append(folder / f"executions-{number:04}.parquet")
        as_executions(chunk).write_parquet(files[-1])
        if plain:
            fills.append(folder / f"fills-{number:04}.parquet")
            as_fills(chunk).write_parquet(fills[-1])
    return Log(rows, files, fills)


def account_rows() -> list[dict[str, str]]:
    """Return the accounts as `add_accounts` takes them."""
    return [{"account_id": name} for name in MARKET.accounts]


def write_day(path: Path, *, number: int = 0) -> Path:
    """Write executions of the first session after the log, some of them late ones of its last days."""
    made = np.random.default_rng((MARKET_SEED, 3, number))
    session = next(place for place, day in enumerate(MARKET.sessions) if day.year > 2025)
    episodes = _episodes(made, DAY_ROWS, (session, session + 1), first=2**32 + number * DAY_ROWS)
    orders = _opening(made, episodes).with_columns(parts=pl.lit(1, pl.Int64))
    late = pl.int_range(pl.len()) < LATE_OF_DAY
    # An option that is late may not have ended before: of these only the day differs.
    orders = orders.with_columns(pl.when(late).then(pl.col("session") - 3).otherwise("session").alias("session"))
    as_executions(_fills(made, orders)).write_parquet(path)
    return path


def _chunks(rows: int, *, plain: bool) -> Iterator[pl.DataFrame]:
    """Yield the events month by month, several months together where they are small."""
    waiting, left = list[pl.DataFrame](), rows
    for month in _months(rows, plain=plain):
        waiting.append(month.head(left))
        left -= waiting[-1].height
        if sum(map(len, waiting)) >= CHUNK // 2 or not left:
            whole = pl.concat(waiting)
            yield from whole.iter_slices(CHUNK)
            waiting = []
        if not left:
            return
    raise AssertionError(f"the log is {left} events too short: draw more episodes")


def _months(rows: int, *, plain: bool) -> Iterator[pl.DataFrame]:
    each = PER_PLAIN_EPISODE if plain else PER_EPISODE if rows < MANY else PER_EPISODE_OF_MANY
    episodes_wanted = rows / each + 40
    months, coming, drawn = MARKET.months, pl.DataFrame(), 0
    for number, span in enumerate(months):
        made = np.random.default_rng((MARKET_SEED, number, plain))
        count = round(episodes_wanted * (number + 1) / len(months)) - drawn
        orders = _orders(made, _episodes(made, count, span, first=drawn), plain=plain)
        drawn += count
        orders = pl.concat([coming, orders]) if coming.height else orders
        coming = orders.filter(pl.col("session") >= span[1])
        yield _events(made, orders.filter(pl.col("session") < span[1]), plain=plain)


def _episodes(made: np.random.Generator, count: int, span: tuple[int, int], *, first: int) -> pl.DataFrame:
    """Draw what is opened in a month: whose, what, how much, when, and how it ends."""
    ticker, account = skewed(made, count, TICKERS, 1.05), skewed(made, count, BOOKS, 0.8)
    opened = made.integers(*span, count)
    option = made.random(count) < 0.6
    spot = MARKET.closes[ticker, opened]
    strike = strikes_near(spot, made.normal(0, 0.05, count))
    call = made.random(count) < 0.4
    weeks = np.minimum(made.geometric(0.35, count) - 1, 9)
    expiry = MARKET.expiry_after(opened, weeks, monthly=made.random(count) < 0.4)
    # Whoever holds a contract is on one side of it: three of four are short.
    contract = ticker * 7 + strike + expiry * 31 + call * 13 + account * 101
    long = np.where(option, contract % 4 == 0, made.random(count) < 0.8)
    days = made.geometric(0.05, count)
    closed = np.where(option, np.minimum(opened + days // 2, expiry), opened + days)
    chance = made.random(count)
    end = np.where(
        option,
        np.where((chance < 0.45) & (closed < expiry), TRADED, HELD),
        np.where(chance < 0.84, TRADED, np.where(chance < 0.92, FLIPPED, LEFT)),
    )
    lots = np.minimum(made.geometric(0.35, count), 25)
    odd = made.random(count) < 0.1
    quantity = np.where(option, lots, np.where(odd, made.integers(1, 100, count), lots * 100))
    columns = {"ticker": ticker, "account": account, "option": option, "strike": np.where(option, strike, 0)}
    columns |= {"call": call & option, "expiry": np.where(option, expiry, 0), "long": long, "quantity": quantity}
    columns |= {"opened": opened, "closed": closed, "end": end, "strategy": (account + ticker) % len(STRATEGIES)}
    return pl.DataFrame({"episode": np.arange(first, first + count), **columns})


def _orders(made: np.random.Generator, episodes: pl.DataFrame, *, plain: bool) -> pl.DataFrame:
    """Return what episodes order and what happens to them, one row each: the opening, and all that follows."""
    traded = episodes.filter(pl.col("end").is_in([TRADED, FLIPPED]))
    twice = pl.when(pl.col("end") == FLIPPED).then(2).otherwise(1)
    halves = (pl.col("episode") % 4 == 0) & (pl.col("quantity") > 1) & (pl.col("end") == TRADED)
    half, between = pl.col("quantity") // 2, (pl.col("opened") + pl.col("closed")) // 2
    closing = traded.with_columns(
        pl.when(halves).then(pl.col("quantity") - half).otherwise(pl.col("quantity") * twice).alias("quantity")
    )
    parts = [
        _opening(made, episodes),
        _order(made, closing, 1, session=pl.col("closed"), buy=~pl.col("long")),
        _order(
            made, traded.filter(halves).with_columns(half.alias("quantity")), 2, session=between, buy=~pl.col("long")
        ),
        _order(made, traded.filter(pl.col("end") == FLIPPED), 3, session=pl.col("closed") + 4, buy=pl.col("long")),
    ]
    held = episodes.filter(pl.col("option") & (pl.col("end") == HELD))
    spot = pl.Series(MARKET.closes[held["ticker"].to_numpy(), held["expiry"].to_numpy()])
    held = held.with_columns(inside=pl.when("call").then(spot > pl.col("strike")).otherwise(spot < pl.col("strike")))
    if plain:
        return pl.concat([*parts, _order(made, held, 4, session=pl.col("expiry"), buy=~pl.col("long"), late=True)])
    ended = pl.when(~pl.col("inside")).then(pl.lit("expire"))
    ended = ended.when("long").then(pl.lit("exercise")).otherwise(pl.lit("assign"))
    parts.append(
        _order(made, held, 4, session=pl.col("expiry"), buy=~pl.col("long")).with_columns(kind=_of(held, ended))
    )
    # What was delivered is traded away within a week.
    shares = held.filter("inside").with_columns(
        pl.col("quantity") * 100, pl.lit(value=False).alias("option"), pl.lit(0, pl.Int64).alias("strike")
    )
    delivered_long = pl.col("call") == pl.col("long")
    after = pl.col("expiry") + 1 + pl.col("episode") % 4
    sold = _order(made, shares, 5, session=after, buy=~delivered_long)
    return pl.concat(
        [*parts, sold.with_columns(pl.lit(value=False).alias("call"), pl.lit(0, pl.Int64).alias("expiry"))]
    )


def _of(frame: pl.DataFrame, value: pl.Expr) -> pl.Series:
    return frame.select(value.alias("kind")).to_series()


def _opening(made: np.random.Generator, episodes: pl.DataFrame) -> pl.DataFrame:
    return _order(made, episodes, 0, session=pl.col("opened"), buy=pl.col("long"))


def _order(
    made: np.random.Generator, of: pl.DataFrame, number: int, *, session: pl.Expr, buy: pl.Expr, late: bool = False
) -> pl.DataFrame:
    """Return an order for each episode, with the prices of its session; those after the last session are left out."""
    count = of.height
    # Of a session, what opens comes in the first half of it, and what closes after that.
    half = (OPEN_SECOND + CLOSE_SECOND) // 2
    from_, to = (OPEN_SECOND, half) if number == 0 else (half + 100 * number, CLOSE_SECOND)
    orders = of.select(
        (pl.col("episode") * 8 + number).alias("order"), "ticker", "account", "option", "strike", "call", "expiry",
        "quantity", "strategy", session.alias("session"), buy.alias("buy"), pl.lit("trade").alias("kind"),
        pl.Series("second", np.full(count, CLOSE_SECOND) if late else made.integers(from_, to, count)),
        pl.Series("parts", np.minimum(made.geometric(0.62, count), 4)),
    )  # fmt: skip
    noise = pl.Series("noise", made.normal(0, 0.006, count))
    return orders.with_columns(noise).filter(pl.col("session") < len(MARKET.sessions))


def _fills(made: np.random.Generator, orders: pl.DataFrame) -> pl.DataFrame:
    """Return the fills of orders: one to four of each, that add up to its quantity."""
    price = _prices(orders)
    orders = orders.with_columns(
        pl.Series("price", price), pl.min_horizontal("parts", "quantity").cast(pl.Int64).alias("parts")
    )
    repeat = orders["parts"].to_numpy()
    of = np.repeat(np.arange(orders.height), repeat)
    part = np.arange(len(of)) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    fills = orders[of].with_columns(pl.Series("part", part))
    share = pl.col("quantity") // pl.col("parts")
    last = pl.col("part") == pl.col("parts") - 1
    rest = pl.col("quantity") - share * (pl.col("parts") - 1)
    cents = pl.Series(made.integers(-1, 2, len(of)))
    return fills.with_columns(
        (pl.col("order") * 4 + pl.col("part")).alias("number"),
        pl.when(last).then(rest).otherwise(share).alias("quantity"),
        (pl.col("second") + 7 * pl.col("part")).alias("second"),
        pl.max_horizontal(pl.col("price") + cents, pl.lit(1)).alias("price"),
        pl.lit(0, pl.Int64).alias("arrives"),
        pl.lit(None, pl.Int64).alias("target"),
    )


def _prices(orders: pl.DataFrame) -> Numbers:
    ticker, session, strike, expiry = (orders[name].to_numpy() for name in ("ticker", "session", "strike", "expiry"))
    worth = MARKET.premium(ticker, session, (strike, orders["call"].to_numpy(), expiry))
    base = np.where(orders["option"].to_numpy(), worth, MARKET.closes[ticker, session])
    return np.maximum(np.rint(base * (1 + orders["noise"].to_numpy())).astype(np.int64), 1)


def _events(made: np.random.Generator, orders: pl.DataFrame, *, plain: bool) -> pl.DataFrame:
    """Return the events of a month in the order in which they arrive."""
    fills = _fills(made, orders.filter(pl.col("kind") == "trade"))
    if plain:
        return fills.sort("session", "second", "number")
    drawn = pl.Series(made.random(fills.height))
    late = pl.when(drawn > 1 - LATE).then(86_400 * (1 + pl.col("number") % 3)).otherwise(0)
    fills = fills.with_columns(late.cast(pl.Int64).alias("arrives"))
    busted = fills.filter(drawn < BUSTED)
    again = busted.with_columns(pl.col("number") + 2**44, pl.col("price") + 1, pl.lit(3_600, pl.Int64).alias("arrives"))
    cancels = busted.with_columns(
        pl.lit("cancel").alias("kind"),
        pl.col("number").alias("target"),
        pl.col("number") + 2**45,
        (pl.col("second") + 3_600).alias("second"),
    )
    ended = orders.filter(pl.col("kind") != "trade").with_columns(
        (pl.col("order") * 4).alias("number"), pl.lit(AFTER_CLOSE, pl.Int64).alias("second")
    )
    # All that is left of a contract expires at once.
    expired = ended.filter(pl.col("kind") == "expire")
    expired = expired.unique(["account", "ticker", "strike", "call", "expiry"], keep="first", maintain_order=True)
    ended = pl.concat([ended.filter(pl.col("kind") != "expire"), expired])
    ended = ended.with_columns(
        pl.lit(0, pl.Int64).alias("price"), pl.lit(0, pl.Int64).alias("part"),
        pl.lit(0, pl.Int64).alias("arrives"), pl.lit(None, pl.Int64).alias("target"),
    ).select(fills.columns)  # fmt: skip
    arrival = pl.col("session") * 86_400 + pl.col("second") + pl.col("arrives")
    return pl.concat([fills, again, cancels, ended]).sort(arrival, "number")


def as_executions(events: pl.DataFrame) -> pl.DataFrame:
    """Return events as tradelake takes them in."""
    trade, cure, expire = (pl.col("kind") == kind for kind in ("trade", "cancel", "expire"))
    option = pl.col("option") & ~cure
    trade_id = pl.format("T{}", pl.col("number").cast(pl.String).str.zfill(11))
    broker = pl.format("0000e0d5.{}.01.01", pl.col("number").cast(pl.String).str.zfill(11))
    commission = pl.col("quantity") * pl.when("option").then(OPTION_CENTS).otherwise(STOCK_CENTS)
    kinds, sides = pl.Series(["CALL", "PUT"]), pl.Series(["BUY", "SELL"])
    return events.select(
        trade_id.alias("trade_id"),
        pl.when(trade).then(broker).alias("broker_execution_id"),
        pl.lit(pl.Series(MARKET.accounts)).gather(pl.col("account")).alias("account_id"),
        "kind",
        pl.when(~cure).then(pl.lit(pl.Series(MARKET.tickers)).gather(pl.col("ticker"))).alias("symbol"),
        pl.when(option).then(pl.lit("OPTION")).when(~cure).then(pl.lit("STOCK")).alias("asset_type"),
        pl.when(trade).then(pl.lit(sides).gather(pl.when("buy").then(0).otherwise(1))).alias("action"),
        instants(MARKET, "session", "second").alias("executed_at"),
        pl.when(~cure & ~expire).then(pl.col("quantity")).alias("quantity"),
        pl.when(trade).then(_cents("price")).alias("price"),
        pl.when(trade).then((commission.cast(CENTS) / 100).cast(CENTS)).alias("commission"),
        pl.when(option).then(_cents("strike")).alias("strike"),
        pl.when(option).then(pl.lit(pl.Series(MARKET.sessions)).gather(pl.col("expiry"))).alias("expiration"),
        pl.when(option).then(pl.lit(kinds).gather(pl.when("call").then(0).otherwise(1))).alias("option_type"),
        pl.when(trade).then(pl.lit(pl.Series(STRATEGIES)).gather(pl.col("strategy"))).alias("strategy_id"),
        pl.format("T{}", pl.col("target").cast(pl.String).str.zfill(11)).alias("target_id"),
    )


def as_fills(events: pl.DataFrame) -> pl.DataFrame:
    """Return plain trades as peers take them: integers, cents, and a name of each contract without spaces."""
    expiry = pl.lit(pl.Series([f"{day:%y%m%d}" for day in MARKET.sessions])).gather(pl.col("expiry"))
    right = pl.when("call").then(pl.lit("C")).otherwise(pl.lit("P"))
    symbol = pl.lit(pl.Series(MARKET.tickers)).gather(pl.col("ticker"))
    strike = (pl.col("strike") * 10).cast(pl.String).str.zfill(8)
    osi = pl.concat_str(symbol, expiry, right, strike)
    fees = pl.when("option").then(OPTION_CENTS).otherwise(STOCK_CENTS)
    return events.select(
        "number",
        pl.lit(pl.Series(MARKET.accounts)).gather(pl.col("account")).alias("account"),
        symbol.alias("symbol"),
        pl.when("option").then(osi).otherwise(symbol).alias("contract"),
        pl.when("option").then(100).otherwise(1).cast(pl.Int64).alias("multiplier"),
        instants(MARKET, "session", "second").alias("at"),
        pl.when("buy").then(1).otherwise(-1).cast(pl.Int64).alias("side"),
        "quantity",
        pl.col("price").alias("price_cents"),
        (pl.col("quantity") * fees).cast(pl.Int64).alias("fee_cents"),
    )


def _cents(name: str) -> pl.Expr:
    return (pl.col(name).cast(CENTS) / 100).cast(CENTS)
