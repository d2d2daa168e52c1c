"""The cells of the notebooks: text where they begin with `#!md`, else Python."""

SETUP = """
import altair as alt
import polars as pl

import tradelake as tl

alt.renderers.enable("svg")
pl.Config(tbl_rows=8, tbl_cols=8, tbl_width_chars=120, fmt_str_lengths=40);
"""

SAMPLE = """
book = tl.create("sample")
book.add_accounts(
    [
        {"account_id": "GEN-1", "broker_account_id": "U7700001", "allocation_pattern": "GEN-*"},
        {"account_id": "REV-1", "broker_account_id": "U7700001", "allocation_pattern": "REV-*"},
        {
            "account_id": "COM-1",
            "broker_account_id": "U7700001",
            "allocation_pattern": "COM-*",
            "allocation_default": True,
        },
        {"account_id": "STAR-1", "broker_account_id": "U7700002"},
    ]
)
book.ingest("ibkr-flex", "data/sample_flex.xml")
"""

TRADE_HISTORY = [
    """#!md
# Querying trade history

Half a year of sample trades, asked in every way that there is: filters, Polars, SQL, Arrow and pandas, charts, files.
The [guide](../guide.md) tells the same on the command line.
""",
    SETUP,
    """#!md
## A book

The first cell of a notebook of yours is `book = tl.open("mybook", read_only=True)`. Here a book is made of the sample
data. What a writer returns is a receipt.
""",
    SAMPLE,
    'book.ingest("executions", "data/sample_fills.jsonl")',
    "book",
    """#!md
## Filters

Readers return Polars frames. Every filter takes one name or several, days are included, and what is misspelt is
refused. `show` draws a frame: the most telling columns, and exact numbers.
""",
    """
fills = book.trades(account="REV-1", symbol="KO", since="2026-03-30", until="2026-04-17")
print(type(fills), fills.shape)
tl.show(fills)
""",
    """
events = book.trades(account=["GEN-1", "REV-1"], kinds=["assign"])
events.select("trade_id", "account_id", "contract_symbol", "quantity")
""",
    """#!md
What the broker wrote of an event is kept beside it.
""",
    """
assigned = book.trades(account="REV-1", symbol="KO", kinds=["assign"]).item(0, "trade_id")
print(book.source_of(assigned).item(0, "text")[:120])
""",
    """#!md
## Positions, and the trades that made them

Each row opens to its trades. `book.trades(position=...)` returns them as a frame, for any position, open or closed.
""",
    'book.show("positions")',
    """
position = book.positions(account="GEN-1", symbol="NVDA").item(0, "position_id")
book.trades(position=position).select("trade_date", "kind", "action", "quantity", "price", "net_amount")
""",
    """#!md
## Polars

Amounts are decimals of twelve digits after the point. Sums and differences of them are exact; a mean or a quotient is
a float, so leave it to the end.
""",
    """
closed = book.history(since="2026-01-01")
best = (
    closed.group_by("symbol", "side")
    .agg(pl.len().alias("positions"), pl.col("realized_pnl").sum(), (pl.col("realized_pnl") > 0).sum().alias("won"))
    .sort("realized_pnl", descending=True)
)
tl.show(best, title="closed positions by symbol and side")
""",
    """#!md
With `lazy=True` a reader gives a lazy frame: the rows are read now, and what follows is planned as a whole.
""",
    """
(
    book.matches(lazy=True, account="REV-1")
    .filter(pl.col("how") == "expired")
    .group_by(pl.col("close_date").dt.truncate("1mo").alias("month"))
    .agg(pl.len().alias("expired"), pl.col("realized_pnl").sum())
    .sort("month")
    .collect()
)
""",
    """#!md
## SQL

One SELECT over the tables of the book, the derived ones at the head of the log. The past is asked by table macros.
""",
    '''
book.show(
    book.sql("""
        SELECT account_id, symbol, how, count(*) AS matches, sum(realized_pnl) AS realized_pnl
        FROM matches WHERE asset_type = 'OPTION' GROUP BY ALL ORDER BY ALL
    """),
    title="how options ended",
)
''',
    """
past = "SELECT account_id, contract_symbol, quantity, cost_basis FROM positions_at('2026-03-31') ORDER BY ALL"
book.sql(past).pl()
""",
    """#!md
## Arrow and pandas

A frame goes to Arrow as it is. Pandas keeps decimals where it is given Arrow's types; without them, and by DuckDB's
`.df()`, they become floats.
""",
    """
lots = book.lots(account="COM-1", symbol="MSFT")
print(lots.to_arrow().schema.field("cost_basis"))
print(book.sql("SELECT cost_basis FROM lots LIMIT 1").to_arrow_table().schema)
kept = lots.to_pandas(use_pyarrow_extension_array=True)
print(kept.dtypes[["quantity", "cost_basis", "open_date"]])
print(kept["cost_basis"].sum() == lots["cost_basis"].sum())
""",
    """#!md
## Charts

`book.plot` draws with altair. A chart is read anew when it is made, and can be taken on: `.properties(...)`,
`.save("pnl.svg")`. The tooltip of a bar has the exact amount.
""",
    'book.plot.pnl(by=["month", "account"])',
    'book.plot.pnl(by=["date", "account"], cumulative=True)',
    "book.plot.exposure()",
    """#!md
## The past

`as_of` asks what was held at a time, `as_known` what the book had been told by then.
""",
    'book.show("positions", as_of="2026-03-31")',
    """#!md
## Files

A workbook has a sheet for each table, typed and formatted; a number that a cell would round is text. The tax lots are
the realized matches as Form 8949 lists them, and sum up to the profit of the book.
""",
    """
book.export("june.xlsx", ["trades", "positions", "pnl"], since="2026-06-01").rows
""",
    """
filed = book.export_tax_lots("tax-2026.xlsx", since="2026-01-01", until="2026-12-31")
gains, profit = book.tax_lots()["gain"].sum(), book.pnl(by=["account"])["realized_pnl"].sum()
print(dict(filed.rows), gains, gains == profit)
""",
    """#!md
A book that was opened to read may stay open for days: it holds no lock between two questions, and the next question
sees what has been recorded since.
""",
    "book.close()\nbook",
]

