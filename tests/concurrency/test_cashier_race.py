"""
Deposits, withdrawals and claims of one player at one instant.

Each race has its control: the guard is taken away, and the race is seen.
"""

import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from django_fsm import ConcurrentTransition

from activity.services import outflows
from core import locks
from core.books import find_differences
from core.errors import DomainError
from operators.models import Operator
from players.models import Player
from promos.models import Promo, UserPromo
from promos.services import claims
from tests.concurrency.sabotage import at_once, sabotaged, select_only
from tests.factories.activity import ACTOR, claim_of, deposit_by, moved
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory
from tests.factories.wallets import held_by
from wallets.services import transfers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def player() -> Player:
    operator = OperatorFactory.create()
    ExchangeRateFactory.create(operator=operator)
    return PlayerFactory.create(operator=operator, reference="ada")


def outcome(command: Callable[[], Any]) -> str:
    """Run a command in a transaction of its own, as the doors do, and name what came of it."""
    try:
        with transaction.atomic(durable=True):
            command()
    except DomainError as refusal:
        return refusal.code
    except (ConcurrentTransition, DatabaseError):
        return "fell"
    return "done"


def deposits(player: Player, *amounts: int) -> Counter[str]:
    now = timezone.now()
    return Counter(
        at_once(
            [
                lambda amount=amount: outcome(lambda: deposit_by(player, amount, now=now))
                for amount in amounts
            ]
        )
    )


def withdraw(player: Player, amount: Any) -> str:
    return outcome(
        lambda: outflows.withdraw_money(
            operator=player.operator,
            player_reference=player.reference,
            amount=Decimal(amount),
            currency="EUR",
            reference=None,
            actor=ACTOR,
            now=timezone.now(),
        )
    )


# Deposits that meet one claim


def test_control_without_the_lock_two_deposits_activate_one_claim(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim_of(player)
    both_have_read = threading.Barrier(2)

    def read_without_lock(*args: Any, **kwargs: Any) -> list[Any]:
        rows = select_only(*args, **kwargs)
        both_have_read.wait(timeout=60)
        return rows

    monkeypatch.setattr(locks, "lock_rows", read_without_lock)

    # Both mean to activate it; the second falls over what the first has written.
    assert deposits(player, 100, 200) == {"done": 1, "fell": 1}


def test_the_first_of_two_deposits_decides(player: Player) -> None:
    claim = claim_of(player)

    assert deposits(player, 100, 200) == {"done": 2}

    first, bonus, second = moved(player)
    assert (first[0], bonus, second[0]) == ("DEPOSIT", ("PROMO", first[1]), "DEPOSIT")
    assert first[1] + second[1] == 300
    stored = UserPromo.objects.get(pk=claim.pk)
    assert (stored.status, stored.bonus_amount) == ("ACTIVE", first[1])
    found = Player.objects.get(pk=player.pk)
    assert (found.total_deposit_usd, found.deposit_count) == (375, 2)
    assert find_differences() == []


def test_one_of_many_deposits_activates_or_cancels(player: Player) -> None:
    claim = claim_of(player)

    # Half of them are below the floor of sixteen euros.
    assert deposits(player, *[10, 20] * 6) == {"done": 12}

    ledger = moved(player)
    stored = UserPromo.objects.get(pk=claim.pk)
    bonuses = [amount for tag, amount in ledger if tag == "PROMO"]
    if ledger[0][1] == 10:
        assert (stored.status, bonuses) == ("CANCELLED", [])
    else:
        assert (stored.status, bonuses) == ("ACTIVE", [20])
    assert Player.objects.get(pk=player.pk).deposit_count == 12
    assert find_differences() == []


# A balance that is good for one


def test_control_without_the_look_at_the_balance_only_the_constraint_is_left(
    player: Player,
) -> None:
    deposit_by(player, 100)

    with sabotaged("wallets_post_transfer", ("AND balance >= p_amount", "")):
        outcomes = Counter(at_once([lambda: withdraw(player, 100) for _ in range(4)]))

    assert outcomes == {"done": 1, "fell": 3}


def test_a_balance_good_for_one_pays_one_of_twenty(player: Player) -> None:
    deposit_by(player, 100)

    outcomes = Counter(at_once([lambda: withdraw(player, 100) for _ in range(20)]))

    assert outcomes == {"done": 1, "INSUFFICIENT_FUNDS": 19}
    assert held_by(player) == 0
    assert find_differences() == []


def test_deposits_and_withdrawals_at_once_add_up(player: Player) -> None:
    deposit_by(player, 100)
    commands = [lambda: outcome(lambda: deposit_by(player, 100)), lambda: withdraw(player, 100)]

    outcomes = Counter(at_once(commands * 10))

    # As many withdrawals as there was money for, and not one more.
    balance = held_by(player)
    assert balance is not None
    assert outcomes["done"] + outcomes["INSUFFICIENT_FUNDS"] == 20
    assert balance == 100 * (1 + 10 - (outcomes["done"] - 10))
    assert Player.objects.get(pk=player.pk).deposit_count == 11
    assert find_differences() == []


# A claim that locks withdrawals and credits its bonus while one is under way


@pytest.fixture
def claim_meanwhile(player: Player, monkeypatch: pytest.MonkeyPatch) -> Promo:
    """Let the player claim an instant promo just before a withdrawal moves its money."""
    operator: Operator = player.operator
    promo = PromoFactory.create(
        operator=operator, instant=True, amount=Decimal(50), lock_withdraw_on_claim_hours=24
    )
    post_transfers = transfers.post_transfers

    def claim() -> str:
        return outcome(
            lambda: claims.claim_promo(
                operator=operator,
                target=claims.ClaimTarget(promo_id=promo.pk),
                player_reference=player.reference,
                actor=ACTOR,
                now=timezone.now(),
            )
        )

    def claim_then_post(**kwargs: Any) -> Any:
        monkeypatch.setattr(transfers, "post_transfers", post_transfers)
        assert at_once([claim]) == ["done"]
        return post_transfers(**kwargs)

    deposit_by(player, 100)
    monkeypatch.setattr(transfers, "post_transfers", claim_then_post)
    return promo


def test_control_without_the_second_look_the_bonus_leaves(
    player: Player, claim_meanwhile: Promo, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    refuse_if_restricted = outflows.restrictions.refuse_if_restricted

    def look_once(**kwargs: Any) -> None:
        looks.append(kwargs["action"])
        if len(looks) == 1:
            refuse_if_restricted(**kwargs)

    monkeypatch.setattr(outflows.restrictions, "refuse_if_restricted", look_once)

    assert withdraw(player, 150) == "done"
    assert held_by(player) == 0


def test_a_claim_that_came_first_keeps_its_bonus_in(player: Player, claim_meanwhile: Promo) -> None:
    assert withdraw(player, 150) == "WITHDRAWALS_BLOCKED"
    assert held_by(player) == 150
    assert find_differences() == []
