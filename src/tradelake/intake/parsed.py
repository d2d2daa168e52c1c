"""What every source module returns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from tradelake.errors import InvariantError, Problem
from tradelake.tables import INCOMING, MARKS, RECORDS

SECTION = "execution"
SCHEMAS = (INCOMING.schema, RECORDS.schema)
# A price as a source gives it: by any of four names, in a currency or in that of what it prices.
MARKED = pl.Schema(
    {
        "source_row": pl.Int64(),
        "instrument_id": pl.String(),
        "contract_symbol": pl.String(),
        "symbol": pl.String(),
        "broker_contract_id": pl.String(),
        "mark_date": MARKS.schema["mark_date"],
        "price": MARKS.schema["price"],
        "currency": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """One source, read.

    events: validated events, one row each (`tables.INCOMING`), in the order of the source
    records: every row as it was read (`tables.RECORDS`), also those that are no event
    problems: one per rejected row, in the order of the source
    marks: prices that the source tells beside events (`MARKED`), one per instrument and day
    """

    events: pl.DataFrame
    records: pl.DataFrame
    problems: tuple[Problem, ...]
    marks: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MARKED))

    def __post_init__(self) -> None:
        if (self.events.schema, self.records.schema) != SCHEMAS or self.marks.schema != MARKED:
            raise InvariantError("parsed: the frames have not the columns of incoming, records and marks")


def records_of(rows: pl.DataFrame, problems: Sequence[Problem], *, section: str = SECTION) -> pl.DataFrame:
    """Return the records of a source whose rows are all events or rejects.

    *rows* has `row_number`, `broker_account_id` and `text`; *problems* name the rejected ones by `row`.
    """
    if not problems:
        judged = rows.with_columns(
            section=pl.lit(section), outcome=pl.lit("event"), code=pl.lit(None), message=pl.lit(None)
        )
        return RECORDS.conform(judged)
    rejects = pl.DataFrame(
        [(p.row, "reject", p.code, p.message) for p in problems],
        schema={"row_number": pl.Int64, "outcome": pl.String, "code": pl.String, "message": pl.String},
        orient="row",
    )
    judged = rows.join(rejects, on="row_number", how="left", maintain_order="left")
    return RECORDS.conform(judged.with_columns(pl.col("outcome").fill_null("event"), section=pl.lit(section)))
