"""The shapes instances, links and opt-ins have on the wire."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
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
from core.instants import format_instant
from core.money import RATE_DECIMALS, format_amount, format_decimal
from jackpots.enums import (
    ContributionType,
    DropType,
    Funding,
    InstanceKind,
    InstanceStatus,
    Recurrence,
)
from jackpots.models import Instance, InstanceLink, OptIn, Pot, Prize
from jackpots.rules import ContributionTerms
from jackpots.selectors import PotMeter
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


# In


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


# Out


class PotSerializer(serializers.Serializer[Any]):
    """A pot and its meter."""

    name = serializers.CharField()
    share = DecimalStringField()
    seed = MoneyField()
    ceiling = MoneyField(allow_null=True)
    drop = DropTermsSerializer()
    value = MoneyField(help_text="The meter, exact at the instant of reading.")
    as_of = InstantField(help_text="That instant.")


class InstanceSerializer(serializers.Serializer[Any]):
    """A jackpot instance as an operator sees it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=InstanceKind.choices)
    currency = CurrencyField()
    status = serializers.ChoiceField(choices=InstanceStatus.choices)
    contribution = ContributionTermsSerializer()
    funding = serializers.ChoiceField(choices=Funding.choices)
    opt_in_required = serializers.BooleanField()
    opens_at = InstantField(allow_null=True)
    closes_at = InstantField(allow_null=True, help_text="Exclusive.")
    ticket_cost = MoneyField(allow_null=True)
    recurrence = serializers.ChoiceField(choices=Recurrence.choices, allow_null=True)
    timezone = serializers.CharField()
    is_paused = serializers.BooleanField()
    paused_reason = serializers.CharField(allow_null=True)
    pots = PotSerializer(many=True)
    prizes = PrizeTermsSerializer(many=True)
    created_at = InstantField()
    activated_at = InstantField(allow_null=True)
    closing_at = InstantField(allow_null=True)
    closed_at = InstantField(allow_null=True)
    cancelled_at = InstantField(allow_null=True)


class LinkedInstanceSerializer(serializers.Serializer[Any]):
    """The target of a link."""

    instance_id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=InstanceKind.choices)
    status = serializers.ChoiceField(choices=InstanceStatus.choices)
    opt_in_required = serializers.BooleanField()


class LinksSerializer(serializers.Serializer[Any]):
    """The links of an instance, in order."""

    instance_id = serializers.UUIDField()
    linked_instances = LinkedInstanceSerializer(many=True)


class OptInSerializer(serializers.Serializer[Any]):
    """An opt-in that stands."""

    instance_id = serializers.UUIDField()
    player_id = serializers.CharField()
    opted_in_at = InstantField()


def represent_instance(
    instance: Instance, *, meters: Sequence[PotMeter], as_of: datetime
) -> dict[str, Any]:
    """Return an instance, its pots and prizes fetched, as InstanceSerializer describes it."""
    currency = instance.currency
    values = {meter.position: meter.value for meter in meters}
    return {
        "id": str(instance.pk),
        "name": instance.name,
        "kind": instance.kind,
        "currency": currency,
        "status": instance.status,
        "contribution": _contribution(instance),
        "funding": instance.funding,
        "opt_in_required": instance.opt_in_required,
        "opens_at": _instant(instance.opens_at),
        "closes_at": _instant(instance.closes_at),
        "ticket_cost": _amount(instance.ticket_cost, currency),
        "recurrence": instance.recurrence or None,
        "timezone": instance.timezone,
        "is_paused": instance.is_paused,
        "paused_reason": instance.paused_reason or None,
        "pots": [
            {
                "name": pot.name,
                "share": format_decimal(pot.share),
                "seed": format_amount(pot.seed, currency),
                "ceiling": _amount(pot.ceiling, currency),
                "drop": _drop(pot, currency),
                "value": format_amount(values[pot.position], currency),
                "as_of": format_instant(as_of),
            }
            for pot in instance.pots.all()
        ],
        "prizes": [_prize(prize, currency) for prize in instance.prizes.all()],
        "created_at": format_instant(instance.created_at),
        "activated_at": _instant(instance.activated_at),
        "closing_at": _instant(instance.closing_at),
        "closed_at": _instant(instance.closed_at),
        "cancelled_at": _instant(instance.cancelled_at),
    }


def represent_links(instance_id: UUID, links: Iterable[InstanceLink]) -> dict[str, Any]:
    """Return links, their targets fetched, as LinksSerializer describes them."""
    return {
        "instance_id": str(instance_id),
        "linked_instances": [
            {
                "instance_id": str(link.target_id),
                "name": link.target.name,
                "kind": link.target.kind,
                "status": link.target.status,
                "opt_in_required": link.target.opt_in_required,
            }
            for link in links
        ],
    }


def represent_opt_in(opt_in: OptIn) -> dict[str, Any]:
    """Return an opt-in, its player fetched, as OptInSerializer describes it."""
    return {
        "instance_id": str(opt_in.instance_id),
        "player_id": opt_in.player.reference,
        "opted_in_at": format_instant(opt_in.opted_in_at),
    }


def _contribution(instance: Instance) -> dict[str, Any]:
    if instance.contribution_amount is not None:
        terms = {"amount": format_amount(instance.contribution_amount, instance.currency)}
    else:
        assert instance.contribution_percent is not None, "neither fixed nor percent"
        terms = {"percent": format_decimal(instance.contribution_percent)}
    return {"type": instance.contribution_type, **terms}


def _drop(pot: Pot, currency: str) -> dict[str, Any]:
    drop: dict[str, Any] = {"type": pot.drop_type}
    if pot.drop_amount is not None:
        drop["amount"] = format_amount(pot.drop_amount, currency)
    if pot.drop_at is not None:
        drop["at"] = format_instant(pot.drop_at)
    if pot.drop_probability is not None:
        drop["probability"] = format_decimal(pot.drop_probability)
    return drop


def _prize(prize: Prize, currency: str) -> dict[str, Any]:
    if prize.amount is not None:
        gives = {"amount": format_amount(prize.amount, currency)}
    else:
        assert prize.share is not None, "neither an amount nor a share"
        gives = {"share": format_decimal(prize.share)}
    return {
        "name": prize.name,
        **gives,
        "count": prize.count,
        "priority": prize.priority,
        "min_tickets": prize.min_tickets,
    }


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else format_instant(value)
