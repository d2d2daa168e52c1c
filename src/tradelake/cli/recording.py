"""Commands that record what we were told: files, and executions as they arrive."""

import json
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tradelake.cli import completing
from tradelake.cli.exporting import SCHEMA, Schema, import_postgres
from tradelake.cli.given import check_import
from tradelake.cli.options import Text, open_book
from tradelake.cli.streams import complain, complain_about, emit, progress_bar
from tradelake.errors import InputError

if TYPE_CHECKING:
    from tradelake.book import Book, Receipt

CHUNK_BYTES = 1 << 20
REST = "`tradelake records --outcome reject` and `--outcome conflict` list them all."
Reason = Annotated[Text, typer.Option(metavar="TEXT", help="Why it is recorded, for the audit trail.")]


def import_files(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="What the files are: executions or ibkr-flex; or postgres.",
            autocompletion=completing.source,
        ),
    ],
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="The files; one receipt each. With postgres: the URL of the database."),
    ] = None,
    reason: Reason = None,
    allocation: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="CSV of broker_execution_id, account_id, quantity: splits block fills over accounts.",
        ),
    ] = None,
    schema: Schema = SCHEMA,
) -> None:
    """Record files of executions, or IBKR Flex statements.

    Executions come as JSONL, CSV or Parquet, by the ending of the name; statements as XML. What the
    book knows already is recognised and counted, not recorded twice. Bad rows are named on stderr and
    the good ones are recorded. A file that cannot be read at all changes nothing, and the next is
    tried.

    `tradelake import postgres URL` fills an empty book with the twin that `tradelake export postgres` has made: every
    row comes back as it was, and the hash chain is verified.
    """
    names = files or []
    check_import(source, names)
    if source == "postgres":
        import_postgres(context, names, schema=schema)
        return
    paths = [Path(name) for name in names]
    clean, unreadable = True, False
    with open_book(context, read_only=False) as book:
        for file in paths:
            try:
                with progress_bar() as progress:
                    receipt = book.ingest(
                        source, file, reason=reason, allocation=allocation, progress=progress, more=file != paths[-1]
                    )
            except InputError as error:
                complain(str(error))
                unreadable = True
                continue
            emit(_receipt_text(file.name, receipt))
            complain_about((*receipt.problems, *receipt.warnings), rest=REST)
            clean = clean and receipt.ok
        if unreadable and len(paths) > 1:
            # The last file, with which the others are folded, may have been among them.
            book.fold()
        idle = book.refusals().height
        if idle:
            events = "event of the log has" if idle == 1 else "events of the log have"
            complain(f"{idle:,} {events} no effect on positions; `tradelake refusals` says why and what to do.")
    if unreadable or not clean:
        raise typer.Exit(2 if unreadable else 1)


def record(
    context: typer.Context,
    rows: Annotated[
        typer.FileBinaryRead, typer.Argument(metavar="-", help="Executions as JSONL: - for stdin, or a file.")
    ],
    reason: Reason = None,
) -> None:
    """Record executions line by line as they arrive.

    One JSON object per line goes in, and one line of JSON comes out for each. A line is answered as
    soon as it is durable, with its row, outcome (accepted, duplicate, conflict, reject), trade_id, code
    and message, and the book's sequence and version after it.
    """
    clean = True
    first = 1
    with open_book(context, read_only=False) as book:
        for lines in _arriving(rows):
            clean = _record_lines(book, lines, first=first, reason=reason) and clean
            first += len(lines)
    if not clean:
        raise typer.Exit(1)


def _receipt_text(name: str, receipt: "Receipt") -> str:
    counts = (
        (receipt.accepted, "accepted"),
        (receipt.duplicates, "duplicates"),
        (receipt.conflicts, "conflicts"),
        (receipt.rejects, "rejects"),
        (receipt.kept, "kept"),
    )
    lines = [f"{name}: " + ", ".join(f"{count:,} {word}" for count, word in counts)]
    lines.append(f"  the log ends at {receipt.sequence:,}, version {receipt.version:,}")
    if receipt.new_accounts:
        lines.append(f"  new accounts: {', '.join(receipt.new_accounts)}")
    if receipt.new_instruments:
        lines.append(f"  new instruments: {len(receipt.new_instruments):,}")
    if receipt.marks:
        lines.append(f"  prices of positions: {receipt.marks:,}")
    return "\n".join(lines) + "\n"


def _arriving(stream: typer.FileBinaryRead) -> Iterator[list[bytes]]:
    """Yield the lines that have arrived so far, so that a slow writer is answered line by line."""
    rest = b""
    while chunk := stream.read1(CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield lines
    if rest:
        yield [rest]


def _record_lines(book: "Book", lines: list[bytes], *, first: int, reason: str | None) -> bool:
    """Record lines that arrived together, print the answer to each, and return whether all were usable."""
    rows: dict[int, dict[str, object]] = {}
    answers: list[dict[str, object]] = []
    for number, line in enumerate(lines, first):
        if not line.strip():
            continue
        row = _json_object(line)
        if isinstance(row, dict):
            rows[number] = row
        else:
            answers.append({"row": number, "outcome": "reject", "code": "bad_json", "message": row})
    clean = not answers
    after = {"sequence": book.sequence, "version": book.version}
    if rows:
        numbers = list(rows)
        receipt = book.record(list(rows.values()), reason=reason)
        clean = receipt.ok and clean
        complain_about(receipt.warnings, rest="")
        after = {"sequence": receipt.sequence, "version": receipt.version}
        answers += [
            {**outcome, "row": numbers[outcome["row"] - 1]} for outcome in receipt.outcomes.iter_rows(named=True)
        ]
    for answer in sorted(answers, key=itemgetter("row")):
        emit(json.dumps({**answer, **after}) + "\n")
    return clean


def _json_object(line: bytes) -> dict[str, object] | str:
    """Return the object of a JSON line, or why there is none."""
    try:
        row = json.loads(line)
    except RecursionError:
        return "the line is nested too deeply. Write one flat JSON object per line."
    except ValueError as error:
        return f"the line is not JSON: {error}. Write one JSON object per line."
    if not isinstance(row, dict):
        return f"the line is JSON, but no object: {type(row).__name__}. Write one JSON object per line."
    return row
