"""At equality, and one least unit to either side: floor, target, max bet, lock, deadlines."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.actors import Actor
from core.errors import DomainError
from core.models import AuditEntry
from games.models import Game
from operators.models import Operator
from promos.models import UserPromo, WagerRecord, WithdrawalLock
from promos.services import restrictions, rollover
from tests.factories.games import GameFactory
from tests.factories.promos import PromoFactory, PromoGameFactory
from tests.factories.wallets import held_by
from tests.promos.conftest import DAY, TICK, Life, stored

pytestmark = pytest.mark.django_db

WEEK = timedelta(days=7)
LEAST = Decimal("0.00000001")


def may(life: Life, action: str) -> str:
    """Return the code of the refusal of ``action``, or nothing."""
    try:
        restrictions.refuse_if_restricted(
            operator=life.operator, player=life.player, action=action, now=life.now
        )
    except DomainError as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize(
    ("amount", "status"), [("19.99", "CANCELLED"), ("20.00", "ACTIVE"), ("20.01", "ACTIVE")]
)
def test_the_floor_is_inclusive(amount: str, status: str, life: Life, operator: Operator) -> None:
    user_promo = life.claim(PromoFactory.create(operator=operator))

    life.deposit(amount)

    assert stored(user_promo).status == status


@pytest.mark.parametrize(
    ("amount", "status"), [("15.99", "CANCELLED"), ("16.00", "ACTIVE"), ("16.01", "ACTIVE")]
)
def test_the_floor_is_in_dollars(
    amount: str, status: str, euro_player, actor: Actor, now, operator: Operator
) -> None:
    life = Life(euro_player, actor, now)
    user_promo = life.claim(PromoFactory.create(operator=operator))

    life.deposit(amount)

    assert stored(user_promo).status == status


@pytest.mark.parametrize(
    ("stake", "status"),
    [(3000 - LEAST, "ACTIVE"), (Decimal(3000), "COMPLETED"), (3000 + LEAST, "COMPLETED")],
)
def test_the_target_is_met_at_equality(
    stake: Decimal, status: str, life: Life, active: Callable[..., UserPromo], operator, game: Game
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))

    life.bet(game, stake)

    claim = stored(user_promo)
    assert (claim.status, claim.wagered_usd_amount) == (status, stake)
    assert held_by(life.player) == 200


@pytest.mark.parametrize(("short", "taken"), [(LEAST, 100), (Decimal(1), 100)])
def test_a_target_missed_by_the_least_is_missed(
    short: Decimal, taken: int, life: Life, active: Callable[..., UserPromo], operator, game: Game
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))
    life.bet(game, 3000 - short)

    life.cancel(user_promo)

    assert stored(user_promo).clawback_amount == taken


@pytest.mark.parametrize(
    ("stake", "is_refused"), [(5 - LEAST, False), (Decimal(5), False), (5 + LEAST, True)]
)
def test_the_max_bet_is_inclusive(
    stake: Decimal, is_refused: bool, life: Life, active: Callable[..., UserPromo], operator
) -> None:
    promo = PromoFactory.create(operator=operator)
    slow = GameFactory.create(operator=operator)
    PromoGameFactory.create(promo=promo, game=slow, max_bet_amount=Decimal(5))
    user_promo = active(promo)

    refused = rollover.list_bet_refusals(
        user_promo=user_promo, game=slow, stake_usd=stake, now=life.now
    )

    codes = [refusal.code for refusal in refused]
    assert codes == (["BET_RESTRICTED_BY_PROMO_ACTIVE_CODE"] if is_refused else [])


@pytest.mark.parametrize(
    ("later", "code"),
    [(DAY - TICK, "WITHDRAWALS_BLOCKED"), (DAY, ""), (DAY + TICK, "")],
)
def test_a_lock_ends_at_its_instant(
    later: timedelta, code: str, life: Life, operator: Operator
) -> None:
    life.claim(
        PromoFactory.create(
            operator=operator, instant=True, currency="USD", lock_withdraw_on_claim_hours=24
        )
    )
    life.now += later

    assert may(life, "withdraw") == code


@pytest.mark.parametrize(
    ("later", "status", "wagered"),
    [(WEEK - TICK, "ACTIVE", 10), (WEEK, "EXPIRED", 0), (WEEK + TICK, "EXPIRED", 0)],
)
def test_a_bet_counts_before_the_deadline_only(
    later: timedelta,
    status: str,
    wagered: int,
    life: Life,
    active: Callable[..., UserPromo],
    operator,
    game: Game,
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))
    placed_at = life.now
    life.now += later

    life.bet(game, 10, placed_at=placed_at)

    claim = stored(user_promo)
    assert (claim.status, claim.wagered_usd_amount) == (status, wagered)


@pytest.mark.parametrize(("later", "count"), [(WEEK - TICK, 0), (WEEK, 1), (WEEK + TICK, 1)])
def test_the_sweep_expires_at_the_deadline(
    later: timedelta, count: int, life: Life, active: Callable[..., UserPromo], operator
) -> None:
    active(PromoFactory.create(operator=operator))
    life.now += later

    assert life.sweep() == count
    assert life.sweep() == 0


@pytest.mark.parametrize(
    ("later", "status"),
    [(30 * DAY - TICK, "ACTIVE"), (30 * DAY, "EXPIRED"), (30 * DAY + TICK, "EXPIRED")],
)
def test_a_deposit_activates_within_the_window_only(
    later: timedelta, status: str, life: Life, operator: Operator
) -> None:
    user_promo = life.claim(PromoFactory.create(operator=operator))
    life.now += later

    life.deposit("100.00")

    assert stored(user_promo).status == status


def test_the_window_ends_without_a_clawback(life: Life, operator: Operator) -> None:
    user_promo = life.claim(PromoFactory.create(operator=operator))
    life.now += 30 * DAY

    assert life.sweep() == 1

    claim = stored(user_promo)
    assert (claim.status, claim.clawback_amount, claim.clawback_shortfall) == ("EXPIRED", 0, 0)
    assert held_by(life.player) is None


def test_a_bet_placed_before_the_activation_does_not_count(
    life: Life, active: Callable[..., UserPromo], operator, game: Game
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))

    life.bet(game, 10, placed_at=life.now - TICK)
    life.bet(game, 20, placed_at=life.now)

    assert stored(user_promo).wagered_usd_amount == 20


# What meets a claim that is past its deadline expires it


def test_a_withdrawal_meets_an_expired_claim_after_its_clawback(
    life: Life, active: Callable[..., UserPromo], operator
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))
    assert may(life, "withdraw") == "PROMO_CODE_IS_ACTIVE"
    life.now += WEEK

    assert may(life, "withdraw") == ""

    assert stored(user_promo).status == "EXPIRED"
    assert held_by(life.player) == 100


def test_a_deposit_expires_a_claim_past_its_deadline(
    life: Life, active: Callable[..., UserPromo], operator
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))
    life.now += WEEK

    life.deposit("50.00")

    assert stored(user_promo).status == "EXPIRED"
    assert held_by(life.player) == 150


def test_a_claim_expires_the_one_before_it_and_takes_its_place(
    life: Life, active: Callable[..., UserPromo], operator, record_locks: Callable[..., Any]
) -> None:
    first = active(PromoFactory.create(operator=operator))
    promo = PromoFactory.create(operator=operator, claims_left=1)
    life.now += WEEK

    with record_locks() as tables:
        second = life.claim(promo)

    assert tables == ["promos_promo", "promos_userpromo"]

    assert stored(first).status == "EXPIRED"
    assert stored(first).clawback_amount == 100
    assert stored(second).status == "CLAIMED"
    assert held_by(life.player) == 100


# Rollover


def test_a_game_listed_with_0_may_be_bet_and_counts_nothing(
    life: Life, active: Callable[..., UserPromo], operator
) -> None:
    promo = PromoFactory.create(operator=operator)
    safe = GameFactory.create(operator=operator)
    PromoGameFactory.create(promo=promo, game=safe, wager_multiplier=Decimal(0))
    user_promo = active(promo)

    refused = rollover.list_bet_refusals(
        user_promo=user_promo, game=safe, stake_usd=Decimal(10), now=life.now
    )
    life.bet(safe, 10)

    assert refused == []
    assert stored(user_promo).wagered_usd_amount == 0
    assert WagerRecord.objects.exists() is False


def test_an_unlisted_game_is_refused_while_active_but_not_while_claimed(
    life: Life, operator
) -> None:
    unlisted = GameFactory.create(operator=operator)
    user_promo = life.claim(PromoFactory.create(operator=operator))
    stake = Decimal(1)

    while_claimed = rollover.list_bet_refusals(
        user_promo=user_promo, game=unlisted, stake_usd=stake, now=life.now
    )
    user_promo = life.deposit("100.00")
    while_active = rollover.list_bet_refusals(
        user_promo=user_promo, game=unlisted, stake_usd=stake, now=life.now
    )

    assert while_claimed == []
    assert [refusal.source for refusal in while_active] == [f"promo:{user_promo.code}"]


def test_a_rolled_back_bet_takes_its_progress_back_once(
    life: Life, active: Callable[..., UserPromo], operator, game: Game
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))
    life.bet(game, 40, ref="first")
    life.bet(game, 2, ref="second")

    life.roll_back("first")
    life.roll_back("first")
    life.roll_back("never")

    assert stored(user_promo).wagered_usd_amount == 2
    amounts = WagerRecord.objects.order_by("pk").values_list("usd_amount", flat=True)
    assert list(amounts) == [40, 2, -40]


def test_a_rollback_after_the_completion_takes_nothing(
    life: Life, active: Callable[..., UserPromo], operator, game: Game
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))
    life.bet(game, 3000, ref="last")

    life.roll_back("last")

    claim = stored(user_promo)
    assert (claim.status, claim.wagered_usd_amount) == ("COMPLETED", 3000)


# Locks


def test_a_lock_is_set_at_the_claim_and_again_at_the_credit(life: Life, operator: Operator) -> None:
    claimed_at = life.now
    life.claim(PromoFactory.create(operator=operator, lock_withdraw_on_claim_hours=48))
    life.now += DAY
    life.deposit("100.00")

    ends = WithdrawalLock.objects.order_by("pk").values_list("source", "until")
    assert list(ends) == [("CLAIM", claimed_at + 2 * DAY), ("CREDIT", claimed_at + 3 * DAY)]


def test_completion_does_not_lift_the_lock_and_the_latest_counts(
    life: Life, active: Callable[..., UserPromo], operator, game: Game
) -> None:
    active(PromoFactory.create(operator=operator, lock_withdraw_on_claim_hours=48))
    life.bet(game, 3000)
    life.now += DAY

    found = restrictions.list_restrictions(operator=operator, player=life.player, now=life.now)

    assert [(each.action, each.code, each.until) for each in found] == [
        ("withdraw", "WITHDRAWALS_BLOCKED", life.now + DAY)
    ]


def test_an_hour_of_0_locks_nothing(life: Life, operator: Operator) -> None:
    life.claim(PromoFactory.create(operator=operator, lock_withdraw_on_claim_hours=0))

    assert WithdrawalLock.objects.exists() is False


def test_every_move_is_in_the_audit_trail(
    life: Life, active: Callable[..., UserPromo], operator, game: Game
) -> None:
    user_promo = active(PromoFactory.create(operator=operator))
    life.bet(game, 3000)

    trail = AuditEntry.objects.filter(subject_id=str(user_promo.pk)).order_by("pk")
    assert [(entry.action, entry.before, entry.after["status"]) for entry in trail] == [
        ("promo.claim.made", {}, "CLAIMED"),
        ("promo.claim.activated", {"status": "CLAIMED"}, "ACTIVE"),
        ("promo.claim.completed", {"status": "ACTIVE"}, "COMPLETED"),
    ]
    assert {entry.actor_ref for entry in trail} == {"7"}
