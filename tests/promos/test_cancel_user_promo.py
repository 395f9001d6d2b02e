"""Cancelling a claim: the rule, the custom amounts, and what cannot be cancelled."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from core.actors import Actor
from core.errors import InvalidRequest, NotFound
from core.models import AuditEntry
from operators.models import Operator
from promos.errors import CustomDecreaseTooLarge, UserPromoClosed, WithdrawalLockEnded
from promos.models import UserPromo, WithdrawalLock
from promos.services import endings, withdrawal_locks
from tests.factories.operators import OperatorFactory
from tests.factories.promos import PromoFactory, UserPromoFactory, WithdrawalLockFactory
from tests.factories.wallets import held_by
from tests.promos.conftest import DAY, Life, stored
from wallets.models import Transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim(operator: Operator, active: Callable[..., UserPromo]) -> UserPromo:
    """An active claim with a bonus of 100 on a balance of 200."""
    return active(PromoFactory.create(operator=operator))


def test_the_rule_takes_the_bonus(life: Life, claim: UserPromo) -> None:
    life.cancel(claim)

    ended = stored(claim)
    assert (ended.status, ended.cancelled_at) == ("CANCELLED", life.now)
    assert (ended.clawback_amount, ended.clawback_shortfall) == (100, 0)
    assert held_by(life.player) == 100
    transfer = Transfer.objects.order_by("pk").last()
    assert (transfer.tag, transfer.reference) == ("PROMO", f"promo:{claim.pk}:clawback")


def test_0_takes_nothing(life: Life, claim: UserPromo) -> None:
    count = Transfer.objects.count()

    life.cancel(claim, custom="0")

    assert stored(claim).clawback_amount == 0
    assert (held_by(life.player), Transfer.objects.count()) == (200, count)


@pytest.mark.parametrize("custom", ["0.01", "30.00", "100.00", "199.99", "200.00"])
def test_a_custom_amount_is_taken_exactly(custom: str, life: Life, claim: UserPromo) -> None:
    life.cancel(claim, custom=custom)

    ended = stored(claim)
    assert (ended.clawback_amount, ended.clawback_shortfall) == (Decimal(custom), 0)
    assert held_by(life.player) == 200 - Decimal(custom)


def test_more_than_the_balance_is_refused(life: Life, claim: UserPromo) -> None:
    trail = AuditEntry.objects.count()

    with pytest.raises(CustomDecreaseTooLarge):
        life.cancel(claim, custom="200.01")

    assert stored(claim).status == "ACTIVE"
    assert (held_by(life.player), AuditEntry.objects.count()) == (200, trail)


def test_finer_than_the_currency_is_refused(life: Life, claim: UserPromo) -> None:
    with pytest.raises(InvalidRequest):
        life.cancel(claim, custom="1.001")

    assert stored(claim).status == "ACTIVE"


def test_a_claim_that_waits_gives_nothing_back(life: Life, operator: Operator) -> None:
    user_promo = life.claim(PromoFactory.create(operator=operator))

    with pytest.raises(CustomDecreaseTooLarge):
        life.cancel(user_promo, custom="0.01")
    life.cancel(user_promo)

    ended = stored(user_promo)
    assert (ended.status, ended.clawback_amount, ended.clawback_shortfall) == ("CANCELLED", 0, 0)


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED", "EXPIRED"])
def test_an_ended_claim_is_refused(status: str, operator: Operator, actor: Actor, now: Any) -> None:
    ended = UserPromoFactory.create(promo__operator=operator, status=status)

    with pytest.raises(UserPromoClosed) as refusal:
        cancel(operator, ended, actor, now)

    assert refusal.value.members == {"user_promo_status": status}
    assert stored(ended).status == status
    assert AuditEntry.objects.exists() is False


def test_a_claim_past_its_deadline_is_refused(life: Life, claim: UserPromo) -> None:
    life.now += 7 * DAY

    with pytest.raises(UserPromoClosed):
        life.cancel(claim)

    assert stored(claim).status == "ACTIVE"
    assert life.sweep() == 1


def test_another_operators_claim_is_as_good_as_absent(actor: Actor, now: Any) -> None:
    foreign = UserPromoFactory.create()

    with pytest.raises(NotFound):
        cancel(OperatorFactory.create(), foreign, actor, now)

    assert stored(foreign).status == "CLAIMED"


def test_the_reason_is_in_the_trail(life: Life, claim: UserPromo) -> None:
    life.cancel(claim, custom="30.00")

    entry = AuditEntry.objects.get(action="promo.claim.cancelled")
    assert (entry.reason, entry.actor_ref) == ("asked to", "7")
    assert entry.before == {"status": "ACTIVE"}
    assert entry.after == {
        "status": "CANCELLED",
        "clawback_amount": "30.00",
        "clawback_shortfall": "0",
        "bonus_currency": "USD",
    }


def test_cancelling_locks_downwards(
    life: Life, claim: UserPromo, record_locks: Callable[..., Any]
) -> None:
    with record_locks() as tables:
        life.cancel(claim)

    # The player's account is locked after it, inside promos_lock_main_balance.
    assert tables == ["promos_userpromo"]


@transaction.atomic
def cancel(operator: Operator, user_promo: UserPromo, actor: Actor, now: Any) -> UserPromo:
    return endings.cancel_user_promo(
        operator=operator,
        user_promo_id=user_promo.pk,
        reason="asked to",
        custom_decrease_amount=None,
        actor=actor,
        now=now,
    )


# The sweep


def test_a_bad_row_never_stops_the_sweep(
    life: Life, claim: UserPromo, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = UserPromoFactory.create(promo__operator=operator, due_at=life.now)
    life.now += 7 * DAY
    expire = endings.expire_user_promo

    def break_for_the_older(*, user_promo: UserPromo, **kwargs: Any) -> UserPromo:
        if user_promo.pk == older.pk:
            raise ZeroDivisionError
        return expire(user_promo=user_promo, **kwargs)

    monkeypatch.setattr(endings, "expire_user_promo", break_for_the_older)

    assert life.sweep() == 1
    assert (stored(older).status, stored(claim).status) == ("CLAIMED", "EXPIRED")


def test_the_sweep_is_bounded_and_takes_the_oldest_first(
    operator: Operator, actor: Actor, now: Any
) -> None:
    due = [
        UserPromoFactory.create(promo__operator=operator, due_at=now - number * DAY)
        for number in range(3)
    ]

    assert endings.expire_due_user_promos(now=now, limit=2, actor=actor) == 2

    assert [stored(each).status for each in due] == ["CLAIMED", "EXPIRED", "EXPIRED"]


# Lifting a lock


def test_staff_lift_a_lock_for_a_reason(operator: Operator, actor: Actor, now: Any) -> None:
    lock = WithdrawalLockFactory.create(user_promo__promo__operator=operator, until=now + DAY)

    withdrawal_locks.lift_withdrawal_lock(
        operator=operator, lock_id=lock.pk, reason="Wrong player", actor=actor, now=now
    )

    lifted = WithdrawalLock.objects.get(pk=lock.pk)
    assert (lifted.lifted_at, lifted.lifted_by, lifted.lift_reason) == (
        now,
        "staff:7",
        "Wrong player",
    )
    assert AuditEntry.objects.get(action="promo.withdrawal_lock.lifted").reason == "Wrong player"


@pytest.mark.parametrize("ended", [{"until": None}, {"lifted": True}])
def test_a_lock_that_has_ended_is_not_lifted(
    ended: dict[str, Any], operator: Operator, actor: Actor, now: Any
) -> None:
    is_lifted = "lifted" in ended
    members = {"lifted_at": now, "lifted_by": "staff:1", "lift_reason": "x"} if is_lifted else {}
    lock = WithdrawalLockFactory.create(
        user_promo__promo__operator=operator, until=now + DAY if is_lifted else now, **members
    )

    with pytest.raises(WithdrawalLockEnded):
        withdrawal_locks.lift_withdrawal_lock(
            operator=operator, lock_id=lock.pk, reason="Again", actor=actor, now=now
        )

    assert AuditEntry.objects.exists() is False
