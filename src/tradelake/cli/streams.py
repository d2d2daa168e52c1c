"""Where words go: data to standard output, diagnostics and progress to standard error."""

import contextlib
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from tradelake.errors import Problem

WIDTH_DEFAULT = 100
PROBLEM_COUNT_MAX = 20
ROWS_MAX = 6

Progress = Callable[[str, int, int], None]


def emit(text: str) -> None:
    """Write data to standard output; a reader that has gone away is no error."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # Later writes, and the flush at exit, go nowhere instead of failing once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(text: str) -> None:
    """Write one paragraph of diagnostics to standard error, folded to a terminal's width on a terminal."""
    if sys.stderr.isatty():
        text = textwrap.fill(text, shutil.get_terminal_size().columns, break_on_hyphens=False)
    print(
        "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text),
        file=sys.stderr,
    )


def complain_about(problems: Iterable[object], *, rest: str) -> None:
    """Write one paragraph per problem, at most 20, then how many more there are and where: *rest*.

    Rows of a file that differ in nothing but their number are one paragraph.
    """
    alike: dict[object, list[object]] = {}
    for problem in problems:
        key = replace(problem, row=None, trade_id="") if isinstance(problem, Problem) else str(problem)
        alike.setdefault(key, []).append(problem)
    groups = list(alike.values())
    for first, *others in groups[:PROBLEM_COUNT_MAX]:
        complain(f"{first}{_same(others)}")
    if len(groups) > PROBLEM_COUNT_MAX:
        complain(f"{sum(map(len, groups[PROBLEM_COUNT_MAX:])):,} more problems like these: {rest}")


def _same(others: list[object]) -> str:
    """Return the end of a paragraph about a problem that other rows have too."""
    rows = [str(problem.row) for problem in others if isinstance(problem, Problem) and problem.row is not None]
    if not rows:
        return ""
    which = ", ".join(rows[:ROWS_MAX]) + (" and others" if len(rows) > ROWS_MAX else "")
    return f" {len(rows):,} more rows have the same: {which}." if len(rows) > 1 else f" Row {which} has the same."


def screen() -> tuple[bool, int]:
    """Return whether standard output is a terminal that takes colours, and how many characters a line has."""
    if not sys.stdout.isatty():
        return False, WIDTH_DEFAULT
    return _coloured(), shutil.get_terminal_size((WIDTH_DEFAULT, 24)).columns


def _coloured() -> bool:
    """Return whether a terminal is to be given colours: not one that cannot steer, nor where somebody wants none."""
    return os.environ.get("TERM") not in ("dumb", "") and not os.environ.get("NO_COLOR")


@contextlib.contextmanager
def progress_bar() -> Iterator[Progress | None]:
    """Yield what reports progress (stage, done, total) on a terminal's standard error, elsewhere None."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("start", total=None)

        def report(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total or None)

        yield report
