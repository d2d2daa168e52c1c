"""What a writer gets back."""

from dataclasses import dataclass, field

import polars as pl

from tradelake.errors import Problem

PROBLEMS_SHOWN = 10

OUTCOME_SCHEMA = pl.Schema(
    {"row": pl.Int64, "outcome": pl.String, "trade_id": pl.String, "code": pl.String, "message": pl.String}
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a delivery.

    `outcomes` has one row per event and rejected row: row (of the source, from 1), outcome (accepted, duplicate,
    conflict, reject, kept), trade_id, code and message. `problems` has one entry per conflict and reject, and per
    corporate action before which the broker held something else than the books.
    `version` is the catalog's commit, `sequence` the head of the log afterwards. `marks` counts the prices that came
    along, new ones and revisions. `warnings` say what went wrong after the events were recorded: they are, whatever it
    says, and need not be told again.
    """

    source: str
    accepted: int
    duplicates: int
    conflicts: int
    rejects: int
    kept: int
    version: int
    sequence: int
    problems: tuple[Problem, ...] = ()
    new_accounts: tuple[str, ...] = ()
    new_instruments: tuple[str, ...] = ()
    outcomes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=OUTCOME_SCHEMA))
    marks: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when every row went in or was known, and nothing needs a person."""
        return not self.problems

    def _repr_html_(self) -> str:
        counts = ("accepted", "duplicates", "conflicts", "rejects", "kept", "marks")
        facts = [(name, f"{getattr(self, name):,}") for name in counts]
        facts += [("log ends at", f"{self.sequence:,}"), ("version", f"{self.version:,}")]
        news = (("new accounts", self.new_accounts), ("new instruments", self.new_instruments))
        facts += [(name, _some(found)) for name, found in news if found]
        return _card(self, facts, self.warnings)


@dataclass(frozen=True, slots=True)
class MarkReceipt:
    """What became of prices.

    `accepted` counts what was written, `revised` those among them that replace an earlier price of that day, and
    `duplicates` prices that were known. `outcomes` has one row per row of the source: row (from 1), outcome (accepted,
    duplicate, reject), instrument_id, mark_date, revision, code and message. `version` is the catalog's commit.
    """

    source: str
    accepted: int
    revised: int
    duplicates: int
    rejects: int
    version: int
    problems: tuple[Problem, ...]
    outcomes: pl.DataFrame

    @property
    def ok(self) -> bool:
        """True when every row went in or was known, and nothing needs a person."""
        return not self.problems

    def _repr_html_(self) -> str:
        counts = ("accepted", "revised", "duplicates", "rejects", "version")
        return _card(self, [(name, f"{getattr(self, name):,}") for name in counts], ())


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """A rebuild from the first event: rows per derived table, and with `check` the differences to what was stored.

    `notes` say what of the events is not in the hot store: archived ones, which were read, and deleted ones.
    """

    identical: bool
    sequence: int
    differences: tuple[str, ...]
    rows: dict[str, int]
    seconds: float
    notes: tuple[str, ...] = ()


def _some(found: tuple[str, ...]) -> str:
    """Return the first names of several, and how many there are."""
    more = f" … ({len(found):,})" if len(found) > PROBLEMS_SHOWN else ""
    return ", ".join(found[:PROBLEMS_SHOWN]) + more


def _card(receipt: Receipt | MarkReceipt, facts: list[tuple[str, str]], warnings: tuple[str, ...]) -> str:
    """Return a receipt as a notebook draws it: its counts, and the first of its problems."""
    from tradelake.outputs.display import card

    words = "all is in the book" if receipt.ok and not warnings else "some of it needs a look"
    first = [("problem", str(problem)) for problem in receipt.problems[:PROBLEMS_SHOWN]]
    left = len(receipt.problems) - len(first)
    rest = [("", f"{left:,} more in .problems")] if left else []
    said = [("warning", text) for text in warnings]
    return card(f"{receipt.source}: {words}", [*facts, *said, *first, *rest])
