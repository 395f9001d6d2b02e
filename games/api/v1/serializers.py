"""The shapes games have on the wire."""

import re
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import BodySerializer, FlagField, InstantField, TextField
from games.enums import GameCategory
from games.models import SLUG_PATTERN, Game


@extend_schema_field({"type": "string", "pattern": SLUG_PATTERN, "example": "book-of-sums"})
class SlugField(TextField):
    """A game's slug: 1 to 64 lower-case letters, digits, dashes and underscores."""

    default_error_messages: ClassVar = {
        "malformed": "Send 1 to 64 lower-case letters, digits, dashes and underscores, "
        "with a letter or digit at either end."
    }

    def to_internal_value(self, data: Any) -> str:
        slug = super().to_internal_value(data)
        if not re.fullmatch(SLUG_PATTERN, slug):
            self.fail("malformed")
        return slug


class PutGameSerializer(BodySerializer[None]):
    """What a game is. The optional members keep their value when they are left out."""

    name = TextField(max_length=120)
    category = serializers.ChoiceField(choices=GameCategory.choices)
    provider = TextField(required=False, allow_blank=True, max_length=64)
    is_house = FlagField(
        required=False, help_text="The operator's own game: promo restrictions never forbid it."
    )


class GameSerializer(serializers.ModelSerializer[Game]):
    """A game of the catalogue."""

    created_at = InstantField()

    class Meta:
        model = Game
        fields = ("slug", "name", "category", "provider", "is_house", "created_at")
        read_only_fields = fields
