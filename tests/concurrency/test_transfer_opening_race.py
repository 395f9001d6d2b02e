"""Accounts opened at one instant, and a wallet's currency that changes at that instant."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from core.actors import Actor, ActorKind
from core.errors import DomainError
from players.errors import CurrencyLocked
from players.models import Player
from players.services import registration
from tests.concurrency.sabotage import at_once, let_them_wait, meeting, sabotaged
from tests.factories.players import PlayerFactory
from tests.factories.wallets import deposit, held_by
from wallets.errors import WalletCurrencyDiffers
from wallets.models import Account

pytestmark = pytest.mark.django_db(transaction=True)

OPEN = "wallets_account_id"
PLAYER_LOCK = "IF p_player_id IS NOT NULL THEN\n            UPDATE players_player"
ACTOR = Actor(kind=ActorKind.TASK, ref="race")


@pytest.fixture
def player() -> Player:
    return PlayerFactory.create()


def attempt(command: Callable[[], Any]) -> str:
    """Run a command; return what became of it."""
    try:
        command()
    except (DomainError, IntegrityError) as error:
        return type(error).__name__
    return "done"


# Accounts


def test_control_without_the_second_look_the_losers_fall(player: Player) -> None:
    with (
        meeting(2) as both_have_looked,
        sabotaged(
            OPEN,
            ("ON CONFLICT DO NOTHING", ""),
            (PLAYER_LOCK, f"{both_have_looked} {PLAYER_LOCK}"),
        ),
    ):
        answers = at_once([partial(attempt, partial(deposit, player, 1))] * 2)

    assert Counter(answers) == {"done": 1, "IntegrityError": 1}


def test_16_first_deposits_open_one_account(player: Player) -> None:
    answers = at_once([partial(attempt, partial(deposit, player, 1))] * 16)

    assert Counter(answers) == {"done": 16}
    assert held_by(player) == 16
    assert sorted(Account.objects.values_list("kind", flat=True)) == ["HOUSE_CASH", "PLAYER_MAIN"]


# The currency


def change_currency(player: Player) -> None:
    registration.put_player(
        operator=player.operator,
        reference=player.reference,
        currency="USD",
        profile={},
        actor=ACTOR,
        now=timezone.now(),
    )


def while_open(first: Callable[[], Any], second: Callable[[], Any]) -> str:
    """
    Start ``second`` while the transaction of ``first`` is open, and return what became of it.

    It has to wait for the first: the first commits only once it does, or is over.
    """
    done: list[str] = []

    def run() -> None:
        try:
            done.append(attempt(second))
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        first()
        thread.start()
        let_them_wait(or_end=thread)
    thread.join(timeout=60)
    return done[0]


def as_registered_in_euros(player: Player) -> Player:
    """Change the currency the way put_player does, in the caller's transaction."""
    with transaction.atomic():
        Player.objects.select_for_update(no_key=True).get(pk=player.pk)
        Player.objects.filter(pk=player.pk).update(currency="USD")
    return player


def test_control_without_the_players_lock_a_wallet_is_opened_in_the_old_currency(
    player: Player,
) -> None:
    with sabotaged(OPEN, ("AND currency = p_currency;\n            IF", ";\n            IF")):
        answer = while_open(partial(as_registered_in_euros, player), partial(deposit, player, 1))

    assert answer == "done"
    assert Player.objects.get(pk=player.pk).currency == "USD"
    assert Account.objects.get(player=player).currency == "EUR"


def test_a_wallet_is_not_opened_in_a_currency_that_is_just_changing(player: Player) -> None:
    answer = while_open(partial(as_registered_in_euros, player), partial(deposit, player, 1))

    assert answer == WalletCurrencyDiffers.__name__
    assert Player.objects.get(pk=player.pk).currency_locked_at is None
    assert Account.objects.exists() is False


def test_a_currency_does_not_change_while_a_wallet_is_being_opened(player: Player) -> None:
    answer = while_open(partial(deposit, player, 1), partial(change_currency, player))

    assert answer == CurrencyLocked.__name__
    assert Player.objects.get(pk=player.pk).currency == "EUR"
    assert Account.objects.get(player=player).currency == "EUR"
