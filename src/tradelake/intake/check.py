"""Rows of text become validated events: each bad row is one problem, and the good rows beside it go in.

The whole frame is read, completed and judged with a few expressions; a row is only looked at in Python when
it breaks a rule. Where a row breaks several, the first one in this order is reported:

    1. kind                      5. other words
    2. identifiers, symbols      6. numbers, then JSON
    3. times and dates           7. terms of the instrument
    4. required fields           8. what cannot happen: see `events.py`

A row that names only an instrument_id may lack terms. The book completes them from its instruments and asks
again with `recheck`, which is the same list from 7 on.
"""

from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from tradelake import sessions, units
from tradelake.errors import InvariantError, Problem
from tradelake.intake import details, events, kinds, numbers, terms, times, words
from tradelake.intake.fields import BY_NAME, FIELDS, ROW, Field
from tradelake.intake.rules import Rule, Rules, problems_of, says
from tradelake.tables import INCOMING, POLARS_TYPES

GROSS_MAX = 10**20 * units.MONEY_UNIT
TYPES = {"text": "text", "symbol": "text", "word": "text", "ratio": "text"}
AS_WRITTEN = pl.QueryOptFlags.none()


@dataclass(frozen=True, slots=True)
class _Plan:
    """How frames of one schema are read: expressions in the order of their steps, and rules."""

    reads: tuple[pl.Expr, ...]
    steps: tuple[tuple[pl.Expr, ...], ...]
    rules: Rules


def validate(rows: pl.DataFrame, *, source: str) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Return the events of the good rows (`tables.INCOMING`), and one problem for each bad row.

    *rows* has `_row` and any fields of an execution row (`fields.py`), as text or as columns of an exact
    type; events keep their order. Raises InvariantError for a column that is no field or whose type is not
    exact.
    """
    plain = "kind" not in rows.columns or kinds.are_plain(rows["kind"])
    plan = _plan(tuple(rows.schema.items()), plain=plain)
    steps = rows.lazy().select(*plan.reads, *details.read_details(rows))
    for step in plan.steps:
        steps = steps.with_columns(step)
    read = steps.collect(optimizations=AS_WRITTEN)
    return _finish(read, plan.rules, given=rows, source=source)


def recheck(incoming: pl.DataFrame, *, source: str) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Return the good events with their amounts, and one problem per bad one, once all terms are completed.

    *incoming* has the columns of `tables.INCOMING`. Settlement and exercise style that are still null count
    as PHYSICAL and AMERICAN; an instrument whose terms are still unknown is a problem.
    """
    read = incoming.rename({"source_row": ROW}).with_columns(
        *terms.osi_parts(),
        sessions.trade_date_of(pl.col("executed_at")).alias("new_york_date"),
        *details.tagged(incoming),
    )
    return _finish(read, _final_rules(), given=read, source=source)


@lru_cache(maxsize=1)
def _final_rules() -> Rules:
    return Rules.of(
        *terms.contract_rules(final=True), *terms.term_rules(final=True), *events.event_rules(final=True, plain=False)
    )


@lru_cache(maxsize=128)
def _plan(schema: tuple[tuple[str, pl.DataType], ...], *, plain: bool) -> _Plan:
    types = dict(schema)
    if types.pop(ROW, None) != pl.Int64:
        raise InvariantError(f"rows: no integer column {ROW}")
    strange = sorted(set(types) - set(BY_NAME))
    if strange:
        raise InvariantError(f"rows: {', '.join(strange)} is no field of an execution row")
    own_id = pl.col("instrument_id").is_not_null() if "instrument_id" in types else pl.lit(value=False)
    reads = [pl.col(ROW), own_id.alias("own_id")]
    for field in FIELDS:
        reads += _reading(field, types[field.name]) if field.name in types else _nothing(field)
    judged = [_judged(name) for name in types if BY_NAME[name].reads in ("quantity", "money", "instant", "date")]
    filled = [
        pl.coalesce("trade_date", "new_york_date").alias("trade_date"),
        *(pl.col(name).fill_null(0) for name in ("commission", "fees")),
    ]
    if {"to_account_id", "lots"} <= set(types):
        sums = pl.when(kinds.KIND == "transfer").then(pl.col("lots_total"))
        filled.append(pl.coalesce("quantity", sums).alias("quantity"))
    osi = terms.osi_parts() if "contract_symbol" in types else terms.no_osi_parts()
    new_york = sessions.trade_date_of(pl.col("executed_at")).alias("new_york_date")
    return _Plan(
        reads=tuple(reads),
        steps=(
            (*judged, new_york, *osi),
            (*terms.from_osi(), *filled),
            tuple(terms.completed(strikes="strike" in types)),
            tuple(terms.identified(gives="new_symbol" in types)),
        ),
        rules=Rules.of(*_rules(types, plain=plain)),
    )


