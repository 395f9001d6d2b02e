"""
Every move of a claim: the ones that exist, and all the ones that do not.

Said twice: by the state machine, and by the database, for whoever comes past it.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from promos.enums import CLOSED_STATUSES, OPEN_STATUSES, UserPromoStatus
from promos.models import UserPromo, WagerRecord, WithdrawalLock
from tests.concurrency.sabotage import execute
from tests.factories.operators import LONG_AGO
from tests.factories.promos import (
    PromoBatchCodeFactory,
    PromoFactory,
    UserPromoFactory,
    WithdrawalLockFactory,
)
from tests.promos.conftest import stored

# The whole machine on one screen. A move that is not listed must be refused.
MOVES = {
    ("CLAIMED", "activate"): "ACTIVE",
    ("CLAIMED", "cancel"): "CANCELLED",
    ("CLAIMED", "expire"): "EXPIRED",
    ("ACTIVE", "complete"): "COMPLETED",
    ("ACTIVE", "cancel"): "CANCELLED",
    ("ACTIVE", "expire"): "EXPIRED",
}
VERBS: dict[str, Callable[[UserPromo, datetime], None]] = {
    "activate": lambda claim, now: claim.activate(now=now),
    "complete": lambda claim, now: claim.complete(now=now),
    "cancel": lambda claim, now: claim.cancel(now=now),
    "expire": lambda claim, now: claim.expire(now=now),
}
INSTANTS = {
    "ACTIVE": "activated_at",
    "COMPLETED": "completed_at",
    "CANCELLED": "cancelled_at",
    "EXPIRED": "expired_at",
}
#: What a row needs to be in a state, whatever state it comes from.
COLUMNS = {
    "CLAIMED": "activated_at = NULL, completed_at = NULL, cancelled_at = NULL,"
    " expired_at = NULL, bonus_amount = NULL, bonus_usd_amount = NULL,"
    " target_usd_amount = NULL, target_multiplier = NULL, clawback_amount = NULL,"
    " clawback_shortfall = NULL",
    "ACTIVE": "activated_at = now(), bonus_amount = 1, bonus_usd_amount = 1,"
    " target_usd_amount = 30",
    "COMPLETED": "activated_at = now(), bonus_amount = 1, bonus_usd_amount = 1,"
    " target_usd_amount = 0, completed_at = now()",
    "CANCELLED": "cancelled_at = now(), clawback_amount = 0, clawback_shortfall = 0",
    "EXPIRED": "expired_at = now(), clawback_amount = 0, clawback_shortfall = 0",
}


def refused(sql: str, *params: Any) -> bool:
    """Tell whether the database refuses the statement."""
    try:
        with transaction.atomic():
            execute(sql, params)
    except (IntegrityError, InternalError, ProgrammingError):
        return True
    return False


def test_table_names_every_transition() -> None:
    assert {move.name for move in UserPromo().get_all_status_transitions()} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", UserPromoStatus.values)
def test_move(status: str, verb: str, now: datetime) -> None:
    claim = UserPromoFactory.build(status=status, wagered_usd_amount=Decimal(3000))
    target = MOVES.get((status, verb))

    if target is None:
        with pytest.raises(TransitionNotAllowed):
            VERBS[verb](claim, now)
        assert claim.status == status
    else:
        VERBS[verb](claim, now)
        assert (claim.status, getattr(claim, INSTANTS[target])) == (target, now)


def test_a_rollover_below_its_target_cannot_complete(now: datetime) -> None:
    claim = UserPromoFactory.build(status="ACTIVE", wagered_usd_amount=Decimal("2999.99999999"))

    with pytest.raises(AssertionError):
        claim.complete(now=now)


def test_status_cannot_be_assigned() -> None:
    with pytest.raises(AttributeError):
        UserPromoFactory.build().status = UserPromoStatus.ACTIVE


@pytest.mark.django_db
def test_a_stale_row_cannot_overwrite_a_newer_state(now: datetime) -> None:
    claim = UserPromoFactory.create()
    stale = stored(claim)
    claim.cancel(now=now)
    claim.clawback_amount = claim.clawback_shortfall = Decimal(0)
    claim.save(update_fields=["status", "cancelled_at", "clawback_amount", "clawback_shortfall"])
    stale.expire(now=now)

    with pytest.raises(ConcurrentTransition), transaction.atomic():
        stale.save(update_fields=["status", "expired_at"])

    assert stored(claim).status == "CANCELLED"


# The database


@pytest.mark.django_db
@pytest.mark.parametrize("target", UserPromoStatus.values)
@pytest.mark.parametrize("status", UserPromoStatus.values)
def test_the_database_knows_the_same_moves(status: str, target: str) -> None:
    claim = UserPromoFactory.create(status=status)
    is_legal = target in {to for (source, _verb), to in MOVES.items() if source == status}

    was_refused = refused(
        f"UPDATE promos_userpromo SET status = %s, {COLUMNS[target]} WHERE id = %s",
        target,
        claim.pk,
    )

    # Nothing changes when a row stays in a state that is open.
    stays = status == target and status in OPEN_STATUSES
    assert was_refused is not (is_legal or stays)
    assert stored(claim).status == (status if was_refused else target)


@pytest.mark.django_db
@pytest.mark.parametrize("status", CLOSED_STATUSES)
@pytest.mark.parametrize("column", ["bonus_amount", "clawback_amount", "due_at", "wagered"])
def test_nothing_of_an_ended_claim_changes(status: str, column: str) -> None:
    claim = UserPromoFactory.create(status=status)
    before = UserPromo.objects.filter(pk=claim.pk).values().get()
    column = "wagered_usd_amount" if column == "wagered" else column
    value = "now()" if column == "due_at" else "7"

    assert refused(f"UPDATE promos_userpromo SET {column} = {value} WHERE id = %s", claim.pk)

    assert UserPromo.objects.filter(pk=claim.pk).values().get() == before


@pytest.mark.django_db
@pytest.mark.parametrize("status", UserPromoStatus.values)
def test_a_claim_is_never_deleted(status: str) -> None:
    claim = UserPromoFactory.create(status=status)

    assert refused("DELETE FROM promos_userpromo WHERE id = %s", claim.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "change"),
    [
        ("CLAIMED", "due_at = NULL"),
        ("CLAIMED", "bonus_amount = 1"),
        ("CLAIMED", "activated_at = now()"),
        ("CLAIMED", "completed_at = now()"),
        ("CLAIMED", "clawback_amount = 0"),
        ("CLAIMED", "wagered_usd_amount = 1"),
        ("ACTIVE", "bonus_amount = NULL"),
        ("ACTIVE", "target_usd_amount = NULL"),
        ("ACTIVE", "cancelled_at = now()"),
        ("ACTIVE", "wagered_usd_amount = -1"),
        ("ACTIVE", "wagered_usd_amount = 'NaN'"),
        ("ACTIVE", "bonus_amount = 'NaN'"),
        ("ACTIVE", "rate = 1"),
        ("ACTIVE", "status = 'COMPLETED', completed_at = now()"),
    ],
)
def test_no_state_without_its_columns(status: str, change: str) -> None:
    claim = UserPromoFactory.create(status=status)
    before = UserPromo.objects.filter(pk=claim.pk).values().get()

    assert refused(f"UPDATE promos_userpromo SET {change} WHERE id = %s", claim.pk)

    assert UserPromo.objects.filter(pk=claim.pk).values().get() == before


@pytest.mark.django_db
@pytest.mark.parametrize("first", OPEN_STATUSES)
@pytest.mark.parametrize("second", OPEN_STATUSES)
def test_a_player_has_one_open_claim(first: str, second: str) -> None:
    claim = UserPromoFactory.create(status=first)

    with pytest.raises(IntegrityError), transaction.atomic():
        UserPromoFactory.create(
            promo=PromoFactory.create(operator=claim.operator), player=claim.player, status=second
        )


@pytest.mark.django_db
def test_a_player_claims_a_promo_once() -> None:
    claim = UserPromoFactory.create(status="EXPIRED")

    with pytest.raises(IntegrityError), transaction.atomic():
        UserPromoFactory.create(promo=claim.promo, player=claim.player)


@pytest.mark.django_db
def test_a_single_use_code_is_in_one_claim() -> None:
    code = PromoBatchCodeFactory.create()
    UserPromoFactory.create(promo=code.batch.promo, batch_code=code)

    with pytest.raises(IntegrityError), transaction.atomic():
        UserPromoFactory.create(promo=code.batch.promo, batch_code=code)


# Records and locks


@pytest.mark.django_db
@pytest.mark.parametrize("status", [status for status in UserPromoStatus if status != "ACTIVE"])
def test_only_an_active_claim_is_advanced(status: str) -> None:
    claim = UserPromoFactory.create(status=status)
    record = WagerRecord(user_promo=claim, bet_ref="b", usd_amount=Decimal(1), created_at=LONG_AGO)

    with pytest.raises(IntegrityError), transaction.atomic():
        record.save(force_insert=True)

    assert WagerRecord.objects.exists() is False


@pytest.mark.django_db
@pytest.mark.parametrize("amount", ["0", "NaN", "Infinity", "100000000000000000000"])
def test_a_wager_record_moves_an_amount(amount: str) -> None:
    claim = UserPromoFactory.create(status="ACTIVE")

    with pytest.raises(Exception), transaction.atomic():  # noqa: B017, PT011 -- whichever says no
        execute(
            "INSERT INTO promos_wagerrecord (user_promo_id, bet_ref, usd_amount, created_at)"
            " VALUES (%s, 'b', %s::numeric, now())",
            [claim.pk, amount],
        )

    assert stored(claim).wagered_usd_amount == 0


@pytest.mark.django_db
@pytest.mark.parametrize("amount", [1, -1])
def test_a_bet_is_recorded_once_and_taken_back_once(amount: int) -> None:
    claim = UserPromoFactory.create(status="ACTIVE", wagered_usd_amount=Decimal(9))
    kwargs: dict[str, Any] = {"bet_ref": "b", "usd_amount": amount, "created_at": LONG_AGO}
    WagerRecord.objects.create(user_promo=claim, **kwargs)

    with pytest.raises(IntegrityError), transaction.atomic():
        WagerRecord.objects.create(user_promo=claim, **kwargs)

    assert stored(claim).wagered_usd_amount == 9 + amount


@pytest.mark.django_db
def test_a_wager_record_is_never_changed() -> None:
    claim = UserPromoFactory.create(status="ACTIVE")
    WagerRecord.objects.create(
        user_promo=claim, bet_ref="b", usd_amount=Decimal(5), created_at=LONG_AGO
    )

    assert refused("UPDATE promos_wagerrecord SET usd_amount = 6")
    assert refused("DELETE FROM promos_wagerrecord")


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["until = until - interval '1 s'", "source = 'CREDIT'"])
def test_a_lock_never_shrinks(change: str) -> None:
    WithdrawalLockFactory.create()

    assert refused(f"UPDATE promos_withdrawallock SET {change}")
    assert refused("DELETE FROM promos_withdrawallock")


@pytest.mark.django_db
def test_a_lifted_lock_stays_lifted(now: datetime) -> None:
    lock = WithdrawalLockFactory.create(lifted_at=now, lifted_by="staff:7", lift_reason="Mistake")

    assert refused("UPDATE promos_withdrawallock SET lifted_at = NULL, lifted_by = '',"
                   " lift_reason = ''")  # fmt: skip

    assert WithdrawalLock.objects.get(pk=lock.pk).lifted_at == now


@pytest.mark.django_db
def test_a_lock_is_lifted_by_somebody_for_a_reason() -> None:
    WithdrawalLockFactory.create()

    assert refused("UPDATE promos_withdrawallock SET lifted_at = now()")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "claims_left = -1",
        "claims_left = 6",
        "claims_left = NULL",
        "amount = 1",
        "currency = 'EUR'",
        "bonus_multiplier = NULL",
        "wager_multiplier_to_complete = NULL",
        "wager_usd_amount_to_complete = 1",
        "max_bonus_usd_amount = 'NaN'",
        "type = 'INSTANT'",
        "starts_at = now(), expires_at = now()",
    ],
)
def test_the_terms_of_a_promo_are_whole(change: str) -> None:
    PromoFactory.create(claims_left=5)

    assert refused(f"UPDATE promos_promo SET {change}")


@pytest.mark.django_db
def test_a_code_is_unique_among_archived_ones_too() -> None:
    promo = PromoFactory.create(code="Summer", archived_at=LONG_AGO)

    with pytest.raises(IntegrityError), transaction.atomic():
        PromoFactory.create(operator=promo.operator, code="SUMMER")


def test_control_the_helper_sees_what_is_not_refused(db: Any) -> None:
    claim = UserPromoFactory.create(status="ACTIVE")

    assert refused("UPDATE promos_userpromo SET code = 'x' WHERE id = %s", claim.pk) is False
    assert connection.needs_rollback is False
