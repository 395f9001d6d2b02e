"""
Bets on bonus money that are settled or rolled back after their grant has ended.

A completed grant releases in the end what it would have released if everything had been
known before; what another end took stays with the house.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from activity.models import Bet
from tests.bonuses.playing import Play, differences, funding_of, stored
from wallets.enums import AccountKind
from wallets.errors import InsufficientFunds

pytestmark = pytest.mark.django_db

ENDS = ["cancel", "forfeit", "expire", "max_bet"]


@pytest.fixture
def play() -> Iterator[Play]:
    play = Play()
    yield play
    assert differences() == []


def end(play: Play, grant: Any, how: str) -> None:
    if how == "expire":
        play.now += timedelta(days=7)
        assert play.sweep() == 1
    elif how == "max_bet":
        play.has("6.00")
        play.bet("6.00")
    else:
        play.end(grant, how)


def completed(play: Play, cap: str | None = None, *, stake: str = "4.00") -> Any:
    """Return a grant of ten that has completed while a bet of ``stake`` on it was open."""
    most = None if cap is None else Decimal(cap)
    grant = play.granted("10.00", wagering_multiplier=Decimal(1), max_win_cap=most)
    play.bet(stake, bet_id="open")
    play.has("10.00")
    play.bet("10.00", "0")
    grant = stored(grant)
    assert (grant.status, grant.released_amount) == ("completed", 10 - Decimal(stake))
    return grant


# Payouts


def test_after_completion_a_share_goes_to_the_main_balance(play: Play) -> None:
    grant = completed(play)

    played = play.settle("open", "9.00")

    assert (play.main, play.in_bonus(grant)) == (15, 0)
    assert play.moves(grant)[-1] == ("late-win", 9)
    funding = funding_of(grant)
    assert (funding.paid_amount, funding.excess_amount, funding.late_main_amount) == (9, 0, 9)
    assert played.grants == []
    assert stored(grant).total_wagered == 10


@pytest.mark.parametrize(
    ("payout", "main", "excess"),
    [("8.99", "14.99", "0"), ("9.00", "15.00", "0"), ("9.01", "15.00", "0.01"),
     ("90.00", "15.00", "81.00")],
)  # fmt: skip
def test_up_to_the_room_that_the_cap_leaves(
    payout: str, main: str, excess: str, play: Play
) -> None:
    # Six are released; bonus and cap are fifteen.
    grant = completed(play, "5.00")

    play.settle("open", payout)

    assert play.main == Decimal(main)
    assert play.house(AccountKind.BONUS_EXCESS) == Decimal(excess)
    assert funding_of(grant).excess_amount == Decimal(excess)


def test_the_room_is_shared_by_all_late_payouts(play: Play) -> None:
    grant = play.granted("10.00", wagering_multiplier=Decimal(1), max_win_cap=Decimal(5))
    for number in range(4):
        play.bet("2.00", bet_id=f"open-{number}")
    play.has("10.00")
    play.bet("12.00", "0")
    assert stored(grant).released_amount == 0

    for number in range(4):
        play.settle(f"open-{number}", "6.00")

    assert (play.main, play.house(AccountKind.BONUS_EXCESS)) == (15, 9)


@pytest.mark.parametrize("how", ENDS)
def test_after_another_end_the_share_stays_with_the_house(how: str, play: Play) -> None:
    grant = play.granted("10.00", max_bet=Decimal(5))
    play.has("1.00")
    play.bet("4.00", bet_id="open")
    end(play, grant, how)
    moves = play.moves(grant)

    play.settle("open", "8.00")

    # A quarter of the stake was real money.
    assert (play.main, play.in_bonus(grant)) == (2, 0)
    assert play.moves(grant) == moves
    funding = funding_of(grant)
    assert (funding.payout_share, funding.paid_amount, funding.excess_amount) == (6, 0, 0)
    assert Bet.objects.get(bet_id="open").bonus_payout == 6


# Rollbacks while the grant is active


@pytest.mark.parametrize("payout", [None, "0", "9.00"])
def test_an_active_grant_is_as_if_the_bet_had_not_been(payout: str | None, play: Play) -> None:
    play.has("3.00")
    grant = play.granted("10.00")
    play.bet("7.00", payout, bet_id="r-1")

    played = play.roll_back("r-1")
    again = play.roll_back("r-1")

    assert (play.main, play.in_bonus(grant)) == (3, 10)
    assert (stored(grant).wagering_progress, stored(grant).total_wagered) == (0, 0)
    assert [(each.grant.pk, each.weighted_amount) for each in played.grants] == [(grant.pk, 0)]
    assert again.bet.status == "rolled_back"
    assert funding_of(grant).rolled_back_at == play.now


# With the stake back, what is there decides: 10 + 5 - spent, and 4 more.


@pytest.mark.parametrize(
    ("spent", "is_refused"), [("9.99", False), ("10.00", False), ("10.01", True)]
)
def test_up_to_what_the_grant_still_has(spent: str, is_refused: bool, play: Play) -> None:
    grant = play.granted("10.00")
    play.bet("4.00", "9.00", bet_id="r-1")
    play.bet(spent, "0", bet_id="r-2")
    moves = play.moves(grant)

    if is_refused:
        with pytest.raises(InsufficientFunds), transaction.atomic():
            play.roll_back("r-1")
        assert play.moves(grant) == moves
        assert Bet.objects.get(bet_id="r-1").status == "settled"
    else:
        play.roll_back("r-1")
        assert play.in_bonus(grant) == 10 - Decimal(spent)


# Rollbacks after completion


@pytest.mark.parametrize("payout", [None, "0", "9.00"])
@pytest.mark.parametrize("is_late", [False, True])
def test_of_a_completed_grant_the_main_balance_gives_and_takes(
    is_late: bool, payout: str | None, play: Play
) -> None:
    grant = play.granted("10.00", wagering_multiplier=Decimal(1))
    play.bet("4.00", None if is_late else payout, bet_id="r-1")
    play.has("10.00")
    play.bet("10.00", "0")
    assert stored(grant).status == "completed"
    if is_late and payout is not None:
        play.settle("r-1", payout)
    before = stored(grant)

    play.roll_back("r-1")

    # The ten of the bonus, which without the bet would all have been released.
    assert (play.main, play.in_bonus(grant)) == (10, 0)
    assert stored(grant).wagering_progress == before.wagering_progress


@pytest.mark.parametrize("cap", ["0", "2.00", "5.00", "100.00"])
@pytest.mark.parametrize("payout", ["0", "3.00", "90.00"])
@pytest.mark.parametrize("is_late", [False, True])
def test_with_a_cap_the_excess_gives_and_takes_first(
    is_late: bool, payout: str, cap: str, play: Play
) -> None:
    grant = play.granted("10.00", wagering_multiplier=Decimal(1), max_win_cap=Decimal(cap))
    play.bet("4.00", None if is_late else payout, bet_id="r-1")
    play.has("10.00")
    play.bet("10.00", "0")
    if is_late:
        play.settle("r-1", payout)

    play.roll_back("r-1")

    assert (play.main, play.house(AccountKind.BONUS_EXCESS)) == (10, 0)
    assert stored(grant).status == "completed"


def test_a_player_who_no_longer_has_it_is_refused(play: Play) -> None:
    grant = completed(play)
    play.settle("open", "9.00")
    play.bet("15.00", "0")
    moves = play.moves(grant)

    with pytest.raises(InsufficientFunds), transaction.atomic():
        play.roll_back("open")

    assert (play.main, play.moves(grant)) == (0, moves)
    play.has("5.00")
    play.roll_back("open")
    assert play.main == 0


# Rollbacks after another end


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("payout", [None, "0", "9.00"])
def test_after_another_end_the_stake_goes_back_to_the_cost(
    payout: str | None, how: str, play: Play
) -> None:
    grant = play.granted("10.00", max_bet=Decimal(5))
    play.bet("4.00", payout, bet_id="r-1")
    end(play, grant, how)
    cost, main = play.house(AccountKind.BONUS_COST), play.main

    play.roll_back("r-1")

    assert play.house(AccountKind.BONUS_COST) == cost + 4
    assert (play.main, play.in_bonus(grant)) == (main, 0)
    assert play.moves(grant)[-1] == ("unstake-cost", 4)


def test_a_rolled_back_bet_takes_no_progress_of_a_completed_grant(play: Play) -> None:
    play.has("100.00")
    grant = play.granted("10.00", wagering_multiplier=Decimal(1))
    play.bet("10.00", "0", bet_id="r-1")

    play.roll_back("r-1")

    assert (stored(grant).status, stored(grant).wagering_progress) == ("completed", 10)
    assert play.main == 110
