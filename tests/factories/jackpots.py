"""Builds jackpot instances, in any state, without running the services under test."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone

from core import sealing
from core.actors import ActorKind
from core.idempotency import IdempotencyKey
from core.models import new_id
from core.money import format_amount
from jackpots.enums import (
    BoostStatus,
    ContributionType,
    EntryKind,
    InstanceKind,
    InstanceStatus,
    WinCause,
    WinStatus,
)
from jackpots.models import (
    Boost,
    Contribution,
    ContributionRequest,
    Draw,
    Instance,
    InstanceLink,
    OptIn,
    Pot,
    PotEntry,
    Prize,
    Win,
)
from jackpots.rules.drops import commitment
from jackpots.services.contributions import Wager, contribute
from players.models import Player
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
    """
    The first pot of an instance, with the whole of every contribution and no seed.

    The house has put in the seed of a pot that has been open. Give ``trigger`` (an amount)
    with the terms of must_hit_by_amount to hide and commit to it, as an opened pot does.
    """

    class Meta:
        model = Pot
        skip_postgeneration_save = True

    instance = factory.SubFactory(InstanceFactory, pots=())
    position = 0
    name = factory.LazyAttribute(lambda pot: f"pot-{pot.position}" if pot.position else "main")
    share = Decimal(1)
    opening = factory.LazyAttribute(lambda pot: getattr(pot, "seed", Decimal(0)))

    @factory.post_generation
    def seed_entry(self, create: bool, extracted: None, **kwargs: Any) -> None:
        if create and self.seed and self.instance.status in _HAS_BEEN_ACTIVE:
            PotEntryFactory.create(pot=self, kind=EntryKind.SEED, amount=self.seed)

    @factory.post_generation
    def trigger(self, create: bool, extracted: Decimal | None, **kwargs: Any) -> None:
        if create and extracted is not None:
            nonce = "0" * 32
            hidden = {"trigger": f"{extracted:f}", "nonce": nonce}
            self.trigger_sealed = sealing.seal(json.dumps(hidden))
            self.commitment = commitment(
                pot_id=self.pk,
                cycle=self.cycle,
                trigger=format_amount(extracted, self.instance.currency),
                nonce=nonce,
            )
            self.save(update_fields=["trigger_sealed", "commitment"])


class PotEntryFactory(factory.django.DjangoModelFactory[PotEntry]):
    """A boost of one euro that is in the pot's books; the pot's own row is not touched."""

    class Meta:
        model = PotEntry

    pot = factory.SubFactory(PotFactory)
    operator = factory.SelfAttribute("pot.instance.operator")
    cycle = factory.SelfAttribute("pot.cycle")
    kind = EntryKind.BOOST
    amount = Decimal(1)
    created_at = LONG_AGO


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


class DrawFactory(factory.django.DjangoModelFactory[Draw]):
    """The draw of a closing raffle that is committed to, and not made yet."""

    class Meta:
        model = Draw

    class Params:
        seed_in_hex = "5eed" * 16

    instance = factory.SubFactory(InstanceFactory, status=InstanceStatus.CLOSING)
    operator = factory.SelfAttribute("instance.operator")
    seed_sealed = factory.LazyAttribute(lambda draw: sealing.seal(draw.seed_in_hex))
    commitment = factory.LazyAttribute(
        lambda draw: hashlib.sha256(draw.seed_in_hex.encode()).hexdigest()
    )
    committed_at = LONG_AGO


class WinFactory(factory.django.DjangoModelFactory[Win]):
    """
    A payable win of a manual drop: ten euros of the first pot of a progressive.

    Give ``status`` for any other state. The pot's own row is not touched.
    """

    class Meta:
        model = Win

    class Params:
        is_decided = factory.LazyAttribute(lambda win: win.status == WinStatus.REJECTED)

    pot = factory.SubFactory(
        PotFactory, instance=factory.SubFactory(InstanceFactory, progressive=True, pots=())
    )
    instance = factory.SelfAttribute("pot.instance")
    operator = factory.SelfAttribute("instance.operator")
    cycle = factory.SelfAttribute("pot.cycle")
    cause = WinCause.MANUAL
    player = factory.SubFactory(PlayerFactory, operator=factory.SelfAttribute("..operator"))
    amount = Decimal(10)
    currency = factory.SelfAttribute("instance.currency")
    initiated_by_kind = ActorKind.STAFF
    initiated_by_ref = "7"
    found_at = LONG_AGO
    status = WinStatus.PAYABLE
    decided_at = factory.LazyAttribute(lambda win: win.found_at if win.is_decided else None)
    decided_by_kind = factory.LazyAttribute(lambda win: ActorKind.STAFF if win.is_decided else "")
    decided_by_ref = factory.LazyAttribute(lambda win: "8" if win.is_decided else "")
    next_attempt_at = factory.LazyAttribute(
        lambda win: win.found_at if win.status == WinStatus.PAYABLE else None
    )
    payout_amount = factory.LazyAttribute(
        lambda win: win.amount if win.status == WinStatus.PAID else None
    )
    payout_currency = factory.LazyAttribute(
        lambda win: win.currency if win.status == WinStatus.PAID else ""
    )
    paid_at = factory.LazyAttribute(
        lambda win: win.found_at if win.status == WinStatus.PAID else None
    )


class BoostFactory(factory.django.DjangoModelFactory[Boost]):
    """A request for ten euros that waits for a decision, for a day."""

    class Meta:
        model = Boost

    pot = factory.SubFactory(
        PotFactory, instance=factory.SubFactory(InstanceFactory, progressive=True, pots=())
    )
    operator = factory.SelfAttribute("pot.instance.operator")
    amount = Decimal(10)
    reason = "Ten years of Windfall"
    status = BoostStatus.REQUESTED
    requested_by_kind = ActorKind.STAFF
    requested_by_ref = "7"
    requested_at = LONG_AGO
    expires_at = factory.LazyAttribute(lambda boost: boost.requested_at + timedelta(days=1))


class ContributionRequestFactory(factory.django.DjangoModelFactory[ContributionRequest]):
    """A promise that waits to be applied; there is neither its instance nor its player."""

    class Meta:
        model = ContributionRequest

    operator = factory.SubFactory(OperatorFactory)
    instance_id = factory.LazyFunction(new_id)
    wager = factory.LazyFunction(
        lambda: {
            "player_id": "ada",
            "base_wager": "10.00",
            "currency": "EUR",
            "gameround_id": "",
            "metadata": None,
        }
    )
    received_at = LONG_AGO


def contribution_by(
    player: Player, instance: Instance, base_wager: str = "10.00", **kwargs: Any
) -> Contribution:
    """Contribute as ``player``, over version 2, and return the main leg."""
    contributed = contribute(
        operator=instance.operator,
        instance_id=instance.pk,
        wager=Wager(player.reference, Decimal(base_wager), "EUR", **kwargs),
        follow_links=True,
        key=IdempotencyKey(str(new_id()), "f" * 64),
        now=timezone.now(),
    )
    return Contribution.objects.get(pk=contributed.answer["results"][0]["contribution_id"])
