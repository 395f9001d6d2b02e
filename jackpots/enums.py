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
    #: Not of a leg: the row that takes an accepted leg back.
    REVERSAL = "reversal", "Reversal"


#: What a request for a contribution leads to, leg by leg.
LEG_OUTCOMES = (Outcome.ACCEPTED, Outcome.FAILED)


class EntryKind(models.TextChoices):
    """
    How money comes into a pot, or leaves it, other than by contributions and wins.

    Whether it adds to the pot and its reserve together: SEED, BOOST, TOP_UP and
    TRANSFER_IN do, TRANSFER_OUT takes away; RESERVE only moves it from reserve to meter.
    """

    SEED = "seed", "Seed from the house"
    RESERVE = "reserve", "Seed from the reserve"
    BOOST = "boost", "Boost"
    #: The house adds what a raffle's fixed prizes need beyond the pot.
    TOP_UP = "top_up", "Top-up for prizes"
    #: From the same raffle's other pots, or from the run before.
    TRANSFER_IN = "transfer_in", "Rolled over from"
    TRANSFER_OUT = "transfer_out", "Rolled over to"


class WinCause(models.TextChoices):
    """What made a win: the drop of a pot, or the draw of a raffle."""

    MANUAL = "manual", "Manual drop"
    MUST_HIT_BY_AMOUNT = "must_hit_by_amount", "Hit by its amount"
    MUST_HIT_BY_TIME = "must_hit_by_time", "Hit by its time"
    HIT_RATE = "hit_rate", "Hit by chance"
    DRAW = "draw", "Draw"


class WinStatus(models.TextChoices):
    """How far a win is on its way to the player."""

    AWAITING_APPROVAL = "awaiting_approval", "Awaiting approval"
    PAYABLE = "payable", "Payable"
    PAID = "paid", "Paid"
    REJECTED = "rejected", "Rejected"


class BoostStatus(models.TextChoices):
    """What became of the request for a boost."""

    REQUESTED = "requested", "Requested"
    APPLIED = "applied", "Applied"
    REJECTED = "rejected", "Rejected"


class RequestStatus(models.TextChoices):
    """How far a contribution request is that was answered 202."""

    PENDING = "pending", "Pending"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class RollbackScope(models.TextChoices):
    """What a rollback takes back: one leg, or every accepted leg of its request."""

    LEG = "leg", "One leg"
    REQUEST = "request", "The whole request"
