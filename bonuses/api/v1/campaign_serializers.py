"""The shapes campaigns have on the wire."""

from typing import Any

from rest_framework import serializers

from bonuses.enums import CampaignStatus
from bonuses.models.template import NAME_LENGTH_MAX
from bonuses.services.previews import CampaignPreview
from core.api.serializers import (
    BodySerializer,
    CountField,
    CurrencyField,
    InstantField,
    MoneyField,
    TextField,
)
from core.money import format_amount

REASON_LENGTH_MAX = 200


# In


class CreateCampaignSerializer(BodySerializer[Any]):
    """A template for all players of a segment."""

    name = TextField(max_length=NAME_LENGTH_MAX)
    segment_id = serializers.UUIDField()
    template_id = serializers.UUIDField()
    budget_base = MoneyField(
        required=False,
        allow_null=True,
        help_text="The most it may cost, in the operator's base currency; null: no cap.",
    )


class SetCampaignBudgetSerializer(BodySerializer[Any]):
    """The most a campaign may cost."""

    budget_base = MoneyField(allow_null=True, help_text="In the base currency; null: no cap.")
    reason = TextField(required=False, allow_blank=True, max_length=REASON_LENGTH_MAX)


class MoveCampaignSerializer(BodySerializer[Any]):
    """Why."""

    reason = TextField(required=False, allow_blank=True, max_length=REASON_LENGTH_MAX)


class EmptySerializer(BodySerializer[Any]):
    """Nothing needs to be said."""


# Out


class CampaignStatsSerializer(serializers.Serializer[Any]):
    """How many targets are how far; together they are the audience, at every instant."""

    pending = CountField()
    granted = CountField(help_text="Offers that wait for the player's deposit included.")
    skipped = CountField(help_text="Refused by our own rules; the results say which.")
    failed = CountField(help_text="Rejected by the platform, or given up.")


class CampaignSerializer(serializers.Serializer[Any]):
    """A campaign and how far it is."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    segment_id = serializers.UUIDField()
    template_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=CampaignStatus.choices)
    is_paused = serializers.BooleanField()
    pause_reason = serializers.CharField(allow_null=True)
    budget_base = MoneyField(allow_null=True)
    committed_base = MoneyField(help_text="Cost of what was granted, offered or is in flight.")
    base_currency_code = CurrencyField()
    audience_size = CountField(allow_null=True, help_text="Null until it is started.")
    stats = CampaignStatsSerializer()
    created_at = InstantField()
    started_at = InstantField(allow_null=True)
    finished_at = InstantField(allow_null=True)


class CampaignPreviewSerializer(serializers.Serializer[Any]):
    """What starting the campaign at this instant would come to."""

    audience = CountField()
    eligible = CountField()
    estimated_cost = MoneyField(help_text="In the base currency, at the rates of now.")
    base_currency_code = CurrencyField()
    is_upper_bound = serializers.BooleanField(
        help_text="It matches a deposit that nobody knows yet: the cost is what its cap allows."
    )
    skips = serializers.DictField(
        child=CountField(), help_text="Players that would be skipped, by the code of the refusal."
    )


def represent_preview(preview: CampaignPreview) -> dict[str, Any]:
    """Return a preview as the API shows it."""
    return {
        "audience": preview.audience_size,
        "eligible": preview.eligible_count,
        "estimated_cost": format_amount(preview.cost_base, preview.base_currency),
        "base_currency_code": preview.base_currency,
        "is_upper_bound": preview.is_upper_bound,
        "skips": preview.skips,
    }
