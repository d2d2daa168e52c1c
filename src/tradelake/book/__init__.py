"""The facade: what users of the library, the command line, the service and the app hold."""

from tradelake.book.facade import Book, create, open_book
from tradelake.book.receipt import RebuildReport, Receipt
from tradelake.book.texts import render, schema_texts
from tradelake.intake.model import Execution
from tradelake.tables import KINDS, TABLES

__all__ = [
    "KINDS",
    "TABLES",
    "Book",
    "Execution",
    "RebuildReport",
    "Receipt",
    "create",
    "open_book",
    "render",
    "schema_texts",
]
