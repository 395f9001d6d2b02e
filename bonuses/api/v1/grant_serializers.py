"""The shapes that grants and issuances have on the wire."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from bonuses.enums import BonusType, GrantStatus, IssuanceStatus
from core.api.serializers import (
    BodySerializer,
    CurrencyField,
    DecimalStringField,
    FlagField,
    InstantField,
    MoneyField,
    ReferenceField,
    TextField,
)

REASON_LENGTH_MAX = 200
REFERENCES_MAX = 20

# In


class GrantedBySerializer(BodySerializer[Any]):
    """Who or what of the caller's gives the bonus."""

    kind = TextField(max_length=32, help_text="Such as operator, journey, campaign.")
    ref = TextField(max_length=200, required=False, allow_blank=True)


class IssueBonusSerializer(BodySerializer[Any]):
    """A bonus for a player."""

    template_id = serializers.UUIDField()
    player_id = ReferenceField()
    deposit_amount = MoneyField(
        required=False,
        above=Decimal(0),
        help_text="What a match or a reload matches, in the player's currency.",
    )
    await_deposit = FlagField(
        required=False, help_text="Wait for the player's next deposit instead."
    )
    granted_by = GrantedBySerializer(required=False)
    references = serializers.DictField(
        child=TextField(max_length=200, allow_blank=True),
        required=False,
        help_text=f"Up to {REFERENCES_MAX} texts of your own, given back with the grant.",
    )

    def validate_references(self, references: dict[str, str]) -> dict[str, str]:
        if len(references) > REFERENCES_MAX:
            raise serializers.ValidationError(f"At most {REFERENCES_MAX} references.")
        if any(len(name) > 64 or not name.isprintable() for name in references):
            raise serializers.ValidationError("A name has at most 64 printable characters.")
        return references

    def validate(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.get("await_deposit") and "deposit_amount" in body:
            raise serializers.ValidationError(
                {"await_deposit": "Send a deposit_amount or wait for one, not both."}
            )
        return body


class EndGrantSerializer(BodySerializer[Any]):
    """Why a grant is ended."""

    reason = TextField(max_length=REASON_LENGTH_MAX)


# Out


class BonusGrantSerializer(serializers.Serializer[Any]):
    """A player's bonus as it is."""

    id = serializers.UUIDField()
    template_id = serializers.UUIDField()
    player_id = serializers.CharField()
    type = serializers.ChoiceField(choices=BonusType.choices)
    status = serializers.ChoiceField(choices=GrantStatus.choices)
    platform_bonus_id = serializers.CharField()
    adapter_slug = serializers.CharField()
    bonus_amount = MoneyField()
    bonus_currency = CurrencyField()
    deposit_amount = MoneyField(allow_null=True)
    bonus_amount_base = MoneyField()
    base_currency_code = CurrencyField()
    fx_rate_locked = DecimalStringField(
        help_text="Units of the base currency for one of the bonus currency."
    )
    fx_locked_at = InstantField()
    wagering_required = MoneyField()
    wagering_progress = MoneyField()
    total_wagered = MoneyField()
    granted_at = InstantField()
    activated_at = InstantField(allow_null=True)
    expires_at = InstantField(allow_null=True)
    completed_at = InstantField(allow_null=True)
    forfeited_at = InstantField(allow_null=True)
    expired_at = InstantField(allow_null=True)
    cancelled_at = InstantField(allow_null=True)
    outcome_reason = serializers.CharField(allow_null=True)
    released_amount = MoneyField(
        allow_null=True, help_text="What completing it moved to the main balance."
    )
    references = serializers.DictField(child=serializers.CharField())


class IssuanceErrorSerializer(serializers.Serializer[Any]):
    """Why the last attempt did not succeed."""

    code = serializers.CharField(help_text="The platform's, or PLATFORM_UNAVAILABLE.")
    detail = serializers.CharField()


class BonusIssuanceSerializer(serializers.Serializer[Any]):
    """How far the issuing of a bonus is."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=IssuanceStatus.choices)
    template_id = serializers.UUIDField()
    player_id = serializers.CharField()
    attempts = serializers.IntegerField()
    next_attempt_at = InstantField(allow_null=True)
    grant_id = serializers.UUIDField(allow_null=True)
    error = IssuanceErrorSerializer(allow_null=True)
    created_at = InstantField()


class ArmedOfferSerializer(BonusIssuanceSerializer):
    """An offer that a deposit has armed, with its grant once there is one."""

    grant = BonusGrantSerializer(allow_null=True)
