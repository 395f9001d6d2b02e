"""The kinds of games."""

from django.db import models


class GameCategory(models.TextChoices):
    """What kind of game it is. Values are stored and public, so they are never renamed."""

    SLOTS = "slots", "Slots"
    TABLE = "table", "Table"
    LIVE = "live", "Live"
    CRASH = "crash", "Crash"
    SPORTS = "sports", "Sports"
    LOTTERY = "lottery", "Lottery"
    OTHER = "other", "Other"
