"""What each incoming event is: new, a duplicate, a conflict with what the log has, or a cure that is refused."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tradelake.errors import InvariantError, Problem
from tradelake.store.archived import archived_candidates
from tradelake.store.catalog import Catalog
from tradelake.store.closed_past import before_closing, deleted_duplicates
from tradelake.store.closing import closed_until, deleted_logs
from tradelake.store.cold import HOT, Span
from tradelake.store.cures import Cures, Row, tell_targets
from tradelake.store.index import KeyIndex
from tradelake.store.keys import COMPARED, DIGEST_COLUMNS, comparable, execution_key, generated_ids, key_digests
from tradelake.store.ledger import Ledger, Verdict
from tradelake.tables import CURE_KINDS, TRADE_LOG

VERDICTS = {"order": pl.UInt32, "outcome": pl.String, "code": pl.String, "message": pl.String, "known_id": pl.String}
KEYS = {"sequence": pl.Int64, "archive_id": pl.String, "execution_key": pl.Int64, "trade_key": pl.Int64}
KNOWN_COLUMNS = (
    "sequence", "natural_key", "trade_id", "leg_id", "broker_account_id", "broker_execution_id", "kind", "account_id",
    "instrument_id", "new_instrument_id", "to_account_id", "target_id", "action", "executed_at", "trade_date",
    "quantity", "price", "commission", "fees", "net_amount", "details",
)  # fmt: skip
LISTED = 100


@dataclass(frozen=True, slots=True)
class Classified:
    """The events to append, in order, with their trade ids; one outcome per event; and why cures are refused."""

    accepted: pl.DataFrame
    outcomes: pl.DataFrame
    problems: tuple[Problem, ...] = ()


def classify(catalog: Catalog, events: pl.DataFrame, index: KeyIndex, cures: Cures | None = None) -> Classified:
    """Sort incoming events (with their keys) into new ones, duplicates, conflicts and refused cures."""
    given = pl.col("natural_key").map_batches(generated_ids, return_dtype=pl.String)
    if not events["trade_id"].null_count():
        given = pl.col("trade_id")
    named = events.with_row_index("order").with_columns(pl.coalesce("trade_id", given).alias("trade_id"))
    named = named.hstack(key_digests(named))
    known, deleted = _known(catalog, named, index)
    until = closed_until(catalog)
    if named.height == 1 and not known.height and named["kind"].item() not in CURE_KINDS and until is None:
        return Classified(named, _outcomes(named, pl.DataFrame(schema=VERDICTS)))
    verdicts = _plain_duplicates(named, known)
    if deleted.height:
        again = deleted_duplicates(named, deleted)
        verdicts = pl.concat([verdicts, pl.DataFrame(again, schema=VERDICTS, orient="row")]).unique("order")
    open_cases = _without(named, verdicts)
    # Most deliveries share nothing with the log but plain duplicates, and repeat nothing: the rest is judged singly.
    suspects = _sharing(open_cases, known)
    if cures is not None:
        tell_targets(cures, catalog, suspects, index)
    singly = _Singly(open_cases, suspects, Ledger(_related(known, suspects), cures), cures)
    for row, facts in zip(suspects.iter_rows(named=True), comparable(suspects).iter_rows(named=True), strict=True):
        singly.judge(row, facts)
    if singly.judged:
        verdicts = pl.concat([verdicts, pl.DataFrame(singly.judged, schema=VERDICTS, orient="row")])
    if until is not None:
        late, problems = before_closing(_without(named, verdicts), until)
        verdicts = pl.concat([verdicts, pl.DataFrame(late, schema=VERDICTS, orient="row")])
        singly.problems += problems
    outcomes = _outcomes(_renamed(named.select("order", "source_row", "trade_id"), singly.rewritten), verdicts)
    return Classified(_rewritten(_without(named, verdicts), singly.rewritten), outcomes, tuple(singly.problems))


def _without(events: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Return the events for which there is no verdict yet."""
    return events.join(verdicts, on="order", how="anti", maintain_order="left") if verdicts.height else events


