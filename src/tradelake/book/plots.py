"""`book.plot`: what is drawn is read anew with every call."""

from typing import TYPE_CHECKING, Any

import polars as pl

from tradelake.book.read import Instant, Names, instant_of, names
from tradelake.book.shelf import now
from tradelake.errors import InputError
from tradelake.outputs.columns import contract_label
from tradelake.outputs.plots import altair, chain_chart, exposure_chart, pnl_chart, positions_chart
from tradelake.outputs.report.markup import clean
from tradelake.positions.views import VIEWS

if TYPE_CHECKING:
    from tradelake.outputs.plots import ChainChart, Chart

MEASURES = ("realized_pnl", "dividends", "interest", "fees", "cash")
LONG = pl.col("market_value") > 0


class Plots:
    """Charts of a book, as altair makes them; they need the extra `notebook`.

    A chart carries what was read when it was made. Take it on with altair: `.properties(width=400)`, `.save("x.svg")`.
    """

    def __init__(self, book: Any) -> None:
        self._book = book

    def __repr__(self) -> str:
        return "<charts: pnl, positions, chain, exposure>"

    def pnl(
        self, by: Names = "month", *, measure: str = "realized_pnl", cumulative: bool = False, **filters: Any
    ) -> "Chart":
        """Return profit as bars by one or two names out of account, month, year, date, symbol, strategy, instrument.

        Over time the bars stand upright, else they lie, largest first; of two names one is time, and the other gets a
        chart each. `measure` is realized_pnl, dividends, interest, fees or cash. With `cumulative` lines show the sums
        over time. `filters` are those of `book.pnl`: account, symbol, since, view and so on.

        Example:
            book.plot.pnl(by=["month", "account"], since="2026-01-01")
            book.plot.pnl(by="date", cumulative=True, view="economic")
        """
        altair()
        wanted = names(by or ())
        times = [name for name in wanted if name in ("date", "month", "year")]
        if not 1 <= len(wanted) <= 2 or (len(wanted) == 2 and len(times) != 1):
            raise InputError(
                "A chart of profit is by one name, or by two of which one is date, month or year, and there was "
                f"{', '.join(wanted) or 'none'}."
            )
        if measure not in MEASURES:
            raise InputError(f"there is no measure {measure!r} of profit; choose from {', '.join(MEASURES)}")
        rows = self._book.pnl(by=wanted, **filters)
        columns = dict(zip(wanted, rows.columns, strict=False))
        shown = rows.select(*(pl.col(column).alias(name) for name, column in columns.items()), "currency", measure)
        drawn = shown.filter(pl.col(measure) != 0)
        chart: Chart = pnl_chart(drawn, wanted, measure=measure, cumulative=cumulative)
        return chart

    def positions(self, measure: str = "cost_basis", **filters: Any) -> "Chart":
        """Return the open positions as bars of their cost_basis, unrealized_pnl or realized_pnl.

        `filters` are those of `book.positions`. A position without a mark has no bar of what is unrealized.

        Example:
            book.plot.positions("unrealized_pnl", account="COM-1")
        """
        altair()
        chart: Chart = positions_chart(self._book.positions(**filters), measure=measure)
        return chart

    def exposure(self, **filters: Any) -> "Chart":
        """Return market value by underlying at the newest marks, long to the right and short to the left.

        `filters` are those of `book.positions`. Positions without a mark are in no value; the chart says how many.
        """
        altair()
        held = self._book.positions(**filters)
        side = pl.when(LONG).then(pl.lit("long")).otherwise(pl.lit("short")).alias("side")
        marked = held.filter(pl.col("market_value").is_not_null() & (pl.col("market_value") != 0)).with_columns(side)
        sums = marked.group_by("symbol", "currency", "side").agg(pl.col("market_value").sum())
        unmarked = held["market_value"].null_count()
        chart: Chart = exposure_chart(sums.sort("symbol", "side"), unmarked=unmarked)
        return chart

    def chain(
        self, chain: str, *, account: Names = None, as_of: Instant = None, as_known: Instant = None
    ) -> "ChainChart":
        """Return one chain, by its id or name: its positions over their life, and what it has realized in both views.

        Raises InputError where there is no such chain.

        Example:
            wheel = book.chains(symbol="KO", status="CLOSED").item(-1, "chain_id")
            book.plot.chain(wheel)
        """
        altair()
        state = {"as_of": as_of, "as_known": as_known}
        parts = self._book.chain_positions(chain=chain, account=account, **state)
        if not parts.height:
            raise InputError(f"There is no chain {chain!r}. `book.chains()` lists them, with their ids and names.")
        owners = parts["account_id"].unique().to_list()
        ids = parts["position_id"].implode()
        sums = []
        for view in VIEWS:
            matches = self._book.matches(account=owners, view=view, **state).filter(pl.col("position_id").is_in(ids))
            steps = matches.group_by(pl.col("closed_at").alias("at")).agg(pl.col("realized_pnl").sum()).sort("at")
            sums.append(steps.select("at", pl.lit(view).alias("view"), pl.col("realized_pnl").cum_sum()))
        last = pl.lit(now() if as_of is None else instant_of(as_of)).cast(parts.schema["opened_at"])
        lives = parts.sort("opened_at").select(
            contract_label().alias("contract"),
            "side",
            "status",
            "opened_at",
            pl.coalesce("closed_at", last).alias("until"),
            "realized_pnl",
        )
        chart: ChainChart = chain_chart(lives, pl.concat(sums), title=clean(chain))
        return chart
