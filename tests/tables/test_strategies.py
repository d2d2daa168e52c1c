"""Whatever a strategy makes, the column that it is for can hold exactly."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import column_values, ids, prices, trade_quantities
from tradelake.tables import TABLES, Table
from tradelake.units import MONEY_SCALE, QUANTITY_SCALE, to_units


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(data=st.data())
def test_rows_made_of_column_values_fit_their_table(table: Table, data: st.DataObject):
    row = data.draw(st.fixed_dictionaries({c.name: column_values(c) for c in table.columns}))
    frame = table.conform(pl.DataFrame([row], schema=table.schema, orient="row"))
    assert frame.row(0, named=True) == row


@given(trade_quantities(), prices(), ids())
def test_traded_quantities_and_prices_are_exact_and_ids_are_short(quantity, price, name):
    assert to_units(quantity, QUANTITY_SCALE) > 0
    assert to_units(price, MONEY_SCALE) >= 0
    assert 1 <= len(name) <= 64
