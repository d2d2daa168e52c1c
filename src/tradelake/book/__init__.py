"""The facade: what users of the library, the command line, the service and the app hold."""

from typing import TYPE_CHECKING

from tradelake.book.facade import Book, create, open_book
from tradelake.book.filing import Filed
from tradelake.book.night_report import equity_until, report_of
from tradelake.book.receipt import MarkReceipt, RebuildReport, Receipt
from tradelake.book.reconciliation import Reconciliation, break_text
from tradelake.book.restoring import Restored, is_backup, rehearse, restore_book
from tradelake.book.retention import RETAINED_TABLES, Policy
from tradelake.book.surroundings import environment
from tradelake.book.texts import column_text, render, schema_texts
from tradelake.book.upgrading import migrate, migrations
from tradelake.outputs import (
    ImportLine,
    NightlyReport,
    Step,
    StepName,
    StepStatus,
    report_from_json,
    report_html,
    report_json,
    report_text,
    standing,
    verdict,
)
from tradelake.outputs.display import show
from tradelake.sessions import sessions_between
from tradelake.store import BackedUp, Maintained, Upkeep, Verified
from tradelake.store.engine import Answer, Asked, Engine
from tradelake.store.object_lock import LOCK_MODES, Lock
from tradelake.store.progress import Progress
from tradelake.store.twin import SCHEMA, Exported
from tradelake.tables import BREAK_CLASSES, KINDS, OPTION_KINDS, TABLES

if TYPE_CHECKING:
    from tradelake.intake.model import Execution

__all__ = [
    "BREAK_CLASSES",
    "KINDS",
    "LOCK_MODES",
    "OPTION_KINDS",
    "RETAINED_TABLES",
    "SCHEMA",
    "TABLES",
    "Answer",
    "Asked",
    "BackedUp",
    "Book",
    "Engine",
    "Execution",
    "Exported",
    "Filed",
    "ImportLine",
    "Lock",
    "Maintained",
    "MarkReceipt",
    "NightlyReport",
    "Policy",
    "Progress",
    "RebuildReport",
    "Receipt",
    "Reconciliation",
    "Restored",
    "Step",
    "StepName",
    "StepStatus",
    "Upkeep",
    "Verified",
    "break_text",
    "column_text",
    "create",
    "environment",
    "equity_until",
    "is_backup",
    "migrate",
    "migrations",
    "open_book",
    "rehearse",
    "render",
    "report_from_json",
    "report_html",
    "report_json",
    "report_of",
    "report_text",
    "restore_book",
    "schema_texts",
    "sessions_between",
    "show",
    "standing",
    "verdict",
]


def __getattr__(name: str) -> object:
    """Import the model of an execution when it is first needed: only what parses needs it."""
    if name != "Execution":
        raise AttributeError(f"module 'tradelake.book' has no attribute {name!r}")
    from tradelake.intake.model import Execution

    return Execution
