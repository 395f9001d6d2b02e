"""Players and segments in the back office."""

from players.admin.players import PlayerAdmin
from players.admin.segments import SegmentAdmin

__all__ = ["PlayerAdmin", "SegmentAdmin"]
