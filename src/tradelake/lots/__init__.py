"""Pure accounting: events in, matches and lots out."""

from tradelake.lots.compiled import prepare
from tradelake.lots.effective import in_effect
from tradelake.lots.match import Matched, match_events

__all__ = ["Matched", "in_effect", "match_events", "prepare"]
