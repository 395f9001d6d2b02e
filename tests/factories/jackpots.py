"""Builds jackpot instances, in any state, without running the services under test."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import factory

from jackpots.enums import ContributionType, InstanceKind, InstanceStatus
from jackpots.models import Instance, InstanceLink, OptIn, Pot, Prize
from tests.factories.operators import LONG_AGO, OperatorFactory
from tests.factories.players import PlayerFactory

_HAS_BEEN_ACTIVE = {
    InstanceStatus.ACTIVE,
    InstanceStatus.CLOSING,
    InstanceStatus.DRAWN,
    InstanceStatus.CLOSED,
}
_HAS_BEEN_CLOSING = _HAS_BEEN_ACTIVE - {InstanceStatus.ACTIVE}


def _instant(*statuses: InstanceStatus, hours: int) -> Any:
    """Return the instant of a move for an instance in one of ``statuses``, else null."""
    return factory.LazyAttribute(
        lambda instance: (
            instance.created_at + timedelta(hours=hours) if instance.status in statuses else None
        )
    )


class InstanceFactory(factory.django.DjangoModelFactory[Instance]):
    """
    An active raffle in euros: 1 % of a wager, one ticket for a euro, one pot ``main``.

    Give ``status`` for any other state, and ``pots`` (a list of what PotFactory takes)
    for other pots. A built instance has none.
    """

    class Meta:
        model = Instance
        skip_postgeneration_save = True

    class Params:
        progressive = factory.Trait(kind=InstanceKind.PROGRESSIVE, ticket_cost=None)
        fixed = factory.Trait(
            contribution_type=ContributionType.FIXED,
            contribution_amount=Decimal("0.50"),
            contribution_percent=None,
        )
        paused = factory.Trait(
            paused_at=LONG_AGO + timedelta(hours=6), paused_reason="Under review"
        )

    operator = factory.SubFactory(OperatorFactory)
    name = factory.Sequence(lambda number: f"Jackpot {number}")
    kind = InstanceKind.RAFFLE
    currency = "EUR"
    contribution_type = ContributionType.PERCENT
    contribution_percent = Decimal(1)
    ticket_cost = Decimal(1)
    status = InstanceStatus.ACTIVE
    created_at = LONG_AGO
    activated_at = _instant(*_HAS_BEEN_ACTIVE, hours=1)
    closing_at = _instant(*_HAS_BEEN_CLOSING, hours=2)
    drawn_at = _instant(InstanceStatus.DRAWN, hours=3)
    closed_at = _instant(InstanceStatus.CLOSED, hours=4)
    cancelled_at = _instant(InstanceStatus.CANCELLED, hours=1)

    @factory.post_generation
    def pots(
        self, create: bool, extracted: Sequence[Mapping[str, Any]] | None, **kwargs: Any
    ) -> None:
        if create:
            for position, pot in enumerate([{}] if extracted is None else extracted):
                PotFactory.create(instance=self, position=position, **pot)


class PotFactory(factory.django.DjangoModelFactory[Pot]):
    """The first pot of an instance, with the whole of every contribution and no seed."""

    class Meta:
        model = Pot

    instance = factory.SubFactory(InstanceFactory, pots=())
    position = 0
    name = factory.LazyAttribute(lambda pot: f"pot-{pot.position}" if pot.position else "main")
    share = Decimal(1)
    opening = factory.LazyAttribute(lambda pot: getattr(pot, "seed", Decimal(0)))


class PrizeFactory(factory.django.DjangoModelFactory[Prize]):
    """One prize of the whole pot."""

    class Meta:
        model = Prize

    instance = factory.SubFactory(InstanceFactory)
    name = "Grand prize"
    share = Decimal(1)


class InstanceLinkFactory(factory.django.DjangoModelFactory[InstanceLink]):
    """The first link of an instance, to another instance of its operator."""

    class Meta:
        model = InstanceLink

    source = factory.SubFactory(InstanceFactory)
    # Same operator as the source: an inconsistent row must be asked for.
    operator = factory.SelfAttribute("source.operator")
    target = factory.SubFactory(InstanceFactory, operator=factory.SelfAttribute("..operator"))
    position = 0


class OptInFactory(factory.django.DjangoModelFactory[OptIn]):
    """An opt-in that stands. Give ``opted_out_at`` for one that has ended."""

    class Meta:
        model = OptIn

    instance = factory.SubFactory(InstanceFactory)
    operator = factory.SelfAttribute("instance.operator")
    player = factory.SubFactory(PlayerFactory, operator=factory.SelfAttribute("..operator"))
    opted_in_at = LONG_AGO
