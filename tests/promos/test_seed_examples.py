"""The seed's worked examples and its table of edge cases, row by row, in its own words."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from core.actors import Actor
from games.models import Game
from promos.enums import UserPromoStatus
from promos.errors import (
    PromoAlreadyClaimed,
    PromoClaimsExhausted,
    PromoCodeIsActive,
    UserPromoClosed,
    WithdrawalsBlocked,
)
from promos.models import Promo, UserPromo
from promos.representations import represent_user_promo
from promos.services import restrictions, rollover
from tests.factories.games import GameFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory, PromoGameFactory
from tests.factories.wallets import held_by, house, main_of, posting
from tests.promos.conftest import SECOND, Life, stored
from wallets.services import transfers

pytestmark = pytest.mark.django_db


@pytest.fixture
def promo(operator) -> Promo:
    return PromoFactory.create(operator=operator, code="WELCOME100")


def spend(life: Life, amount: str) -> None:
    """Let the player lose money at the tables."""
    transfers.post_transfers(
        operator=life.operator,
        postings=[posting(main_of(life.player), house(currency="USD"), amount)],
        now=life.now,
    )


# Worked examples


def test_3_2_first_deposit_100_percent_match_30_times_rollover_7_days(
    life: Life, promo: Promo, active: Callable[..., UserPromo]
) -> None:
    user_promo = active(promo, "100.00")

    shown = represent_user_promo(stored(user_promo))
    assert shown["status"] == "ACTIVE"
    assert (shown["bonus_amount"], shown["bonus_currency"]) == ("100.00", "USD")
    assert shown["progress"] == {
        "bonus_usd_amount": "100.00",
        "wager_usd_amount_to_complete": "3000.00",
        "wager_multiplier_to_complete": "30",
        "wagered_usd_amount": "0.00",
        "expires_at": "2026-04-05T00:59:00Z",
    }
    assert held_by(life.player) == Decimal(200)


def test_3_2_each_dollar_wagered_counts_a_dollar(
    life: Life, promo: Promo, active: Callable[..., UserPromo], game: Game
) -> None:
    user_promo = active(promo)

    life.bet(game, 1)

    assert stored(user_promo).wagered_usd_amount == 1


def test_3_3_the_bonus_is_capped_and_the_rollover_scales_with_the_cap(
    life: Life, promo: Promo, active: Callable[..., UserPromo]
) -> None:
    user_promo = active(promo, "1000.00")

    claim = stored(user_promo)
    assert (claim.bonus_amount, claim.bonus_usd_amount) == (500, 500)
    assert claim.target_usd_amount == 15_000
    assert held_by(life.player) == 1500


def test_3_4_a_fixed_target_and_the_multiplier_derived_from_the_deposit(
    life: Life, operator, active: Callable[..., UserPromo]
) -> None:
    user_promo = active(PromoFactory.create(operator=operator, fixed=True), "100.00")

    claim = stored(user_promo)
    assert claim.bonus_amount == 100
    assert claim.target_usd_amount == 1500
    assert claim.target_multiplier == 15


# Edge cases


def test_a_deposit_below_the_minimum_cancels(life: Life, promo: Promo) -> None:
    user_promo = life.claim(promo)

    life.deposit("19.99")

    claim = stored(user_promo)
    assert claim.status == UserPromoStatus.CANCELLED
    assert (claim.bonus_amount, claim.clawback_amount, claim.clawback_shortfall) == (None, 0, 0)
    assert held_by(life.player) == Decimal("19.99")


def test_of_several_deposits_the_first_decides(life: Life, promo: Promo) -> None:
    user_promo = life.claim(promo)

    life.deposit("19.99")
    life.deposit("500.00")

    assert stored(user_promo).status == UserPromoStatus.CANCELLED
    assert held_by(life.player) == Decimal("519.99")


def test_claims_left_0_makes_a_code_unclaimable_and_leaves_claimers_alone(
    life: Life, operator, actor: Actor
) -> None:
    promo = PromoFactory.create(operator=operator, claims_left=1)
    user_promo = life.claim(promo)
    late = Life(PlayerFactory.create(operator=operator, currency="USD"), actor, life.now)

    with pytest.raises(PromoClaimsExhausted):
        late.claim(promo)

    assert Promo.objects.get(pk=promo.pk).claims_left == 0
    assert UserPromo.objects.count() == 1
    assert life.deposit("100.00").status == UserPromoStatus.ACTIVE
    assert stored(user_promo).bonus_amount == 100


def test_claiming_the_same_code_twice_is_refused(life: Life, promo: Promo) -> None:
    user_promo = life.claim(promo)
    life.cancel(user_promo)

    with pytest.raises(PromoAlreadyClaimed):
        life.claim(promo)

    assert UserPromo.objects.count() == 1


@pytest.mark.parametrize("nothing", ["bonus_multiplier", "max_bonus_usd_amount"])
def test_a_bonus_of_nothing_is_legal_and_completes_at_once(
    nothing: str, life: Life, operator, active: Callable[..., UserPromo]
) -> None:
    user_promo = active(PromoFactory.create(operator=operator, **{nothing: Decimal(0)}))

    claim = stored(user_promo)
    assert claim.status == UserPromoStatus.COMPLETED
    assert (claim.bonus_amount, claim.target_usd_amount) == (0, 0)
    assert claim.completed_at == life.now
    assert held_by(life.player) == 100


def test_expired_before_any_wager_takes_the_whole_bonus_back(
    life: Life, promo: Promo, active: Callable[..., UserPromo]
) -> None:
    user_promo = active(promo)
    life.now += timedelta(days=7)

    assert life.sweep() == 1

    claim = stored(user_promo)
    assert claim.status == UserPromoStatus.EXPIRED
    assert claim.expired_at == life.now
    assert (claim.clawback_amount, claim.clawback_shortfall) == (100, 0)
    assert held_by(life.player) == 100


def test_expired_after_meeting_the_target_cannot_be_it_is_complete(
    life: Life, promo: Promo, active: Callable[..., UserPromo], game: Game
) -> None:
    user_promo = active(promo)
    life.bet(game, 3000)
    life.now += timedelta(days=7)

    assert life.sweep() == 0

    claim = stored(user_promo)
    assert claim.status == UserPromoStatus.COMPLETED
    assert (claim.clawback_amount, held_by(life.player)) == (None, 200)


def test_cancel_after_meeting_the_target_is_refused_and_takes_nothing(
    life: Life, promo: Promo, active: Callable[..., UserPromo], game: Game
) -> None:
    user_promo = active(promo)
    life.bet(game, 3000)

    with pytest.raises(UserPromoClosed):
        life.cancel(user_promo)

    assert held_by(life.player) == 200


@pytest.mark.parametrize("ending", ["expire", "cancel"])
def test_a_balance_below_the_bonus_caps_the_clawback(
    ending: str, life: Life, promo: Promo, active: Callable[..., UserPromo]
) -> None:
    user_promo = active(promo)
    spend(life, "159.99")

    if ending == "cancel":
        life.cancel(user_promo)
    else:
        life.now += timedelta(days=7)
        life.sweep()

    claim = stored(user_promo)
    assert (claim.clawback_amount, claim.clawback_shortfall) == (
        Decimal("40.01"),
        Decimal("59.99"),
    )
    assert held_by(life.player) == 0


def test_house_games_are_always_allowed_and_do_not_advance_the_rollover(
    life: Life, promo: Promo, active: Callable[..., UserPromo], operator
) -> None:
    user_promo = active(promo)
    dice = GameFactory.create(operator=operator, is_house=True)

    refused = rollover.list_bet_refusals(
        user_promo=stored(user_promo), game=dice, stake_usd=Decimal(10_000), now=life.now
    )
    life.bet(dice, 500)

    assert refused == []
    assert stored(user_promo).wagered_usd_amount == 0


def test_house_games_that_are_listed_advance_the_rollover(
    life: Life, promo: Promo, active: Callable[..., UserPromo], operator
) -> None:
    dice = GameFactory.create(operator=operator, is_house=True)
    PromoGameFactory.create(promo=promo, game=dice, wager_multiplier=Decimal("0.1"))
    user_promo = active(promo)

    life.bet(dice, 500)

    assert stored(user_promo).wagered_usd_amount == 50


# Section 4


def test_withdrawals_tips_and_vault_are_blocked_while_active(
    life: Life, promo: Promo, active: Callable[..., UserPromo]
) -> None:
    active(promo)

    for action in ("withdraw", "tip", "vault"):
        with pytest.raises(PromoCodeIsActive):
            restrictions.refuse_if_restricted(
                operator=life.operator, player=life.player, action=action, now=life.now
            )


def test_while_claimed_tips_and_vault_are_blocked_and_withdrawals_are_not(
    life: Life, promo: Promo
) -> None:
    life.claim(promo)

    for action in ("tip", "vault"):
        with pytest.raises(PromoCodeIsActive):
            restrictions.refuse_if_restricted(
                operator=life.operator, player=life.player, action=action, now=life.now
            )
    restrictions.refuse_if_restricted(
        operator=life.operator, player=life.player, action="withdraw", now=life.now
    )


def test_lock_withdraw_on_claim_hours_are_hours_not_minutes(life: Life, operator) -> None:
    promo = PromoFactory.create(
        operator=operator, instant=True, currency="USD", lock_withdraw_on_claim_hours=24
    )
    life.claim(promo)
    life.now += timedelta(hours=24) - SECOND

    with pytest.raises(WithdrawalsBlocked) as refusal:
        restrictions.refuse_if_restricted(
            operator=life.operator, player=life.player, action="withdraw", now=life.now
        )

    assert refusal.value.members == {"until": "2026-03-30T00:59:00Z"}
    restrictions.refuse_if_restricted(
        operator=life.operator, player=life.player, action="withdraw", now=life.now + SECOND
    )