def _known(catalog: Catalog, events: pl.DataFrame, index: KeyIndex) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the events of the log that may share a key with some others, and the keys of those that were deleted."""
    sequences, nothing = index.candidates(catalog, events), pl.DataFrame(schema=KEYS)
    if not sequences:
        return TRADE_LOG.empty(), nothing
    columns = ", ".join(f"l.{name}" for name in KNOWN_COLUMNS)
    select = f"SELECT {columns} FROM {TRADE_LOG.name} l JOIN candidates USING (sequence)"
    candidates = pl.DataFrame({"sequence": sequences}, schema={"sequence": pl.Int64})
    # A list of numbers tells which files it reaches, as a frame does not.
    listed = f" WHERE sequence IN ({', '.join(map(str, sequences))})" if len(sequences) <= LISTED else ""
    with catalog.joined(candidates=candidates):
        known = catalog.frame(select + listed, span=HOT)
    if known.height == candidates.height or catalog.cold.is_empty(catalog.transaction_number):
        return known, nothing
    found = archived_candidates(catalog, events, candidates)
    gone = found.join(deleted_logs(catalog), on="archive_id", how="semi")
    archived = found.join(gone, on="sequence", how="anti")
    if not archived.height:
        return known, gone
    span = Span(archives=archived["archive_id"].unique().to_list())
    with catalog.cold.including(), catalog.joined(candidates=archived.select("sequence")):
        return pl.concat([known, catalog.frame(select, span=span)]).unique("sequence", maintain_order=True), gone


def _plain_duplicates(events: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return a verdict for every event that the log has with the same content."""
    if not known.height:
        return pl.DataFrame(schema=VERDICTS)
    facts = comparable(events).with_columns(events["order"])
    log = comparable(known).with_columns(known["trade_id"].alias("known_id"))
    joined = facts.join(log, on="natural_key", suffix="_log")
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_log")) for name in COMPARED)
    nothing = pl.lit(None, dtype=pl.String)
    return joined.filter(same).select(
        "order", pl.lit("duplicate").alias("outcome"), nothing.alias("code"), nothing.alias("message"), "known_id"
    )


def _keys(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        pl.coalesce(execution_key(), "natural_key").alias("key"),
        pl.concat_str("trade_id", "leg_id", separator="\x1f").alias("trade"),
    )


