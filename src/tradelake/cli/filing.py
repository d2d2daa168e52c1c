"""Commands that write a book to files for people and their programs: workbooks, CSV, Parquet, reports, tax lots."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradelake.cli import completing
from tradelake.cli.listings import names
from tradelake.cli.nightly import Date
from tradelake.cli.options import Filters, Text, open_book, takes
from tradelake.cli.streams import complain, emit

if TYPE_CHECKING:
    from tradelake.book import Filed

File = Annotated[Path, typer.Argument(metavar="FILE", help="Where it goes.")]
FileOrFolder = Annotated[
    Path, typer.Argument(metavar="FILE", help="Where it goes; a folder for several tables, which get a file each.")
]
Replace = Annotated[bool, typer.Option("--replace", help="Write over what is there.")]
Json = Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which tables are written, and how."""

    tables: Annotated[
        Text,
        typer.Option(
            metavar="LIST",
            help="Which, by commas: positions, trades, lots, matches, history, chains, pnl, bridge (these without it, "
            "as far as they take the filters), tax-lots, open-tax-lots, and any other listing.",
            autocompletion=completing.listed(completing.TABLES),
        ),
    ] = None
    by: Annotated[
        Text, typer.Option(metavar="LIST", help="For pnl: any of account, month, year and so on, by commas.")
    ] = None
    replace: Replace = False
    json: Json = False


@takes(chosen=Chosen, filters=Filters)
def export_xlsx(context: typer.Context, path: File, *, chosen: Chosen, filters: Filters) -> None:
    """Write tables to a workbook, a sheet each.

    Numbers, days and instants (UTC) are typed and formatted, the heading stays in view and filters. A number with
    more than 15 digits is text, since a cell would round it; the last sheet counts those, and says what columns mean.
    """
    _export(context, path, "xlsx", chosen, filters)


@takes(chosen=Chosen, filters=Filters)
def export_csv(context: typer.Context, path: FileOrFolder, *, chosen: Chosen, filters: Filters) -> None:
    """Write tables as CSV, every value as exact text."""
    _export(context, path, "csv", chosen, filters)


@takes(chosen=Chosen, filters=Filters)
def export_parquet(context: typer.Context, path: FileOrFolder, *, chosen: Chosen, filters: Filters) -> None:
    """Write tables as Parquet, with exact decimals and UTC instants."""
    _export(context, path, "parquet", chosen, filters)


@takes(filters=Filters)
def export_tax_lots(
    context: typer.Context,
    path: File,
    year: Annotated[int | None, typer.Option(metavar="YEAR", help="Only what was sold in this year.")] = None,
    replace: Replace = False,
    json: Json = False,
    *,
    filters: Filters,
) -> None:
    """Write closed lots as Form 8949 lists them.

    FILE is a workbook (.xlsx), which also has a sheet of the open lots, CSV or Parquet. One row per lot: description,
    the days it was acquired and sold, proceeds, basis, gain, term, how, method and ids. Options that were exercised
    or assigned are no rows: their premium is in the shares. Wash sales are not worked out.
    """
    given = _given(filters)
    if year is not None:
        if {"since", "until"} & set(given):
            raise typer.BadParameter("--year excludes --since and --until: give one of them.")
        given |= {"since": f"{year:04}-01-01", "until": f"{year:04}-12-31"}
    with open_book(context, read_only=True, cold=filters.include_archive) as book:
        done = book.export_tax_lots(path, replace=replace, **given)
    _say(done, json=json)


def export_report(
    context: typer.Context, path: File, date: Date = None, replace: Replace = False, json: Json = False
) -> None:
    """Write the report of a night that is done.

    FILE is a page (.html) that needs nothing else, a text (.txt) or JSON (.json).
    """
    with open_book(context, read_only=True) as book:
        done = book.export_report(path, date, replace=replace)
    _say(done, json=json)


def _export(context: typer.Context, path: Path, form: str, chosen: Chosen, filters: Filters) -> None:
    given = _given(filters) | ({} if chosen.by is None else {"by": names(chosen.by)})
    with open_book(context, read_only=True, cold=filters.include_archive) as book:
        asked = None if chosen.tables is None else names(chosen.tables)
        done = book.export(path, asked, form=form, replace=chosen.replace, **given)
    _say(done, json=chosen.json)


def _given(filters: Filters) -> dict[str, Any]:
    """Return the filters that were given; a view that is the default is none."""
    found = {name: value for name, value in asdict(filters).items() if value is not None and name != "include_archive"}
    if found["view"] == "tax":
        del found["view"]
    return found


def _say(done: "Filed", *, json: bool) -> None:
    """Print what was written, and complain about what could not be written as it is."""
    for note in done.notes:
        complain(note)
    if json:
        from json import dumps

        emit(dumps(asdict(done)) + "\n")
        return
    for path in done.paths:
        emit(f"{path}\n")
    rows = ", ".join(f"{count:,} {name}" for name, count in done.rows.items())
    emit(f"  {rows}, up to event {done.sequence:,}\n")
