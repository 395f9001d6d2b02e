"""The stored words of activity. Values are stored, so they are never renamed."""

from django.db import models


class BetStatus(models.TextChoices):
    """How far a bet is."""

    PLACED = "placed", "Placed"
    SETTLED = "settled", "Settled"
    ROLLED_BACK = "rolled_back", "Rolled back"
