"""
Every move of a grant: the ones that exist, and all the ones that do not.

Said twice: by the state machine, and by the database, for whoever comes past it.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction
from django_fsm import ConcurrentTransition, TransitionNotAllowed

from bonuses.enums import CLOSED_GRANT_STATUSES, GrantStatus
from bonuses.models import BetFunding, BonusGrant, WagerEvent
from tests.bonuses.playing import stored
from tests.concurrency.sabotage import execute
from tests.factories.bonuses import BonusGrantFactory
from tests.factories.operators import LONG_AGO

# The whole machine on one screen. A move that is not listed must be refused.
MOVES = {
    ("active", "complete"): "completed",
    ("active", "forfeit"): "forfeited",
    ("active", "expire"): "expired",
    ("active", "cancel"): "cancelled",
}
VERBS: dict[str, Callable[[BonusGrant, datetime], None]] = {
    "complete": lambda grant, now: grant.complete(at=now),
    "forfeit": lambda grant, now: grant.forfeit(at=now, reason="too much"),
    "expire": lambda grant, now: grant.expire(at=now),
    "cancel": lambda grant, now: grant.cancel(at=now, reason="asked to"),
}
#: What a row needs to be in a state, whatever state it comes from.
COLUMNS = {
    "active": "completed_at = NULL, forfeited_at = NULL, expired_at = NULL,"
    " cancelled_at = NULL, released_amount = NULL, excess_amount = NULL",
    "completed": "completed_at = now(), wagering_progress = wagering_required,"
    " released_amount = 1, excess_amount = 0",
    "forfeited": "forfeited_at = now()",
    "expired": "expired_at = now()",
    "cancelled": "cancelled_at = now()",
}


def refused(sql: str, *params: Any) -> bool:
    """Tell whether the database refuses the statement."""
    try:
        with transaction.atomic():
            execute(sql, params)
    except (IntegrityError, InternalError, ProgrammingError):
        return True
    return False


def row(grant: BonusGrant) -> dict[str, Any]:
    return BonusGrant.objects.filter(pk=grant.pk).values().get()


def test_table_names_every_transition() -> None:
    assert {move.name for move in BonusGrant().get_all_status_transitions()} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", GrantStatus.values)
def test_move(status: str, verb: str, now: datetime) -> None:
    grant = BonusGrant(status=status)
    target = MOVES.get((status, verb))

    if target is None:
        with pytest.raises(TransitionNotAllowed):
            VERBS[verb](grant, now)
        assert grant.status == status
    else:
        VERBS[verb](grant, now)
        assert (grant.status, getattr(grant, f"{target}_at")) == (target, now)


def test_status_cannot_be_assigned() -> None:
    with pytest.raises(AttributeError):
        BonusGrant().status = GrantStatus.COMPLETED


@pytest.mark.django_db
def test_a_stale_row_cannot_overwrite_a_newer_state(now: datetime) -> None:
    grant = BonusGrantFactory.create()
    stale = stored(grant)
    grant.cancel(at=now, reason="first")
    grant.save(update_fields=["status", "cancelled_at", "outcome_reason"])
    stale.expire(at=now)

    with pytest.raises(ConcurrentTransition), transaction.atomic():
        stale.save(update_fields=["status", "expired_at"])

    assert stored(grant).status == "cancelled"


# The database


@pytest.mark.django_db
@pytest.mark.parametrize("target", GrantStatus.values)
@pytest.mark.parametrize("status", GrantStatus.values)
def test_the_database_knows_the_same_moves(status: str, target: str) -> None:
    grant = BonusGrantFactory.create(status=status)
    is_legal = target in {to for (source, _verb), to in MOVES.items() if source == status}

    was_refused = refused(
        f"UPDATE bonuses_bonusgrant SET status = %s, {COLUMNS[target]} WHERE id = %s",
        target,
        grant.pk,
    )

    # Nothing changes when an active one stays active.
    assert was_refused is not (is_legal or status == target == "active")
    assert stored(grant).status == (status if was_refused else target)


@pytest.mark.django_db
@pytest.mark.parametrize("status", CLOSED_GRANT_STATUSES)
@pytest.mark.parametrize("external", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        f"status = 'active', {COLUMNS['active']}",
        "wagering_progress = wagering_progress + 1",
        "total_wagered = 7",
        "released_amount = 7, excess_amount = 7",
        "outcome_reason = 'another'",
        "expires_at = now()",
        "completed_at = now()",
        "reconciled_at = now()",
        '"references" = \'{"a": 1}\'',
        "status = status",
    ],
)
def test_nothing_of_an_ended_grant_changes(status: str, external: bool, change: str) -> None:
    grant = BonusGrantFactory.create(status=status, external=external)
    before = row(grant)

    assert refused(f"UPDATE bonuses_bonusgrant SET {change} WHERE id = %s", grant.pk)

    assert row(grant) == before


@pytest.mark.django_db
@pytest.mark.parametrize("status", GrantStatus.values)
def test_a_grant_is_never_deleted(status: str) -> None:
    grant = BonusGrantFactory.create(status=status)

    assert refused("DELETE FROM bonuses_bonusgrant WHERE id = %s", grant.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "completed_at = now()",
        "cancelled_at = now()",
        "released_amount = 1, excess_amount = 0",
        "wagering_progress = -1",
        "wagering_progress = 'NaN'",
        "total_wagered = 'NaN'",
        "bonus_amount = 11",
        "bonus_currency = 'USD'",
        "wagering_required = 1",
        "max_bet = 1",
        "max_win_cap = 1",
        "fx_rate_locked = 2",
        "player_id = player_id",
        "granted_at = now()",
        "status = 'completed', completed_at = now(), released_amount = 1, excess_amount = 0",
    ],
)
def test_no_state_without_its_columns_and_no_other_terms(change: str) -> None:
    grant = BonusGrantFactory.create()
    before = row(grant)

    assert refused(f"UPDATE bonuses_bonusgrant SET {change} WHERE id = %s", grant.pk)

    assert row(grant) == before


@pytest.mark.django_db
@pytest.mark.parametrize("progress", ["299.99999999", "300"])
def test_our_own_grant_completes_only_with_its_requirement_wagered(progress: str) -> None:
    grant = BonusGrantFactory.create(wagering_progress=Decimal(progress))

    was_refused = refused(
        "UPDATE bonuses_bonusgrant SET status = 'completed', completed_at = now(),"
        " released_amount = 1, excess_amount = 0 WHERE id = %s",
        grant.pk,
    )

    assert was_refused is (progress != "300")


@pytest.mark.django_db
def test_a_platforms_grant_releases_nothing_here() -> None:
    grant = BonusGrantFactory.create(external=True)

    assert refused(
        "UPDATE bonuses_bonusgrant SET status = 'completed', completed_at = now(),"
        " released_amount = 1, excess_amount = 0 WHERE id = %s",
        grant.pk,
    )


# Wager events and fundings


@pytest.mark.django_db
@pytest.mark.parametrize("status", CLOSED_GRANT_STATUSES)
def test_only_an_active_grant_is_advanced(status: str) -> None:
    grant = BonusGrantFactory.create(status=status)

    with pytest.raises(IntegrityError), transaction.atomic():
        advance(grant, 1)

    assert not WagerEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("sign", [1, -1])
def test_a_bet_counts_once_and_is_taken_back_once(sign: int) -> None:
    grant = BonusGrantFactory.create(wagering_progress=Decimal(9), total_wagered=Decimal(9))
    advance(grant, sign)

    with pytest.raises(IntegrityError), transaction.atomic():
        advance(grant, sign)

    assert stored(grant).wagering_progress == 9 + sign


@pytest.mark.django_db
def test_a_wager_event_is_never_changed() -> None:
    advance(BonusGrantFactory.create(), 5)

    assert refused("UPDATE bonuses_wagerevent SET weighted_amount = 6")
    assert refused("DELETE FROM bonuses_wagerevent")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        "stake_amount = 0",
        "stake_amount = 'NaN'",
        "paid_amount = 1",
        "payout_share = 1, paid_amount = 1, excess_amount = 1, settled_at = now()",
        "payout_share = 1, paid_amount = 'NaN', excess_amount = 0, settled_at = now()",
        "late_main_amount = 'NaN'",
        "late_excess_amount = 'NaN'",
    ],
)
def test_a_funding_is_whole(change: str) -> None:
    funding = BetFunding.objects.create(
        grant=BonusGrantFactory.create(),
        bet_ref="b",
        stake_amount=Decimal(1),
        funded_at=LONG_AGO,
    )

    assert refused(f"UPDATE bonuses_betfunding SET {change} WHERE id = %s", funding.pk)


def advance(grant: BonusGrant, amount: int) -> None:
    WagerEvent.objects.create(
        grant=grant,
        source="bet:b",
        wagered_amount=Decimal(amount),
        weighted_amount=Decimal(amount),
        created_at=LONG_AGO,
    )


def test_control_the_helper_sees_what_is_not_refused(db: Any) -> None:
    grant = BonusGrantFactory.create()

    assert not refused("UPDATE bonuses_bonusgrant SET expires_at = now() WHERE id = %s", grant.pk)
    assert connection.needs_rollback is False
