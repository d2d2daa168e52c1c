"""What a writer gives, in its parsed form: rows, frames, files."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from tradelake.errors import InputError
from tradelake.intake.parsed import Parsed

FORMATS = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
SOURCES = ("executions", "ibkr-flex")


def read_file(file: Path) -> bytes:
    """Return the content of a file; InputError where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}. Name a file that exists.") from error


def parse_rows(executions: object, *, name: str) -> Parsed:
    """Return the parsed form of what `record` was given."""
    from tradelake.intake import executions as execution_files
    from tradelake.intake.model import Execution

    if isinstance(executions, pl.DataFrame):
        return execution_files.from_frame(executions, name=name)
    if isinstance(executions, (Mapping, Execution)):
        return execution_files.from_rows([executions], name=name)
    if isinstance(executions, Iterable) and not isinstance(executions, (str, bytes)):
        return execution_files.from_rows(executions, name=name)
    raise InputError(f"record takes executions, dicts or a frame, not {type(executions).__name__}.")


def parse_source(source: str, content: bytes, *, name: str) -> Parsed:
    """Return the parsed form of a file; InputError for an unknown source or suffix."""
    from tradelake.intake import executions as execution_files

    if source == "ibkr-flex":
        from tradelake.intake import ibkr_flex

        return ibkr_flex.parse(content, name=name)
    if source != "executions":
        raise InputError(f"{source!r} is no source that tradelake knows. Sources: {', '.join(SOURCES)}.")
    suffix = Path(name).suffix.lower()
    if suffix not in FORMATS:
        instead = " A Flex statement of IBKR comes as ibkr-flex." if suffix == ".xml" else ""
        raise InputError(
            f"{name}: executions come as {', '.join(FORMATS)}, not as {suffix or 'a file without a suffix'}.{instead}"
        )
    return execution_files.parse(content, name=name, format=FORMATS[suffix])
