"""Whether a cancel or correct may be recorded, and what the log then says of it.

A cure is judged at its turn, against the log and the events of its delivery that came before. The cancel of a cancel
reinstates, the cancel of a correct undoes it, and the correct of a correct means the event that was corrected first.
A corrected event has to be one that intake and the book would take. What a correct sets is then written down in one
way: the values of the corrected event, with its instrument by id.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.book.receive import Received, receive, with_received
from tradelake.errors import Problem
from tradelake.lots.corrected import corrected_rows
from tradelake.lots.effective import CureState
from tradelake.store import Catalog, References
from tradelake.store.archived import ArchivedTarget, archive_of
from tradelake.store.closed_past import deleted_target, reaches_back
from tradelake.store.cold import HOT, Span
from tradelake.store.cures import Earlier, Judged, Row
from tradelake.tables import CURE_KINDS, INCOMING, INSTRUMENTS, TRADE_LOG

Key = tuple[str, str]
NAMING = ("instrument_id", "contract_symbol", "symbol", "strike", "expiration", "option_type", "asset_type")
NEW_NAMING = ("new_instrument_id", "new_symbol")
ELSEWHERE = {"amount": "net_amount"}
OF_THE_TARGET = ("account_id", "broker_account_id", *NAMING, "multiplier", "currency")
OF_ITS_OWN = (
    "trade_id", "leg_id", "kind", "target_id", "broker_execution_id", "broker_order_id", "order_id", "executed_at",
    "trade_date", "reason", "details", "known_at", "source_row", "natural_key", "order",
)  # fmt: skip
LOGGED = f"SELECT trade_id, leg_id, kind, target_id, details FROM {TRADE_LOG.name}"


class LoggedCures:
    """The cures of the log and of one delivery; nothing is read before the first one is asked about."""

    def __init__(
        self,
        catalog: Catalog,
        references: References,
        received: Received,
        *,
        source: str,
        recorded_at: datetime,
        on_trial: bool = False,
    ) -> None:
        self._catalog = catalog
        self._on_trial = on_trial
        self._source = source
        self._recorded_at = recorded_at
        self._references = with_received(references, received)
        self._state: CureState | None = None
        self._kinds: dict[Key, str] = {}
        self._roots: dict[Key, Key] = {}
        self._rows: dict[Key, Row] = {}
        self._expected: dict[Key, Row | None] = {}
        self._made = INSTRUMENTS.empty()

    @property
    def new_instruments(self) -> pl.DataFrame:
        """Instruments that accepted corrections have made, rows of that table."""
        return self._made

    def expect(self, targets: pl.DataFrame, found: pl.DataFrame) -> None:
        """Learn of `targets` (trade_id, leg_id) which of them the log has, as hot rows of the log."""
        rows = {(row["trade_id"], row["leg_id"]): row for row in found.iter_rows(named=True)}
        self._expected |= {key: rows.get(key) for key in targets.iter_rows()}

    def judge(self, row: Row, earlier: Earlier) -> Judged:
        """Judge a cancel or correct at its turn; an accepted one counts from then on."""
        problem = deleted_target(self._catalog, row)
        judged = self._judge(row, earlier) if problem is None else Judged(None, problem)
        return judged if judged.problem is None else Judged(None, replace(judged.problem, source=self._source))

    def _judge(self, row: Row, earlier: Earlier) -> Judged:
        state, target = self._read(), (str(row["target_id"]), str(row["leg_id"]))
        root = self._roots.get(target, target)
        for key in (target, root):
            if not self._find(key, earlier):
                return Judged(None, _unknown(target))
        problem = reaches_back(self._catalog, self._rows[root], row)
        if problem is not None:
            return Judged(None, problem)
        if row["kind"] == "cancel":
            if not state.active[target]:
                return Judged(None, _refused("already_cancelled", target, "is cancelled already"))
            details = row["details"]
        else:
            if self._kinds.get(target) == "cancel":
                return Judged(None, _unknown(target, "is a cancel, which can be cancelled and not corrected"))
            if not state.active[root]:
                return Judged(None, _refused("target_cancelled", root, "is cancelled"))
            outcome = self._changes(self._rows[root], state.corrections(root), row)
            if isinstance(outcome, Problem):
                return Judged(None, outcome)
            details = outcome
        cure = {name: row.get(name) for name in OF_ITS_OWN} | {"details": details}
        self._apply(cure)
        of_target = {name: self._rows[root].get(name) for name in OF_THE_TARGET}
        return Judged(cure | of_target | {"commission": Decimal(0), "fees": Decimal(0)})

    def version(self, trade_id: str, leg_id: str, *, by: Key | None = None) -> Row | None:
        """Return an event as it is now corrected, or as the correction *by* left it; None where nothing does."""
        state, key = self._read(), (trade_id, leg_id)
        told = state.sets.get(key, [])
        if by is not None:
            count = next((number for number, (own, _) in enumerate(told, start=1) if own == by), 0)
            told = told[:count]
        changes = [details for own, details in told if state.active[own] or own == by]
        if not changes or not self._find(key):
            return None
        row = {name: self._rows[key].get(name) for name in TRADE_LOG.names}
        frame = pl.DataFrame([row], schema=TRADE_LOG.schema)
        rows = corrected_rows(frame, {key: changes}, self._references.instruments)
        return rows.row(0, named=True)

    def root(self, trade_id: str, leg_id: str) -> Key:
        """Return the event that a correct cures in the end; the id itself for anything else."""
        self._read()
        return self._roots.get((trade_id, leg_id), (trade_id, leg_id))

    def says_the_same(self, row: Row, known: Row) -> bool:
        """Whether two deliveries of one correct set the same values, however they are written."""
        root = self.root(known["trade_id"], known["leg_id"])
        if row["target_id"] != known["target_id"] or not self._find(root):
            return False
        return bool(self._changes(self._rows[root], [], row) == known["details"])

    def _read(self) -> CureState:
        """Return the state of the cures, with those of the log read once."""
        if self._state is None:
            self._state = CureState([])
            log = self._catalog.frame(f"{LOGGED} WHERE kind IN ('cancel', 'correct') ORDER BY sequence", span=HOT)
            for cure in log.iter_rows(named=True):
                self._apply(cure)
        return self._state

    def _apply(self, cure: Row) -> None:
        own, target = (cure["trade_id"], cure["leg_id"]), (cure["target_id"], cure["leg_id"])
        state = self._read()
        state.active.setdefault(target, True)
        state.apply(cure)
        self._kinds[own] = cure["kind"]
        if cure["kind"] == "correct":
            self._roots[own] = self._roots.get(target, target)

    def _find(self, key: Key, earlier: Earlier | None = None) -> bool:
        """Whether there is such an event, in this delivery or in the log; it is remembered."""
        state = self._read()
        if key in self._rows:
            return True
        row = earlier(*key) if earlier else None
        if row is None:
            row = self._logged(key)
        if row is None:
            return False
        self._rows[key] = row
        if row["kind"] not in CURE_KINDS:
            state.active.setdefault(key, True)
        return True

    def _logged(self, key: Key) -> Row | None:
        """Return an event of the log; ArchivedTarget where it is archived, since what is cured has to be hot.

        On trial nothing is cured, and an archived event is read where it is.
        """
        if key not in self._expected:
            # The table itself: the delivery may have put archived events beside it already.
            one = f"SELECT * FROM lake.main.{TRADE_LOG.name} WHERE trade_id = ? AND leg_id = ?"
            self.expect(pl.DataFrame([key], orient="row"), self._catalog.frame(one, [*key], HOT))
        if self._expected[key] is not None:
            return self._expected[key]
        archive_id = archive_of(self._catalog, *key)
        if archive_id is None:
            return None
        if not self._on_trial:
            raise ArchivedTarget(archive_id)
        one = f"SELECT * FROM {TRADE_LOG.name} WHERE trade_id = ? AND leg_id = ?"
        return self._catalog.frame(one, [*key], Span(archives=[archive_id])).row(0, named=True)

    def _changes(self, root: Row, before: Iterable[str], row: Row) -> str | Problem:
        """Return the details of a correct as the log will have them, or why the corrected event is refused."""
        from tradelake.intake import executions as execution_files
        from tradelake.intake.rewrite import as_row, corrected

        given = json.loads(row["details"])
        text: Mapping[str, str] = as_row(root)
        for details in before:
            text = corrected(text, json.loads(details)["set"])
        parsed = execution_files.from_rows([corrected(text, given["set"])], name=self._source)
        if parsed.problems:
            return parsed.problems[0]
        received = receive(parsed.events, self._references, source=self._source, recorded_at=self._recorded_at)
        if received.problems:
            return received.problems[0]
        if received.new_instruments.height:
            self._references = with_received(self._references, received)
            self._made = pl.concat([self._made, received.new_instruments])
        changes = _settled(given["set"], received.events.row(0, named=True))
        return json.dumps({**given, "set": changes}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _settled(changes: Mapping[str, Any], event: Row) -> dict[str, Any]:
    """Return what a correct sets in one way of writing: the values that the corrected event has."""
    from tradelake.intake.details import as_text

    inside = json.loads(event["details"]) if event["details"] else {}
    settled: dict[str, Any] = {}
    for name, value in changes.items():
        column = ELSEWHERE.get(name, name)
        if name in NAMING:
            settled["instrument_id"] = event["instrument_id"]
        elif name in NEW_NAMING:
            settled["new_instrument_id"] = event["new_instrument_id"]
        elif column in TRADE_LOG.schema:
            held = event.get(column)
            settled[name] = None if held is None else as_text(held)
        else:
            settled[name] = inside.get(name, value if name in INCOMING.schema else None)
    return settled


def _unknown(target: Key, why: str = "is not in the book, and not earlier in this delivery") -> Problem:
    return _refused("unknown_target", target, why)


def _refused(code: str, target: Key, why: str) -> Problem:
    trade_id, leg_id = target
    return Problem(
        code,
        f"the event {trade_id} with leg {leg_id} {why}",
        field="target_id",
        value=trade_id,
        action=ACTIONS[code],
    )


ACTIONS = {
    "unknown_target": "Name the trade_id of an event of the book, and its leg_id.",
    "already_cancelled": "Leave the row out.",
    "target_cancelled": "Cancel its cancel, or record the event anew.",
}
