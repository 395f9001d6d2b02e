"""Grants in the back office: ended by hand, with what moves told before; found; followed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bonuses.enums import GrantStatus
from bonuses.models import BonusGrant, BonusTemplate
from bonuses.ports import PlatformRejected, PlatformUnavailable
from core.models import AuditEntry
from games.models import Game
from operators.models import Operator
from players.models import Player
from tests.admin.conftest import messages_of
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.activity import bet_by, deposit_by
from tests.factories.bonuses import (
    BonusGrantFactory,
    BonusIssuanceFactory,
    BonusTemplateFactory,
    DiscrepancyFactory,
    PlatformEventFactory,
)
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from wallets.selectors import get_balances, get_bonus_balances

pytestmark = pytest.mark.django_db

LIST = "admin:bonuses_bonusgrant_changelist"
ENDS = ("cancel", "forfeit")


@pytest.fixture
def player(operator: Operator) -> Player:
    ExchangeRateFactory.create(operator=operator)
    return PlayerFactory.create(operator=operator, reference="ada", currency="EUR")


@pytest.fixture
def template(operator: Operator) -> BonusTemplate:
    """Ten euros without a deposit, thirty times."""
    return BonusTemplateFactory.create(operator=operator, name="Ten")


@pytest.fixture
def game(operator: Operator) -> Game:
    return GameFactory.create(operator=operator, slug="sums")


@pytest.fixture
def grant(office: Client, template: BonusTemplate, player: Player) -> BonusGrant:
    """Issued by hand through the operator's own ledger: its ten euros can be bet."""
    office.post(
        reverse("admin:bonuses_bonustemplate_issue", args=[template.pk]),
        {"player_id": "ada", "reason": "Goodwill"},
    )
    return BonusGrant.objects.get()


def page_of(grant: BonusGrant, name: str = "change") -> str:
    return reverse(f"admin:bonuses_bonusgrant_{name}", args=[grant.pk])


def shown(client: Client, grant: BonusGrant) -> str:
    return client.get(page_of(grant)).content.decode()


def status_of(grant: BonusGrant) -> str:
    return str(BonusGrant.objects.get(pk=grant.pk).status)


@pytest.mark.parametrize("end", ENDS)
def test_what_is_left_goes_back_as_the_page_says(
    end: str, office: Client, grant: BonusGrant, player: Player, game: Game
) -> None:
    deposit_by(player, 5)
    bet_by(player, game, 8, payout=Decimal(0))
    before = get_balances(player=player)

    asked = " ".join(office.get(page_of(grant, end)).context["consequences"])
    response = office.post(page_of(grant, end), {"reason": "Two accounts"}, follow=True)

    assert "At this instant 7.00 EUR is left of the bonus" in asked
    ended = "cancelled" if end == "cancel" else "forfeited"
    assert messages_of(response) == [f"The grant was {ended}."]
    assert status_of(grant) == ended
    assert get_bonus_balances(player=player) == {str(grant.pk): Decimal(0)}
    assert get_balances(player=player) == before
    entry = AuditEntry.objects.get(action=f"bonus.grant.{ended}")
    assert (entry.actor_kind, entry.reason) == ("staff", "Two accounts")


def test_bets_that_are_not_settled_are_told_of(
    office: Client, grant: BonusGrant, player: Player, game: Game
) -> None:
    bet_by(player, game, 4)

    asked = " ".join(office.get(page_of(grant, "cancel")).context["consequences"])

    assert "6.00 EUR is left" in asked
    assert "1 of its bets is not settled, with 4.00 EUR of it" in asked


@pytest.mark.parametrize("end", ENDS)
def test_a_platform_that_holds_the_money_is_told_first(
    end: str, office: Client, operator: Operator, platform: ScriptedPlatform
) -> None:
    grant = BonusGrantFactory.create(asked_template__operator=operator, external=True)

    asked = office.get(page_of(grant, end)).context["consequences"]
    office.post(page_of(grant, end), {"reason": "Asked to"})

    assert any(f"The platform of {platform.slug} holds its money" in each for each in asked)
    assert platform.cancelled == [grant.pk]
    assert status_of(grant) == ("cancelled" if end == "cancel" else "forfeited")


@pytest.mark.parametrize(
    ("failure", "status"),
    [(PlatformRejected("IN_PLAY"), 502), (PlatformUnavailable("It was silent."), 503)],
)
def test_what_the_platform_does_not_end_is_not_ended_here(
    failure: Exception,
    status: int,
    office: Client,
    operator: Operator,
    platform: ScriptedPlatform,
    changes_nothing: Any,
) -> None:
    grant = BonusGrantFactory.create(asked_template__operator=operator, external=True)
    platform.answers = [failure]

    with changes_nothing():
        response = office.post(page_of(grant, "cancel"), {"reason": "Asked to"})

    assert response.status_code == status
    assert "Nothing was changed." in response.content.decode()
    assert status_of(grant) == "active"


