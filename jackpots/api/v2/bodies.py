"""The shapes in which instances, links and opt-ins come in."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from rest_framework import serializers

from core.api.serializers import (
    BodySerializer,
    CountField,
    CurrencyField,
    DecimalStringField,
    FlagField,
    InstantField,
    MoneyField,
    TextField,
    TimezoneField,
)
from core.money import RATE_DECIMALS
from jackpots.enums import ContributionType, DropType, Funding, InstanceKind, Recurrence
from jackpots.rules.contributions import ContributionTerms
from jackpots.services.terms import DropTerms, PotTerms, PrizeTerms

_ZERO = Decimal(0)
_ONE = Decimal(1)

_MEMBER_OF_CONTRIBUTION = {
    ContributionType.FIXED: "amount",
    ContributionType.PERCENT: "percent",
}
_MEMBER_OF_DROP = {
    DropType.MANUAL: None,
    DropType.MUST_HIT_BY_AMOUNT: "amount",
    DropType.MUST_HIT_BY_TIME: "at",
    DropType.HIT_RATE: "probability",
}


def _check_members(
    given: Mapping[str, Any], *, wanted: str | None, of: Iterable[str | None]
) -> None:
    """Refuse an object whose type has not exactly the member that belongs to it."""
    problems: dict[str, list[serializers.ErrorDetail]] = {}
    for name in of:
        if name is not None and (name == wanted) != (name in given):
            problems[name] = [
                serializers.ErrorDetail("This type needs it.", code="required")
                if name == wanted
                else serializers.ErrorDetail("It does not belong to this type.", code="invalid")
            ]
    if problems:
        raise serializers.ValidationError(problems)


class ShareField(DecimalStringField):
    """A part of a whole: above 0, up to 1."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(digits=1, above=_ZERO, up_to=_ONE, **kwargs)


class ContributionTermsSerializer(BodySerializer[Any]):
    """What a wager adds: a fixed `amount`, or a `percent` of it."""

    type = serializers.ChoiceField(choices=ContributionType.choices)
    amount = MoneyField(required=False, above=_ZERO)
    percent = DecimalStringField(required=False, digits=3, above=_ZERO, up_to=Decimal(100))

    def validate(self, attrs: dict[str, Any]) -> Any:
        kind = ContributionType(attrs["type"])
        _check_members(
            attrs, wanted=_MEMBER_OF_CONTRIBUTION[kind], of=_MEMBER_OF_CONTRIBUTION.values()
        )
        return ContributionTerms(
            type=kind, amount=attrs.get("amount"), percent=attrs.get("percent")
        )


class DropTermsSerializer(BodySerializer[Any]):
    """What makes a pot drop: its type, and the one member that belongs to it."""

    type = serializers.ChoiceField(choices=DropType.choices)
    amount = MoneyField(required=False, above=_ZERO, help_text="Of must_hit_by_amount.")
    at = InstantField(required=False, help_text="Of must_hit_by_time.")
    probability = DecimalStringField(
        required=False,
        decimals=RATE_DECIMALS,
        digits=1,
        above=_ZERO,
        up_to=_ONE,
        help_text="Of hit_rate: the chance of a hit for each unit wagered.",
    )

    def validate(self, attrs: dict[str, Any]) -> Any:
        kind = DropType(attrs["type"])
        _check_members(attrs, wanted=_MEMBER_OF_DROP[kind], of=_MEMBER_OF_DROP.values())
        return DropTerms(**{**attrs, "type": kind})


class PotTermsSerializer(BodySerializer[Any]):
    """One pot of an instance."""

    name = TextField(max_length=64)
    share = ShareField(help_text="The shares of all pots sum to exactly 1.")
    seed = MoneyField(required=False, help_text="Default: 0.")
    ceiling = MoneyField(required=False, allow_null=True, help_text="Above the seed.")
    drop = DropTermsSerializer(required=False, allow_null=True, help_text="Default: manual.")

    def validate(self, attrs: dict[str, Any]) -> Any:
        return PotTerms(**{name: value for name, value in attrs.items() if value is not None})


class PrizeTermsSerializer(BodySerializer[Any]):
    """A prize of a raffle: an `amount`, or a `share` of the pot."""

    name = TextField(max_length=64)
    amount = MoneyField(required=False, above=_ZERO)
    share = ShareField(required=False)
    count = CountField(required=False, min_value=1, help_text="Default: 1.")
    priority = CountField(required=False, help_text="Lower is drawn first. Default: 0.")
    min_tickets = CountField(required=False, min_value=1, help_text="Default: 1.")

    def validate(self, attrs: dict[str, Any]) -> Any:
        if ("amount" in attrs) == ("share" in attrs):
            raise serializers.ValidationError("A prize is either an amount or a share.")
        return PrizeTerms(**attrs)


class UpdateInstanceSerializer(BodySerializer[Any]):
    """The terms to replace; what is left out stays, and pots and prizes go as a whole."""

    name = TextField(required=False, max_length=120)
    kind = serializers.ChoiceField(required=False, choices=InstanceKind.choices)
    currency = CurrencyField(required=False)
    contribution = ContributionTermsSerializer(required=False)
    funding = serializers.ChoiceField(required=False, choices=Funding.choices)
    opt_in_required = FlagField(required=False)
    opens_at = InstantField(required=False, allow_null=True)
    closes_at = InstantField(required=False, allow_null=True, help_text="Exclusive.")
    pots = PotTermsSerializer(required=False, many=True, help_text='1 to 10. Default: one, "main".')
    ticket_cost = MoneyField(required=False, allow_null=True, above=_ZERO, help_text="Of a raffle.")
    prizes = PrizeTermsSerializer(required=False, many=True, help_text="Of a raffle.")
    recurrence = serializers.ChoiceField(
        required=False, allow_null=True, choices=Recurrence.choices
    )
    timezone = TimezoneField(required=False, help_text="Default: UTC.")
    carry_opt_ins = FlagField(
        required=False, help_text="Opt-ins go on in the next run of a recurring raffle."
    )

    def validate_kind(self, kind: str) -> InstanceKind:
        return InstanceKind(kind)

    def validate_funding(self, funding: str) -> Funding:
        return Funding(funding)

    def validate_recurrence(self, recurrence: str | None) -> Recurrence | None:
        return None if recurrence is None else Recurrence(recurrence)

    def validate_pots(self, pots: list[PotTerms]) -> tuple[PotTerms, ...]:
        return tuple(pots)

    def validate_prizes(self, prizes: list[PrizeTerms]) -> tuple[PrizeTerms, ...]:
        return tuple(prizes)


class CreateInstanceSerializer(UpdateInstanceSerializer):
    """The terms of a draft."""

    name = TextField(max_length=120)
    kind = serializers.ChoiceField(choices=InstanceKind.choices)
    currency = CurrencyField()
    contribution = ContributionTermsSerializer()


class MoveInstanceSerializer(BodySerializer[Any]):
    """Why; it is kept in the audit trail."""

    reason = TextField(required=False, max_length=200)


class LinkedIdField(serializers.UUIDField):
    """The id of an instance, as a string and nothing else."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class ReplaceLinksSerializer(BodySerializer[Any]):
    """The whole set of links, in the order in which they are answered."""

    linked_instances = serializers.ListField(child=LinkedIdField(), help_text="At most 20.")


class GiveOptInSerializer(BodySerializer[Any]):
    """Nothing: the path names the instance and the player."""
