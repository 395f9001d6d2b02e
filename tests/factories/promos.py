"""Builds promos, claims in any state, and batches, without running the services under test."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import factory

from core.models import new_id
from promos.enums import LockSource, PromoType, UserPromoStatus
from promos.models import (
    CodeBatch,
    Promo,
    PromoBatchCode,
    PromoGame,
    UserPromo,
    WithdrawalLock,
)
from promos.rules import canonical_code
from tests.factories.games import GameFactory
from tests.factories.operators import LONG_AGO, OperatorFactory
from tests.factories.players import PlayerFactory

WEEK = 7 * 24 * 3600


class PromoFactory(factory.django.DjangoModelFactory[Promo]):
    """
    The seed's WELCOME promo (3.2): a match of 100 % up to 500, from 20, 30 times in a week.

    Give ``instant=True`` for one that pays ten euros at the claim, ``fixed=True`` for a
    fixed target of 1500 (3.4).
    """

    class Meta:
        model = Promo

    class Params:
        instant = factory.Trait(
            type=PromoType.INSTANT,
            amount=Decimal(10),
            currency="EUR",
            bonus_multiplier=None,
            max_bonus_usd_amount=None,
            min_deposit_usd_to_activate=None,
            wager_multiplier_to_complete=None,
            time_seconds_to_complete=None,
        )
        fixed = factory.Trait(
            wager_multiplier_to_complete=None, wager_usd_amount_to_complete=Decimal(1500)
        )

    id = factory.LazyFunction(new_id)
    operator = factory.SubFactory(OperatorFactory)
    code = factory.Sequence(lambda number: f"WELCOME{number}")
    code_key = factory.LazyAttribute(lambda promo: canonical_code(promo.code))
    type = PromoType.DEPOSIT
    bonus_multiplier = Decimal(1)
    max_bonus_usd_amount = Decimal(500)
    min_deposit_usd_to_activate = Decimal(20)
    wager_multiplier_to_complete = Decimal(30)
    time_seconds_to_complete = WEEK
    claims_cap = factory.LazyAttribute(lambda promo: getattr(promo, "claims_left", None))
    created_at = LONG_AGO


class PromoGameFactory(factory.django.DjangoModelFactory[PromoGame]):
    """A game of a promo's list that counts in full, without a limit."""

    class Meta:
        model = PromoGame

    promo = factory.SubFactory(PromoFactory)
    version = factory.SelfAttribute("promo.games_version")
    game = factory.SubFactory(GameFactory, operator=factory.SelfAttribute("..promo.operator"))
    wager_multiplier = Decimal(1)


def _when(*statuses: UserPromoStatus, value: Any) -> Any:
    """Return ``value`` for a claim in one of ``statuses``, else null."""
    return factory.LazyAttribute(
        lambda claim: (
            (value(claim) if callable(value) else value) if claim.status in statuses else None
        )
    )


_GIVEN = (UserPromoStatus.ACTIVE, UserPromoStatus.COMPLETED)
_TAKEN = (UserPromoStatus.CANCELLED, UserPromoStatus.EXPIRED)


class UserPromoFactory(factory.django.DjangoModelFactory[UserPromo]):
    """
    A claim of the WELCOME promo by a player in euros, waiting for its deposit.

    Give ``status`` for any other state: ACTIVE has been given a bonus of 100 US dollars and
    rolls over 3000. A bonus here has no transfer; what moves money goes through services.
    """

    class Meta:
        model = UserPromo

    id = factory.LazyFunction(new_id)
    promo = factory.SubFactory(PromoFactory)
    operator = factory.SelfAttribute("promo.operator")
    player = factory.SubFactory(PlayerFactory, operator=factory.SelfAttribute("..operator"))
    code = factory.SelfAttribute("promo.code")
    status = UserPromoStatus.CLAIMED
    promo_type = factory.SelfAttribute("promo.type")
    bonus_multiplier = factory.SelfAttribute("promo.bonus_multiplier")
    max_bonus_usd_amount = factory.SelfAttribute("promo.max_bonus_usd_amount")
    min_deposit_usd_to_activate = factory.SelfAttribute("promo.min_deposit_usd_to_activate")
    wager_multiplier_to_complete = factory.SelfAttribute("promo.wager_multiplier_to_complete")
    time_seconds_to_complete = factory.SelfAttribute("promo.time_seconds_to_complete")
    games_version = factory.SelfAttribute("promo.games_version")
    restrict_bets_while_claimed = False
    bonus_currency = factory.SelfAttribute("player.currency")
    bonus_amount = _when(*_GIVEN, value=Decimal(80))
    bonus_usd_amount = _when(*_GIVEN, value=Decimal(100))
    target_usd_amount = _when(*_GIVEN, value=Decimal(3000))
    target_multiplier = _when(*_GIVEN, value=Decimal(30))
    wagered_usd_amount = factory.LazyAttribute(
        lambda claim: Decimal(3000 if claim.status == UserPromoStatus.COMPLETED else 0)
    )
    clawback_amount = _when(*_TAKEN, value=Decimal(0))
    clawback_shortfall = _when(*_TAKEN, value=Decimal(0))
    claimed_at = LONG_AGO
    due_at = factory.LazyAttribute(lambda claim: claim.claimed_at + timedelta(days=365))
    activated_at = _when(*_GIVEN, value=lambda claim: claim.claimed_at + timedelta(hours=1))
    completed_at = _when(
        UserPromoStatus.COMPLETED, value=lambda claim: claim.claimed_at + timedelta(hours=2)
    )
    cancelled_at = _when(
        UserPromoStatus.CANCELLED, value=lambda claim: claim.claimed_at + timedelta(hours=2)
    )
    expired_at = _when(
        UserPromoStatus.EXPIRED, value=lambda claim: claim.claimed_at + timedelta(hours=2)
    )


class WithdrawalLockFactory(factory.django.DjangoModelFactory[WithdrawalLock]):
    """A lock that a claim set. It ends a day later."""

    class Meta:
        model = WithdrawalLock

    user_promo = factory.SubFactory(UserPromoFactory)
    operator = factory.SelfAttribute("user_promo.operator")
    player = factory.SelfAttribute("user_promo.player")
    source = LockSource.CLAIM
    created_at = LONG_AGO
    until = factory.LazyAttribute(lambda lock: lock.created_at + timedelta(days=1))


class CodeBatchFactory(factory.django.DjangoModelFactory[CodeBatch]):
    """A batch of two codes that no worker has looked at."""

    class Meta:
        model = CodeBatch

    id = factory.LazyFunction(new_id)
    promo = factory.SubFactory(PromoFactory)
    operator = factory.SelfAttribute("promo.operator")
    pattern = "VIP-@@@@####"
    count = 2
    created_at = LONG_AGO


class PromoBatchCodeFactory(factory.django.DjangoModelFactory[PromoBatchCode]):
    """A code of a batch that is done with it. The batch counts it."""

    class Meta:
        model = PromoBatchCode

    batch = factory.SubFactory(CodeBatchFactory, count=1, made_count=1, finished_at=LONG_AGO)
    operator = factory.SelfAttribute("batch.operator")
    code = factory.Sequence(lambda number: f"VIP-{number}")
    code_key = factory.LazyAttribute(lambda code: canonical_code(code.code))
