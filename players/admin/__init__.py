"""Players and segments in the back office."""

from players.admin.players import PlayerAdmin
from players.admin.segments import SegmentAdmin
from players.admin.timeline import player_events

__all__ = ["PlayerAdmin", "SegmentAdmin", "player_events"]
