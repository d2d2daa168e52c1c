"""vectorbt turns records of orders into those of trades and positions: compiled loops, doubles, average price."""

import numpy as np
import pandas as pd
import vectorbt
from common import FILES, answer, report, timed
from vectorbt.base.array_wrapper import ArrayWrapper
from vectorbt.portfolio.enums import OrderSide, TradeDirection, TradeStatus, order_dt
from vectorbt.portfolio.orders import Orders
from vectorbt.portfolio.trades import ExitTrades, Positions

WARMED_BY = 100


def records_of(fills: pd.DataFrame, columns: np.ndarray) -> np.ndarray:
    """Return the fills as records of orders, each pair a column."""
    records = np.zeros(len(fills), dtype=order_dt)
    records["id"] = records["idx"] = np.arange(len(fills))
    records["col"] = columns
    # There is no multiplier: sizes are of shares.
    records["size"] = fills["quantity"] * fills["multiplier"]
    records["price"] = fills["price_cents"] / 100
    records["fees"] = fills["fee_cents"] / 100
    records["side"] = np.where(fills["side"] > 0, OrderSide.Buy, OrderSide.Sell)
    return records


def match(records: np.ndarray, width: int) -> tuple[ExitTrades, pd.Series]:
    """Return the trades by average price, and the profit of the positions of each pair."""
    orders = Orders(ArrayWrapper(pd.RangeIndex(len(records)), pd.RangeIndex(width), 2), records)
    # What is open is valued at the last close, looked up in a matrix of times and pairs; here all of it is one number.
    close = np.broadcast_to(1.0, (len(records), width))
    trades = ExitTrades.from_orders(orders, close=close, attach_close=False)
    return trades, Positions.from_trades(trades, attach_close=False).pnl.sum()


def main() -> None:
    """Match all orders, with the functions compiled beforehand."""
    fills = pd.concat([pd.read_parquet(file) for file in FILES], ignore_index=True)
    columns, pairs = pd.MultiIndex.from_frame(fills[["account", "contract"]]).factorize()
    records = records_of(fills, columns)
    match(records[:WARMED_BY], len(pairs))
    seconds, (trades, profit) = timed(lambda: match(records, len(pairs)))
    open_ = trades.values[trades.values["status"] == TradeStatus.Open]
    signs = np.where(open_["direction"] == TradeDirection.Long, 1, -1)
    shares = np.bincount(open_["col"], signs * open_["size"], minlength=len(pairs))
    multiplier = fills.groupby(columns)["multiplier"].first()
    held = np.rint(shares / multiplier.to_numpy()).astype(int)
    cents = np.rint(profit.to_numpy() * 100).astype(int)
    answer(((*pair, *found) for pair, *found in zip(pairs, cents, held, strict=True)), "cents", "quantity")
    report(vectorbt.__version__, ("records of trades and positions", seconds, "rebuild"))


main()
