"""The words of the simulator. They go over the wire, so they are never renamed."""

from django.db import models


class Volatility(models.TextChoices):
    """How far the payouts of a game lie apart (docs/simulator.md has their tables)."""

    NONE = "none", "None: every bet pays exactly the RTP"
    LOW = "low", "Low: small wins, often"
    MEDIUM = "medium", "Medium: an ordinary slot"
    HIGH = "high", "High: rare wins, large ones"


class Outcome(models.TextChoices):
    """How a simulated player's bonus ends."""

    COMPLETED = "completed", "Completed"
    BUSTED = "busted", "Out of money"
    EXPIRED = "expired", "Time was up"
    GAVE_UP = "gave_up", "Gave up"
    FORFEITED = "forfeited", "Forfeited by a stake above the maximum"
    OPEN = "open", "Still wagering at the end"


class Warned(models.TextChoices):
    """What a simulation warns of."""

    LOOKS_LIKE_A_LOSS = "LOOKS_LIKE_A_LOSS", "The terms look like a loss"
    WAGERING_ABOVE_LIMIT = "WAGERING_ABOVE_LIMIT", "The wagering is above a limit"
    NOBODY_CAN_COMPLETE = "NOBODY_CAN_COMPLETE", "Nobody can complete in time"
    STAKES_FORFEIT = "STAKES_FORFEIT", "Stakes are above the maximum bet"
    GAMES_LEFT_OUT = "GAMES_LEFT_OUT", "Games of the mix cannot be played"
    TOO_FEW_ROUNDS = "TOO_FEW_ROUNDS", "Too few rounds for a firm answer"
