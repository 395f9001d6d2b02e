"""How wins look on the wire: one form for every door."""

from typing import Any

from jackpots.models import Win
from jackpots.services.announcements import describe_win


def represent_win(win: Win) -> dict[str, Any]:
    """Return a win as the API shows it."""
    return describe_win(win=win)