def _sharing(events: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the events that share a key with the log or with each other, and the cures."""
    # Equal keys have equal digests: in most deliveries no text has to be compared.
    near = events["kind"].is_in(CURE_KINDS)
    log_digests = key_digests(known) if known.height else None
    for name in DIGEST_COLUMNS:
        near |= events[name].is_duplicated()
        if log_digests is not None:
            near |= events[name].is_in(log_digests[name].implode())
    events = events.filter(near)
    keys = _keys(events)
    flags = keys["key"].is_duplicated() | keys["trade"].is_duplicated() | events["kind"].is_in(CURE_KINDS)
    if known.height:
        log = _keys(known)
        flags |= keys["key"].is_in(log["key"].implode()) | keys["trade"].is_in(log["trade"].implode())
    return events.filter(flags)


def _related(known: pl.DataFrame, suspects: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the log that share a key with one of the suspects, in the order of their arrival."""
    if not known.height:
        return known
    keys, log = _keys(suspects), _keys(known)
    shared = log["key"].is_in(keys["key"].implode()) | log["trade"].is_in(keys["trade"].implode())
    return known.filter(shared).sort("sequence")


class _Singly:
    """Judges the *suspects*, events of a delivery that are not plainly new, one after the other."""

    def __init__(self, events: pl.DataFrame, suspects: pl.DataFrame, ledger: Ledger, cures: Cures | None) -> None:
        # A cure names its target, or is the broker's correction of another suspect.
        targets = pl.concat([suspects["target_id"].drop_nulls(), suspects["trade_id"]])
        self._targets: dict[tuple[str, str], list[Row]] = {}
        if suspects.height:
            near = events.filter(pl.col("trade_id").is_in(targets.implode()))
            for row in near.iter_rows(named=True):
                self._targets.setdefault((row["trade_id"], row["leg_id"]), []).append(row)
        self._ledger = ledger
        self._cures = cures
        self.judged: list[tuple[int, str, str | None, str | None, str]] = []
        self._refused = set[int]()
        self.rewritten: dict[int, Row] = {}
        self.problems: list[Problem] = []

    def judge(self, row: dict[str, Any], facts: dict[str, Any]) -> None:
        verdict = self._ledger.judge(row, facts)
        if verdict is None and row["kind"] in CURE_KINDS:
            verdict = Verdict("accepted", row["trade_id"], correction=row)
        if verdict is None:
            self._ledger.remember(row, facts)
        elif verdict.correction is None:
            self._refuse(row, verdict)
        else:
            self._cure(row, facts, verdict.correction)

    def _refuse(self, row: Row, verdict: Verdict) -> None:
        self.judged.append((row["order"], verdict.outcome, verdict.code, verdict.message, verdict.trade_id))
        self._refused.add(row["order"])

    def _cure(self, row: Row, facts: dict[str, Any], cure: Row) -> None:
        if self._cures is None:
            raise InvariantError("a delivery with cures comes without anyone to judge them")

        def earlier(trade_id: str, leg_id: str) -> Row | None:
            return self._earlier(trade_id, leg_id, before=row["order"])

        judged = self._cures.judge(cure, earlier)
        if judged.row is not None:
            self.rewritten[row["order"]] = judged.row
            self._ledger.remember(judged.row, facts)
            return
        problem = judged.problem or Problem("invalid_correction", "the correction cannot be used")
        self.problems.append(replace(problem, row=row["source_row"], trade_id=row["trade_id"]))
        self._refuse(row, Verdict("reject", row["trade_id"], problem.code, str(self.problems[-1])))

    def _earlier(self, trade_id: str, leg_id: str, *, before: int) -> Row | None:
        """Return an event of this delivery that came before and is accepted."""
        named = (row for row in self._targets.get((trade_id, leg_id), ()) if row["order"] < before)
        accepted = (row for row in named if row["order"] not in self._refused)
        return next((self.rewritten.get(row["order"], row) for row in accepted), None)


def _rewritten(accepted: pl.DataFrame, rows: dict[int, Row]) -> pl.DataFrame:
    """Put the cures as the log will hold them in the place of the rows that brought them."""
    if not rows:
        return accepted
    fresh: Sequence[Row] = [{name: row.get(name) for name in accepted.columns} for row in rows.values()]
    cures = pl.DataFrame(fresh, schema=accepted.schema, orient="row").drop(DIGEST_COLUMNS)
    both = pl.concat([accepted, cures.hstack(key_digests(cures)).select(accepted.columns)])
    places = pl.int_range(accepted.height, dtype=pl.UInt32, eager=True)
    at = accepted["order"].search_sorted(cures["order"])
    return both[places.scatter(at, range(accepted.height, both.height))]


def _renamed(events: pl.DataFrame, rows: dict[int, Row]) -> pl.DataFrame:
    """Give events the trade ids of the cures that were put in their place."""
    if not rows:
        return events
    ids = {order: row["trade_id"] for order, row in rows.items()}
    own = pl.col("order").replace_strict(ids, default=None, return_dtype=pl.String)
    return events.with_columns(pl.coalesce(own, "trade_id").alias("trade_id"))


def _outcomes(rows: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    if not verdicts.height:
        nothing = pl.lit(None, dtype=pl.String)
        return rows.select(
            "source_row",
            pl.lit("accepted").alias("outcome"),
            "trade_id",
            nothing.alias("code"),
            nothing.alias("message"),
        )
    return rows.join(verdicts, on="order", how="left", maintain_order="left").select(
        "source_row",
        pl.col("outcome").fill_null("accepted"),
        pl.coalesce("known_id", "trade_id").alias("trade_id"),
        "code",
        "message",
    )
