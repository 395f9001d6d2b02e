"""The stored words of bonuses. Values are stored and go over the wire, so they never change."""

from django.db import models


class BonusType(models.TextChoices):
    """What a bonus gives, and for what (seed: types)."""

    FREE_SPINS = "free_spins", "Free spins"
    DEPOSIT_MATCH = "deposit_match", "Deposit match"
    NO_DEPOSIT = "no_deposit", "No deposit"
    CASHBACK = "cashback", "Cashback"
    RELOAD = "reload", "Reload"


#: Types that match a deposit: they need one, and may count it towards the wagering.
DEPOSIT_TYPES = (BonusType.DEPOSIT_MATCH, BonusType.RELOAD)


class WageringBasis(models.TextChoices):
    """What the wagering multiplier multiplies."""

    BONUS = "bonus", "Bonus"
    BONUS_PLUS_DEPOSIT = "bonus_plus_deposit", "Bonus plus deposit"


class GrantStatus(models.TextChoices):
    """The life of a grant: active, and then one of the four ends."""

    ACTIVE = "active", "Active"
    COMPLETED = "completed", "Completed"
    FORFEITED = "forfeited", "Forfeited"
    EXPIRED = "expired", "Expired"
    CANCELLED = "cancelled", "Cancelled"


CLOSED_GRANT_STATUSES = (
    GrantStatus.COMPLETED,
    GrantStatus.FORFEITED,
    GrantStatus.EXPIRED,
    GrantStatus.CANCELLED,
)


class IssuanceStatus(models.TextChoices):
    """How far the issuing of one bonus is."""

    AWAITING_DEPOSIT = "awaiting_deposit", "Awaiting a deposit"
    PENDING = "pending", "Pending"
    SUCCEEDED = "succeeded", "Succeeded"
    REJECTED = "rejected", "Rejected by the platform"
    FAILED = "failed", "Given up"


#: What counts against max_grants_per_player although there is no grant yet.
OPEN_ISSUANCE_STATUSES = (IssuanceStatus.AWAITING_DEPOSIT, IssuanceStatus.PENDING)
CLOSED_ISSUANCE_STATUSES = (
    IssuanceStatus.SUCCEEDED,
    IssuanceStatus.REJECTED,
    IssuanceStatus.FAILED,
)


class PlatformEventType(models.TextChoices):
    """What a platform may tell of a bonus (seed: webhook lifecycle)."""

    CREDITED = "bonus.credited", "Credited"
    WAGERED = "bonus.wagered", "Wagered"
    COMPLETED = "bonus.completed", "Completed"
    EXPIRED = "bonus.expired", "Expired"
    CANCELLED = "bonus.cancelled", "Cancelled"
    FORFEITED = "bonus.forfeited", "Forfeited"


class EventOutcome(models.TextChoices):
    """What came of a platform's event; with ``applied``, its ``reason`` on the wire."""

    APPLIED = "applied", "Applied"
    PARKED = "parked", "Parked: the grant is not there yet"
    TERMINAL_IMMUTABLE = "terminal_immutable", "The grant has ended"
    UNSUPPORTED_EVENT = "unsupported_event", "Not an event we know"


class DiscrepancyKind(models.TextChoices):
    """How a platform and we can disagree about a bonus."""

    UNKNOWN_BONUS = "unknown_bonus", "The platform does not know the bonus"
    TERMS_DIFFER = "terms_differ", "The platform granted other terms"
    NOT_ANSWERED = "not_answered", "The platform's answer cannot be used"


class DiscrepancyStatus(models.TextChoices):
    """What has become of a discrepancy."""

    OPEN = "open", "Open"
    FIXED = "fixed", "Fixed"
    EXPLAINED = "explained", "Explained"


class RunStatus(models.TextChoices):
    """Whether a reconciliation is under way."""

    RUNNING = "running", "Running"
    FINISHED = "finished", "Finished"


class CampaignStatus(models.TextChoices):
    """The life of a campaign."""

    DRAFT = "draft", "Draft"
    ISSUING = "issuing", "Issuing"
    ISSUED = "issued", "Issued"


class TargetStatus(models.TextChoices):
    """What a campaign has done for one player of its audience."""

    PENDING = "pending", "Pending"
    GRANTED = "granted", "Granted"
    SKIPPED = "skipped", "Skipped"
    FAILED = "failed", "Failed"
