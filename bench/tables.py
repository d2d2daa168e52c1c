"""Rows of the tables of the document: each of them names a measured thing and gives a cell, or a few, per size."""

from collections.abc import Iterator

from bench.peers import PEERS
from bench.results import Run

Row = tuple[str, list[str]]
SHOWN_FROM = 0.005
STAGES = {"read": "read and check", "record": "record, durable"}
TIMED = {
    "day": "a day of 1,000",
    "late": "one fill three days late",
    "night": "a night with a statement of a day",
}
SINGLE = {
    "record": "one durable record",
    "positions after it": "positions after it",
    "batch": "a hundred in one call, durable",
}
PLAIN = (
    ("cold", "archive everything"),
    ("restore", "bring it back"),
    ("hot questions", "fifty questions, hot"),
    ("cold questions", "fifty questions, with the archive"),
    ("export", "export to PostgreSQL"),
)
FLOORS = ("polars", "duckdb")
NAMES = {"polars": "Polars", "duckdb": "DuckDB"}


def size_name(rows: str) -> str:
    """Return a number of rows as people write it."""
    return f"{int(rows):,}"


def floor_rows(parts: Run) -> Iterator[Row]:
    """Yield how many times the floor tradelake takes."""
    yield from ((what, [times(ratio)]) for what, ratio in floor_ratios(parts))


def floor_ratios(parts: Run) -> Iterator[tuple[str, float]]:
    """Yield what was measured and its ratio to the floor of the same run."""
    for name, what in (("ingest", "import"), ("rebuild", "full rebuild")):
        for engine in FLOORS:
            floor = parts.get(f"floor {name} {engine}")
            if name in parts and floor:
                yield f"{what} / {NAMES[engine]}", parts[name]["seconds"] / floor["seconds"]
    if "day" in parts and "floor day" in parts:
        yield "a day of 1,000 / Polars, synced", parts["day"]["seconds"] / parts["floor day"]["seconds"]
    if "single" in parts and "floor single" in parts:
        ours, floor = parts["single"]["record"], parts["floor single"]["record"]
        yield "one durable record, median / synced SQLite row", ours["p50"] / floor["p50"]
        yield "one durable record, p99 / synced SQLite row", ours["p99"] / floor["p99"]
    if "export" in parts:
        yield "export to PostgreSQL / bare COPY", parts["export"]["seconds"] / parts["export"]["bare"]


def question_rows(parts: Run) -> Iterator[Row]:
    """Yield the named questions: cold and warm, of tradelake and as a multiple of DuckDB's."""
    if "queries" not in parts:
        return
    floors = parts.get("floor queries", {}).get("questions", {})
    for name, ours in parts["queries"]["questions"].items():
        floor = floors.get(name)
        against = f"{times(ours['cold'] / floor['cold'])}, {times(ours['warm'] / floor['warm'])}" if floor else "·"
        yield name, [f"{seconds(ours['cold'])}, {seconds(ours['warm'])}", against]


def seconds_rows(parts: Run) -> Iterator[Row]:
    """Yield seconds, rows per second and peaks of memory."""
    for name, what in (("ingest", "import"), ("rebuild", "rebuild")):
        if name in parts:
            found = parts[name]
            yield f"{what}, events a second", [f"{found['rows'] / found['seconds']:,.0f}"]
            yield from _timed(what, what, found)
    if "check" in parts:
        yield "rebuild and compare with what is stored", [seconds(parts["check"]["seconds"])]
    for name, what in TIMED.items():
        if name in parts:
            yield from _timed(name, what, parts[name])
    for what, found in parts.get("single", {}).items():
        if what in SINGLE:
            yield f"{SINGLE[what]}, median, p99", [f"{seconds(found['p50'])}, {seconds(found['p99'])}"]
    if "shell" in parts:
        yield "`tradelake positions` of a small book, from the shell", [seconds(parts["shell"]["p50"])]
    yield from _plain_seconds(parts)


def _timed(name: str, what: str, found: Run) -> Iterator[Row]:
    """Yield the seconds of a part, those of its stages, and its peak of memory."""
    yield what, [seconds(found["seconds"])]
    for stage, spent in found.get("parts", {}).items():
        if spent >= SHOWN_FROM:
            yield f"&emsp;{name}: {STAGES.get(stage, stage)}", [seconds(spent)]
    yield f"{what}, peak memory", [bytes_(found["peak_bytes"])]