WHEEL_CAMPAIGN = [
    """#!md
# A wheel, from the first put to called away

A put is sold and assigned, calls are sold on the shares until they are called away. What has the campaign earned, and
when? The tax view and the economic view answer differently on the way, and agree at its end.
""",
    SETUP,
    SAMPLE,
    """#!md
## Find the campaign

A chain is a set of positions that belong together: what was rolled, assigned, covered. This one of REV-1 on KO is a
wheel that has ended.
""",
    'book.show("chains", account="REV-1", symbol="KO")',
    """
wheels = book.chains(account="REV-1", symbol="KO", status="CLOSED").filter(pl.col("label") == "wheel")
chain = wheels.item(0, "chain_id")
wheels.head(1).select("chain_id", "open_date", "assignments", "net_credit", "realized_pnl")
""",
    """
parts = book.chain_positions(chain=chain)
book.show(parts, title="chain-positions")
""",
    """#!md
## What happened

The events of its four positions, in their order. The put is sold in three fills, and assigned on April 2. A first call
is bought back, a second one is assigned on April 17: the shares are gone.
""",
    """
events = book.trades(position=parts["position_id"].to_list())
tl.show(events)
""",
    """#!md
## The shares: two prices for one purchase

Five puts of strike 76 took in a premium. In the tax view it is inside the basis: the shares have cost the strike less
the premium. In the economic view the put has earned its premium, and the shares have cost the strike.
""",
    """
rows = []
for view in ("tax", "economic"):
    held = book.positions(account="REV-1", symbol="KO", as_of="2026-04-02", view=view)
    done = book.pnl(by=["instrument"], account="REV-1", symbol="KO", since="2026-03-30", as_of="2026-04-02", view=view)
    put = done.filter(pl.col("instrument_id") == "KO    260402P00076000")
    rows.append(
        held.filter(pl.col("asset_type") == "STOCK").select(
            pl.lit(view).alias("view"),
            "quantity",
            "average_price",
            "cost_basis",
            pl.lit(put["realized_pnl"].sum(), pl.Decimal(38, 12)).alias("put_pnl"),
        )
    )
tl.show(pl.concat(rows), title="on the evening of the assignment")
""",
    """#!md
The difference between the two is the premium, to the last digit.
""",
    """
tax, economic = (each["cost_basis"].item() for each in rows)
premium = events.filter(pl.col("contract_symbol") == "KO    260402P00076000")["net_amount"].sum()
print(economic - tax, premium, economic - tax == premium)
""",
    """#!md
## Profit on the way

What each closing has realized, in both views.
""",
    """
ids = parts["position_id"].implode()
views = {
    view: book.matches(account="REV-1", symbol="KO", view=view).filter(pl.col("position_id").is_in(ids))
    for view in ("tax", "economic")
}
both = pl.concat(
    [
        matches.group_by("close_date", "instrument_id", "how")
        .agg(pl.col("quantity").sum(), pl.col("realized_pnl").sum())
        .with_columns(pl.lit(view).alias("view"))
        for view, matches in views.items()
    ]
)
steps = both.pivot("view", index=["close_date", "instrument_id", "how", "quantity"], values="realized_pnl")
steps = steps.sort("close_date", "instrument_id").rename({"tax": "tax_pnl", "economic": "economic_pnl"})
tl.show(steps, title="realized by each closing")
""",
    """#!md
The chart of the chain: its positions over their life, and below what has been realized to date. The economic view earns
the premium of the put on April 2; in the tax view it waits in the shares until they are called away.
""",
    "book.plot.chain(chain)",
    """#!md
## At its end

Once all is flat both views have realized the same: the credits of all options, and the difference between the strikes.
""",
    """
totals = {view: matches["realized_pnl"].sum() for view, matches in views.items()}
cash = book.ledger(account="REV-1").join(events.select("sequence"), on="sequence", how="semi")["amount"].sum()
print(totals["tax"], totals["economic"], totals["tax"] == totals["economic"] == cash)
""",
    """#!md
That is also the cash that the campaign has brought. For the year's tax it is these lots: the assigned put and the
assigned call are no rows, their premiums are in the shares.
""",
    """
lots = book.tax_lots(account="REV-1", symbol="KO").filter(pl.col("position_id").is_in(ids))
print(lots["gain"].sum() == totals["tax"])
tl.show(lots.select("description", "date_acquired", "date_sold", "proceeds", "cost_basis", "gain", "term", "how"))
""",
    """#!md
## All of them

The account's chains in one chart: what each has realized, in the order in which they ended.
""",
    """
ended = book.chains(account="REV-1", symbol="KO", status="CLOSED").sort("closed_at")
book.show(ended.select("label", "open_date", "closed_at", "rolls", "assignments", "net_credit", "realized_pnl"))
""",
    'book.plot.pnl(by="month", account="REV-1", symbol="KO")',
    """
book.bridge(account="REV-1").select("realized_tax", "realized_economic", "difference", "premium_carried")
""",
]

NOTEBOOKS = {"trade_history": TRADE_HISTORY, "wheel_campaign": WHEEL_CAMPAIGN}
