"""The edge: text of any source becomes validated events, and one problem per row that cannot be used."""

from typing import TYPE_CHECKING

from tradelake.intake.parsed import Parsed

if TYPE_CHECKING:
    from tradelake.intake.check import recheck, validate
    from tradelake.intake.model import Execution

__all__ = ["Execution", "Parsed", "recheck", "validate"]


def __getattr__(name: str) -> object:
    """Import what validates when it is first needed: most of what reads a book parses nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'tradelake.intake' has no attribute {name!r}")
    from tradelake.intake import check, model

    return getattr(model if name == "Execution" else check, name)
