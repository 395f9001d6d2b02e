"""The stored words of jackpots. Values are stored, so they are never renamed."""

from django.db import models


class InstanceKind(models.TextChoices):
    """A raffle is drawn among tickets; a progressive's pots drop."""

    RAFFLE = "raffle", "Raffle"
    PROGRESSIVE = "progressive", "Progressive"


class InstanceStatus(models.TextChoices):
    """The life of an instance, forward only (DESIGN: linked jackpots)."""

    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    CLOSING = "closing", "Closing"
    DRAWN = "drawn", "Drawn"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


class ContributionType(models.TextChoices):
    """How much of a wager a contribution is."""

    FIXED = "fixed", "Fixed amount"
    PERCENT = "percent", "Percent of the wager"


class Funding(models.TextChoices):
    """Whose money a contribution is."""

    OPERATOR = "operator", "Operator"
    PLAYER = "player", "Player"


class DropType(models.TextChoices):
    """What makes a pot of a progressive drop."""

    MANUAL = "manual", "Manual"
    MUST_HIT_BY_AMOUNT = "must_hit_by_amount", "Must hit by an amount"
    MUST_HIT_BY_TIME = "must_hit_by_time", "Must hit by a time"
    HIT_RATE = "hit_rate", "Hit rate"


class Recurrence(models.TextChoices):
    """When the next run of an instance opens."""

    DAILY = "daily", "Daily"
    WEEKLY = "weekly", "Weekly"
    MONTHLY = "monthly", "Monthly"


class Role(models.TextChoices):
    """The part an instance plays in a contribution request."""

    MAIN = "main", "Main"
    LINKED = "linked", "Linked"


class Outcome(models.TextChoices):
    """What became of one leg of a contribution request."""

    ACCEPTED = "accepted", "Accepted"
    FAILED = "failed", "Failed"
