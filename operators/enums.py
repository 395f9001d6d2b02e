"""What an API key may do."""

from django.db import models


class Scope(models.TextChoices):
    """The rights of an API key (API.md, auth). None of them implies another."""

    READ = "read", "Read"
    PLAY = "play", "Play: players, wallet, bets, contributions, opt-ins, claims"
    MANAGE = "manage", "Manage: instances, links, templates, promos, rates, adapters"
