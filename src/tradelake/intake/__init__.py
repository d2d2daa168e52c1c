"""The edge: text of any source becomes validated events, and one problem per row that cannot be used."""

from tradelake.intake.check import recheck, validate
from tradelake.intake.model import Execution
from tradelake.intake.parsed import Parsed

__all__ = ["Execution", "Parsed", "recheck", "validate"]