def _plain_seconds(parts: Run) -> Iterator[Row]:
    for engine in FLOORS:
        for of in ("ingest", "rebuild"):
            if f"floor {of} {engine}" in parts:
                yield f"floor of the {of}, {NAMES[engine]}", [seconds(parts[f"floor {of} {engine}"]["seconds"])]
    for name, what in PLAIN:
        if name in parts:
            yield what, [seconds(parts[name]["seconds"])]
    if "export" in parts:
        changed = f"export what {parts['export']['changed']:,} more have changed"
        yield changed, [seconds(parts["export"]["again"])]


def bytes_rows(parts: Run) -> Iterator[Row]:
    """Yield the bytes of one event, where it lies."""
    if "delivered" in parts:
        yield "as delivered, Parquet", [_each(parts["delivered"]["bytes"], parts["delivered"]["rows"])]
    if "size" in parts:
        size = parts["size"]
        for name, what in (("log", "log"), ("told", "log and source records"), ("derived", "derived tables")):
            yield f"hot: {what}", [_each(size[name], size["events"])]
        yield "hot: the whole book, with its catalog", [_each(size["whole"], size["events"])]
    if "cold" in parts:
        cold = parts["cold"]
        yield "cold: log and source records", [_each(cold["cold"], cold["archived"])]
        yield "cold: manifests", [_each(cold["manifests"], cold["archived"])]
        yield "what stays in the book of an archived event", [_each(cold["keys"], cold["archived"])]


def peer_rows(runs: dict[str, Run]) -> tuple[list[list[str]], list[list[str]], list[str]]:
    """Return rows of figures and of descriptions, and a line for each peer that was not measured."""
    measured, described, missing = list[list[str]](), list[list[str]](), list[str]()
    for name, peer in PEERS.items():
        entries = [run["peers"][name] for run in runs.values() if name in run["peers"]]
        done = {entry["rows"]: entry for entry in entries if "figures" in entry}
        if not done:
            reasons = [entry["not_measured"] for entry in entries if "not_measured" in entry]
            missing.append(f"{peer.title}: {reasons[-1] if reasons else 'not run yet'}")
            continue
        for rows, entry in sorted(done.items()):
            for what, theirs, ours, show in _figures(entry):
                measured.append([peer.title, f"{rows:,}", what, show(theirs), show(ours), times(ours / theirs)])
        last = done[max(done)]
        title = f"{peer.title} {last.get('version', '')}".strip()
        described.append([title, peer.computes, peer.lacks, last["compared"]])
    return measured, described, missing


def peer_ratios(runs: dict[str, Run]) -> Iterator[tuple[str, float]]:
    """Yield how many times a peer tradelake takes, for the first figure of each peer at its largest size."""
    for name, peer in PEERS.items():
        entries = [run["peers"][name] for run in runs.values() if "figures" in run["peers"].get(name, {})]
        if entries:
            last = max(entries, key=lambda entry: int(entry["rows"]))
            what, theirs, ours, _ = next(_figures(last))
            yield f"{what} / {peer.title}, {last['rows']:,}", ours / theirs


def _figures(entry: Run) -> Iterator[tuple]:
    """Yield what was measured of a peer, its number, that of tradelake, and how such a number is shown."""
    ours = entry["ours"]
    known = {"import": ours["ingest"], "rebuild": ours["rebuild"], "both": ours["ingest"] + ours["rebuild"]}
    known |= {"day": ours["day"]}
    for figure in entry["figures"]:
        mine = figure["ours"]
        if mine == "bytes":
            yield figure["what"], figure["value"] / entry["rows"], ours["bytes"]["told"] / entry["rows"], _plain_bytes
        elif mine in known:
            yield figure["what"], figure["value"], known[mine], seconds
        else:
            yield figure["what"], figure["value"], ours["questions"][mine]["warm"], seconds


def _plain_bytes(value: float) -> str:
    return f"{value:.1f} B"


def _each(count: float, events: int) -> str:
    return _plain_bytes(count / events) if events else "·"


def seconds(value: float) -> str:
    """Return a duration with three digits, in milliseconds where it is short."""
    if value < 1:
        return f"{_digits(value * 1000)} ms"
    return f"{_digits(value)} s"


def times(ratio: float) -> str:
    """Return a ratio with two or three digits."""
    return f"{ratio:.2f}x" if ratio < 1 else f"{_digits(ratio)}x"


def bytes_(value: float) -> str:
    """Return bytes as MB or GB."""
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
