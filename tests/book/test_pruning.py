"""Questions read the files that can have the answer, and no others: seen in DuckDB's own plans, never by a clock."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.books import fill
from tradelake.store import asking

MONTHS = 6
ACCOUNTS = 4
SYMBOLS = 5


@pytest.fixture
def yearly(local_book):
    """A book of six months in files: everything is closed again but for one symbol of each account."""
    rows = []
    for month in range(MONTHS):
        for account in range(ACCOUNTS):
            for symbol in range(SYMBOLS):
                for part, quantity in enumerate(("3", "-3")):
                    if (month, symbol, part) == (MONTHS - 1, 0, 1):
                        continue
                    number = 1000 * month + 100 * account + 10 * symbol + part
                    at = f"2026-{month + 1:02}-10T15:{symbol:02}:{part:02}Z"
                    row = fill(number, quantity, symbol=f"S{symbol}", account_id=f"A{account}")
                    rows.append(row | {"executed_at": at, "trade_date": at[:10]})
    local_book.add_accounts([{"account_id": f"A{number}"} for number in range(ACCOUNTS)])
    assert local_book.record(rows).ok
    local_book.fold()
    local_book.maintain()
    return local_book


@pytest.fixture
def scans(monkeypatch):
    """What each query has read since `clear`: files and rows by table, as EXPLAIN ANALYZE says."""
    files: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    run = asking._run

    def spied(connection, sql, parameters):
        if sql.startswith("SELECT"):
            plan = run(connection, f"EXPLAIN (ANALYZE, FORMAT json) {sql}", parameters).fetchall()[0][1]
            for scan in _scans(json.loads(plan)):
                table = scan["extra_info"]["Table"]
                files[table] += int(scan["extra_info"].get("Total Files Read", 0))
                rows[table] += scan["operator_cardinality"]
        return run(connection, sql, parameters)

    monkeypatch.setattr(asking, "_run", spied)
    return files, rows


def _scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "Table" in node.get("extra_info", {}):
        yield node
    for child in node.get("children", ()):
        yield from _scans(child)


def test_trades_of_a_month_read_the_files_of_that_month(yearly, scans):
    files, rows = scans
    every = yearly.sql("SELECT count(DISTINCT date_trunc('month', trade_date)) FROM trade_log").fetchall()
    assert every == [(MONTHS,)]
    found = yearly.trades(account="A1", since="2026-03-01", until="2026-03-31")
    assert found.height == 2 * SYMBOLS
    assert (files["trade_log"], rows["trade_log"]) == (1, found.height)
    files.clear()
    yearly.trades()
    assert files["trade_log"] == MONTHS


def test_positions_read_what_is_open_and_nothing_of_the_log(yearly, scans):
    files, rows = scans
    assert yearly.positions().height == ACCOUNTS
    assert rows["positions"] == ACCOUNTS
    assert not {table for table, count in files.items() if count} & {"trade_log", "matches", "position_history"}


def test_the_history_of_a_symbol_reads_neither_the_log_nor_other_tables(yearly, scans):
    files, rows = scans
    found = yearly.history(symbol="S2", account="A2")
    assert found.height == MONTHS
    assert rows["position_history"] <= SYMBOLS * MONTHS
    assert {table for table, count in files.items() if count} <= {"position_history", "checkpoint"}


def test_a_fold_of_a_late_fill_reads_the_rows_of_its_family_alone(yearly, scans):
    _, rows = scans
    late = fill(9_999, "1", symbol="S3", account_id="A3")
    yearly.record(late | {"executed_at": "2026-02-01T15:00:00Z", "trade_date": "2026-02-01"})
    rows.clear()
    yearly.fold()
    # Its own history is read again, that of nineteen other families is not.
    assert rows["trade_log"] <= 2 * (2 * MONTHS + 1)
    assert rows["matches"] <= 2 * MONTHS
