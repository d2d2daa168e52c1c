"""PostgreSQL with a function in plpgsql: one pass over the fills of each pair in order of time, lots in arrays."""

import io

import polars as pl
import psycopg
from common import FILES, FOLDER, answer, report, timed

from tests.postgres import PostgresServer

TABLES = """
CREATE TABLE fills (number bigint PRIMARY KEY, account text, symbol text, contract text, multiplier bigint,
  at timestamptz, side bigint, quantity bigint, price_cents bigint, fee_cents bigint);
CREATE TABLE matches (account text, contract text, opened bigint, closed bigint, units bigint, cents bigint);
"""
INDEXES = "CREATE INDEX ON fills (account, contract, at, number); ANALYZE fills;"
FUNCTION = """
CREATE FUNCTION fifo() RETURNS SETOF matches LANGUAGE plpgsql AS $$
DECLARE
  fill record; pair text := ''; found matches; remaining bigint; part bigint; unit_fee bigint;
  lots bigint[]; prices bigint[]; charges bigint[]; numbers bigint[];
  first int := 1; last int := 0; direction bigint := 0;
BEGIN
  FOR fill IN SELECT * FROM fills ORDER BY account, contract, at, number LOOP
    IF fill.account || '|' || fill.contract <> pair THEN
      pair := fill.account || '|' || fill.contract;
      lots := '{}'; prices := '{}'; charges := '{}'; numbers := '{}'; first := 1; last := 0;
    END IF;
    remaining := fill.quantity; unit_fee := fill.fee_cents / fill.quantity;
    WHILE remaining > 0 AND first <= last AND direction <> fill.side LOOP
      part := least(remaining, lots[first]);
      found.account := fill.account; found.contract := fill.contract;
      found.opened := numbers[first]; found.closed := fill.number; found.units := part;
      found.cents := part * ((fill.price_cents - prices[first]) * direction * fill.multiplier
                             - charges[first] - unit_fee);
      RETURN NEXT found;
      remaining := remaining - part;
      IF part = lots[first] THEN first := first + 1; ELSE lots[first] := lots[first] - part; END IF;
    END LOOP;
    IF remaining > 0 THEN
      IF first > last THEN
        lots := '{}'; prices := '{}'; charges := '{}'; numbers := '{}'; first := 1; last := 0;
        direction := fill.side;
      END IF;
      last := last + 1;
      lots[last] := remaining; prices[last] := fill.price_cents;
      charges[last] := unit_fee; numbers[last] := fill.number;
    END IF;
  END LOOP;
END $$;
"""
ANSWER = """SELECT account, contract, coalesce(sum(cents), 0), quantity
  FROM (SELECT account, contract, sum(side * quantity) AS quantity FROM fills GROUP BY 1, 2) held
  LEFT JOIN (SELECT account, contract, sum(cents) AS cents FROM matches GROUP BY 1, 2) m USING (account, contract)
  GROUP BY account, contract, quantity"""
NOW = "SELECT account, contract, sum(side * quantity) FROM fills GROUP BY 1, 2 HAVING sum(side * quantity) <> 0"
MONTH = "SELECT * FROM fills WHERE account = 'ACC-003' AND at >= '2024-03-01 05:00Z' AND at < '2024-04-01 04:00Z'"


def main() -> None:
    """Load the fills, match them, and ask."""
    server = PostgresServer.start()
    try:
        with psycopg.connect(server.create_database()) as connection:
            connection.execute(TABLES + FUNCTION)

            def load() -> None:
                for file in FILES:
                    text = io.BytesIO()
                    pl.read_parquet(file).write_csv(text, include_header=False)
                    with connection.cursor().copy("COPY fills FROM STDIN (FORMAT csv)") as copy:
                        copy.write(text.getvalue())
                connection.execute(INDEXES)
                connection.commit()

            def ask(query: str) -> list[tuple]:
                return connection.execute(query).fetchall()

            def match() -> None:
                connection.execute("INSERT INTO matches SELECT * FROM fifo()")
                connection.commit()

            loaded, _ = timed(load)
            matched, _ = timed(match)
            answer(ask(ANSWER), "cents", "quantity")
            now, month = timed(lambda: ask(NOW))[0], timed(lambda: ask(MONTH))[0]
            version = connection.info.parameter_status("server_version") or ""
    finally:
        server.stop()
    report(
        version,
        ("COPY, index, FIFO in plpgsql", loaded + matched, "import"),
        ("FIFO in plpgsql alone", matched, "rebuild"),
        ("positions now", now, "positions now"),
        ("trades of one account in a month", month, "trades of one account in a month"),
    )


assert FOLDER
main()
