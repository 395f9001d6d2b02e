"""Contributions that the player pays: what is debited is what is metered."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from jackpots.models import Contribution, Instance
from operators.models import Operator
from players.models import Player
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import legs, link, meter
from wallets.enums import AccountKind, Tag
from wallets.models import Account, Transfer
from wallets.services import transfers
from wallets.services.transfers import AccountKey, Posting

pytestmark = pytest.mark.django_db

Contribute = Callable[..., Any]


def fund(player: Player, amount: str) -> None:
    """Put money into the player's main account."""
    transfers.post_transfers(
        operator=player.operator,
        postings=[
            Posting(
                debit=AccountKey(AccountKind.HOUSE_CASH, player.currency),
                credit=AccountKey(AccountKind.PLAYER_MAIN, player.currency, player_id=player.pk),
                amount=Decimal(amount),
                tag=Tag.DEPOSIT,
                reference=f"deposit:{player.pk}",
            )
        ],
        now=timezone.now(),
    )


def balance(player: Player) -> Decimal:
    return Account.objects.get(player=player, kind=AccountKind.PLAYER_MAIN).balance


def funded_by_player(operator: Operator, **kwargs: Any) -> Instance:
    return InstanceFactory.create(operator=operator, funding="player", **kwargs)


def test_the_player_pays_what_reaches_the_meter(
    operator: Operator, player: Player, contribute: Contribute
) -> None:
    fund(player, "5.00")
    instance = funded_by_player(operator)

    response = contribute(instance, base_wager="150.00")

    assert response.json()["results"][0]["amount"] == "1.50"
    assert (balance(player), meter(instance)) == (Decimal("3.5"), Decimal("1.5"))
    transfer = Transfer.objects.get(tag=Tag.JACKPOT)
    assert transfer.amount == Decimal("1.5")
    assert transfer.credit_account.owner == str(instance.pk)
    assert transfer.reference == f"contribution:{Contribution.objects.get().pk}"


def test_the_amount_is_rounded_down_to_the_minor_unit_first(
    operator: Operator, player: Player, contribute: Contribute
) -> None:
    fund(player, "5.00")
    instance = funded_by_player(operator)

    # One percent of 199.99 is 1.9999.
    response = contribute(instance, base_wager="199.99")

    assert response.json()["results"][0]["amount"] == "1.99"
    assert (balance(player), meter(instance)) == (Decimal("3.01"), Decimal("1.99"))


def test_less_than_a_minor_unit_costs_nothing_and_is_accepted(
    operator: Operator, player: Player, contribute: Contribute
) -> None:
    fund(player, "5.00")
    instance = funded_by_player(operator)

    response = contribute(instance, base_wager="0.99")

    assert response.status_code == 201
    assert (balance(player), meter(instance)) == (Decimal(5), 0)
    assert Transfer.objects.filter(tag=Tag.JACKPOT).exists() is False


def test_a_wallet_in_another_currency_pays_in_its_own(
    operator: Operator, contribute: Contribute
) -> None:
    ExchangeRateFactory.create(operator=operator, currency="EUR", usd_rate="1.25")
    ExchangeRateFactory.create(operator=operator, currency="JPY", usd_rate="0.0064")
    player = PlayerFactory.create(operator=operator, reference="hanako", currency="JPY")
    fund(player, "1000")
    instance = funded_by_player(operator, currency="EUR")

    # One percent of 100.00 EUR is 1 EUR, or 195.3125 yen; the player pays 195 of them.
    response = contribute(instance, player_id="hanako", base_wager="100.00", currency="EUR")

    stored = Contribution.objects.get()
    assert (stored.debit_amount, stored.debit_currency) == (Decimal(195), "JPY")
    assert response.json()["results"][0]["amount"] == "0.9984"
    assert (balance(player), meter(instance)) == (Decimal(805), Decimal("0.9984"))


@pytest.mark.parametrize(("held", "outcome"), [("1.00", "accepted"), ("0.99", "failed")])
def test_a_linked_leg_that_the_balance_does_not_cover_fails_alone(
    held: str, outcome: str, operator: Operator, player: Player, contribute: Contribute
) -> None:
    fund(player, held)
    main = InstanceFactory.create(operator=operator)
    paid, after = funded_by_player(operator), InstanceFactory.create(operator=operator)
    link(main, paid, after)

    response = contribute(main, base_wager="100.00")

    error = None if outcome == "accepted" else "INSUFFICIENT_FUNDS"
    assert legs(response) == [("accepted", None), (outcome, error), ("accepted", None)]
    spent = Decimal(1) if outcome == "accepted" else Decimal(0)
    assert (balance(player), meter(paid)) == (Decimal(held) - spent, spent)
    assert meter(after) == 1


def test_the_balance_goes_to_the_legs_in_their_order(
    operator: Operator, player: Player, contribute: Contribute
) -> None:
    fund(player, "2.00")
    first, second, third = (funded_by_player(operator) for _ in range(3))
    link(first, second, third)

    response = contribute(first, base_wager="100.00")

    assert legs(response) == [
        ("accepted", None),
        ("accepted", None),
        ("failed", "INSUFFICIENT_FUNDS"),
    ]
    assert balance(player) == 0


def test_a_refused_main_leg_takes_nothing(
    operator: Operator, player: Player, contribute: Contribute
) -> None:
    fund(player, "0.99")
    main = funded_by_player(operator)
    link(main, InstanceFactory.create(operator=operator))

    response = contribute(main, base_wager="100.00")

    assert (response.status_code, response.json()["code"]) == (409, "INSUFFICIENT_FUNDS")
    assert balance(player) == Decimal("0.99")
    assert Contribution.objects.exists() is False
    assert Transfer.objects.filter(tag=Tag.JACKPOT).exists() is False


def test_a_replay_takes_nothing_again(
    operator: Operator, player: Player, contribute: Contribute
) -> None:
    fund(player, "5.00")
    instance = funded_by_player(operator)

    for _ in range(3):
        contribute(instance, base_wager="100.00", key="once")

    assert (balance(player), meter(instance)) == (Decimal(4), Decimal(1))
