"""IBKR Flex statements (XML) -> events, records and problems.

Read are Trades, OptionEAE, CorporateActions and CashTransactions, which become events, and TradeConfirms,
Transfers and OpenPositions, which are kept as they are; the prices of the positions become marks. Other sections are
skipped. Every row that is read becomes a record, whatever becomes of it; one odd value spoils one row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tradelake.errors import Problem
from tradelake.intake import check, ibkr_xml
from tradelake.intake.fields import FIELDS, ROW
from tradelake.intake.ibkr_actions import action_decisions
from tradelake.intake.ibkr_cancels import cancelled
from tradelake.intake.ibkr_cash import cash_decisions
from tradelake.intake.ibkr_decisions import Decision, kept, reject
from tradelake.intake.ibkr_marks import position_marks, renamed_contracts
from tradelake.intake.ibkr_options import option_decisions
from tradelake.intake.ibkr_rows import Booked, booked, trade
from tradelake.intake.ibkr_settlements import Settlements
from tradelake.intake.ibkr_values import Clock
from tradelake.intake.ibkr_xml import Document, Row
from tradelake.intake.parsed import Parsed
from tradelake.tables import RECORDS

_EXECUTION_LEVELS = ("", "EXECUTION", "EXECUTIONS", "DETAIL")
_SUMMARY_LEVELS = ("ORDER", "SYMBOL_SUMMARY", "ASSET_SUMMARY", "CLOSED_LOT", "LOT", "WASH_SALE", "SUMMARY")
_KEPT_SECTIONS = {
    "TradeConfirms": ("repeats_trade", "Trade confirmations repeat what the section Trades tells."),
    "Transfers": ("broker_transfer", "Transfers between brokers do not tell lots: record those that came along."),
    "OpenPositions": ("broker_position", "The broker's positions are kept for comparison."),
}


def parse(data: bytes, *, name: str) -> Parsed:
    """Read one Flex statement; *name* is the file that messages name.

    Events and records are in the order of the document, and `source_row` of an event is the `row_number` of
    its record. Raises InputError where the bytes as a whole are no Flex statement. Problems: one per rejected
    row, of this module's own codes (`unsupported_asset_type`, `contradicting_side`, `commission_currency`,
    `broker_cancellation`, `ambiguous_option_event`, `unmatched_delivery`, `missing_settlement_price`,
    `unknown_option_event`, `undecided_corporate_action`, `unknown_category`, `unknown_level`,
    `rejected_option_event`) or of `check.validate`.
    """
    judged = judge(ibkr_xml.read(data, name=name), name=name)
    document, rows = judged.document, judged.document.rows
    renamed = renamed_contracts(document, judged.decisions, judged.events)
    marks, unpriced = position_marks(document, days_of(document), renamed, name=name)
    rejected = dict(judged.rejected)
    rejected.update((number, _problem(number, decision, name)) for number, decision in unpriced.items())
    return Parsed(
        events=judged.events,
        records=_records(rows, judged.decisions, rejected),
        problems=tuple(rejected[row.number] for row in rows if row.number in rejected),
        marks=marks,
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A document with the decision on each of its rows, the events among them, and the problem of each reject."""

    document: Document
    decisions: Mapping[int, Decision]
    events: pl.DataFrame
    rejected: Mapping[int | None, Problem]


def judge(document: Document, *, name: str) -> Judged:
    """Decide on every row of a document, and validate the events; *name* is the file that messages name."""
    decisions = _decisions(document)
    given = {number: decision.values for number, decision in decisions.items() if decision.values is not None}
    events, found = check.validate(execution_rows(given), source=name)
    own = (_problem(number, each, name) for number, each in decisions.items() if each.outcome == "reject")
    rejected = {problem.row: problem for problem in (*found, *own)}
    for number, decision in decisions.items():
        if decision.owner in rejected:
            rejected[number] = _problem(number, _without_owner(decision.owner), name)
    return Judged(document, decisions, events, rejected)


def days_of(document: Document) -> Clock:
    """Return the clock that reads the days of a document."""
    return Clock.of(_days(document))


def _decisions(document: Document) -> dict[int, Decision]:
    clock = days_of(document)
    decisions: dict[int, Decision] = {}
    trades: list[Booked] = []
    exercises: list[Booked] = []
    cash: list[Row] = []
    actions: list[Row] = []
    for row in document.rows:
        if row.section in _KEPT_SECTIONS:
            decisions[row.number] = kept(*_KEPT_SECTIONS[row.section])
        elif row.section == "CashTransactions":
            cash.append(row)
        elif row.section == "CorporateActions":
            actions.append(row)
        elif row.section == "OptionEAE":
            exercises.append(booked(row, clock))
        elif level := _level(row):
            decisions[row.number] = level
        else:
            trades.append(booked(row, clock))
    decisions |= cancelled(trades, clock)
    standing = [given for given in trades if given.row.number not in decisions]
    settlements = Settlements(standing, exercises, document.funds, clock)
    decisions |= option_decisions(standing, exercises, settlements, clock)
    decisions |= cash_decisions(cash, clock)
    decisions |= action_decisions(actions, clock)
    decisions |= {given.row.number: trade(given, clock) for given in standing if given.row.number not in decisions}
    return decisions


def _days(document: Document) -> Iterable[str]:
    yield from document.frame_dates
    for row in document.rows:
        for name, text in row.attributes.items():
            if "/" in text and ("date" in name.lower() or name == "expiry"):
                yield text


def _level(row: Row) -> Decision | None:
    """Return the decision on a row of Trades that is no execution."""
    level = row.get("levelOfDetail").upper()
    if row.tag != "Trade" or level in _SUMMARY_LEVELS:
        return kept("summary", f"Rows {row.tag} of level {level or 'unnamed'} repeat executions.")
    if level in _EXECUTION_LEVELS:
        return None
    return reject(
        "unknown_level",
        f"Rows of Trades have level EXECUTION, or one that sums executions up; {level} is not known.",
        field="levelOfDetail",
        value=level,
        action="Select Executions in the section Trades of the Flex query and run it again.",
    )


def _without_owner(owner: int | None) -> Decision:
    return reject(
        "rejected_option_event",
        f"These shares come out of the option event in row {owner}, which was rejected.",
        field="",
        value="",
        action=f"Mend row {owner}; the shares follow from it.",
    )


def _problem(number: int, decision: Decision, name: str) -> Problem:
    return Problem(
        decision.code,
        decision.message,
        source=name,
        row=number,
        field=decision.field,
        value=decision.value,
        action=decision.action,
    )


def execution_rows(given: Mapping[int, Mapping[str, str | None]]) -> pl.DataFrame:
    """Return rows in the fields of an execution row, by their number, as a frame that can be validated."""
    numbers = sorted(given)
    columns: dict[str, list[str | None]] = {
        field.name: [given[number].get(field.name) for number in numbers] for field in FIELDS
    }
    frame = pl.DataFrame(columns, schema={field.name: pl.String for field in FIELDS})
    return frame.with_columns(pl.Series(ROW, numbers, dtype=pl.Int64))


def _records(
    rows: Sequence[Row], decisions: Mapping[int, Decision], rejected: Mapping[int | None, Problem]
) -> pl.DataFrame:
    told = []
    for row in rows:
        decision, problem = decisions[row.number], rejected.get(row.number)
        outcome = "reject" if problem else decision.outcome
        code, message = (problem.code, problem.message) if problem else (decision.code, decision.message)
        told.append((row.number, row.section, row.account or None, outcome, code or None, message or None, row.text))
    return pl.DataFrame(told, schema=RECORDS.schema, orient="row")
