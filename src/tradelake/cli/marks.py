"""Commands about prices: list them, and record files of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradelake.cli.options import PERIOD, Frame, listing, open_book
from tradelake.cli.recording import Reason
from tradelake.cli.streams import complain, complain_about, emit
from tradelake.errors import InputError

if TYPE_CHECKING:
    from tradelake.book import Book, MarkReceipt

REST = "`tradelake records --outcome reject` lists them all."


@listing("symbol", *PERIOD, "as_known")
def marks(
    book: "Book",
    *,
    revisions: Annotated[
        bool, typer.Option("--revisions", help="Every price that was ever given, not only the newest of each day.")
    ] = False,
    **filters: Any,
) -> Frame:
    """List the prices at the close of trading days.

    One row per instrument and day. Prices come from files, from the positions of a broker's statement, and from
    programs; a position is worth what its newest price says.
    """
    return book.marks(revisions=revisions, **filters)


def mark(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="CSV, Parquet or JSONL; one receipt each.", exists=True, dir_okay=False),
    ],
    reason: Reason = None,
) -> None:
    """Record files of prices at the close of trading days.

    Columns: mark_date, price, one of instrument_id, contract_symbol and symbol, and currency where it is not that of
    the instrument. Another price for the same day is a revision; the earlier one stays as it was known. Bad rows are
    named on stderr and the good ones are recorded.
    """
    clean, unreadable = True, False
    with open_book(context, read_only=False) as book:
        for file in files:
            try:
                receipt = book.ingest_marks(file, reason=reason)
            except InputError as error:
                complain(str(error))
                unreadable = True
                continue
            emit(_receipt_text(file.name, receipt))
            complain_about(receipt.problems, rest=REST)
            clean = clean and receipt.ok
    if unreadable or not clean:
        raise typer.Exit(2 if unreadable else 1)


def _receipt_text(name: str, receipt: "MarkReceipt") -> str:
    counts = (
        (receipt.accepted, "accepted"),
        (receipt.duplicates, "duplicates"),
        (receipt.rejects, "rejects"),
    )
    lines = [f"{name}: " + ", ".join(f"{count:,} {word}" for count, word in counts)]
    if receipt.revised:
        lines.append(f"  revised prices: {receipt.revised:,}")
    return "\n".join(lines) + "\n"
