"""Breaks with the broker: listed, explained, accepted, cured; their history only grows."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from tradelake.book.read import Instant, Names, instant_of, names
from tradelake.book.receipt import Receipt
from tradelake.book.reconciliation import Reconciliation, proposed_events, spoken, with_names
from tradelake.book.reconciling import Reconcilers
from tradelake.book.shelf import asked_again, author, facts_batch, now
from tradelake.book.writing import Writers
from tradelake.errors import InputError
from tradelake.reconcile.breaks import Step, following, frame_of_steps, next_steps, proposal_of, standing
from tradelake.sessions import trade_date, trading_days_between
from tradelake.store import Batch, Head, append
from tradelake.tables import BREAK_CLASSES, BREAK_EVENTS, BREAK_STATUSES

SOURCE = "breaks"
OPEN = ("OPEN", "EXPLAINED", "ACCEPTED")
REASON = "proposed by break {}"


class Breaks(Reconcilers, Writers):
    """Everything that finds breaks, and everything that moves their life on."""

    def reconcile(self, path: str | Path, *, record: bool = False, rules: Collection[str] = ()) -> Reconciliation:
        """Compare the books with the statements of an IBKR Flex file, as of the end of each.

        Compared are executions, positions, lots, cash and realized profit of each broker account, ours being the sum
        of all books that it holds; a section that the file lacks is not. Nothing is written, unless with `record`: then
        breaks take their next steps, see `record_breaks`, and `rules` as there. Raises InputError where the file cannot
        be read, or names no broker account of the book.
        """
        statements, name = self._read_statements(path)
        found = self._reconciled(statements, source=name)
        return replace(found, recorded=self.record_breaks(found, rules=rules)) if record else found

    @asked_again
    def breaks(
        self,
        *,
        status: Names = None,
        account: Names = None,
        section: Names = None,
        as_known: Instant = None,
    ) -> pl.DataFrame:
        """Return the breaks as they stand, one row each; without `status` those that are not resolved.

        `status` is OPEN, EXPLAINED, ACCEPTED, RESOLVED or all; `account` a broker account, or one of our books.
        `opened` is the last day of the statement in which the break came up, and `age` the trading days since then:
        until today, until `as_known`, or until it was resolved. `proposed` is the number of events that `apply_break`
        would record.
        """
        wanted = list(OPEN) if status is None else [name.upper() for name in names(status)]
        strange = sorted({*wanted} - {*BREAK_STATUSES, "ALL"})
        if strange:
            raise InputError(f"{strange[0]} is no status of a break. Ask for {', '.join(BREAK_STATUSES)} or all.")
        with self._catalog.transaction():
            rows = standing(self._break_events(as_known))
            references = self._references(self._standing().import_run_id)
        keep = pl.lit(value=True) if "ALL" in wanted else pl.col("status").is_in(wanted)
        if account is not None:
            given = names(account)
            owners = references.accounts.filter(pl.col("account_id").is_in(given))["broker_account_id"].to_list()
            keep &= pl.col("broker_account_id").is_in([*given, *owners])
        if section is not None:
            keep &= pl.col("section").is_in(names(section))
        today = trade_date(now() if as_known is None else instant_of(as_known))
        rows = rows.filter(keep).sort("opened", "broker_account_id", "section", "break_id")
        ages = [_age(row, today) for row in rows.iter_rows(named=True)]
        listed = rows.with_columns(
            pl.Series("age", ages, dtype=pl.Int64),
            pl.Series("proposed", proposed_events(rows["details"]), dtype=pl.Int64),
        )
        return with_names(listed, references.instruments)

    def break_history(self, break_id: str | None = None, *, as_known: Instant = None) -> pl.DataFrame:
        """Return all steps of a break, oldest first, or of all of them; InputError for an id that no break has."""
        rows = self._break_events(as_known)
        if break_id is None:
            return rows.sort("break_id", "step")
        rows = rows.filter(break_id=break_id)
        if not rows.height:
            raise _unknown(break_id)
        return rows.sort("step")

    def explain_break(self, break_id: str, reason: str) -> None:
        """Note why a break is there; it stays until a statement no longer shows it. InputError where it is resolved."""
        self._move(break_id, "explained", "EXPLAINED", reason)

    def accept_break(self, break_id: str, reason: str) -> None:
        """Accept a break as it is; it comes back when its amounts change. InputError where it is resolved."""
        self._move(break_id, "accepted", "ACCEPTED", reason)

    def apply_break(self, break_id: str, reason: str | None = None) -> Receipt:
        """Record the events that a break proposes, named after it; the next statement resolves it.

        Raises InputError where the break is unknown or resolved, proposes nothing, or the book refuses its events.
        """
        self._writable()
        history = self.break_history(break_id)
        row = history.row(-1, named=True)
        if row["status"] == "RESOLVED":
            raise _resolved(row)
        if row["action"] == "applied":
            raise InputError(
                f"{spoken(row)} was applied on {row['recorded_at'].date()} already. Reconcile a statement of"
                f" {row['as_of']} or later: it resolves the break, or shows what is left."
            )
        proposal = proposal_of(row["details"])
        if not proposal:
            raise InputError(
                f"{spoken(row)} proposes no event. Record what is missing or cancel what is wrong, or use"
                f" `tradelake breaks explain {break_id}` or `accept`."
            )
        done = sum(len(proposal_of(step["details"])) for step in _applied(history))
        receipt = self.record(_named(proposal, break_id, done), source=SOURCE, reason=reason or REASON.format(break_id))
        if receipt.rejects or receipt.conflicts:
            said = "; ".join(str(problem) for problem in receipt.problems)
            raise InputError(
                f"{spoken(row)} cannot be applied, the book refuses what it proposes: {said} Record the events in"
                " another way, and the next statement resolves the break."
            )
        self._move(break_id, "applied", "EXPLAINED", reason or "its proposed events were recorded")
        return receipt

    def record_breaks(self, reconciliation: Reconciliation, *, rules: Collection[str] = ()) -> int:
        """Let breaks take the steps that a reconciliation asks for, and return how many there were.

        What is new is opened, what differs by another amount has changed, what a statement covers and no longer shows
        is resolved, and what comes back is reopened under its old id. The same reconciliation again adds nothing.
        `rules` name classes of breaks whose proposed events are recorded at once, as `apply_break` does; without a rule
        nothing is.
        """
        strange = sorted({*rules} - {*BREAK_CLASSES})
        if strange:
            raise InputError(f"{strange[0]} is no class of breaks. Classes: {', '.join(BREAK_CLASSES)}.")
        steps = 0
        for seen in reconciliation.seen:
            steps += self._take(lambda events, seen=seen: next_steps(seen, events), source=reconciliation.source)
        if rules:
            found = set(reconciliation.breaks["break_id"])
            for row in self.breaks(status="OPEN").iter_rows(named=True):
                if row["break_id"] in found and row["break_class"] in rules and row["proposed"]:
                    self.apply_break(row["break_id"], f"a rule applies {row['break_class']}")
                    steps += 1
        return steps

    def _break_events(self, as_known: Instant = None) -> pl.DataFrame:
        known, values = "", []
        if as_known is not None:
            known, values = " WHERE recorded_at <= CAST(? AS TIMESTAMPTZ)", [instant_of(as_known).isoformat()]
        rows = self._catalog.frame(f"SELECT * FROM {BREAK_EVENTS.name}{known}", list(values))
        return BREAK_EVENTS.conform(rows)

    def _move(self, break_id: str, action: str, status: str, reason: str | None) -> None:
        def steps(events: pl.DataFrame) -> list[Step]:
            rows = events.filter(break_id=break_id).sort("step")
            if not rows.height:
                raise _unknown(break_id)
            row = rows.row(-1, named=True)
            if row["status"] == "RESOLVED":
                raise _resolved(row)
            return [following(row, action, status, reason=reason)]

        self._take(steps, reason=reason)

    def _take(self, decide: Any, *, source: str = SOURCE, reason: str | None = None) -> int:
        """Record the steps that follow from the breaks as they stand when the writer's turn comes."""
        self._writable()
        taken: list[Sequence[Step]] = []

        def prepare(_head: Head) -> Batch:
            taken.append(decide(self._break_events()))
            facts = {BREAK_EVENTS.name: frame_of_steps(taken[-1], author())}
            return facts_batch(SOURCE, facts, reason=reason, file_name=None if source == SOURCE else source)

        self._remember(append(self._catalog, prepare, self._index, last_seen=self._head))
        return len(taken[-1])


def _age(row: dict[str, Any], today: date) -> int:
    last = row["as_of"] if row["status"] == "RESOLVED" else today
    return trading_days_between(row["opened"], last)


def _applied(history: pl.DataFrame) -> list[dict[str, Any]]:
    return history.filter(action="applied").rows(named=True)


def _named(proposal: Sequence[Any], break_id: str, done: int) -> list[dict[str, Any]]:
    """Return proposed rows with ids that name their break; what the broker named keeps its id.

    A row of the broker's without any id is recognised by its content when it is imported, and gets none.
    """
    rows = []
    for number, row in enumerate(proposal, start=done + 1):
        named = {} if "trade_id" in row else {"trade_id": f"{break_id}.{number}"}
        rows.append({**named, "reason": REASON.format(break_id), **row})
    return rows


def _unknown(break_id: str) -> InputError:
    return InputError(f"{break_id} is no break of this book. `tradelake breaks --status all` lists their ids.")


def _resolved(row: dict[str, Any]) -> InputError:
    return InputError(
        f"{spoken(row)} was resolved on {row['as_of']}: {row['reason']}. A break that comes back is reopened by the"
        " statement that shows it."
    )
