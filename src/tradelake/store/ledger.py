"""What the log and the earlier rows of a delivery say about the key of an event.

A broker corrects an execution under an id that differs after its last dot only: the higher last part replaces the
lower one. Such a row is no second execution. It becomes an event of the kind correct, which sets what differs from the
execution as it is known; a last part below the current one is old news and a duplicate.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.store.cures import Cures, Row
from tradelake.store.keys import COMPARED, CORRECTABLE, comparable, generated_ids
from tradelake.tables import TRADE_LOG
from tradelake.units import QUANTITY_SCALE, plain, to_units

OF_THE_BROKER = ("action", "executed_at", "trade_date", "quantity", "price", "commission", "fees")
OF_ANOTHER_EVENT = ("kind", "account_id", "instrument_id")
Facts = Mapping[str, Any]
Execution = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an event is: an outcome with the id that the log knows, or a correction to be recorded in its place."""

    outcome: str
    trade_id: str
    code: str | None = None
    message: str | None = None
    correction: Row | None = None


class Ledger:
    """What is known of keys: of the log's rows that share one with the delivery, and of the delivery so far."""

    def __init__(self, known: pl.DataFrame, cures: Cures | None) -> None:
        self._cures = cures
        self._by_key: dict[str, tuple[Row, Facts]] = {}
        self._by_trade: set[tuple[str, str]] = set()
        self._executions: dict[Execution, dict[str, int]] = {}
        self._ids: dict[Execution, dict[str, str]] = {}
        self._targets: dict[tuple[Execution, str], str] = {}
        self._wholes: dict[Execution, int] = {}
        for row, facts in zip(known.iter_rows(named=True), comparable(known).iter_rows(named=True), strict=True):
            self.remember(row, facts)

    def remember(self, row: Row, facts: Facts) -> None:
        """Take in an event of the log, or one of the delivery that is accepted."""
        self._by_key[row["natural_key"]] = (row, facts)
        self._by_trade.add((row["trade_id"], row["leg_id"]))
        execution = _execution(row)
        if execution is None:
            return
        account = str(row["account_id"])
        size = _set_of(row).get("quantity") if row["kind"] == "correct" else row["quantity"]
        if size is not None:
            self._executions.setdefault(execution, {})[account] = _size(size)
        self._executions.setdefault(execution, {}).setdefault(account, 0)
        self._ids.setdefault(execution, {})[account] = max(
            str(row["broker_execution_id"]), self._ids.get(execution, {}).get(account, "")
        )
        if row["kind"] != "correct":
            self._targets[execution, account] = row["trade_id"]
            self._wholes.setdefault(execution, _whole(row))

    def judge(self, row: Row, facts: Facts) -> Verdict | None:
        """Return what the event is; None where it is new."""
        if row["natural_key"] in self._by_key:
            return self._known(facts, *self._by_key[row["natural_key"]], given=row)
        execution = _execution(row)
        if execution is not None and execution in self._executions:
            verdict = self._of_execution(row, facts, execution)
            if verdict is not None:
                return verdict
        if (row["trade_id"], row["leg_id"]) in self._by_trade:
            message = f"trade id {row['trade_id']} with leg {row['leg_id']} belongs to another event; give a new id"
            return Verdict("conflict", row["trade_id"], "trade_id_taken", message)
        return None

    def _known(self, facts: Facts, known: Row, first: Facts, *, given: Row) -> Verdict:
        """Compare with the first delivery, and with what corrections have made of it since."""
        different = _differences(facts, first)
        if not different:
            return Verdict("duplicate", known["trade_id"])
        for version in self._versions(known):
            if not _differences(facts, _facts(version)):
                return Verdict("duplicate", known["trade_id"])
        of_one_kind = known["kind"] == given["kind"] == "correct" and different == ["details"]
        if of_one_kind and self._cures is not None and self._cures.says_the_same(given, known):
            return Verdict("duplicate", known["trade_id"])
        shown = "; ".join(f"{name}: {_shown(first[name])} in the log, {_shown(facts[name])} now" for name in different)
        message = f"the event is known with other content: {shown}"
        return Verdict("conflict", known["trade_id"], "conflicting_duplicate", message)

    def _versions(self, known: Row) -> Iterable[Row]:
        """Yield what corrections have made of an event: now, and by the very correction that the key belongs to."""
        if self._cures is None or known["kind"] == "cancel":
            return
        own = (known["trade_id"], known["leg_id"])
        root = self._cures.root(*own)
        for by in (None, own) if known["kind"] == "correct" else (None,):
            version = self._cures.version(*root, by=by)
            if version is not None:
                yield version

    def _of_execution(self, row: Row, facts: Facts, execution: Execution) -> Verdict | None:
        """Judge an event whose execution is known under another id, or for another account."""
        ids, account, given = self._ids[execution], str(row["account_id"]), str(row["broker_execution_id"])
        if account not in ids and given not in ids.values():
            return _undecided(row, min(ids.values()), "that was booked for another account")
        if account in ids and given != ids[account]:
            target = self._targets.get((execution, account))
            if target is None or given < ids[account]:
                return Verdict("duplicate", target or row["trade_id"])
            return self._correction(row, facts, target, ids[account])
        others = sum(self._executions[execution].values())
        if others + _size(row["quantity"]) > self._wholes[execution]:
            message = (
                f"execution {given} is allocated to other accounts already, and this row would allocate more than its "
                "quantity; give execution_quantity where it is one of several"
            )
            return Verdict("conflict", row["trade_id"], "allocation_exceeds_execution", message)
        return None

    def _correction(self, row: Row, facts: Facts, target: str, known_id: str) -> Verdict:
        """Return the correct that the broker's newer row is, or a conflict where it is about something else."""
        current = self._cures.version(target, row["leg_id"]) if self._cures is not None else None
        if current is None:
            current = next(known for known, _ in self._by_key.values() if known["trade_id"] == target)
        different = _differences(facts, _facts(current))
        others = [name for name in different if name in OF_ANOTHER_EVENT]
        if others or row["kind"] != "trade":
            return _undecided(row, known_id, f"with another {' and '.join(others) or 'kind'}")
        same_side = "side" not in different
        changes = {
            name: _text(row[name])
            for name in OF_THE_BROKER
            if row[name] != current[name] and not (name == "action" and same_side)
        }
        if not changes:
            return Verdict("duplicate", target)
        if "executed_at" in changes:
            changes["trade_date"] = _text(row["trade_date"])
        trade_id = row["trade_id"]
        if (trade_id, row["leg_id"]) in self._by_trade:
            trade_id = generated_ids(pl.Series([row["natural_key"]]))[0]
        details = json.dumps({"set": changes}, sort_keys=True, separators=(",", ":"))
        cure = {**row, "kind": "correct", "trade_id": trade_id, "target_id": target, "details": details}
        return Verdict("accepted", trade_id, correction=cure)


