"""The benchmarks run at their tiniest size, and docs/benchmarks.md is what the results say."""

import sys

import polars as pl
import pytest

from bench import __main__ as bench
from bench import data, results
from bench.document import CHART, DOCUMENT, chart_of, document_of

ROWS = 2_000


@pytest.mark.parametrize("plain", [False, True])
def test_a_log_is_the_same_every_time_and_as_long_as_it_was_asked_for(tmp_path, plain):
    logs = [data.write(tmp_path / name, ROWS, plain=plain) for name in "ab"]
    first, second = (pl.concat([pl.read_parquet(file) for file in log.files]) for log in logs)
    assert first.height == ROWS
    assert first.equals(second)
    kinds = {"trade"} if plain else {"trade", "expire", "assign", "exercise", "cancel"}
    assert set(first["kind"]) == kinds
    assert first["trade_id"].is_unique().all()
    assert first["executed_at"].is_sorted() == plain


def test_plain_fills_are_the_executions_in_cents(tmp_path):
    log = data.write(tmp_path, ROWS, plain=True)
    executions, fills = (pl.concat([pl.read_parquet(file) for file in files]) for files in (log.files, log.fills))
    assert (executions["price"] * 100).cast(pl.Int64).equals(fills["price_cents"].alias("price"))
    assert (executions["commission"] * 100).cast(pl.Int64).equals(fills["fee_cents"].alias("commission"))
    assert executions["executed_at"].equals(fills["at"].alias("executed_at"))
    bought = fills.group_by("contract", "account").agg((pl.col("side") * pl.col("quantity")).sum().alias("held"))
    assert 0 < bought.filter(pl.col("held") != 0).height < bought.height


def test_the_suite_runs_and_writes_its_results(tmp_path, monkeypatch, capsys):
    path = tmp_path / "results.json"
    names = ["ingest", "rebuild", "day", "late", "single"]
    monkeypatch.setattr(sys, "argv", ["bench", "--rows", str(ROWS), "--results", str(path), *names])
    assert bench.main() == 0
    run = results.read(path)[str(ROWS)]
    assert run["parts"]["ingest"]["rows"] == ROWS
    assert run["parts"]["day"]["rows"] == data.DAY_ROWS
    assert run["parts"]["single"]["record"]["p99"] >= run["parts"]["single"]["record"]["p50"] > 0
    document = path.with_suffix(".md").read_text()
    assert document == document_of(results.read(path))
    assert "| full rebuild / DuckDB |" in document
    assert path.with_suffix(".svg").read_text().startswith("<svg")
    assert "results.json" in capsys.readouterr().err


def test_a_run_replaces_only_what_it_has_measured(tmp_path):
    path = tmp_path / "results.json"
    results.merge(path, 10, parts={"ingest": {"seconds": 1.0}, "rebuild": {"seconds": 2.0}}, peers={})
    results.merge(path, 10, parts={"rebuild": {"seconds": 3.0}}, peers={"hledger": {"not_measured": "no"}})
    run = results.read(path)["10"]
    assert (run["parts"]["ingest"]["seconds"], run["parts"]["rebuild"]["seconds"]) == (1.0, 3.0)
    assert list(run["peers"]) == ["hledger"]


def test_the_document_is_what_the_results_say():
    runs = results.read(results.RESULTS)
    assert runs
    assert DOCUMENT.read_text(encoding="utf-8") == document_of(runs), "run: python -m bench --document"
    assert CHART.read_text(encoding="utf-8") == chart_of(runs), "run: python -m bench --document"
