"""
Rollbacks: an accepted contribution is taken back by a row of its own.

Here it is decided, once, that a leg is rolled back: under the rows of the instances, with
the player's money in the same transaction. What that does to a pot is for the fold to
say, in the order of the ledger: a part whose cycle still runs leaves the meter, one that
has been won stays with the winner and is the house's loss (RollbackLoss).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.utils import OperationalError
from psycopg.errors import LockNotAvailable

from core import audit, locks
from core.actors import Actor
from core.errors import NotFound, ResourceBusy
from core.failpoints import failpoint
from core.locks import AdvisoryLock
from core.models import new_id
from jackpots.enums import Outcome, RollbackScope
from jackpots.errors import ContributionNotAccepted, RollbackLossExplained
from jackpots.models import Contribution, Instance, RollbackLoss
from operators.models import Operator
from wallets.services.transfers import post_transfers, prepare_reversal

# A reversal is a leg like the one that it takes back, but gives the pots nothing. A
# raffle's player keeps the tickets that what is left still pays for.
_REVERSE = """
    INSERT INTO jackpots_contribution (
        id, operator_id, request_id, position, role, instance_id, source_id, player_id,
        status, error_code, base_wager, base_currency, rate, rate_at, amount, currency,
        pot_amounts, debit_currency, accumulated, tickets_earned, tickets_total,
        reverses_id, gameround_id, created_at
    )
    SELECT
        reversal.id, leg.operator_id, %(request)s, leg.position, leg.role, leg.instance_id,
        leg.source_id, leg.player_id, 'reversal', '', leg.base_wager, leg.base_currency,
        leg.rate, leg.rate_at, leg.amount, leg.currency, '{}', '',
        latest.accumulated - leg.amount,
        div(latest.accumulated - leg.amount, instance.ticket_cost)
            - div(latest.accumulated, instance.ticket_cost),
        div(latest.accumulated - leg.amount, instance.ticket_cost),
        leg.id, leg.gameround_id, %(now)s
    FROM unnest(%(ids)s::uuid[], %(legs)s::uuid[]) AS reversal (id, leg_id)
    JOIN jackpots_contribution AS leg ON leg.id = reversal.leg_id
    JOIN jackpots_instance AS instance ON instance.id = leg.instance_id
    LEFT JOIN LATERAL (
        SELECT accumulated FROM jackpots_contribution AS earlier
        WHERE earlier.player_id = leg.player_id AND earlier.instance_id = leg.instance_id
            AND earlier.accumulated IS NOT NULL AND leg.accumulated IS NOT NULL
        ORDER BY earlier.number DESC LIMIT 1
    ) AS latest ON true
    ORDER BY leg.position
