"""Refusals of what players do."""

from core.errors import DomainError


class BetAlreadyExists(DomainError):
    """The player has a bet of that id with other content."""

    code = "BET_ALREADY_EXISTS"
    title = "Bet already exists"


class BetAlreadySettled(DomainError):
    """The bet has been settled with another payout."""

    code = "BET_ALREADY_SETTLED"
    title = "Bet already settled"


class BetRolledBack(DomainError):
    """The bet has been rolled back, so it cannot be settled."""

    code = "BET_ROLLED_BACK"
    title = "Bet rolled back"


class CashierReferenceTaken(DomainError):
    """The operator has used the reference for another deposit, or another withdrawal."""

    code = "CASHIER_REFERENCE_TAKEN"
    title = "Reference taken"
