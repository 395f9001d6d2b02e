"""Ids that follow from other ids, so that they can be named before there is a row."""

from uuid import UUID, uuid5


def win_id(*, contribution_id: UUID, pot_position: int) -> UUID:
    """Return the id of the win that a contribution causes in the pot at that position."""
    return uuid5(contribution_id, f"win:{pot_position}")


def payout_reference(*, win_id: UUID) -> str:
    """Return the ledger's reference of the transfer that pays a win (bets have ``win:``)."""
    return f"jackpot:{win_id}"
