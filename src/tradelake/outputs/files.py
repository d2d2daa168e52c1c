"""Frames as files: CSV, Parquet, workbooks. A file is there as a whole or not at all."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from tradelake.errors import InputError
from tradelake.outputs.values import as_text

FileForm = Literal["xlsx", "csv", "parquet"]
ROWS_AT_ONCE = 100_000
FORMS: tuple[FileForm, ...] = get_args(FileForm)


def form_of(path: Path, form: str | None = None) -> FileForm:
    """Return the form that is asked for, or that the suffix of a file names; InputError for another."""
    suffix = path.suffix.removeprefix(".").lower()
    if form and suffix in FORMS and suffix != form:
        raise InputError(f"{path.name!r} is to be a file of the form {form}: give it a name that ends with .{form}.")
    asked = form or suffix
    for known in FORMS:
        if asked == known:
            return known
    if form:
        raise InputError(f"There is no form {form!r} of files; choose from {', '.join(FORMS)}.")
    raise InputError(f"{path.name!r} does not say what it is to be: name it .xlsx, .csv or .parquet.")


def as_frame(rows: object) -> pl.DataFrame:
    """Return rows as a frame: a frame, a lazy one, or what has `.pl()`, as the relations of `book.sql` do."""
    if isinstance(rows, pl.LazyFrame):
        return rows.collect()
    found = rows.pl() if hasattr(rows, "pl") else rows
    if not isinstance(found, pl.DataFrame):
        raise InputError(f"Rows are asked for, a frame or a relation of book.sql, not {type(rows).__name__}.")
    return found


def write_frame(path: Path, frame: pl.DataFrame, *, form: FileForm) -> None:
    """Write *frame* as CSV or Parquet. CSV is text of every value, exactly; Parquet keeps the types."""
    if form == "parquet":
        frame.write_parquet(path)
        return
    with path.open("wb") as file:
        # slice by slice, so that the texts of a large table are never all there
        as_text(frame.head(0)).write_csv(file)
        for part in frame.iter_slices(ROWS_AT_ONCE):
            as_text(part).write_csv(file, include_header=False)


@contextmanager
def fresh_file(path: Path, *, replace: bool) -> Iterator[Path]:
    """Yield a path to write to; what is there at the end of the block gets the name *path* at once.

    Raises InputError where a file has that name already and is not to be replaced, or where none can be written there.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder, and a file is to be written. Name a file in it.")
    if path.exists() and not replace:
        raise InputError(f"{path} is there already. Name another file, or say that it is to be replaced (--replace).")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}. Make it, or name a file in another.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, replace: bool) -> None:
    """Write *text* to a file, as `fresh_file` says."""
    with fresh_file(path, replace=replace) as draft:
        draft.write_text(text, encoding="utf-8")
