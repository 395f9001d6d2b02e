"""What there is to play."""

import re
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from core.querysets import OperatorQuerySet
from games.enums import GameCategory

SLUG_LENGTH_MAX = 64
SLUG_PATTERN = r"^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$"


class GameQuerySet(OperatorQuerySet["Game"]):
    def with_slug(self, slug: str) -> Self:
        """The game with that slug, or none; what cannot be a slug is not looked for."""
        return self.filter(slug=slug) if re.fullmatch(SLUG_PATTERN, slug) else self.none()


class Game(models.Model):
    """
    A game in an operator's catalogue, known by its slug.

    House games are the operator's own: promo restrictions never forbid them.
    """

    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    slug = models.CharField(max_length=SLUG_LENGTH_MAX)
    name = models.CharField(max_length=120)
    category = models.CharField(max_length=16, choices=GameCategory.choices)
    provider = models.CharField(max_length=64, blank=True)
    is_house = models.BooleanField("house game", default=False)
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(GameQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(name="game_slug_is_unique", fields=["operator", "slug"]),
            models.CheckConstraint(
                name="game_slug_is_plain", condition=Q(slug__regex=SLUG_PATTERN)
            ),
            models.CheckConstraint(
                name="game_category_is_known", condition=Q(category__in=GameCategory.values)
            ),
        ]
        indexes: ClassVar = [models.Index(name="game_newest_first", fields=["operator", "-id"])]

    def __str__(self) -> str:
        return self.name
