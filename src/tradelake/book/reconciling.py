"""Our books against the broker's statement: read, compared, explained; nothing is written."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tradelake.book.broker_side import side_of
from tradelake.book.broker_terms import circumstances_of
from tradelake.book.listing import Listing
from tradelake.book.near_side import NearSides
from tradelake.book.our_events import Scope
from tradelake.book.read import instant_of
from tradelake.book.reconciliation import (
    SECTIONS,
    STATEMENTS,
    Reconciliation,
    breaks_frame,
    consequences_frame,
    differences_frame,
    with_names,
)
from tradelake.book.shelf import asked_again
from tradelake.book.trial import OurSide
from tradelake.errors import InputError
from tradelake.reconcile import CASH, EXECUTIONS, POSITIONS, Compared, Explained, Side, compare, explain, stale_split
from tradelake.reconcile.balances import is_close
from tradelake.reconcile.breaks import Coverage, Seen
from tradelake.reconcile.executions import name_of
from tradelake.reconcile.facts import Fact, facts_of
from tradelake.tables import BREAK_EVENTS

if TYPE_CHECKING:
    from tradelake.intake.ibkr_statement import BrokerStatement

NO_DAYS = timedelta(0)
EFFECTIVE_TRADE = (pl.col("kind") == "trade") & pl.col("idle").is_null()
UNSETTLED = (
    f"SELECT DISTINCT broker_account_id FROM {BREAK_EVENTS.name} "
    "QUALIFY step = max(step) OVER (PARTITION BY break_id) AND status <> 'RESOLVED'"
)
EARLIER = (
    f"SELECT DISTINCT broker_execution_id FROM {BREAK_EVENTS.name} "
    "WHERE broker_account_id = ? AND broker_execution_id IS NOT NULL"
)


class Reconcilers(NearSides, Listing):
    """Everything that holds the books against what a broker says."""

    def _read_statements(self, path: str | Path) -> "tuple[tuple[BrokerStatement, ...], str]":
        """Return the statements of a file, and its name."""
        from tradelake.intake.ibkr_statement import read_statements

        file = Path(path)
        try:
            content = file.read_bytes()
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error.strerror}. Name a file that exists.") from error
        return read_statements(content, name=file.name), file.name

    @asked_again
    def _reconciled(self, statements: "tuple[BrokerStatement, ...]", *, source: str) -> Reconciliation:
        seen: list[Seen] = []
        notes: list[str] = []
        told, breaks, consequences, differences = [], [], [], []
        with self._catalog.transaction():
            references = self._references(self._standing().import_run_id)
            books = references.accounts["broker_account_id"].unique().sort().to_list()
            if all(statement.account not in books for statement in statements):
                named = ", ".join(dict.fromkeys(statement.account for statement in statements))
                raise InputError(
                    f"{source} is of the broker account {named}, and no account of the book belongs to it; the book has"
                    f" {', '.join(books) or 'none'}. Import the statement first, or add an account with that --broker."
                )
            self._index.refresh(self._catalog, self._standing().head)
            sides = {id(each): side_of(each) for each in statements if each.account in books}
            agreed = self._at_first_sight([each for each in statements if id(each) in sides], sides)
            for statement in statements:
                notes += statement.notes
                if statement.account not in books:
                    notes.append(f"{statement.account}: not compared, no account of the book belongs to it.")
                    continue
                theirs = sides[id(statement)]
                if id(statement) in agreed:
                    told.append(_counts(statement, theirs, 0))
                    continue
                ours = self._side_for(statement)
                compared = compare(ours.side, theirs)
                explained = Explained()
                if compared.differences:
                    told_since = min(each.since for each in statements if each.account == statement.account)
                    circumstances = circumstances_of(statement, ours, told_since=told_since)
                    explained = explain(compared, theirs, circumstances, ours.suppose)
                notes += [f"{statement.account}: {note}." for note in explained.notes]
                coverage, known = _coverage(statement, ours, theirs), self._earlier(ours)
                seen.append(Seen(statement.account, explained.roots, coverage, known))
                told.append(_counts(statement, theirs, len(explained.roots)))
                breaks.append(breaks_frame(statement.account, statement.until, explained.roots))
                consequences.append(consequences_frame(statement.account, explained.roots))
                differences.append(differences_frame(compared.differences))
            instruments = references.instruments
        order = ["broker_account_id", "section", "instrument_id", "broker_execution_id", "break_id"]
        last = (
            pl.concat([breaks_frame("", statements[-1].until, ()), *breaks])
            .unique("break_id", keep="last", maintain_order=True)
            .sort(order, nulls_last=True)
        )
        return Reconciliation(
            source=source,
            statements=pl.DataFrame(told, schema=STATEMENTS, orient="row"),
            breaks=with_names(last, instruments),
            consequences=with_names(pl.concat([consequences_frame("", ()), *consequences]), instruments),
            differences=pl.concat([differences_frame(()), *differences]),
            notes=tuple(dict.fromkeys(notes)),
            seen=tuple(seen),
        )

    def _at_first_sight(self, statements: "list[BrokerStatement]", sides: dict[int, Side]) -> set[int]:
        """Return the identities of statements that agree with the books and about whose account no break is open."""
        open_breaks = set(self._catalog.frame(UNSETTLED)["broker_account_id"])
        asked = [each for each in statements if each.account not in open_breaks]
        scopes = [(*self._scope_for(each), sides[id(each)]) for each in asked]
        return {id(each) for each, agrees in zip(asked, self._agreeing(scopes), strict=True) if agrees}

    def _our_side(self, account: str, since: date, until: date, **more: Any) -> OurSide:
        """Return our side of a broker account; the caller holds a transaction."""
        references = self._references(self._standing().import_run_id)
        return OurSide(self._catalog, references, self._index, self._scope(account, since, until, **more))

    def _scope(self, account: str, since: date, until: date, **more: Any) -> Scope:
        """Return the scope of a broker account and a period."""
        accounts = self._references(self._standing().import_run_id).accounts
        books = accounts.filter(broker_account_id=account)["account_id"].sort().to_list()
        as_of, first = more.pop("as_of", None) or instant_of(until), more.pop("first", since)
        return Scope(account, books, since, until, as_of, first, **more)

    def _side_for(self, statement: "BrokerStatement") -> OurSide:
        """Return our side for a statement, which may report what happened before its first day."""
        scope, outside = self._scope_for(statement)
        references = self._references(self._standing().import_run_id)
        return OurSide(self._catalog, references, self._index, scope, reported=outside)

    def _scope_for(self, statement: "BrokerStatement") -> tuple[Scope, pl.DataFrame]:
        """Return the scope of a statement, and what it reports from outside its period."""
        days = statement.events["trade_date"]
        first = days.min() if days.len() else statement.since
        outside = statement.events.filter(~pl.col("trade_date").is_between(statement.since, statement.until))
        earliest = min(first, statement.since) if isinstance(first, date) else statement.since
        return self._scope(statement.account, statement.since, statement.until, first=earliest), outside

    def _earlier(self, ours: OurSide) -> dict[str, Fact]:
        """Return what the books now have of the executions that breaks of the account were about."""
        ids = self._catalog.frame(EARLIER, [ours.scope.broker_account_id])["broker_execution_id"].to_list()
        facts = facts_of(ours.executions_with(ids)) if ids else []
        return {fact.broker_execution_id: fact for fact in facts if fact.broker_execution_id}

    @asked_again
    def differences(
        self,
        broker_account_id: str,
        as_of: str | datetime,
        *,
        positions: pl.DataFrame | None = None,
        executions: pl.DataFrame | None = None,
    ) -> pl.DataFrame:
        """Return how the books of a broker account differ at an instant from positions and trades given as frames.

        `positions` has instrument_id and quantity; `executions` broker_execution_id, instrument_id, quantity (signed),
        price, charges, and executed_at where content is to be matched too. Both are whole: what is not in them the
        broker does not have. One row per difference, without a word on which follows from which; a position that is off
        by a split of the last 7 days is of class stale_split.
        """
        at = instant_of(as_of)
        theirs = _given(at.date(), positions, executions)
        with self._catalog.transaction():
            ours = self._our_side(broker_account_id, date.min, date.max, as_of=at, beyond=NO_DAYS)
            trades = replace(ours.side, executions=ours.side.executions.filter(EFFECTIVE_TRADE))
            compared = _with_stale_splits(compare(trades, theirs), ours, at)
        return differences_frame(compared)


def _given(until: date, positions: pl.DataFrame | None, executions: pl.DataFrame | None) -> Side:
    told = pl.DataFrame(schema=EXECUTIONS)
    if executions is not None:
        rows = [
            {"section": "executions", "kind": "trade", "due": True, **row, "ref": str(number)}
            for number, row in enumerate(executions.iter_rows(named=True))
        ]
        told = pl.DataFrame(rows, schema=EXECUTIONS)
    held = None if positions is None else positions.select(POSITIONS.names()).cast(POSITIONS)
    return Side(until, told, frozenset() if executions is None else frozenset(("executions",)), positions=held)


def _with_stale_splits(compared: Compared, ours: OurSide, at: datetime) -> list[Any]:
    splits = ours.splits()
    return [
        replace(each, break_class="stale_split")
        if each.section == "positions" and stale_split(each.ours, each.theirs, splits, each.instrument_id, at)
        else each
        for each in compared.differences
    ]


def _coverage(statement: "BrokerStatement", ours: OurSide, theirs: Side) -> Coverage:
    agreed, told = set(), set()
    mine = {} if ours.side.cash is None else dict(ours.side.cash.select("currency", "ending").iter_rows())
    for currency, ending in (
        (theirs.cash if theirs.cash is not None else pl.DataFrame(schema=CASH)).select("currency", "ending").iter_rows()
    ):
        told.add(currency)
        if is_close(mine.get(currency), ending):
            agreed.add(currency)
    return Coverage(
        since=statement.since,
        until=statement.until,
        events=theirs.sections,
        positions=theirs.positions is not None,
        lots=theirs.lots is not None,
        realized=bool(theirs.realized is not None and theirs.realized.height),
        agreed=frozenset(agreed),
        told=frozenset(told),
        idle=ours.idle_instruments(),
        names=frozenset(name_of(fact) for fact in facts_of(theirs.executions)),
    )


def _counts(statement: "BrokerStatement", theirs: Side, breaks: int) -> tuple[Any, ...]:
    frames = {
        "executions": theirs.executions.filter(section="executions") if theirs.sections else None,
        "positions": theirs.positions,
        "lots": theirs.lots,
        "cash": theirs.cash,
        "realized": theirs.realized,
    }
    counts = (None if frame is None else frame.height for frame in (frames[name] for name in SECTIONS))
    return statement.account, statement.since, statement.until, *counts, breaks
