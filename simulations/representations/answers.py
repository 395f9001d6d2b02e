"""What a simulation answers, over HTTP and from the command."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from core.api.serializers import DecimalStringField, MoneyField
from core.money import format_amount, format_decimal
from games.enums import GameCategory
from simulations.enums import Outcome, Volatility, Warned
from simulations.rules.results import QUANTILES, Result
from simulations.rules.scenario import Scenario
from simulations.services.simulating import Simulation

#: The quantiles by their names on the wire.
_NAMES = {share: f"p{int(Decimal(share) * 100):02d}" for share in QUANTILES}
_SIGNED = "Below zero the house earns."


def represent_simulation(simulation: Simulation) -> dict[str, Any]:
    """Return a simulation as SimulationSerializer describes it."""
    result, code = simulation.result, simulation.result.currency

    def amount(value: Decimal) -> str:
        return _amount(value, code)

    return {
        "currency": code,
        "bonus_amount": amount(result.bonus),
        "own_money": amount(result.own_money),
        "wagering_required": _amount(result.requirement, result.requirement_currency),
        "wagering_required_currency": result.requirement_currency,
        "wagering_multiple": _decimal(result.multiple),
        "warnings": [
            {"code": str(notice.code), "detail": notice.detail} for notice in simulation.notices
        ],
        "players": result.players,
        "bets": result.bets,
        "cost": {
            "mean": amount(result.cost),
            "standard_error": amount(result.standard_error),
            "share_of_bonus": _decimal(result.cost_share),
            "acceptable": amount(result.acceptable_cost),
            "booked": amount(result.booked_cost),
            "margin": amount(result.margin),
            "quantiles": _quantiles(result.cost_quantiles, code),
        },
        "outcomes": {str(outcome): _decimal(share) for outcome, share in result.outcomes.items()},
        "completion_hours": (
            None
            if result.completion_hours is None
            else {
                _NAMES[share]: _decimal(hours) for share, hours in result.completion_hours.items()
            }
        ),
        "completions": [
            {"hours": _decimal(point.hours), "share": _decimal(point.share)}
            for point in result.completions
        ],
        "final_balance": _balance(result),
        "turnover": amount(result.turnover),
        "turnover_multiple": _decimal(result.turnover_multiple),
        "break_even_multiple": _decimal(result.break_even),
        "acceptable_only_unfinished": result.is_unfinished_only,
        "cost_by_multiple": [
            {"multiple": _decimal(multiple), "cost": amount(cost)}
            for multiple, cost in result.costs
        ],
        "scenario": represent_scenario(simulation.scenario, result),
    }


def represent_scenario(scenario: Scenario, result: Result) -> dict[str, Any]:
    """Return how players played, with everything that was as usual."""
    code = scenario.currency
    return {
        "deposit": _amount(scenario.deposit, code),
        "own_money": _amount(scenario.own_money, code),
        "loss": _amount(scenario.loss, code),
        "usd_rate": _decimal(scenario.usd_rate),
        "stakes": [
            {"stake": _amount(stake.amount, code), "share": _decimal(stake.share)}
            for stake in scenario.stakes
        ],
        "games": [
            {
                "game": game.slug or None,
                "category": game.category or None,
                "share": _decimal(game.share),
                "rtp": _decimal(scenario.rtp if game.rtp is None else game.rtp),
                "volatility": str(game.volatility or scenario.volatility),
            }
            for game in scenario.games
        ],
        "bets_per_hour": scenario.bets_per_hour,
        "hours_per_day": scenario.hours_per_day,
        "gives_up_per_day": _decimal(scenario.gives_up_per_day),
        "horizon_days": scenario.horizon_days,
        "acceptable_share": _decimal(result.acceptable_share),
        "players": scenario.players,
        "seed": scenario.seed,
    }


def _balance(result: Result) -> dict[str, Any]:
    code = result.currency
    return {
        "quantiles": _quantiles(result.balance_quantiles, code),
        "empty_share": _decimal(result.empty),
        "histogram": [
            {
                "from": _amount(bar.low, code),
                "to": None if bar.high is None else _amount(bar.high, code),
                "share": _decimal(bar.share),
            }
            for bar in result.bars
        ],
    }


def _quantiles(quantiles: dict[str, Decimal], code: str) -> dict[str, str]:
    return {_NAMES[share]: _amount(value, code) for share, value in quantiles.items()}


def _amount(value: Decimal, code: str) -> str:
    return format_amount(value, code)


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else format_decimal(value)


# What the OpenAPI document says of it


class NoticeSerializer(serializers.Serializer[Any]):
    """A warning."""

    code = serializers.CharField(help_text=f"One of {', '.join(Warned.values)}.")
    detail = serializers.CharField()


class SignedField(serializers.CharField):
    """A decimal string that may be below zero."""


def _quantiles_of(name: str, field: Any) -> type[serializers.Serializer[Any]]:
    return type(name, (serializers.Serializer,), {each: field() for each in _NAMES.values()})


SignedQuantilesSerializer = _quantiles_of("SignedQuantilesSerializer", SignedField)
AmountQuantilesSerializer = _quantiles_of("AmountQuantilesSerializer", MoneyField)
HourQuantilesSerializer = _quantiles_of("HourQuantilesSerializer", DecimalStringField)


class SimulatedCostSerializer(serializers.Serializer[Any]):
    """What a player costs the house: `booked` less `margin`."""

    mean = SignedField(help_text=_SIGNED)
    standard_error = MoneyField()
    share_of_bonus = SignedField(allow_null=True)
    acceptable = MoneyField(help_text="More than this looks like a loss.")
    booked = SignedField(help_text="The bonus, less what came back of it.")
    margin = SignedField(help_text="What the house won by the bets.")
    quantiles = SignedQuantilesSerializer()


class HistogramBarSerializer(serializers.Serializer[Any]):
    """The share of players who end with that much; `to` is exclusive, null: or more."""

    to = MoneyField(allow_null=True)
    share = DecimalStringField()

    def get_fields(self) -> dict[str, Any]:
        # "from" is a word of Python.
        return {"from": MoneyField(), **super().get_fields()}


class FinalBalanceSerializer(serializers.Serializer[Any]):
    """What players have at the end."""

    quantiles = AmountQuantilesSerializer()
    empty_share = DecimalStringField(help_text="Those with less than the least stake.")
    histogram = HistogramBarSerializer(many=True)


class CompletionSerializer(serializers.Serializer[Any]):
    """The share of all players who have completed within so many hours."""

    hours = DecimalStringField()
    share = DecimalStringField()


class CostByMultipleSerializer(serializers.Serializer[Any]):
    """What a player would cost if the bonus had to be wagered so many times."""

    multiple = DecimalStringField()
    cost = SignedField()


class PlayedStakeSerializer(serializers.Serializer[Any]):
    """A stake, and how often beside the others."""

    stake = MoneyField()
    share = DecimalStringField()


class PlayedGameSerializer(serializers.Serializer[Any]):
    """A game or a category, and how much of the play was on it beside the others."""

    game = serializers.CharField(allow_null=True)
    category = serializers.ChoiceField(choices=GameCategory.choices, allow_null=True)
    share = DecimalStringField()
    rtp = DecimalStringField()
    volatility = serializers.ChoiceField(choices=Volatility.choices)


class PlayedScenarioSerializer(serializers.Serializer[Any]):
    """How players played."""

    deposit = MoneyField()
    own_money = MoneyField()
    loss = MoneyField()
    usd_rate = DecimalStringField()
    stakes = PlayedStakeSerializer(many=True)
    games = PlayedGameSerializer(many=True)
    bets_per_hour = serializers.IntegerField()
    hours_per_day = serializers.IntegerField()
    gives_up_per_day = DecimalStringField()
    horizon_days = serializers.IntegerField()
    acceptable_share = DecimalStringField()
    players = serializers.IntegerField()
    seed = serializers.IntegerField()


OutcomesSerializer = type(
    "OutcomesSerializer",
    (serializers.Serializer,),
    {outcome.value: DecimalStringField() for outcome in Outcome},
)


class SimulationSerializer(serializers.Serializer[Any]):
    """What terms are likely to cost. Amounts are per player, shares of players."""

    currency = serializers.CharField()
    bonus_amount = MoneyField()
    own_money = MoneyField(help_text="What a player brings.")
    wagering_required = MoneyField()
    wagering_required_currency = serializers.CharField()
    wagering_multiple = DecimalStringField(
        allow_null=True, help_text="How many times the bonus has to be wagered."
    )
    warnings = NoticeSerializer(many=True)
    players = serializers.IntegerField(help_text="How many were simulated.")
    bets = serializers.IntegerField(help_text="Of all of them.")
    cost = SimulatedCostSerializer()
    outcomes = OutcomesSerializer()
    completion_hours = HourQuantilesSerializer(
        allow_null=True, help_text="Of those who complete; null: nobody does."
    )
    completions = CompletionSerializer(many=True)
    final_balance = FinalBalanceSerializer()
    turnover = MoneyField()
    turnover_multiple = DecimalStringField(allow_null=True)
    break_even_multiple = DecimalStringField(
        allow_null=True,
        help_text="From which multiple on the cost is acceptable; null: from none that was tried,"
        " or only where nobody can finish.",
    )
    acceptable_only_unfinished = serializers.BooleanField(
        help_text="True: no multiple that anybody can finish has an acceptable cost; larger ones"
        " do, only because nobody can finish."
    )
    cost_by_multiple = CostByMultipleSerializer(many=True)
    scenario = PlayedScenarioSerializer()
