"""docs/benchmarks.md and its chart, generated from the results: ratios first, seconds after them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from bench import results
from bench.chart import Bar, draw
from bench.child import ROOT
from bench.results import Run
from bench.tables import bytes_rows, floor_rows, peer_rows, question_rows, seconds_rows, size_name
from bench.texts import (
    COMMANDS,
    FLOOR,
    INTRODUCTION,
    LOG,
    PEERS_TEXT,
    PROVISIONAL,
    QUESTIONS_TEXT,
    SECONDS_TEXT,
    SIZE_TEXT,
)

DOCUMENT, CHART = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "images" / "benchmarks.svg"
SMALLEST = 100_000
Rows = list[list[str]]


def write_document(path: Path = results.RESULTS) -> tuple[Path, Path]:
    """Write the document and the chart of a file of results: in docs, or beside results that are elsewhere."""
    own = path.resolve() == results.RESULTS
    document, chart = (DOCUMENT, CHART) if own else (path.with_suffix(".md"), path.with_suffix(".svg"))
    runs = results.read(path)
    document.write_text(document_of(runs), encoding="utf-8")
    chart.parent.mkdir(parents=True, exist_ok=True)
    chart.write_text(chart_of(runs), encoding="utf-8")
    return document, chart


def document_of(runs: dict[str, Run]) -> str:
    """Return the document of some runs."""
    sizes = list(runs)
    head = [size_name(size) for size in sizes]
    parts = [
        INTRODUCTION,
        *([PROVISIONAL] if max(map(int, sizes), default=0) < SMALLEST else []),
        "![How many times as long tradelake takes](images/benchmarks.svg)",
        "## Against the floor",
        FLOOR,
        table(["", *head], _over_sizes(runs, floor_rows)),
        "## Questions",
        QUESTIONS_TEXT,
        table(["", *(f"{name}{part}" for name in head for part in ("", ", DuckDB"))], _over_sizes(runs, question_rows)),
        "## Against peers",
        PEERS_TEXT,
        *peer_tables(runs),
        "## Seconds and memory",
        SECONDS_TEXT,
        table(["", *head], _over_sizes(runs, seconds_rows)),
        "## Bytes of an event",
        SIZE_TEXT,
        table(["", *head], _over_sizes(runs, bytes_rows)),
        "## The log",
        LOG,
        "## Run it",
        COMMANDS,
        "## Where this was measured",
        table(["rows", "day", "version", "machine", "Python", "libraries"], _conditions(runs)),
    ]
    return "# Benchmarks\n\n" + "\n\n".join(parts) + "\n"


def peer_tables(runs: dict[str, Run]) -> list[str]:
    """Return a table of ratios and one of what peers do and do not compute."""
    measured, described, missing = peer_rows(runs)
    tables = [
        table(["peer", "fills", "what", "peer", "tradelake", "tradelake / peer"], measured),
        "What each of them computes, what it does not, and how the answers of the two compare:",
        table(["peer", "computes", "does not", "answers compared"], described),
    ]
    return [*tables, "Not measured:", "\n".join(f"- {line}" for line in missing)] if missing else tables


def table(head: list[str], rows: Rows) -> str:
    """Return a Markdown table, or a sentence where it has no rows."""
    if not rows:
        return "Nothing of it has been measured yet."
    rule = ["---", *("---:" for _ in head[1:])] if _is_numeric(rows) else ["---"] * len(head)
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *rows))


def _is_numeric(rows: Rows) -> bool:
    return all(len(cell) < 30 for row in rows for cell in row[1:])


def _over_sizes(runs: dict[str, Run], rows_of: Callable[[Run], Iterable[tuple[str, list[str]]]]) -> Rows:
    """Return one row per thing that any size has measured, with the cells of each size side by side."""
    columns = [dict(rows_of(run["parts"])) for run in runs.values()]
    names = dict.fromkeys(name for column in columns for name in column)
    width = max((len(cells) for column in columns for cells in column.values()), default=1)
    empty = ["·"] * width
    return [[name, *(cell for column in columns for cell in column.get(name, empty))] for name in names]


def _conditions(runs: dict[str, Run]) -> Rows:
    found = []
    for size, run in runs.items():
        on = [numbers["on"] for numbers in (*run["parts"].values(), *run["peers"].values())]
        for each in [one for number, one in enumerate(on) if one not in on[:number]]:
            libraries = ", ".join(f"{name} {number}" for name, number in each["versions"].items())
            found.append([size_name(size), each["date"], each["commit"], each["machine"], each["python"], libraries])
    return found


def chart_of(runs: dict[str, Run]) -> str:
    """Return the chart: how many times as long tradelake takes, against floors and peers of the largest full size."""
    from bench.tables import floor_ratios, peer_ratios

    bars = []
    measured = [(size, run) for size, run in runs.items() if "ingest" in run["parts"]]
    if measured:
        size, run = measured[-1]
        bars += [Bar(what, ratio, f"floor, {size_name(size)}") for what, ratio in floor_ratios(run["parts"])]
    bars += [Bar(what, ratio, "peer") for what, ratio in peer_ratios(runs)]
    return draw(bars)
