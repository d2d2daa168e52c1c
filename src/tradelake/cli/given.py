"""What an import is given on the command line: is it a source and files, and what was meant where it is not."""

from difflib import get_close_matches
from pathlib import Path

from tradelake.cli.completing import SOURCES
from tradelake.errors import InputError

SUFFIXES = {
    ".xml": "ibkr-flex",
    ".csv": "executions",
    ".jsonl": "executions",
    ".ndjson": "executions",
    ".json": "executions",
    ".parquet": "executions",
    ".pq": "executions",
}
SHOWN_MAX = 3


def check_import(source: str, names: list[str]) -> None:
    """Raise InputError where the source is none, where no file is named, and where one of them is no file."""
    if source not in SOURCES:
        raise InputError(_no_source(source, names))
    if source == "postgres":
        if not names:
            raise InputError("The URL of the database is missing. Write: tradelake import postgres postgresql://...")
        return
    if not names:
        raise InputError(f"The file is missing. Write: tradelake import {source} FILE")
    for name in names:
        file = Path(name)
        if not file.exists():
            raise InputError(f"There is no file {name!r}{_beside(file)}")
        if file.is_dir():
            raise InputError(
                f"{name!r} is a folder. Name the files in it: tradelake import {source} {_inside(file, source)}"
            )


def _no_source(source: str, names: list[str]) -> str:
    """Return what to say of a first word that is no source: most often it is the file."""
    file = Path(source)
    kind = SUFFIXES.get(file.suffix.lower())
    if kind or file.exists() or "/" in source:
        others = [name for name in names if name not in SOURCES]
        kind = next((name for name in names if name in SOURCES), kind)
        files = " ".join([source, *others])
        if kind:
            return f"What {source!r} is has to be said before it. Write: tradelake import {kind} {files}"
        return (
            f"What {source!r} is has to be said before it. Write tradelake import ibkr-flex {files} for a Flex "
            f"statement of IBKR, or tradelake import executions {files} for executions as JSONL, CSV or Parquet."
        )
    meant = get_close_matches(source.lower(), SOURCES, n=1, cutoff=0.5)
    suggestion = f" Did you mean {meant[0]}?" if meant else ""
    return f"{source!r} is no source that tradelake knows.{suggestion} Sources: {', '.join(SOURCES)}."


def _beside(file: Path) -> str:
    """Return the end of a sentence about a file that is missing: where it was looked for, and what is there."""
    folder = file.parent.absolute()
    if not folder.is_dir():
        return f": the folder {folder} does not exist. Look at the path."
    there = sorted(each.name for each in folder.iterdir() if each.is_file())
    near = get_close_matches(file.name, there, n=SHOWN_MAX, cutoff=0.6)
    alike = near or [name for name in there if Path(name).suffix == file.suffix != ""][:SHOWN_MAX]
    seen = f" There is {', '.join(alike)}." if alike else ""
    return f" in {folder}.{seen} Look at the path."


def _inside(folder: Path, source: str) -> str:
    there = sorted(each for each in folder.iterdir() if SUFFIXES.get(each.suffix.lower()) == source)
    return f"{folder}/*{there[0].suffix}" if there else f"{folder}/FILE"
