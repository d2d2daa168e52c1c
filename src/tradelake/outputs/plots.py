"""Charts of a book for notebooks, as altair makes them: frames with exact numbers in, one chart out.

Exact decimals become floats at the axis, the last step; a tooltip shows the text of the exact number. Names of the data
are cleaned of characters that no picture may hold. Gains are blue and losses orange, and the bars of losses lie on
the other side of zero, so that nobody needs the colours. Charts carry their data and load nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from tradelake.errors import InputError
from tradelake.outputs.columns import contract_label
from tradelake.outputs.report.markup import clean
from tradelake.outputs.table import cell_text
from tradelake.outputs.values import column_text

if TYPE_CHECKING:
    import altair as alt

    Chart = alt.Chart | alt.FacetChart
    ChainChart = alt.VConcatChart

MISSING = "Charts need altair, which is not installed here. Install it with: pip install 'tradelake[notebook]'"
GAIN, LOSS = "#2463d4", "#d9700a"
LINES = ("#2463d4", "#d9700a", "#0f8f83", "#8a3fd1", "#c9307c", "#4f7d10", "#0d86ab", "#64748b")
WIDTH, HEIGHT, STEP = 640, 260, 20
AXIS: dict[str, Any] = {"format": "~s", "grid": True, "title": None}
TIMES = ("date", "month", "year")


def altair() -> Any:
    """Return altair; InputError where it is not installed."""
    try:
        import altair as found
    except ModuleNotFoundError as error:
        raise InputError(MISSING) from error
    return found


def exact(frame: pl.DataFrame, name: str) -> list[str]:
    """Return a column of amounts as people read them, every digit of them; null is `not known`."""
    texts = column_text(frame.get_column(name)).cast(pl.String)
    return ["not known" if text is None else cell_text(text, "money") for text in texts]


def records(frame: pl.DataFrame, amounts: Sequence[str]) -> list[dict[str, Any]]:
    """Return rows as a chart takes them: amounts as floats, with their exact text as `NAME_exact`, the rest as text."""
    columns: dict[str, list[Any]] = {}
    for name in frame.columns:
        column = frame.get_column(name)
        if name in amounts:
            columns[name] = [None if value is None else float(value) for value in column]
            columns[f"{name}_exact"] = exact(frame, name)
        else:
            texts = column_text(column).cast(pl.String)
            columns[name] = ["none" if text is None else clean(text) for text in texts]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def pnl_chart(frame: pl.DataFrame, by: Sequence[str], *, measure: str, cumulative: bool) -> Any:
    """Return profit by one or two groups: upright bars over time, or lines of the sums, level bars for names.

    *frame* has a column for each of *by*, then currency and *measure*; currencies are charts below each other.
    """
    alt = altair()
    time = next((name for name in by if name in TIMES), None)
    other = next((name for name in by if name != time), None)
    rows = frame.with_columns(pl.lit(None, pl.String).fill_null("all").alias("all")) if other is None else frame
    group = other or "all"
    if cumulative:
        if time is None:
            raise InputError(f"A sum over time needs one of {', '.join(TIMES)} in `by`, and there was {', '.join(by)}.")
        rows = rows.sort(time).with_columns(pl.col(measure).cum_sum().over(group, "currency"))
    data = alt.Data(values=records(rows, [measure]))
    tips = [alt.Tooltip(f"{name}:N") for name in by]
    tips += [alt.Tooltip("currency:N"), alt.Tooltip(f"{measure}_exact:N", title=measure.replace("_", " "))]
    amount = {"field": measure, "type": "quantitative", "axis": AXIS}
    if time is None:
        chart = _level(alt.Chart(data), group, amount, measure, tips)
    else:
        days = {"scale": alt.Scale(type="utc")} if time == "date" else {}
        over = alt.X(f"{time}:T" if days else f"{time}:O", title=None, **days)
        if cumulative:
            mark = alt.Chart(data).mark_line(interpolate="step-after", point=True)
            colour = _by_name(group, sorted(set(rows.get_column(group).cast(pl.String).fill_null("none"))))
        else:
            mark = alt.Chart(data).mark_bar()
            colour = _by_sign(measure)
        chart = mark.encode(x=over, y=alt.Y(**amount), color=colour, tooltip=tips).properties(
            width=WIDTH, height=HEIGHT
        )
        if other is not None and not cumulative:
            title = clean(", ".join(sorted(set(rows.get_column("currency")))))
            return chart.properties(height=HEIGHT // 2).facet(
                title=title, row=alt.Row(f"{other}:N", title=None), **_currencies(rows)
            )
    return _in_currencies(chart, rows)


def positions_chart(frame: pl.DataFrame, *, measure: str) -> Any:
    """Return the open positions as level bars of one amount; *frame* are rows of that table."""
    alt = altair()
    named = frame.with_columns(contract_label().alias("contract"))
    label = pl.concat_str("account_id", pl.lit("  "), "contract").alias("position")
    rows = named.select(
        label,
        "account_id",
        "contract",
        "currency",
        "quantity",
        "cost_basis",
        "unrealized_pnl",
        "realized_pnl",
        "open_date",
    )
    amounts = ["cost_basis", "unrealized_pnl", "realized_pnl"]
    if measure not in amounts:
        raise InputError(f"there is no measure {measure!r} of positions; choose from {', '.join(amounts)}")
    tips = [alt.Tooltip(f"{name}:N") for name in ("account_id", "contract", "quantity", "open_date", "currency")]
    tips += [alt.Tooltip(f"{name}_exact:N", title=name.replace("_", " ")) for name in amounts]
    amount = {"field": measure, "type": "quantitative", "axis": {**AXIS, "title": measure.replace("_", " ")}}
    data = alt.Data(values=records(rows, amounts))
    return _in_currencies(_level(alt.Chart(data), "position", amount, measure, tips, sort=None), rows)


def exposure_chart(frame: pl.DataFrame, *, unmarked: int) -> Any:
    """Return market value by underlying: long to the right, short to the left.

    *frame* has symbol, currency, side (long or short) and market_value; *unmarked* positions are in no value.
    """
    alt = altair()
    tips = [alt.Tooltip(f"{name}:N") for name in ("symbol", "side", "currency")]
    tips.append(alt.Tooltip("market_value_exact:N", title="market value"))
    amount = {"field": "market_value", "type": "quantitative", "axis": {**AXIS, "title": "market value"}}
    data = alt.Data(values=records(frame, ["market_value"]))
    chart = _level(alt.Chart(data), "symbol", amount, "market_value", tips)
    colours = alt.Scale(domain=["long", "short"], range=[GAIN, LOSS])
    chart = chart.encode(color=alt.Color("side:N", scale=colours, title=None))
    missing = f"{unmarked} position{'' if unmarked == 1 else 's'} without a mark not in it" if unmarked else ""
    return _in_currencies(chart, frame, subtitle=missing)


def chain_chart(positions: pl.DataFrame, profit: pl.DataFrame, *, title: str) -> Any:
    """Return a chain: its positions as bars over their life, and below what it has realized in both views.

    *positions* have contract, side, opened_at, until, status and realized_pnl; *profit* has at, view and
    realized_pnl, the sum up to then.
    """
    alt = altair()
    lives = records(positions, ["realized_pnl"])
    sums = records(profit, ["realized_pnl"])
    instants = alt.Scale(type="utc", padding=12)
    order = list(dict.fromkeys(row["contract"] for row in lives))
    tips = [alt.Tooltip(f"{name}:N") for name in ("contract", "side", "status")]
    tips += [alt.Tooltip("opened_at:N", title="opened"), alt.Tooltip("until:N", title="closed, or now")]
    tips.append(alt.Tooltip("realized_pnl_exact:N", title="realized"))
    when = alt.X("opened_at:T", title=None, scale=instants)
    base = alt.Chart(alt.Data(values=lives)).encode(y=alt.Y("contract:N", sort=order, title=None))
    colours = alt.Scale(domain=["LONG", "SHORT"], range=[GAIN, LOSS])
    bars = base.mark_bar(height=10, cornerRadius=2).encode(
        x=when, x2="until:T", color=alt.Color("side:N", scale=colours, title=None), tooltip=tips
    )
    words = base.mark_text(align="left", dx=6, fontSize=10).encode(x=alt.X("until:T"), text="realized_pnl_exact:N")
    lives_chart = alt.layer(bars, words).properties(width=WIDTH, height=alt.Step(STEP + 4), title=title)
    dashes = alt.Scale(domain=["tax", "economic"], range=[[1, 0], [5, 3]])
    views = alt.Scale(domain=["tax", "economic"], range=[LINES[3], LINES[2]])
    line = (
        alt.Chart(alt.Data(values=sums))
        .mark_line(interpolate="step-after", point=True)
        .encode(
            x=alt.X("at:T", title=None, scale=instants),
            y=alt.Y("realized_pnl:Q", axis=alt.Axis(**{**AXIS, "title": "realized to date"})),
            color=alt.Color("view:N", scale=views, title="view"),
            strokeDash=alt.StrokeDash("view:N", scale=dashes, title="view"),
            tooltip=["at:N", "view:N", alt.Tooltip("realized_pnl_exact:N", title="realized to date")],
        )
        .properties(width=WIDTH, height=HEIGHT * 2 // 3)
    )
    return alt.vconcat(lives_chart, line).resolve_scale(color="independent", strokeDash="independent", x="shared")


def _level(
    chart: Any, name: str, amount: dict[str, Any], measure: str, tips: Sequence[Any], *, sort: str | None = "-x"
) -> Any:
    alt = altair()
    return (
        chart.mark_bar(height=STEP - 8)
        .encode(
            y=alt.Y(f"{name}:N", sort=sort, title=None, axis=alt.Axis(labelLimit=260)),
            x=alt.X(**amount),
            color=_by_sign(measure),
            tooltip=list(tips),
        )
        .properties(width=WIDTH, height=alt.Step(STEP))
    )


def _by_sign(measure: str) -> Any:
    alt = altair()
    return alt.condition(f"datum.{measure} < 0", alt.value(LOSS), alt.value(GAIN))


def _by_name(name: str, values: Sequence[str]) -> Any:
    alt = altair()
    if name == "all":
        return alt.value(GAIN)
    colours = [LINES[index % len(LINES)] for index in range(len(values))]
    return alt.Color(f"{name}:N", scale=alt.Scale(domain=[clean(value) for value in values], range=colours), title=None)


def _currencies(frame: pl.DataFrame) -> dict[str, Any]:
    """Return a facet by currency, where there is more than one."""
    alt = altair()
    return {"column": alt.Column("currency:N", title=None)} if frame.get_column("currency").n_unique() > 1 else {}


def _in_currencies(chart: Any, frame: pl.DataFrame, *, subtitle: str = "") -> Any:
    """Return a chart with its currency as title, or one below the other where there are several."""
    alt = altair()
    found = sorted(set(frame.get_column("currency")))
    if len(found) > 1:
        title = alt.TitleParams(subtitle or "", fontWeight="normal", fontSize=11)
        return chart.facet(row=alt.Row("currency:N", title=None), title=title).resolve_scale(
            x="independent", y="independent"
        )
    title = alt.TitleParams(clean("".join(found)), subtitle=subtitle or "", anchor="start", fontSize=11)
    return chart.properties(title=title)
