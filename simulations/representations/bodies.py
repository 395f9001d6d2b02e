"""What a simulation is asked for with: over HTTP, or in a file."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from bonuses.api.v1.template_serializers import ConfigField, GameContributionField
from bonuses.enums import BonusType, WageringBasis
from bonuses.rules.configs import EVERY_GAME_COUNTS, TIME_LIMIT_HOURS_MAX
from core.api.serializers import (
    BodySerializer,
    CountField,
    CurrencyField,
    DecimalStringField,
    MoneyField,
    TextField,
)
from games.enums import GameCategory
from promos.enums import PromoType
from simulations.enums import Volatility
from simulations.rules.scenario import (
    BETS_PER_HOUR_MAX,
    GAMES_MAX,
    HORIZON_DAYS_MAX,
    PLAYERS_MAX,
    PLAYERS_MIN,
    SEED_MAX,
    STAKES_MAX,
    Stake,
)

_ONE = Decimal(1)
_ZERO = Decimal(0)
_LISTED_MAX = 200


class ShareField(DecimalStringField):
    """A share of 1, as a decimal string."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("up_to", _ONE)
        super().__init__(**kwargs)


class PartField(DecimalStringField):
    """How much beside the others: parts need not add up to anything."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(above=_ZERO, up_to=Decimal(1_000_000), **kwargs)


class StakeSerializer(BodySerializer[Any]):
    """A stake that players place, and how often beside the others."""

    stake = MoneyField(above=_ZERO)
    share = PartField(required=False, help_text='Default: "1".')

    def validate(self, attrs: dict[str, Any]) -> Any:
        return Stake(attrs["stake"], attrs.get("share", _ONE))


class MixedGameSerializer(BodySerializer[Any]):
    """A game, or all of a category, and how much of the play is on it beside the others."""

    game = TextField(required=False, max_length=64, help_text="A slug. Or name a category.")
    category = serializers.ChoiceField(required=False, choices=GameCategory.choices)
    share = PartField(required=False, help_text='Default: "1".')
    rtp = ShareField(required=False, allow_null=True, help_text="Default: the one of all games.")
    volatility = serializers.ChoiceField(
        required=False,
        allow_null=True,
        choices=Volatility.choices,
        help_text="Default: the one of all games.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("game" in attrs) == ("category" in attrs):
            raise serializers.ValidationError({"game": ["Name a game or a category."]})
        if attrs.get("volatility") is not None:
            attrs["volatility"] = Volatility(attrs["volatility"])
        return attrs


class SimulatedBonusSerializer(BodySerializer[Any]):
    """The terms of a bonus, as `POST /v1/bonus-templates` takes them."""

    type = serializers.ChoiceField(choices=BonusType.choices)
    config = ConfigField()
    wagering_requirement_multiplier = DecimalStringField()
    wagering_basis = serializers.ChoiceField(
        required=False, choices=WageringBasis.choices, default=WageringBasis.BONUS.value
    )
    game_contribution = GameContributionField(required=False, default=EVERY_GAME_COUNTS)
    max_bet = MoneyField(required=False, allow_null=True)
    max_win_cap = MoneyField(required=False, allow_null=True)
    time_limit_hours = CountField(required=False, allow_null=True, max_value=TIME_LIMIT_HOURS_MAX)


class SimulatedPromoGameSerializer(BodySerializer[Any]):
    """A game of the promo's list; it need not be in the catalogue."""

    game = TextField(max_length=64)
    wager_multiplier = DecimalStringField(
        required=False, up_to=Decimal(10_000), help_text='Default: "1".'
    )
    max_bet_amount = MoneyField(required=False, allow_null=True, help_text="USD.")


class SimulatedPromoSerializer(BodySerializer[Any]):
    """The terms of a promo, as `POST /v1/promos` takes them, and its games."""

    type = serializers.ChoiceField(choices=PromoType.choices)
    amount = MoneyField(required=False, allow_null=True, above=_ZERO)
    currency = CurrencyField(required=False, allow_null=True)
    bonus_multiplier = DecimalStringField(required=False, allow_null=True, up_to=Decimal(10_000))
    max_bonus_usd_amount = MoneyField(required=False, allow_null=True)
    min_deposit_usd_to_activate = MoneyField(required=False, allow_null=True)
    wager_multiplier_to_complete = DecimalStringField(
        required=False, allow_null=True, up_to=Decimal(10_000)
    )
    wager_usd_amount_to_complete = MoneyField(required=False, allow_null=True)
    time_seconds_to_complete = CountField(
        required=False, allow_null=True, min_value=1, max_value=TIME_LIMIT_HOURS_MAX * 3600
    )
    games = serializers.ListField(
        child=SimulatedPromoGameSerializer(), required=False, max_length=_LISTED_MAX
    )


class ScenarioSerializer(BodySerializer[Any]):
    """How players play; what is left out is as usual (docs/simulator.md)."""

    currency = CurrencyField(
        required=False,
        help_text="Of all amounts. Only a DEPOSIT promo can be played in any; default: USD.",
    )
    deposit = MoneyField(required=False, help_text="What is matched.")
    own_money = MoneyField(required=False, help_text="What the player has besides. Default: 0.")
    loss = MoneyField(required=False, help_text="What cashback pays back from.")
    stakes = serializers.ListField(
        child=StakeSerializer(), required=False, min_length=1, max_length=STAKES_MAX
    )
    games = serializers.ListField(
        child=MixedGameSerializer(), required=False, min_length=1, max_length=GAMES_MAX
    )
    rtp = ShareField(required=False, help_text='What games pay back. Default: "0.96".')
    volatility = serializers.ChoiceField(
        required=False, choices=Volatility.choices, help_text="Default: medium."
    )
    bets_per_hour = CountField(required=False, min_value=1, max_value=BETS_PER_HOUR_MAX)
    hours_per_day = CountField(required=False, min_value=1, max_value=24)
    gives_up_per_day = ShareField(
        required=False, help_text="The share of players who stop for good, each day anew."
    )
    horizon_days = CountField(
        required=False,
        min_value=1,
        max_value=HORIZON_DAYS_MAX,
        help_text="Terms without a time limit, or with a longer one, are played for so long.",
    )
    acceptable_share = ShareField(
        required=False, help_text="What the house is ready to pay, as a share of the bonus."
    )
    players = CountField(required=False, min_value=PLAYERS_MIN, max_value=PLAYERS_MAX)
    seed = CountField(
        required=False, max_value=SEED_MAX, help_text="The same seed has the same answer."
    )

    def validate_volatility(self, volatility: str) -> Volatility:
        return Volatility(volatility)


class SimulateSerializer(ScenarioSerializer):
    """Exactly one of `template_id`, `promo_id`, `bonus` and `promo`, and how players play."""

    template_id = serializers.UUIDField(required=False)
    promo_id = serializers.UUIDField(required=False)
    bonus = SimulatedBonusSerializer(required=False)
    promo = SimulatedPromoSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = [name for name in TERMS if name in attrs]
        if len(named) != 1:
            detail = f"Send exactly one of {', '.join(TERMS)}."
            raise serializers.ValidationError({name: [detail] for name in named or TERMS})
        return attrs


#: The members of a body that say what terms are simulated.
TERMS = ("template_id", "promo_id", "bonus", "promo")
