"""What a player lost with real money: stakes less winnings, reversals and bonuses left out."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from players.models import Player
from tests.factories.players import PlayerFactory
from tests.factories.wallets import deposit, house, main_of, posting, vault_of
from tests.wallets.conftest import Post
from wallets.enums import AccountKind, Tag
from wallets.selectors import sum_real_money_loss
from wallets.services import transfers
from wallets.services.transfers import AccountKey

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


@pytest.fixture
def rich(player: Player) -> Player:
    deposit(player, "1000.00")
    return player


def loss(player: Player, now: datetime, **window: Any) -> Decimal:
    window = {"since": now, "until": now + DAY} | window
    return sum_real_money_loss(player=player, **window)


def stake(player: Player, amount: str, **kwargs: Any) -> Any:
    return posting(main_of(player), house(), amount, tag=Tag.BET, **kwargs)


def win(player: Player, amount: str, **kwargs: Any) -> Any:
    return posting(house(), main_of(player), amount, tag=Tag.WIN, **kwargs)


def test_stakes_less_winnings(rich: Player, post: Post, now: datetime) -> None:
    post(stake(rich, "30.00"), win(rich, "4.50"), stake(rich, "10.00"))

    assert loss(rich, now) == Decimal("35.50")


def test_winners_lose_less_than_nothing(rich: Player, post: Post, now: datetime) -> None:
    post(stake(rich, "30.00"), win(rich, "50.00"))

    assert loss(rich, now) == -20


def test_who_has_not_played_has_lost_nothing(player: Player, now: datetime) -> None:
    assert loss(player, now) == 0


def test_what_was_rolled_back_has_not_been(rich: Player, post: Post, now: datetime) -> None:
    post(stake(rich, "30.00", reference="bet"), win(rich, "4.00", reference="win"))
    post(stake(rich, "5.00"))

    for reference in ("bet", "win"):
        transfers.reverse_transfer(operator=rich.operator, reference=reference, now=now)

    assert loss(rich, now) == 5


def test_a_reversal_counts_when_it_is_posted(rich: Player, post: Post, now: datetime) -> None:
    post(stake(rich, "30.00", reference="bet"))
    transfers.reverse_transfer(operator=rich.operator, reference="bet", now=now + DAY)

    assert loss(rich, now) == 30
    assert loss(rich, now, since=now + DAY, until=now + 2 * DAY) == -30


def test_the_window_is_from_and_before(rich: Player, post: Post, now: datetime) -> None:
    post(stake(rich, "30.00"))

    assert loss(rich, now, until=now) == 0
    assert loss(rich, now, until=now + TICK) == 30
    assert loss(rich, now, since=now + TICK) == 0


def test_nothing_else_is_a_loss(rich: Player, post: Post, now: datetime) -> None:
    bonus = AccountKey(AccountKind.PLAYER_BONUS, "EUR", player_id=rich.pk, owner="grant")
    post(
        posting(main_of(rich), vault_of(rich), "10.00", tag=Tag.VAULT),
        posting(main_of(rich), house(AccountKind.HOUSE_CASH), "10.00", tag=Tag.WITHDRAWAL),
        posting(house(AccountKind.BONUS_COST), bonus, "10.00", tag=Tag.BONUS),
        posting(bonus, house(), "6.00", tag=Tag.BET),
        posting(house(), bonus, "2.00", tag=Tag.WIN),
        posting(bonus, main_of(rich), "6.00", tag=Tag.BONUS),
        posting(house(), main_of(rich), "3.00", tag=Tag.ROLLBACK),
    )

    assert loss(rich, now) == 0


def test_of_this_player_only(rich: Player, post: Post, now: datetime) -> None:
    other = PlayerFactory.create(operator=rich.operator)
    deposit(other, "100.00")
    post(stake(other, "30.00"))

    assert (loss(rich, now), loss(other, now)) == (0, 30)
