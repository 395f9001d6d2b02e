"""The page of a player: who they are, what they hold, and the ways to everything else."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from operators.models import Operator
from players.models import Player
from tests.admin.world import contribute_to, give_money
from tests.factories.jackpots import InstanceFactory, OptInFactory
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def player(operator: Operator, now: datetime) -> Player:
    """Holds 25 euros, has opted in to Daily and contributed to it."""
    player = PlayerFactory.create(operator=operator, reference="ada")
    daily = InstanceFactory.create(operator=operator, name="Daily")
    OptInFactory.create(instance=daily, player=player)
    contribute_to(daily, player, now)
    give_money(operator, player, now, reference="deposit-ada")
    return player


def page(client: Client, player: Player) -> str:
    path = reverse("admin:players_player_change", args=[player.pk])
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_shows_balances_transfers_and_opt_ins(office: Client, player: Player) -> None:
    shown = page(office, player)

    assert "<dd>25.00 EUR</dd>" in shown
    assert "<dd>0.00 EUR</dd>" in shown
    assert "+25.00 EUR" in shown
    assert "House: cash" in shown
    assert "Daily" in shown
    assert ">Opted in</span>" in shown


@pytest.mark.parametrize(
    ("label", "query"),
    [
        ("jackpots_contribution", "player__id__exact={pk}"),
        ("jackpots_optin", "player__id__exact={pk}"),
        ("wallets_account", "player__id__exact={pk}"),
        ("wallets_transfer", "q=ada&amp;operator__id__exact={operator}"),
    ],
)
def test_leads_to_everything_of_the_player_and_of_nobody_else(
    label: str, query: str, office: Client, player: Player, now: datetime
) -> None:
    namesake = PlayerFactory.create(operator=OperatorFactory.create(), reference="ada")
    give_money(namesake.operator, namesake, now, reference="deposit-namesake")
    contribute_to(InstanceFactory.create(operator=namesake.operator), namesake, now)
    address = (
        reverse(f"admin:{label}_changelist")
        + "?"
        + query.format(pk=player.pk, operator=player.operator_id)
    )

    assert f'href="{address}"' in page(office, player)
    response = office.get(address.replace("&amp;", "&"))
    assert len(response.context["cl"].result_list) == 1


def test_says_who_may_not_play(office: Client, player: Player) -> None:
    Player.objects.filter(pk=player.pk).update(
        is_blocked=True, self_excluded_until=timezone.now() + timedelta(days=1)
    )

    shown = page(office, player)

    assert ">Blocked</span>" in shown
    assert ">Self-excluded</span>" in shown
    assert ">Can play</span>" not in shown


def test_shows_only_what_the_person_may_see(staff_with: Any, player: Player) -> None:
    shown = page(staff_with("players.view_player"), player)

    assert "Wallet" not in shown
    assert "25.00 EUR" not in shown
    assert "Opted in" not in shown


def test_a_hot_account_is_summed_on_its_page(office: Client, player: Player) -> None:
    accounts = office.get(
        reverse("admin:wallets_account_changelist"), {"kind__exact": "HOUSE_CASH"}
    )
    (house,) = accounts.context["cl"].result_list

    shown = office.get(reverse("admin:wallets_account_change", args=[house.pk])).content.decode()

    assert "−25.00 EUR" in shown
