"""The readers of snapshots: what was held, and what accounts stood at, at the close of sessions."""

import polars as pl

from tradelake.book.read import Day, Filter, Instant, Names, instant_of, where
from tradelake.book.shelf import Shelf
from tradelake.tables import ACCOUNT_SNAPSHOTS, POSITION_SNAPSHOTS, Table

VERSION = ["snapshot_date", "account_id", "version"]


class SnapshotReaders(Shelf):
    """Everything that asks for snapshots."""

    def snapshots(
        self,
        *,
        account: Names = None,
        symbol: Names = None,
        since: Day = None,
        until: Day = None,
        as_known: Instant = None,
        versions: bool = False,
    ) -> pl.DataFrame:
        """Return the positions at the close of sessions, one row per day, account and instrument.

        `since` and `until` are sessions, both included. The newest version that was known counts; with `versions` all.
        """
        rows = self._snapped(POSITION_SNAPSHOTS, Filter(account, symbol, None, since, until), as_known)
        if versions:
            return rows
        accounts = self.account_snapshots(account=account, since=since, until=until, as_known=as_known)
        return rows.join(accounts.select(VERSION).unique(), on=VERSION, how="semi", maintain_order="left")

    def account_snapshots(
        self,
        *,
        account: Names = None,
        since: Day = None,
        until: Day = None,
        as_known: Instant = None,
        versions: bool = False,
        last: bool = False,
    ) -> pl.DataFrame:
        """Return what accounts closed sessions with, one row per day, account and currency.

        `net_liquidation` is cash and market value together; it is null where a position has no mark. With `last` only
        the last day of the span.
        """
        rows = self._snapped(ACCOUNT_SNAPSHOTS, Filter(account, None, None, since, until), as_known, last=last)
        if not versions:
            newest = pl.col("version") == pl.col("version").max().over("snapshot_date", "account_id")
            rows = rows.filter(newest)
        worth = pl.when(pl.col("unmarked") == 0).then(pl.col("cash") + pl.col("market_value"))
        return rows.with_columns(worth.alias("net_liquidation"))

    def _snapped(self, table: Table, wanted: Filter, as_known: Instant, *, last: bool = False) -> pl.DataFrame:
        texts, values = wanted.conditions(table.names, "snapshot_date")
        if as_known is not None:
            texts.append("recorded_at <= CAST(? AS TIMESTAMPTZ)")
            values.append(instant_of(as_known).isoformat())
        if last:
            texts.append(f"snapshot_date = (SELECT max(snapshot_date) FROM {table.name}{where(texts)})")
            values *= 2
        order = ", ".join(table.sort)
        return self._catalog.frame(f"SELECT * FROM {table.name}{where(texts)} ORDER BY {order}", values)

    def _newest(self, table: Table, wanted: Filter) -> pl.DataFrame:
        """Return the rows of the newest version of each account, of days that *wanted* names."""
        accounts = self._snapped(ACCOUNT_SNAPSHOTS, wanted, None)
        versions = accounts.group_by("snapshot_date", "account_id").agg(pl.col("version").max())
        rows = accounts if table == ACCOUNT_SNAPSHOTS else self._snapped(table, wanted, None)
        return rows.join(versions, on=VERSION, how="semi", maintain_order="left")
