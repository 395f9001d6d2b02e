"""The shapes players and segments have on the wire."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import (
    BodySerializer,
    CountField,
    CurrencyField,
    FlagField,
    InstantField,
    MoneyField,
    ReferenceField,
    TextField,
)
from core.money import format_amount
from players.models import AFFILIATE_CODE_LENGTH_MAX, TAG_LENGTH_MAX, Player, Segment
from players.rules import COUNTRIES
from players.selectors import count_segment_players

TAGS_MAX = 50
PLAYER_IDS_MAX = 50_000


@extend_schema_field({"type": "string", "pattern": "^([A-Z]{2})?$", "example": "MT"})
class CountryField(TextField):
    """An ISO 3166-1 alpha-2 code."""

    default_error_messages: ClassVar = {"unknown": "Send an ISO 3166 alpha-2 code such as MT."}

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if code not in COUNTRIES:
            self.fail("unknown")
        return code


def tags_field(**kwargs: Any) -> serializers.ListField:
    """Return the field of a list of tags."""
    return serializers.ListField(
        child=TextField(max_length=TAG_LENGTH_MAX), max_length=TAGS_MAX, **kwargs
    )


class PutPlayerSerializer(BodySerializer[None]):
    """What is known of a player. Members that are left out keep their value."""

    currency = CurrencyField(help_text="The one currency of the player's wallet.")
    country = CountryField(
        required=False, allow_blank=True, help_text="ISO 3166 alpha-2; empty: not known."
    )
    kyc_level = CountField(required=False)
    vip_level = CountField(required=False)
    affiliate_code = TextField(
        required=False, allow_blank=True, max_length=AFFILIATE_CODE_LENGTH_MAX
    )
    tags = tags_field(required=False, help_text="Replaces the tags; a tag counts once.")
    is_blocked = FlagField(required=False)

    def validate_tags(self, tags: list[str]) -> list[str]:
        return list(dict.fromkeys(tags))


class ExcludePlayerSerializer(BodySerializer[None]):
    """Until when a player excludes themselves, exclusive."""

    until = InstantField()


class PlayerSerializer(serializers.ModelSerializer[Player]):
    """A player, by the operator's own id."""

    player_id = serializers.CharField(source="reference")
    currency = CurrencyField()
    total_deposit_usd = serializers.SerializerMethodField()
    total_wager_usd = serializers.SerializerMethodField()
    self_excluded_until = InstantField(allow_null=True)
    created_at = InstantField()

    class Meta:
        model = Player
        fields = (
            "player_id",
            "currency",
            "country",
            "kyc_level",
            "vip_level",
            "affiliate_code",
            "tags",
            "is_blocked",
            "total_deposit_usd",
            "total_wager_usd",
            "deposit_count",
            "self_excluded_until",
            "created_at",
        )
        read_only_fields = fields

    def get_total_deposit_usd(self, player: Player) -> str:
        return format_amount(player.total_deposit_usd, "USD")

    def get_total_wager_usd(self, player: Player) -> str:
        return format_amount(player.total_wager_usd, "USD")


class SegmentRulesSerializer(BodySerializer[None]):
    """Who belongs: a player must match every rule. Bounds are inclusive."""

    min_kyc_level = CountField(required=False)
    max_kyc_level = CountField(required=False)
    min_vip_level = CountField(required=False)
    max_vip_level = CountField(required=False)
    min_total_deposit_usd = MoneyField(required=False)
    max_total_deposit_usd = MoneyField(required=False)
    min_total_wager_usd = MoneyField(required=False)
    max_total_wager_usd = MoneyField(required=False)
    min_deposit_count = CountField(required=False)
    max_deposit_count = CountField(required=False)
    countries = serializers.ListField(
        child=CountryField(), required=False, allow_empty=False, max_length=len(COUNTRIES)
    )
    tags_any = tags_field(required=False, allow_empty=False, help_text="At least one of them.")
    tags_all = tags_field(required=False, allow_empty=False, help_text="Every one of them.")
    affiliate_code = TextField(required=False, max_length=AFFILIATE_CODE_LENGTH_MAX)


class CreateSegmentSerializer(BodySerializer[None]):
    """A group of players: exactly one of ``player_ids`` and ``rules``."""

    name = TextField(max_length=120)
    player_ids = serializers.ListField(
        child=ReferenceField(), required=False, allow_empty=False, max_length=PLAYER_IDS_MAX
    )
    rules = SegmentRulesSerializer(required=False, help_text="No rule at all: every player.")

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if ("player_ids" in body) == ("rules" in body):
            raise serializers.ValidationError("Send exactly one of player_ids and rules.")
        return body


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    """A group of players; ``rules`` is null when its players are listed."""

    rules = serializers.SerializerMethodField()
    created_at = InstantField()

    class Meta:
        model = Segment
        fields: ClassVar[tuple[str, ...]] = ("id", "name", "rules", "created_at")
        read_only_fields = fields

    @extend_schema_field(SegmentRulesSerializer(allow_null=True))
    def get_rules(self, segment: Segment) -> dict[str, Any] | None:
        return segment.rules


class SizedSegmentSerializer(SegmentSerializer):
    """A group of players, and how many they are at this instant."""

    size = serializers.SerializerMethodField()

    class Meta(SegmentSerializer.Meta):
        fields: ClassVar[tuple[str, ...]] = ("id", "name", "rules", "size", "created_at")
        read_only_fields = fields

    def get_size(self, segment: Segment) -> int:
        return count_segment_players(segment=segment)