"""


@transaction.atomic(durable=True)
def rollback_contribution(
    *,
    operator: Operator,
    contribution_id: UUID,
    scope: RollbackScope,
    actor: Actor,
    now: datetime,
) -> list[Contribution]:
    """Take back a contribution, or all legs of its request, as reverse_contribution does."""
    return reverse_contribution(
        operator=operator, contribution_id=contribution_id, scope=scope, actor=actor, now=now
    )


@transaction.atomic
def reverse_contribution(
    *,
    operator: Operator,
    contribution_id: UUID,
    scope: RollbackScope,
    actor: Actor,
    now: datetime,
) -> list[Contribution]:
    """
    Take back a contribution, or all accepted legs of its request, and return the reversals.

    Joins the caller's transaction, which must not have written before: see below. What is
    rolled back already stays so, as it was. Neither the player's state nor the instance's
    matters: a bet that was cancelled must not count.

    :raises NotFound: if the operator has no such contribution.
    :raises ContributionNotAccepted: if that leg had failed.
    :raises ResourceBusy: if an instance, or the player's account, is in use.
    """
    # Read before the first lock, which gives this transaction its place in the ledger: so
    # a reversal always comes after what it takes back, and no fold meets it first.
    legs = _accepted_legs(operator, contribution_id, scope)
    in_raffles = [leg for leg in legs if leg.accumulated is not None]
    if in_raffles:
        # A player's tickets are counted one after the other: single contributions hold the
        # first of these against each other, a batch has the second to itself.
        locks.lock_number_exclusively(AdvisoryLock.RAFFLE_PLAYER, in_raffles[0].player_id)
        locks.lock_shared(AdvisoryLock.INSTANCE, [leg.instance_id for leg in in_raffles])
    instances = locks.lock_many(Instance.objects.filter(pk__in=[leg.instance_id for leg in legs]))
    done = set(_reversals_of(legs).values_list("reverses_id", flat=True))
    left = [leg for leg in legs if leg.pk not in done]
    if left:
        _write_reversals(left, now=now)
        touched = {leg.instance_id for leg in left}
        for instance in instances:
            if instance.pk in touched:
                instance.needs_fold = True
                instance.save(update_fields=["needs_fold"])
        _refund(operator, left, now=now)
    reversals = list(_reversals_of(legs).select_related("reverses", "instance"))
    for reversal in reversals:
        if reversal.reverses_id not in done:
            _record(operator, reversal, actor=actor, now=now)
    failpoint("rollback.before_commit")
    return reversals


@transaction.atomic(durable=True)
def explain_rollback_loss(
    *, operator: Operator, loss_id: UUID, explanation: str, actor: Actor, now: datetime
) -> RollbackLoss:
    """
    Note how a loss by a late rollback came about, so that it no longer waits for anybody.

    :raises NotFound: if the operator has no such loss.
    :raises RollbackLossExplained: if it has been explained.
    """
    assert explanation, "an explanation says something"
    loss = locks.lock_one(RollbackLoss.objects.for_operator(operator).filter(pk=loss_id))
    if loss.explained_at is not None:
        raise RollbackLossExplained("The loss has been explained already.")
    loss.explained_at = now
    loss.explained_by = str(actor)
    loss.explanation = explanation
    loss.save(update_fields=["explained_at", "explained_by", "explanation"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="jackpot.rollback_loss.explained",
        subject=loss,
        after={"amount": f"{loss.amount:f}", "currency": loss.currency},
        reason=explanation,
        now=now,
    )
    return loss


def _accepted_legs(
    operator: Operator, contribution_id: UUID, scope: RollbackScope
) -> list[Contribution]:
    known = Contribution.objects.for_operator(operator).exclude(status=Outcome.REVERSAL)
    leg = known.filter(pk=contribution_id).first()
    if leg is None:
        raise NotFound("There is no such contribution.")
    if leg.status != Outcome.ACCEPTED:
        raise ContributionNotAccepted(
            "The contribution to this instance failed: there is nothing to roll back."
        )
    if scope == RollbackScope.LEG:
        return [leg]
    accepted = known.filter(request_id=leg.request_id, status=Outcome.ACCEPTED)
    return list(accepted.order_by("position"))


def _reversals_of(legs: Sequence[Contribution]) -> QuerySet[Contribution]:
    return Contribution.objects.filter(reverses__in=[leg.pk for leg in legs]).order_by("position")


def _write_reversals(legs: Sequence[Contribution], *, now: datetime) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                _REVERSE,
                {
                    "request": new_id(),
                    "ids": [new_id() for _leg in legs],
                    "legs": [leg.pk for leg in legs],
                    "now": now,
                },
            )
    except OperationalError as error:
        # The instance was drawn after this transaction had taken its place in the ledger.
        if isinstance(error.__cause__, LockNotAvailable):
            raise ResourceBusy("The raffle was drawn at this moment. Send it again.") from error
        raise


def _refund(operator: Operator, legs: Sequence[Contribution], *, now: datetime) -> None:
    """Move back what the player paid for the legs, exactly as it went."""
    postings = [
        prepare_reversal(operator=operator, reference=f"contribution:{leg.pk}")
        for leg in legs
        if leg.debit_amount
    ]
    if postings:
        post_transfers(operator=operator, postings=postings, now=now)


def _record(operator: Operator, reversal: Contribution, *, actor: Actor, now: datetime) -> None:
    leg = reversal.reverses
    assert leg is not None, "a reversal reverses"
    audit.record_action(
        operator=operator,
        actor=actor,
        action="jackpot.contribution.rolled_back",
        subject=leg,
        before={"status": Outcome.ACCEPTED},
        after={
            "status": "rolled_back",
            "amount": f"{leg.amount:f}",
            "currency": leg.currency,
            "refund": None if leg.debit_amount is None else f"{leg.debit_amount:f}",
        },
        now=now,
    )
