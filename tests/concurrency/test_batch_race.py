"""
Batches at one instant: the same keys in opposite order, and a raffle's tickets.

The decisions are made in a database function, so each control takes a guard out of it
and shows the race that it stops.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from core.errors import DomainError
from core.idempotency import IdempotencyKey
from core.models import IdempotencyRecord
from jackpots.models import Contribution, Instance
from jackpots.services.batches import BatchItem, contribute_batch
from jackpots.services.contributions import Wager, contribute
from players.models import Player
from tests.concurrency.sabotage import at_once, meeting, sabotaged
from tests.factories.jackpots import InstanceFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import meter

pytestmark = pytest.mark.django_db(transaction=True)

BATCH = "jackpots_contribute_batch"
CLAIM = "SELECT p_operator_id, key, fingerprint, request_id, p_now"
SLOW_CLAIM = (CLAIM, CLAIM.replace("fingerprint", "fingerprint || left(pg_sleep(0.02)::text, 0)"))
LOCKED = "IF EXISTS (\n        SELECT FROM jsonb_to_recordset(p_targets)"
TICKETS_LOCK = "PERFORM pg_advisory_xact_lock(3, v_lock.lock_number);"
ANSWERING = "RETURN v_outcomes;"


@pytest.fixture
def player() -> Player:
    return PlayerFactory.create(reference="ada")


@pytest.fixture
def instance(player: Player) -> Instance:
    return InstanceFactory.create(operator=player.operator, ticket_cost=None)


def sending(instance: Instance, keys: Sequence[str]) -> Callable[[], Any]:
    """Return a call that contributes a batch and returns its outcomes, or what broke it."""
    items = [
        BatchItem(IdempotencyKey(key, "f" * 64), instance.pk, Wager("ada", Decimal(50), "EUR"))
        for key in keys
    ]

    def call() -> Any:
        try:
            return contribute_batch(operator=instance.operator, items=items, now=timezone.now())
        except DatabaseError as error:
            return type(error.__cause__).__name__

    return call


def test_control_keys_claimed_in_the_order_of_the_batch_deadlock(instance: Instance) -> None:
    keys = [f"key-{number}" for number in range(20)]

    with (
        meeting(2) as both_begin,
        sabotaged(
            BATCH,
            (LOCKED, f"{both_begin} {LOCKED}"),
            ('ORDER BY key COLLATE "C"', "ORDER BY number"),
            SLOW_CLAIM,
        ),
    ):
        outcomes = at_once([sending(instance, keys), sending(instance, keys[::-1])])

    assert "DeadlockDetected" in outcomes


def test_batches_with_the_same_keys_in_opposite_order_have_one_effect(instance: Instance) -> None:
    keys = [f"key-{number}" for number in range(20)]

    with sabotaged(BATCH, SLOW_CLAIM):
        slow = at_once([sending(instance, keys), sending(instance, keys[::-1])])
    fast = at_once([sending(instance, keys[::step]) for step in (1, -1) * 4])

    outcomes = [outcome for batch in [*slow, *fast] for outcome in batch]
    assert all(not isinstance(outcome, DomainError) for outcome in outcomes)
    assert sum(not outcome.is_replay for outcome in outcomes) == 20
    assert Contribution.objects.count() == IdempotencyRecord.objects.count() == 20
    assert meter(instance) == Decimal("0.5") * 20


def contribute_at_once(instance: Instance) -> None:
    """Send batches and single contributions of one player, sixteen of 0.50 together."""

    def alone(key: str) -> Callable[[], Any]:
        return lambda: contribute(
            operator=instance.operator,
            instance_id=instance.pk,
            wager=Wager("ada", Decimal(50), "EUR"),
            follow_links=True,
            key=IdempotencyKey(key, "f" * 64),
            now=timezone.now(),
        )

    batches = [sending(instance, [f"{name}-{n}" for n in range(4)]) for name in "abc"]
    at_once([*batches, *[alone(f"single-{number}") for number in range(4)]])


def test_control_without_the_exclusive_lock_tickets_are_lost(player: Player) -> None:
    raffle = InstanceFactory.create(operator=player.operator)
    shared = TICKETS_LOCK.replace("xact_lock(", "xact_lock_shared(")

    with (
        meeting(3) as all_batches_have_counted,
        sabotaged(
            BATCH, (TICKETS_LOCK, shared), (ANSWERING, f"{all_batches_have_counted} {ANSWERING}")
        ),
    ):
        contribute_at_once(raffle)

    # Sixteen contributions of 0.50 make 8.00.
    assert max(Contribution.objects.values_list("accumulated", flat=True)) < 8


def test_batches_and_single_contributions_at_once_earn_every_ticket(player: Player) -> None:
    raffle = InstanceFactory.create(operator=player.operator)

    contribute_at_once(raffle)

    earned = Contribution.objects.values_list("tickets_earned", flat=True)
    assert (len(earned), sum(earned)) == (16, 8)
    assert max(Contribution.objects.values_list("accumulated", flat=True)) == 8
