"""Plain Parquet and DuckDB: FIFO as one statement, as the n-th unit bought always meets the n-th unit sold."""

import statistics

import duckdb
from common import FILES, FOLDER, report, timed

FILLS = f"read_parquet({FILES})"
# Where the cumulative quantities of both sides are cut at every bound of either, each piece has one fill of each side.
FIFO = f"""
CREATE TABLE sides AS SELECT account, contract, multiplier, side, "at", price_cents, fee_cents // quantity AS unit_fee,
  sum(quantity) OVER (PARTITION BY account, contract, side ORDER BY "at", number) AS upto FROM {FILLS};
CREATE TABLE bounds AS SELECT account, contract, upto,
  upto - coalesce(lag(upto) OVER (PARTITION BY account, contract ORDER BY upto), 0) AS units
  FROM (SELECT DISTINCT account, contract, upto FROM sides);
CREATE TABLE matches AS SELECT b.account, b.contract, b.units, greatest(x."at", y."at") AS "at",
  b.units * ((y.price_cents - x.price_cents) * x.multiplier - x.unit_fee - y.unit_fee) AS cents
  FROM bounds b
  ASOF JOIN (FROM sides WHERE side = 1) x ON b.account = x.account AND b.contract = x.contract AND b.upto <= x.upto
  ASOF JOIN (FROM sides WHERE side = -1) y ON b.account = y.account AND b.contract = y.contract AND b.upto <= y.upto;
"""
HELD = f"SELECT account, contract, sum(side * quantity) AS quantity FROM {FILLS}"
PAST = "\"at\" < TIMESTAMPTZ '2024-03-01 05:00:00+00'"
ASKED = {
    "positions now": f"{HELD} GROUP BY ALL HAVING quantity <> 0",
    "positions as of a past date": f"{HELD} WHERE {PAST} GROUP BY ALL HAVING quantity <> 0",
    "realized P&L by month and account": (
        f"SELECT account, date_trunc('month', \"at\"), sum(cents) FROM '{FOLDER}/matches.parquet' GROUP BY ALL"
    ),
    "trades of one account in a month": f"FROM {FILLS} WHERE account = 'ACC-003' AND \"at\" >= TIMESTAMPTZ "
    f"'2024-03-01 05:00:00+00' AND \"at\" < TIMESTAMPTZ '2024-04-01 04:00:00+00'",
}


def main() -> None:
    """Match everything, write the matches, and ask."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")

    def fifo() -> None:
        connection.execute(FIFO)
        connection.execute(f"COPY matches TO '{FOLDER}/matches.parquet'")

    seconds, _ = timed(fifo)
    connection.execute(
        f"""COPY (SELECT account, contract, coalesce(m.cents, 0)::BIGINT AS cents, quantity::BIGINT AS quantity
        FROM ({HELD} GROUP BY ALL) LEFT JOIN (SELECT account, contract, sum(cents) AS cents FROM matches GROUP BY ALL) m
        USING (account, contract)) TO '{FOLDER}/answer.parquet'"""
    )
    figures = []
    for name, query in ASKED.items():
        times = [timed(lambda query=query: connection.execute(query).fetchall())[0] for _ in range(5)]
        figures.append((name, statistics.median(times), name))
    report(duckdb.__version__, ("FIFO of all fills, matches written", seconds, "rebuild"), *figures)


main()
