"""The twin of a book in PostgreSQL: a whole book is loaded there, brought up to date, and read back."""

from tradelake.store.twin.export import Exported, export_book
from tradelake.store.twin.read_back import TwinReader
from tradelake.store.twin.server import SCHEMA, Noted, Twin, twin_at
from tradelake.store.twin.source import Source

__all__ = ["SCHEMA", "Exported", "Noted", "Source", "Twin", "TwinReader", "export_book", "twin_at"]