def _undecided(row: Row, known_id: str, why: str) -> Verdict:
    message = (
        f"execution {row['broker_execution_id']} is the broker's correction of {known_id}, which the log has, {why}; "
        "compare the two, and cancel or correct the event by its trade id"
    )
    return Verdict("conflict", row["trade_id"], "broker_correction", message)


def _facts(version: Row) -> Facts:
    frame = pl.DataFrame([version], schema_overrides=dict(TRADE_LOG.schema))
    return comparable(frame).row(0, named=True)


def _differences(facts: Facts, first: Facts) -> list[str]:
    return [name for name in COMPARED if facts[name] != first[name]]


def _execution(row: Row) -> Execution | None:
    if row["broker_execution_id"] is None:
        return None
    base = re.sub(CORRECTABLE, r"\1", str(row["broker_execution_id"]))
    return str(row["broker_account_id"] or ""), base, str(row["leg_id"])


def _set_of(row: Row) -> Mapping[str, Any]:
    changes: Mapping[str, Any] = json.loads(row["details"])["set"]
    return changes


def _shown(value: object) -> str:
    """Return a value as people write it: no exponent, no zeros at the end, nothing as a word."""
    return "nothing" if value is None else _text(value)


def _text(value: object) -> str:
    """Return a value of the log as the text of an execution's field."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def _whole(row: Row) -> int:
    """Return the broker's quantity of an execution: as its first delivery gave it, or that delivery's own."""
    given = row.get("execution_quantity")
    if given is None and row.get("details"):
        given = json.loads(str(row["details"])).get("execution_quantity")
    return _size(row["quantity"] if given is None else given)


def _size(quantity: object) -> int:
    return 0 if quantity is None else to_units(str(quantity), QUANTITY_SCALE)