@pytest.mark.parametrize("status", [status for status in GrantStatus if status != "active"])
@pytest.mark.parametrize("end", ENDS)
def test_a_grant_that_has_ended_is_not_ended_again(
    end: str, status: GrantStatus, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    grant = BonusGrantFactory.create(asked_template__operator=operator, status=status)

    asked = office.get(page_of(grant, end))
    with changes_nothing():
        refused = office.post(page_of(grant, end), {"reason": "Because"})

    assert asked.context["obstacle"] == f"The grant is {status.label.lower()}: it has ended."
    assert f'href="{page_of(grant, end)}"' not in shown(office, grant)
    assert refused.status_code == 409


def test_one_whose_time_is_up_is_left_to_expire(
    office: Client, operator: Operator, changes_nothing: Any
) -> None:
    grant = BonusGrantFactory.create(
        asked_template__operator=operator, expires_at=timezone.now() - timedelta(seconds=1)
    )

    with changes_nothing():
        response = office.post(page_of(grant, "forfeit"), {"reason": "Because"})

    assert response.status_code == 409
    assert "Time is up" in shown(office, grant)


def test_the_timeline_tells_decisions_money_and_bets_in_their_order(
    office: Client, grant: BonusGrant, player: Player, game: Game
) -> None:
    bet_by(player, game, 4, payout=Decimal(6))
    bet_by(player, game, 2, payout=Decimal(0))
    office.post(page_of(grant, "cancel"), {"reason": "Asked to"})

    page = shown(office, grant)

    told = [
        "Asked for",
        "Issued",
        "Credited to the bonus money",
        "2 bets advanced the wagering",
        "Cancelled",
        "Taken back",
    ]
    places = [page.rindex(f">{what}<") for what in told]
    assert places == sorted(places)
    assert "6.00 EUR staked, 6.00 EUR counted" in page
    assert "“Asked to”" in page
    assert "Staff: ada" in page


def test_the_timeline_of_a_platforms_grant_has_what_it_said(
    office: Client, operator: Operator
) -> None:
    grant = BonusGrantFactory.create(asked_template__operator=operator, external=True)
    PlatformEventFactory.create(grant=grant)
    DiscrepancyFactory.create(grant=grant)

    page = shown(office, grant)

    assert "The platform said bonus.credited" in page
    assert "Its platform has not credited it yet." in page
    assert "The platform disagrees:" in page


def test_the_wagering_is_a_bar(
    office: Client, grant: BonusGrant, player: Player, game: Game
) -> None:
    bet_by(player, game, 6, payout=Decimal(6))

    page = shown(office, grant)

    assert '<progress class="wf-progress" value="2" max="100"' in page
    assert "6.00 EUR of 300.00 EUR wagered" in page
    assert "294.00 EUR to go" in page
    assert "Bonus money now" in page


def test_amounts_are_told_in_both_currencies_with_the_locked_rate(
    office: Client, grant: BonusGrant
) -> None:
    page = shown(office, grant)

    assert "10.00 EUR" in page
    assert "12.50 USD" in page
    assert "1 EUR = 1.25 USD, locked" in page


@pytest.mark.parametrize("term", ["ada", "{pk}", "{platform_bonus_id}"])
def test_a_grant_is_found(term: str, office: Client, operator: Operator, player: Player) -> None:
    grant = BonusGrantFactory.create(
        asked_template__operator=operator, asked_player=player, external=True
    )
    BonusGrantFactory.create(asked_template__operator=operator, external=True)
    BonusGrantFactory.create()

    query = term.format(pk=grant.pk, platform_bonus_id=grant.platform_bonus_id)
    found = office.get(reverse(LIST), {"q": query}).context["cl"].result_list

    assert [row.pk for row in found] == [grant.pk]


def test_grants_are_narrowed_to_an_adapter(office: Client, operator: Operator) -> None:
    inside = BonusGrantFactory.create(asked_template__operator=operator)
    outside = BonusGrantFactory.create(asked_template__operator=operator, external=True)

    page = office.get(reverse(LIST), {"adapter": outside.adapter_slug})

    assert [row.pk for row in page.context["cl"].result_list] == [outside.pk]
    assert inside.adapter_slug in page.content.decode()


def player_page(client: Client, player: Player) -> str:
    return client.get(reverse("admin:players_player_change", args=[player.pk])).content.decode()


def test_the_page_of_a_player_says_what_bonuses_they_have(
    office: Client, grant: BonusGrant, player: Player, template: BonusTemplate
) -> None:
    BonusGrantFactory.create(
        asked_template=template, asked_player=player, status=GrantStatus.EXPIRED
    )
    BonusIssuanceFactory.create(template=template, player=player, external=True)

    page = player_page(office, player)

    assert "10.00 EUR</span> of bonus money" in page
    assert "0.00 EUR of 300.00 EUR wagered" in page
    assert ">Expired</span>" in page
    assert "On its way" in page


def test_bonuses_are_shown_to_whoever_may_see_them(
    staff_with: Any, office: Client, operator: Operator, player: Player
) -> None:
    assert "The player has had no bonus." in player_page(office, player)
    assert "had no bonus" not in player_page(staff_with("players.view_player"), player)
