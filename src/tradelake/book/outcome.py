"""From what intake, the book and the log said of each row to one receipt."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tradelake.book.receipt import OUTCOME_SCHEMA, Receipt
from tradelake.book.receive import Received
from tradelake.errors import Problem
from tradelake.intake.parsed import Parsed
from tradelake.store import Appended
from tradelake.tables import RECORDS


def with_rejects(records: pl.DataFrame, problems: tuple[Problem, ...]) -> pl.DataFrame:
    """Mark the records whose events were refused after parsing."""
    if not problems:
        return records
    refused = pl.DataFrame(
        [(p.row, p.code, str(p)) for p in problems],
        schema={"row_number": pl.Int64, "refused_code": pl.String, "refused_message": pl.String},
        orient="row",
    ).unique("row_number", keep="first", maintain_order=True)
    hit = pl.col("refused_code").is_not_null()
    return RECORDS.conform(
        records.join(refused, on="row_number", how="left", maintain_order="left").with_columns(
            pl.when(hit).then(pl.lit("reject")).otherwise("outcome").alias("outcome"),
            pl.coalesce("refused_code", "code").alias("code"),
            pl.coalesce("refused_message", "message").alias("message"),
        )
    )


def _conflict(row: Mapping[str, Any], source: str) -> Problem:
    action = "The log keeps what it has; find out which of the two is right."
    return Problem(row["code"], row["message"], source, row["source_row"], trade_id=row["trade_id"], action=action)


def receipt_of(parsed: Parsed, received: Received, appended: Appended, *, version: int, source: str) -> Receipt:
    """Return the receipt of a delivery from what intake, the book and the log said of its rows."""
    rejected = [*parsed.problems, *received.problems]
    problems = [*rejected, *appended.problems]
    conflicts = appended.outcomes.filter(pl.col("outcome") == "conflict")
    problems += [_conflict(row, source) for row in conflicts.iter_rows(named=True)]
    counts = dict(appended.outcomes.group_by("outcome").len().iter_rows())
    refused = pl.DataFrame(
        [(p.row, "reject", p.trade_id or None, p.code, str(p)) for p in rejected], schema=OUTCOME_SCHEMA, orient="row"
    )
    outcomes = pl.concat([appended.outcomes.rename({"source_row": "row"}).cast(OUTCOME_SCHEMA), refused])
    return Receipt(
        source=source,
        accepted=counts.get("accepted", 0),
        duplicates=counts.get("duplicate", 0),
        conflicts=counts.get("conflict", 0),
        rejects=len(rejected) + len(appended.problems),
        kept=int((parsed.records["outcome"] == "kept").sum()),
        version=version,
        sequence=appended.head.sequence,
        problems=tuple(sorted(problems, key=lambda problem: problem.row or 0)),
        new_accounts=tuple(appended.batch.new_accounts["account_id"]),
        new_instruments=tuple(appended.batch.new_instruments["instrument_id"]),
        outcomes=outcomes.sort("row", maintain_order=True) if refused.height else outcomes,
        marks=sum(rows.height for rows in appended.batch.facts.values()),
    )