def _reading(field: Field, dtype: pl.DataType) -> list[pl.Expr]:
    """Return a field's value, `given:` where there is one, and `bad:` where it is refused."""
    column, bad = pl.col(field.name), None
    given = column.is_not_null()
    if field.reads in TYPES or field.reads == "json":
        if dtype != pl.String:
            raise InvariantError(f"{field.name}: {dtype} is no text")
        if field.reads == "json":
            return [given.alias(f"given:{field.name}")]
        if field.reads == "word":
            value = words.read_word(field)
        elif field.reads == "ratio":
            value, bad = numbers.read_ratio(field)
        else:
            given = given & (column != "")
            value, bad = words.read_text(field)
    elif field.reads == "instant":
        value, bad = times.read_instant(field, dtype)
    elif field.reads == "date":
        value, bad = times.read_date(field, dtype)
    else:
        value, bad = numbers.read_number(field, dtype)
    marks = [] if bad is None else [bad.fill_null(value=False).alias(f"bad:{field.name}")]
    return [value.alias(field.name), given.alias(f"given:{field.name}"), *marks]


def _nothing(field: Field) -> list[pl.Expr]:
    if field.reads == "json" or field.name in details.SPREAD:
        return []
    return [
        pl.lit(words.DEFAULTS.get(field.name), dtype=POLARS_TYPES[TYPES.get(field.reads, field.reads)]).alias(
            field.name
        )
    ]


def _judged(name: str) -> pl.Expr:
    unread = pl.col(f"given:{name}") & pl.col(name).is_null()
    return (pl.col(f"bad:{name}") | unread).alias(f"bad:{name}")


def _rules(types: dict[str, pl.DataType], *, plain: bool) -> list[Rule]:
    here = [field for field in FIELDS if field.name in types]

    def of(*reads: str) -> list[Field]:
        return [field for field in here if field.reads in reads]

    kind, other_words = of("word")[: "kind" in types], [f for f in of("word") if f.name != "kind"]
    days = [field for field in of("date") if field.name == "trade_date"]
    expirations = [field for field in of("date") if field.name == "expiration"]
    return [
        *(words.word_rule(field) for field in kind),
        *(words.text_rule(field) for field in of("text", "symbol")),
        *(times.instant_rule(field) for field in of("instant")),
        *(times.date_rule(field, "bad_date") for field in days),
        *events.required_rules(types, plain=plain),
        *(words.word_rule(field) for field in other_words),
        *(numbers.number_rule(field) for field in of("quantity", "money")),
        *(numbers.ratio_rule(field) for field in of("ratio")),
        *numbers.number_rules(types),
        *(details.json_rule(field.name) for field in of("json")),
        *kinds.value_rules(types),
        *(times.date_rule(field, "invalid_instrument") for field in expirations),
        *(terms.contract_rules(final=False) if "contract_symbol" in types else ()),
        *terms.term_rules(final=False),
        *events.event_rules(final=False, plain=plain),
    ]


def _finish(
    read: pl.DataFrame, rules: Rules, *, given: pl.DataFrame, source: str
) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Return the events of the rows that break no rule, with their amounts, and all problems in order."""
    problems = problems_of(rules, given=given, read=read, source=source)
    if problems:
        keep = ~read[ROW].is_in([problem.row for problem in problems])
        read, given = read.filter(keep), given.filter(keep)
    gross, too_large = _gross(read)
    read = details.with_spread(read).with_columns(gross)
    if too_large is not None:
        late = problems_of(Rules.of(_too_large(too_large)), given=given, read=read, source=source)
        problems = tuple(sorted((*problems, *late), key=lambda problem: problem.row or 0))
        read = read.filter(~too_large)
    return read.select(_incoming(tuple(read.columns))), problems


@lru_cache(maxsize=4)
def _incoming(columns: tuple[str, ...]) -> list[pl.Expr]:
    gross, charges = pl.col("gross_amount"), pl.col("commission") + pl.col("fees")
    moved = pl.when(pl.col("action").str.starts_with("BUY")).then(-gross).otherwise(gross) - charges
    amount = "amount" if "amount" in columns else "net_amount"
    given = {
        "source_row": pl.col(ROW),
        "net_amount": pl.when(events.CASH).then(amount).otherwise(moved),
        "known_at": pl.col("recorded_at" if "recorded_at" in columns else "known_at"),
    }
    return [given.get(name, pl.col(name)).alias(name) for name in INCOMING.names]


def _too_large(places: pl.Series) -> Rule:
    return Rule(
        "price",
        pl.lit(places),
        says(
            "number_too_large",
            f"quantity x price x multiplier stays below {GROSS_MAX // units.MONEY_UNIT}, "
            "and {quantity} x {price} x {multiplier} does not.",
            "Check the numbers, or split the event into smaller ones.",
        ),
    )


def _gross(read: pl.DataFrame) -> tuple[pl.Series, pl.Series | None]:
    """Return `gross_amount`, null without a trade or multiplier, and where it is too large, if anywhere."""
    known = (read["kind"] == "trade") & read["multiplier"].is_not_null()
    factors = [read[name] for name in ("quantity", "price", "multiplier")]
    everywhere = known.all()
    if not everywhere:
        factors = [
            factor.to_frame().select(pl.when(known).then(pl.first()).otherwise(0)).to_series() for factor in factors
        ]
    amounts = units.product_array(*(units.column_array(factor) for factor in factors))
    too_large = None
    outside = abs(amounts) >= GROSS_MAX
    if outside.any():
        too_large = pl.Series(outside, dtype=pl.Boolean)
        amounts[outside] = 0
    gross = units.decimal_column("gross_amount", amounts, units.MONEY_SCALE, units.MONEY)
    if not everywhere:
        gross = gross.to_frame().select(pl.when(known).then(pl.first()).alias("gross_amount")).to_series()
    return gross, too_large
