"""A book as files: workbooks, CSV, Parquet, the report of a night."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tradelake.book.exportable import Exportable, check_filters, exportable, usual_tables
from tradelake.book.nights import Nights
from tradelake.book.read import Day, day_of
from tradelake.book.shelf import asked_again, now
from tradelake.book.tax import TaxReaders
from tradelake.errors import InputError
from tradelake.outputs import report_from_json, report_html, report_text
from tradelake.outputs.files import FileForm, as_frame, form_of, fresh_file, write_frame, write_text
from tradelake.store import Relation

Rows = pl.DataFrame | pl.LazyFrame | Relation
Tables = str | Sequence[str] | Rows | Mapping[str, Rows] | None
NARROW = "Restrict it (since, until, account, symbol), or export it as Parquet or CSV."
SHEET_LENGTH_MAX = 31
SHEET_REFUSED = "[]:*?/\\'"
REPORT_FORMS = (".html", ".txt", ".json")


@dataclass(frozen=True, slots=True)
class Filed:
    """What was written: the files, the rows of each table, and what could not be written as it is.

    `sequence` is the head of the log at which all of it stands.
    """

    paths: tuple[str, ...]
    rows: Mapping[str, int]
    sequence: int
    notes: tuple[str, ...] = ()


class Filing(TaxReaders):
    """Everything that writes files for people and their programs."""

    def export(
        self, path: str | Path, tables: Tables = None, *, form: str | None = None, replace: bool = False, **filters: Any
    ) -> Filed:
        """Write tables to a file: a workbook (.xlsx), CSV (.csv) or Parquet (.parquet), as its name says.

        `tables` is one name or several: positions, trades, lots, matches, history, chains, pnl, tax-lots, open-tax-lots
        and so on, or frames by name, as `book.sql` gives them. Without it, it is the usual ones that take all of the
        filters. `filters` are those of the readers, as account, since or view. All tables are of one instant of the
        book. A workbook has a sheet for each; in CSV and Parquet several tables go to a folder, which is made, a file
        each. Raises InputError for a table or a filter that there is not, a file that is there already unless
        `replace`, and more rows than a sheet holds.

            book.export("june.xlsx", ["trades", "pnl"], account="GEN-1", since="2026-06-01")
        """
        target = Path(path)
        frames, sequence = self._frames_for(tables, filters)
        # a folder for several tables says nothing of their form
        kind: FileForm = form_of(target, form)
        if kind == "xlsx":
            return self._workbook(target, frames, sequence, filters, replace=replace)
        if len(frames) == 1 and not target.is_dir():
            files = dict.fromkeys(frames, target)
        else:
            folder = target
            _make_folder(folder)
            files = {name: folder / f"{name}.{kind}" for name in frames}
        for name, file in files.items():
            with fresh_file(file, replace=replace) as draft:
                write_frame(draft, frames[name], form=kind)
        rows = {name: frame.height for name, frame in frames.items()}
        return Filed(tuple(map(str, files.values())), rows, sequence)

    def export_tax_lots(self, path: str | Path, *, replace: bool = False, **filters: Any) -> Filed:
        """Write the closed lots as `tax_lots` gives them: a workbook, CSV or Parquet, as the name of the file says.

        A workbook has a second sheet of the lots that are open at the head of the log, or at `as_of`. Filters and
        errors as in `export`.
        """
        target = Path(path)
        if form_of(target) != "xlsx":
            return self.export(target, "tax-lots", replace=replace, **filters)
        with self._catalog.transaction():
            closed, sequence = self._frames_for("tax-lots", filters)
            still_open = {name: value for name, value in filters.items() if name not in ("since", "until", "limit")}
            frames = closed | self._frames_for("open-tax-lots", still_open)[0]
        return self._workbook(target, frames, sequence, filters, replace=replace)

    @asked_again
    def _frames_for(self, tables: Tables, filters: Mapping[str, Any]) -> tuple[dict[str, pl.DataFrame], int]:
        """Return the rows of each table, all at one head of the log, and that head."""
        given = {name: value for name, value in filters.items() if value is not None}
        with self._catalog.transaction():
            sequence = self._standing().head
            if not isinstance(tables, str | Sequence | Mapping | None):
                tables = {"rows": tables}
            if isinstance(tables, Mapping):
                check_filters_of_frames(given)
                return {name: as_frame(rows) for name, rows in tables.items()}, sequence
            names = usual_tables(given) if tables is None else (tables,) if isinstance(tables, str) else tuple(tables)
            if not names:
                raise InputError("There is nothing to export: name at least one table.")
            check_filters(names, given)
            # read by one name each, so that a table that is named twice is one
            found = {name.replace("_", "-"): exportable(name) for name in names}
            return {name: self._asked(table, given) for name, table in found.items()}, sequence

    def _asked(self, table: Exportable, given: Mapping[str, Any]) -> pl.DataFrame:
        """Return the rows of a table, with what it takes of the filters."""
        rows: pl.DataFrame = getattr(self, table.method)(**{k: v for k, v in given.items() if k in table.takes})
        return rows

    def _workbook(
        self,
        target: Path,
        frames: Mapping[str, pl.DataFrame],
        sequence: int,
        filters: Mapping[str, Any],
        *,
        replace: bool,
    ) -> Filed:
        from tradelake.outputs.workbook import Sheet, check_rows, write_workbook

        for name, frame in frames.items():
            _check_sheet(name)
            check_rows(name, frame, instead=NARROW)
        sheets = [Sheet(name, frame, _meanings(name)) for name, frame in frames.items()]
        at = now()
        asked = ", ".join(f"{name} {value}" for name, value in filters.items() if value is not None)
        about = [
            ("book", self._catalog.target.shown),
            ("log ends at", f"{sequence:,}"),
            ("written", f"{at:%Y-%m-%d %H:%M:%S} UTC"),
            ("filters", asked or "none"),
        ]
        with fresh_file(target, replace=replace) as draft:
            written = write_workbook(draft, sheets, about, at=at)
        return Filed((str(target),), {name: frame.height for name, frame in frames.items()}, sequence, written.notes)


class ReportFiling(Nights):
    """What writes the reports of nights."""

    def export_report(self, path: str | Path, day: Day = None, *, replace: bool = False) -> Filed:
        """Write the report of a night that is done: a page (.html), a text (.txt) or JSON (.json), as the name says.

        Without a day it is the last one. Raises InputError where that night was not done.
        """
        target = Path(path)
        if target.suffix.lower() not in REPORT_FORMS:
            raise InputError(
                f"A report is written as {', '.join(REPORT_FORMS)}: name a file like that, not {target.name!r}."
            )
        done = self.nights(since=day, until=day)
        if not done.height:
            which = "No night is done yet" if day is None else f"The night of {day_of(day)} is not done"
            raise InputError(f"{which}, so there is no report. `tradelake nightly` does it.")
        row = done.row(-1, named=True)
        text = str(row["report"])
        if target.suffix.lower() == ".html":
            text = report_html(report_from_json(text))
        elif target.suffix.lower() == ".txt":
            text = report_text(report_from_json(text))
        write_text(target, text, replace=replace)
        return Filed((str(target),), {"report": 1}, int(row["sequence"]))


def check_filters_of_frames(given: Mapping[str, Any]) -> None:
    """Raise InputError for filters beside frames: those are what they are."""
    if given:
        raise InputError(f"Frames are exported as they are: filter them before, not by {', '.join(given)}.")


def _meanings(name: str) -> Mapping[str, str]:
    try:
        return exportable(name).meanings
    except InputError:  # a frame of the caller's own
        return {}


def _check_sheet(name: str) -> None:
    if not 0 < len(name) <= SHEET_LENGTH_MAX or any(sign in name for sign in SHEET_REFUSED) or name.lower() == "about":
        raise InputError(
            f"A sheet cannot be called {name!r}: a name has 1 to {SHEET_LENGTH_MAX} characters, none of "
            f"{' '.join(SHEET_REFUSED)}, and is not `about`."
        )


def _make_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, and several tables are to be written. Name a folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be made: {error.strerror or error}.") from error
