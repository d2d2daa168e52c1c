"""Tax lots are the matches once more: nothing of profit, proceeds or basis is lost, and moved options are no rows."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.direct import match, methods_of
from tests.laws.full import full_streams
from tests.laws.streams import streams
from tradelake.outputs.tax_lots import MOVED, closed_tax_lots, open_tax_lots
from tradelake.tables import TRADE_LOG


@settings(max_examples=8)
@given(st.one_of(streams(), full_streams()))
def test_gains_are_the_realized_profit_and_open_lots_the_open_basis(scenario):
    _, matched = match(scenario)
    methods = pl.DataFrame(
        {"account_id": list(methods_of(scenario)), "lot_method": list(methods_of(scenario).values())}
    ).select("account_id", pl.lit(None, TRADE_LOG.schema["executed_at"]).alias("since"), "lot_method")
    closed, still = closed_tax_lots(matched.matches, methods), open_tax_lots(matched.lots, methods)
    for column, told in (("gain", "realized_pnl"), ("proceeds", "proceeds"), ("cost_basis", "cost")):
        moved = matched.matches.filter(pl.col("how").is_in(MOVED))
        left_out = moved.head(0) if column == "gain" else moved
        parts = [*closed[column], *left_out[told]]
        assert sum(parts) == sum(matched.matches[told])
    assert (closed["proceeds"] - closed["cost_basis"]).equals(closed["gain"], check_names=False)
    per_account = closed.group_by("account_id", "currency").agg(pl.col("gain").sum()).filter(pl.col("gain") != 0)
    realized = matched.matches.group_by("account_id", "currency").agg(pl.col("realized_pnl").sum().alias("gain"))
    assert set(per_account.rows()) == set(realized.filter(pl.col("gain") != 0).rows())
    assert closed.height == matched.matches.height - moved.height
    assert still["cost_basis"].sum() == matched.lots["cost_basis"].sum()
    assert still["lot_id"].to_list() == matched.lots["lot_id"].to_list()
    assert closed["lot_method"].null_count() == still["lot_method"].null_count() == 0
    assert closed.filter(pl.col("date_acquired") > pl.col("date_sold")).is_empty()
