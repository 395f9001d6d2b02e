"""The stored words of promos. Values are stored, so they are never renamed."""

from django.db import models


class PromoType(models.TextChoices):
    """An instant promo pays at the claim; a deposit promo matches the first deposit after it."""

    INSTANT = "INSTANT", "Instant"
    DEPOSIT = "DEPOSIT", "Deposit match"


class UserPromoStatus(models.TextChoices):
    """The life of one player's claim, forward only (DESIGN: promo codes)."""

    CLAIMED = "CLAIMED", "Claimed"
    ACTIVE = "ACTIVE", "Active"
    COMPLETED = "COMPLETED", "Completed"
    CANCELLED = "CANCELLED", "Cancelled"
    EXPIRED = "EXPIRED", "Expired"


OPEN_STATUSES = (UserPromoStatus.CLAIMED, UserPromoStatus.ACTIVE)
CLOSED_STATUSES = (
    UserPromoStatus.COMPLETED,
    UserPromoStatus.CANCELLED,
    UserPromoStatus.EXPIRED,
)


class LockSource(models.TextChoices):
    """What of a claim locked withdrawals."""

    CLAIM = "CLAIM", "The claim"
    CREDIT = "CREDIT", "The bonus credit"


class RestrictedAction(models.TextChoices):
    """What a promo can forbid a player (API.md, wallet)."""

    WITHDRAW = "withdraw", "Withdraw"
    TIP = "tip", "Tip"
    VAULT = "vault", "Vault"
    BET = "bet", "Bet"


class BatchStatus(models.TextChoices):
    """How far the codes of a batch are."""

    PENDING = "pending", "Waiting for a worker"
    MAKING = "making", "Being made"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    DISABLED = "disabled", "Disabled"
