"""The shapes templates have on the wire."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from bonuses.enums import BonusType, WageringBasis
from bonuses.models import BonusTemplate
from bonuses.models.template import NAME_LENGTH_MAX
from core.api.serializers import (
    BodySerializer,
    CountField,
    DecimalStringField,
    FlagField,
    InstantField,
    MoneyField,
    TextField,
)
from core.instants import format_instant
from core.money import format_amount, format_decimal
from games.enums import GameCategory

_DECIMAL = {"type": "string", "pattern": r"^\d{1,20}(\.\d{1,8})?$", "example": "100"}
_CURRENCY = {"type": "string", "pattern": "^[A-Z0-9]{3,8}$", "example": "EUR"}
_COUNT = {"type": "integer", "minimum": 1}
_WEIGHT = {"type": "integer", "minimum": 0, "maximum": 1000}


def _config_of(title: str, **members: dict[str, Any]) -> dict[str, Any]:
    described = {**members, "currency": _CURRENCY}
    return {
        "title": title,
        "type": "object",
        "properties": described,
        "required": list(described),
        "additionalProperties": False,
    }


@extend_schema_field(
    {
        "anyOf": [
            _config_of(
                "free_spins",
                count=_COUNT,
                value_per_spin=_DECIMAL,
                eligible_games={"type": "array", "items": {"type": "string"}, "minItems": 1},
            ),
            _config_of("deposit_match or reload", match_percent=_DECIMAL, cap_amount=_DECIMAL),
            _config_of("no_deposit", amount=_DECIMAL),
            _config_of(
                "cashback",
                percent=_DECIMAL,
                window_days={**_COUNT, "maximum": 366},
                min_loss=_DECIMAL,
            ),
        ]
    }
)
class ConfigField(serializers.JSONField):
    """What the type needs, all of it and nothing else; the service reads it."""


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            **dict.fromkeys([*GameCategory.values, "default"], _WEIGHT),
            "games": {"type": "object", "additionalProperties": _WEIGHT},
        },
        "additionalProperties": False,
    }
)
class GameContributionField(serializers.JSONField):
    """What percentage of a stake counts, by game, else category, else default, else 0."""


# In


class UpdateBonusTemplateSerializer(BodySerializer[Any]):
    """The terms to change; what is left out stays. Grants keep the terms they have."""

    name = TextField(required=False, max_length=NAME_LENGTH_MAX)
    config = ConfigField(required=False, allow_null=True, help_text="Replaced as a whole.")
    wagering_requirement_multiplier = DecimalStringField(
        required=False, help_text='"0": it completes when it is activated.'
    )
    wagering_basis = serializers.ChoiceField(
        required=False,
        choices=WageringBasis.choices,
        help_text="`bonus_plus_deposit` with deposit_match and reload only.",
    )
    game_contribution = GameContributionField(
        required=False,
        help_text="Percent of a stake that counts: its game's, else its category's, else the"
        ' default, else 0. Left out: `{"default": 100}`.',
    )
    max_bet = MoneyField(
        required=False,
        allow_null=True,
        help_text="In the config's currency. A higher stake forfeits the bonus.",
    )
    max_win_cap = MoneyField(
        required=False,
        allow_null=True,
        help_text="In the config's currency: the most winnings that are released.",
    )
    time_limit_hours = CountField(required=False, allow_null=True)
    max_grants_per_player = CountField(
        required=False, allow_null=True, help_text="Pending ones count. Null: no limit."
    )
    is_active = FlagField(required=False)


class CreateBonusTemplateSerializer(UpdateBonusTemplateSerializer):
    """A template: `type` decides what its config needs."""

    name = TextField(max_length=NAME_LENGTH_MAX)
    type = serializers.ChoiceField(choices=BonusType.choices)
    wagering_requirement_multiplier = DecimalStringField(
        help_text='"0": it completes when it is activated.'
    )

    def validate_type(self, kind: str) -> BonusType:
        return BonusType(kind)


# Out


class BonusTemplateSerializer(serializers.Serializer[Any]):
    """A template."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    type = serializers.ChoiceField(choices=BonusType.choices)
    config = ConfigField()
    wagering_requirement_multiplier = DecimalStringField()
    wagering_basis = serializers.ChoiceField(choices=WageringBasis.choices)
    game_contribution = GameContributionField()
    max_bet = MoneyField(allow_null=True)
    max_win_cap = MoneyField(allow_null=True)
    time_limit_hours = serializers.IntegerField(allow_null=True)
    max_grants_per_player = serializers.IntegerField(allow_null=True)
    is_active = serializers.BooleanField()
    created_at = InstantField()


def represent_template(template: BonusTemplate) -> dict[str, Any]:
    """Return a template as BonusTemplateSerializer describes it."""
    return {
        "id": str(template.pk),
        "name": template.name,
        "type": template.type,
        "config": template.config,
        "wagering_requirement_multiplier": format_decimal(template.wagering_multiplier),
        "wagering_basis": template.wagering_basis,
        "game_contribution": template.game_contribution,
        "max_bet": _amount(template.max_bet, template.currency),
        "max_win_cap": _amount(template.max_win_cap, template.currency),
        "time_limit_hours": template.time_limit_hours,
        "max_grants_per_player": template.max_grants_per_player,
        "is_active": template.is_active,
        "created_at": format_instant(template.created_at),
    }


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)
