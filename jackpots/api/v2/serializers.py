"""The shapes instances, links and opt-ins have on the wire."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from rest_framework import serializers

from core.api.serializers import (
    CurrencyField,
    DecimalStringField,
    InstantField,
    MoneyField,
)
from core.instants import format_instant
from core.money import format_amount, format_decimal
from jackpots.api.v2.bodies import (
    ContributionTermsSerializer,
    DropTermsSerializer,
    PrizeTermsSerializer,
)
from jackpots.enums import DropType, Funding, InstanceKind, InstanceStatus, Recurrence
from jackpots.models import Instance, InstanceLink, OptIn, Pot, Prize
from jackpots.selectors import PotMeter
from jackpots.services.live_terms import read_pending_terms


class DropSerializer(serializers.Serializer[Any]):
    """What makes a pot drop: its type, and the one member that belongs to it."""

    type = serializers.ChoiceField(choices=DropType.choices)
    amount = MoneyField(required=False, help_text="Of must_hit_by_amount.")
    at = InstantField(required=False, help_text="Of must_hit_by_time.")
    probability = DecimalStringField(required=False, help_text="Of hit_rate.")
    commitment = serializers.CharField(
        required=False,
        help_text="Of must_hit_by_amount, once it is open: SHA-256 of the pot's id, its cycle, "
        "the hidden amount and a nonce, with colons between. The win reveals both.",
    )


class PendingTermsSerializer(serializers.Serializer[Any]):
    """Terms of a pot that hold from its next win on."""

    seed = MoneyField()
    ceiling = MoneyField(allow_null=True)
    drop = DropTermsSerializer()


class PotSerializer(serializers.Serializer[Any]):
    """A pot and its meter."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    share = DecimalStringField()
    seed = MoneyField()
    ceiling = MoneyField(allow_null=True)
    drop = DropSerializer()
    pending_terms = PendingTermsSerializer(allow_null=True)
    cycle = serializers.IntegerField(help_text="From one win to the next; the first is 1.")
    value = MoneyField(help_text="The meter, exact at the instant of reading.")
    reserve = MoneyField(help_text="What is beyond the ceiling or was left over: for new seeds.")
    as_of = InstantField(help_text="That instant.")


class DrawCommitmentSerializer(serializers.Serializer[Any]):
    """The draw of a raffle, as it is published from the start."""

    id = serializers.UUIDField()
    commitment = serializers.CharField(help_text="SHA-256 of the seed, in hex.")
    requested_at = InstantField(allow_null=True)
    drawn_at = InstantField(allow_null=True)


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
    carry_opt_ins = serializers.BooleanField()
    previous_id = serializers.UUIDField(allow_null=True, help_text="The run before this one.")
    next_id = serializers.UUIDField(allow_null=True, help_text="The run after this one.")
    run_number = serializers.IntegerField()
    draw = DrawCommitmentSerializer(allow_null=True)
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
    """
    Return an instance as InstanceSerializer describes it.

    Its pots and prizes, its draw and the run after it are fetched.
    """
    currency = instance.currency
    by_position = {meter.position: meter for meter in meters}
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
        **_run(instance),
        "is_paused": instance.is_paused,
        "paused_reason": instance.paused_reason or None,
        "pots": [
            _pot(pot, by_position[pot.position], currency, as_of=as_of)
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


def _run(instance: Instance) -> dict[str, Any]:
    following = getattr(instance, "next", None)
    draw = getattr(instance, "raffle_draw", None)
    return {
        "carry_opt_ins": instance.carry_opt_ins,
        "previous_id": None if instance.previous_id is None else str(instance.previous_id),
        "next_id": None if following is None else str(following.pk),
        "run_number": instance.run_number,
        "draw": None
        if draw is None
        else {
            "id": str(draw.pk),
            "commitment": draw.commitment,
            "requested_at": _instant(draw.requested_at),
            "drawn_at": _instant(draw.drawn_at),
        },
    }


def _pot(pot: Pot, meter: PotMeter, currency: str, *, as_of: datetime) -> dict[str, Any]:
    drop = _drop(
        pot.drop_type, pot.drop_amount, pot.drop_at, pot.drop_probability, currency=currency
    )
    if pot.commitment:
        drop["commitment"] = pot.commitment
    return {
        "id": pot.pk,
        "name": pot.name,
        "share": format_decimal(pot.share),
        "seed": format_amount(pot.seed, currency),
        "ceiling": _amount(pot.ceiling, currency),
        "drop": drop,
        "pending_terms": _pending_terms(pot, currency),
        "cycle": pot.cycle,
        "value": format_amount(meter.value, currency),
        "reserve": format_amount(meter.reserve, currency),
        "as_of": format_instant(as_of),
    }


def _pending_terms(pot: Pot, currency: str) -> dict[str, Any] | None:
    terms = read_pending_terms(pot=pot)
    if terms is None:
        return None
    drop = terms.drop
    return {
        "seed": format_amount(terms.seed, currency),
        "ceiling": _amount(terms.ceiling, currency),
        "drop": _drop(drop.type, drop.amount, drop.at, drop.probability, currency=currency),
    }


def _drop(
    kind: str,
    amount: Decimal | None,
    at: datetime | None,
    probability: Decimal | None,
    *,
    currency: str,
) -> dict[str, Any]:
    drop: dict[str, Any] = {"type": str(kind)}
    if amount is not None:
        drop["amount"] = format_amount(amount, currency)
    if at is not None:
        drop["at"] = format_instant(at)
    if probability is not None:
        drop["probability"] = format_decimal(probability)
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
