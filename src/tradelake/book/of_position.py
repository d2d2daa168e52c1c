"""Which events have made a position: those that opened or closed something of it."""

import polars as pl

from tradelake.book.profits import Profits
from tradelake.book.read import Names, names
from tradelake.tables import LOTS, MATCHES, POSITION_HISTORY, POSITIONS, TRADE_LOG, Table

POOL_ID = "*"
EVENTS = pl.Schema({"position_id": pl.String(), "sequence": pl.Int64()})


class PositionEvents(Profits):
    """What leads from a position to the events of the log."""

    def _events_of(self, position: Names) -> pl.DataFrame:
        """Return position_id and sequence of the events that made positions, each pair once, in a transaction.

        A pool of average cost has forgotten which event opened what: of it, all events of the instrument count that
        happened while the position was open.
        """
        wanted = names(position or ())
        lots, matches = (self._of_positions(table, wanted) for table in (LOTS, MATCHES))
        parts = [
            rows.select("position_id", pl.col(column).alias("sequence"))
            for rows, column in ((lots, "open_sequence"), (matches, "open_sequence"), (matches, "close_sequence"))
        ]
        pooled = pl.concat([rows.select("position_id", "open_trade_id") for rows in (lots, matches)])
        pools = pooled.filter(pl.col("open_trade_id") == POOL_ID)["position_id"].unique().to_list()
        if pools:
            parts.append(self._while_open(pools))
        return pl.concat([part.cast(EVENTS) for part in parts]).unique().sort("position_id", "sequence")

    def _of_positions(self, table: Table, wanted: list[str]) -> pl.DataFrame:
        if not wanted:
            return table.empty()
        texts = [f"position_id IN ({', '.join('?' * len(wanted))})"]
        return self._rows(table, texts, list(wanted), pl.col("position_id").is_in(wanted))

    def _while_open(self, pools: list[str]) -> pl.DataFrame:
        """Return the events of the instruments of positions from their opening to their close."""
        columns = ("position_id", "account_id", "instrument_id", "opened_at", "closed_at")
        held = pl.concat([self._of_positions(table, pools).select(columns) for table in (POSITIONS, POSITION_HISTORY)])
        with self._catalog.joined(pooled_positions=held):
            return self._catalog.frame(
                f"SELECT p.position_id, e.sequence FROM {TRADE_LOG.name} e JOIN pooled_positions p "
                "ON e.account_id = p.account_id AND e.instrument_id = p.instrument_id "
                "AND e.executed_at >= p.opened_at AND (p.closed_at IS NULL OR e.executed_at <= p.closed_at)"
            )
