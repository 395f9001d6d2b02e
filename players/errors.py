"""Refusals about players."""

from core.errors import DomainError


class PlayerSelfExcluded(DomainError):
    """The player has excluded themselves, and the exclusion has not ended."""

    code = "PLAYER_SELF_EXCLUDED"
    title = "Player self-excluded"


class PlayerBlocked(DomainError):
    """The operator has blocked the player."""

    code = "PLAYER_BLOCKED"
    title = "Player blocked"


class CurrencyLocked(DomainError):
    """The player's wallet has been opened, so its currency is fixed."""

    code = "CURRENCY_LOCKED"
    title = "Currency locked"


class SelfExclusionOnlyGrows(DomainError):
    """A self-exclusion may be extended, never shortened or lifted."""

    code = "SELF_EXCLUSION_ONLY_GROWS"
    title = "Self-exclusion only grows"
