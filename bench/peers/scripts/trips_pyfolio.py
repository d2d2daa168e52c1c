"""pyfolio extracts round trips: fills of one direction within hours are averaged, then share by share by FIFO."""

import pandas as pd
import pyfolio
from common import FILES, answer, report, timed
from pyfolio.round_trips import extract_round_trips

BETWEEN = "|"


def main() -> None:
    """Extract the round trips of all pairs, and add up their profits."""
    fills = pd.concat([pd.read_parquet(file) for file in FILES], ignore_index=True)
    transactions = pd.DataFrame(
        {
            "amount": fills["side"] * fills["quantity"],
            # There is no multiplier: prices are of a contract.
            "price": fills["price_cents"] * fills["multiplier"] / 100,
            "symbol": fills["account"] + BETWEEN + fills["contract"],
        }
    ).set_index(pd.DatetimeIndex(fills["at"]))
    seconds, trips = timed(lambda: extract_round_trips(transactions))
    profit = trips.groupby("symbol")["pnl"].sum()
    answer(((*symbol.split(BETWEEN), round(dollars * 100)) for symbol, dollars in profit.items()), "cents")
    report(pyfolio.__version__, ("round trips of all fills", seconds, "rebuild"))


main()
