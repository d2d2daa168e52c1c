"""The readers for the tax ledger: closed and open lots with their dates, in the tax view."""

import json
from typing import Unpack

import polars as pl

from tradelake.book.listing import Filters
from tradelake.book.reading import Readers
from tradelake.book.shelf import asked_again
from tradelake.book.signing import with_filters
from tradelake.outputs.tax_lots import closed_tax_lots, open_tax_lots
from tradelake.tables import TRADE_LOG

METHODS = pl.Schema({"account_id": pl.String(), "since": TRADE_LOG.schema["executed_at"], "lot_method": pl.String()})


class TaxReaders(Readers):
    """Everything that the tax ledger asks."""

    @with_filters("account", "symbol", "strategy", "since", "until", "as_of", "as_known", "limit")
    @asked_again
    def tax_lots(self, **filters: Unpack[Filters]) -> pl.DataFrame:
        """Return what was realized as Form 8949 lists it, one row per closed lot, by account and day of the sale.

        Description, quantity, date_acquired, date_sold, proceeds, cost_basis, gain, term (ST or LT), how, the lot
        method of the account at the close, and ids. Options that were exercised or assigned are no rows: their premium
        is in the shares. The gains sum up to the realized_pnl of `pnl`, exactly. Filters as in `matches`, `since` and
        `until` by the day of the sale; the view is always "tax".

        Example:
            book.tax_lots(account="GEN-1", since="2026-01-01", until="2026-12-31")
        """
        with self._catalog.transaction():
            return closed_tax_lots(self.matches(**filters), self._lot_methods(filters))

    @with_filters("account", "symbol", "strategy", "since", "until", "as_of", "as_known", "limit")
    @asked_again
    def open_tax_lots(self, **filters: Unpack[Filters]) -> pl.DataFrame:
        """Return what is held, one row per open lot, with the first day on which a sale is long term.

        Filters as in `lots`; the view is always "tax".

        Example:
            book.open_tax_lots().filter(pl.col("long_term_from") <= date(2026, 12, 31))
        """
        with self._catalog.transaction():
            return open_tax_lots(self.lots(**filters), self._lot_methods(filters))

    def _lot_methods(self, filters: Filters) -> pl.DataFrame:
        """Return since when each account has which lot method; null since the beginning."""
        asked: Filters = {}
        for name in ("account", "as_of", "as_known"):
            if name in filters:
                asked[name] = filters[name]
        first = self.accounts().select("account_id", pl.lit(None).alias("since"), "lot_method")
        events = self.trades(kinds=["lot_method"], in_effect=True, **asked)
        refused = self.refusals(**asked).select("sequence", "account_id")
        told = events.join(refused, on=["sequence", "account_id"], how="anti", maintain_order="left")
        methods = pl.Series("lot_method", [json.loads(text)["method"] for text in told["details"]], pl.String)
        later = told.select("account_id", pl.col("executed_at").alias("since")).with_columns(methods)
        return pl.concat([first.cast(METHODS), later.cast(METHODS)])
