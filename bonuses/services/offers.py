"""Offers: bonuses that wait for the player's next deposit."""

import logging
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from bonuses.errors import BonusNotEligible
from bonuses.models import BonusIssuance
from bonuses.ports import get_adapters
from bonuses.services.attempts import order_of
from bonuses.services.eligibility import work_out_terms
from bonuses.services.granting import write_grant
from core import audit, locks
from core.actors import Actor
from operators.errors import ExchangeRateMissing
from operators.models import Operator
from players.models import Player

logger = logging.getLogger(__name__)


@transaction.atomic(savepoint=False)
def lock_waiting_offers(*, operator: Operator, player: Player) -> list[BonusIssuance]:
    """
    Lock the offers of the player that wait for a deposit, and return them.

    Joins the caller's transaction, before any money of the deposit moves.

    :raises ResourceBusy: if an offer is in use.
    """
    waiting = locks.lock_many(
        BonusIssuance.objects.for_operator(operator)
        .awaiting_deposit()
        .filter(player_id=player.pk)
        .select_related("template")
    )
    for issuance in waiting:
        issuance.operator, issuance.player = operator, player
    return waiting


@transaction.atomic(savepoint=False)
def arm_offers(
    *,
    offers: Sequence[BonusIssuance],
    deposit_amount: Decimal,
    actor: Actor,
    now: datetime,
) -> list[BonusIssuance]:
    """
    Let a deposit arm every offer that it qualifies for, and return those.

    Joins the caller's transaction, which holds the offers (lock_waiting_offers) and has not
    counted the deposit yet: their player is as before it. Our own grants are written at once;
    a platform is asked within seconds, once this is committed. An offer that the deposit does
    not qualify for goes on waiting.

    :raises ResourceBusy: if an account is in use.
    """
    return [
        offer
        for offer in offers
        if _arm(offer, deposit_amount=deposit_amount, actor=actor, now=now)
    ]


def _arm(issuance: BonusIssuance, *, deposit_amount: Decimal, actor: Actor, now: datetime) -> bool:
    try:
        terms = work_out_terms(
            operator=issuance.operator,
            template=issuance.template,
            player=issuance.player,
            deposit_amount=deposit_amount,
            now=now,
        )
    except (BonusNotEligible, ExchangeRateMissing) as refusal:
        logger.info("offer %s goes on waiting: %s", issuance.pk, refusal.code)
        return False
    issuance.terms = terms.to_json()
    issuance.deposit_amount = deposit_amount
    issuance.arm(now=now)
    issuance.save(update_fields=["status", "terms", "deposit_amount", "next_attempt_at"])
    audit.record_action(
        operator=issuance.operator,
        actor=actor,
        action="bonus.issuance.armed",
        subject=issuance,
        after={
            "status": str(issuance.status),
            "deposit_amount": f"{deposit_amount:f}",
            "bonus_amount": f"{terms.bonus_amount:f}",
            "bonus_currency": terms.bonus_currency,
        },
        now=now,
    )
    if issuance.is_internal:
        adapter = get_adapters().get_adapter(slug=issuance.adapter_slug)
        write_grant(
            issuance=issuance, bonus=adapter.grant_bonus(order_of(issuance=issuance)), now=now
        )
    return True
