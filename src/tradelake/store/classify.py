"""What each incoming event is: new, a duplicate, or a conflict with what the log has."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.store.keys import COMPARED, CORRECTABLE, KeyIndex, comparable, execution_key, generated_ids
from tradelake.tables import TRADE_LOG
from tradelake.units import QUANTITY_SCALE, plain, to_units

VERDICTS = {"order": pl.UInt32, "outcome": pl.String, "code": pl.String, "message": pl.String, "known_id": pl.String}
KNOWN_COLUMNS = (
    "sequence",
    "natural_key",
    "trade_id",
    "leg_id",
    "broker_account_id",
    "broker_execution_id",
    "kind",
    "account_id",
    "instrument_id",
    "action",
    "executed_at",
    "quantity",
    "price",
    "commission",
    "fees",
    "net_amount",
    "details",
)


@dataclass(frozen=True, slots=True)
class Classified:
    """The events to append, in order, with their trade ids; and one outcome per event."""

    accepted: pl.DataFrame
    outcomes: pl.DataFrame


def classify(catalog: Catalog, events: pl.DataFrame, index: KeyIndex) -> Classified:
    """Sort incoming events (with their keys) into new ones, duplicates and conflicts."""
    given = pl.col("natural_key").map_batches(generated_ids, return_dtype=pl.String)
    if not events["trade_id"].null_count():
        given = pl.col("trade_id")
    named = events.with_row_index("order").with_columns(pl.coalesce("trade_id", given).alias("trade_id"))
    known = _known(catalog, named, index)
    if named.height == 1 and not known.height:
        return Classified(named, _outcomes(named, pl.DataFrame(schema=VERDICTS)))
    verdicts = _plain_duplicates(named, known)
    open_cases = named.join(verdicts, on="order", how="anti", maintain_order="left")
    # Most deliveries share nothing with the log but plain duplicates, and repeat nothing: the rest is judged singly.
    suspects = _sharing(open_cases, known)
    if suspects.height:
        ledger = _Ledger(_related(known, suspects))
        judged = []
        for row, facts in zip(suspects.iter_rows(named=True), comparable(suspects).iter_rows(named=True), strict=True):
            verdict = ledger.judge(row, facts)
            if verdict is None:
                ledger.remember(row, facts)
            else:
                judged.append((row["order"], *verdict))
        verdicts = pl.concat([verdicts, pl.DataFrame(judged, schema=VERDICTS, orient="row")])
    return Classified(named.join(verdicts, on="order", how="anti", maintain_order="left"), _outcomes(named, verdicts))


def _known(catalog: Catalog, events: pl.DataFrame, index: KeyIndex) -> pl.DataFrame:
    sequences = index.candidates(events)
    if not sequences:
        return TRADE_LOG.empty()
    columns = ", ".join(f"l.{name}" for name in KNOWN_COLUMNS)
    with catalog.joined(candidates=pl.DataFrame({"sequence": sequences}, schema={"sequence": pl.Int64})):
        return catalog.frame(f"SELECT {columns} FROM {TRADE_LOG.name} l JOIN candidates USING (sequence)")


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
    """Return the events that share a key with the log or with each other."""
    keys = _keys(events)
    flags = keys["key"].is_duplicated() | keys["trade"].is_duplicated()
    if known.height:
        log = _keys(known)
        flags |= keys["key"].is_in(log["key"].implode()) | keys["trade"].is_in(log["trade"].implode())
    return events.filter(flags)


def _related(known: pl.DataFrame, suspects: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the log that share a key with one of the suspects."""
    keys, log = _keys(suspects), _keys(known)
    return known.filter(log["key"].is_in(keys["key"].implode()) | log["trade"].is_in(keys["trade"].implode()))


class _Ledger:
    """What the log and the earlier rows of this delivery say about keys."""

    def __init__(self, known: pl.DataFrame) -> None:
        self._by_key: dict[str, tuple[dict[str, object], str]] = {}
        self._by_trade: set[tuple[str, str]] = set()
        self._executions: dict[tuple[str, str, str], int] = {}
        self._ids: dict[tuple[str, str, str], set[str]] = {}
        self._wholes: dict[tuple[str, str, str], int] = {}
        for row, facts in zip(known.iter_rows(named=True), comparable(known).iter_rows(named=True), strict=True):
            self.remember(row, facts)

    def remember(self, row: dict[str, object], facts: dict[str, object]) -> None:
        self._by_key[str(row["natural_key"])] = (facts, str(row["trade_id"]))
        self._by_trade.add((str(row["trade_id"]), str(row["leg_id"])))
        execution = _execution(row)
        if execution is not None:
            self._executions[execution] = self._executions.get(execution, 0) + _size(row["quantity"])
            self._ids.setdefault(execution, set()).add(str(row["broker_execution_id"]))
            self._wholes.setdefault(execution, _whole(row))

    def judge(self, row: dict[str, object], facts: dict[str, object]) -> tuple[str, str | None, str | None, str] | None:
        """Return outcome, code, message and the known trade id; None for an event that is new."""
        trade_id = str(row["trade_id"])
        if str(row["natural_key"]) in self._by_key:
            first, first_id = self._by_key[str(row["natural_key"])]
            different = [name for name in COMPARED if facts[name] != first[name]]
            if not different:
                return "duplicate", None, None, first_id
            shown = "; ".join(
                f"{name}: {_shown(first[name])} in the log, {_shown(facts[name])} now" for name in different
            )
            return ("conflict", "conflicting_duplicate", f"the event is known with other content: {shown}", first_id)
        execution = _execution(row)
        if execution is not None and execution in self._executions:
            known = self._ids[execution]
            if str(row["broker_execution_id"]) not in known:
                return (
                    "conflict",
                    "broker_correction",
                    (
                        f"execution {row['broker_execution_id']} is the broker's correction of {min(known)}, which the "
                        "log has; compare the two, since this release does not replace executions"
                    ),
                    trade_id,
                )
            whole = self._wholes[execution]
            if self._executions[execution] + _size(row["quantity"]) > whole:
                return (
                    "conflict",
                    "allocation_exceeds_execution",
                    (
                        f"execution {row['broker_execution_id']} is allocated to other accounts already, and this row "
                        "would allocate more than its quantity; give execution_quantity where it is one of several"
                    ),
                    trade_id,
                )
        if (trade_id, str(row["leg_id"])) in self._by_trade:
            return (
                "conflict",
                "trade_id_taken",
                f"trade id {trade_id} with leg {row['leg_id']} belongs to another event; give a new id",
                trade_id,
            )
        return None


def _execution(row: dict[str, object]) -> tuple[str, str, str] | None:
    if row["broker_execution_id"] is None:
        return None
    base = re.sub(CORRECTABLE, r"\1", str(row["broker_execution_id"]))
    return str(row["broker_account_id"]), base, str(row["leg_id"])


def _shown(value: object) -> str:
    """Return a value as people write it: no exponent, no zeros at the end, nothing as a word."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return "nothing" if value is None else str(value)


def _whole(row: dict[str, object]) -> int:
    """Return the broker's quantity of an execution: as its first delivery gave it, or that delivery's own."""
    given = row.get("execution_quantity")
    if given is None and row.get("details"):
        given = json.loads(str(row["details"])).get("execution_quantity")
    return _size(row["quantity"] if given is None else given)


def _size(quantity: object) -> int:
    return 0 if quantity is None else to_units(str(quantity), QUANTITY_SCALE)


def _outcomes(events: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    rows = events.select("order", "source_row", "trade_id")
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
