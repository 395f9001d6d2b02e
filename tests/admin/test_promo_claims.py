"""Claims in the back office: what cancelling takes, told before; timeline, locks, player page."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.actors import Actor
from core.models import AuditEntry
from games.models import Game
from operators.models import Operator
from players.models import Player
from promos.enums import UserPromoStatus
from promos.models import Promo, UserPromo, WithdrawalLock
from promos.services.claims import ClaimTarget, claim_promo
from tests.admin.conftest import messages_of
from tests.admin.test_promo_pages import errors_of, page_of
from tests.factories.activity import BetFactory, bet_by, deposit_by
from tests.factories.games import GameFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import (
    PromoFactory,
    PromoGameFactory,
    UserPromoFactory,
    WithdrawalLockFactory,
)
from wallets.models import Transfer
from wallets.selectors import get_balances

pytestmark = pytest.mark.django_db

CHOICES = "What each choice takes"


@pytest.fixture
def player(operator: Operator) -> Player:
    return PlayerFactory.create(operator=operator, reference="ada", currency="USD")


@pytest.fixture
def game(operator: Operator) -> Game:
    return GameFactory.create(operator=operator, slug="sums")


@pytest.fixture
def promo(operator: Operator, game: Game) -> Promo:
    promo = PromoFactory.create(
        operator=operator, code="WELCOME100", lock_withdraw_on_claim_hours=24
    )
    PromoGameFactory.create(promo=promo, game=game)
    return promo


@pytest.fixture
def active(player: Player, promo: Promo, actor: Actor) -> UserPromo:
    """Claimed, and activated by a deposit of 100 dollars: the wallet holds 200."""
    claim_promo(
        operator=player.operator,
        target=ClaimTarget(promo_id=promo.pk),
        player_reference="ada",
        actor=actor,
        now=timezone.now() - timedelta(minutes=2),
    )
    deposit_by(player, 100, now=timezone.now() - timedelta(minutes=1))
    return UserPromo.objects.get()


def main_balance(player: Player) -> Decimal:
    [balance] = get_balances(player=player)
    return balance.main


def taken_from(player: Player, before: Decimal) -> Decimal:
    return before - main_balance(player)


@pytest.mark.parametrize(
    ("lost", "taken", "shortfall"),
    [(0, 100, 0), (100, 100, 0), ("100.01", "99.99", "0.01"), (170, 30, 70), (200, 0, 100)],
)
def test_the_rule_takes_what_the_page_says_it_will(
    lost: Any,
    taken: Any,
    shortfall: Any,
    office: Client,
    active: UserPromo,
    player: Player,
    game: Game,
) -> None:
    if lost:
        bet_by(player, game, lost, payout=Decimal(0))
    before = main_balance(player)

    asked = office.get(page_of(active, "cancel")).context
    response = office.post(
        page_of(active, "cancel"), {"choice": "rule", "reason": "Asked to"}, follow=True
    )

    assert asked["by_rule"] == f"{Decimal(taken):.2f} USD"
    assert asked["shortfall"] == (f"{Decimal(shortfall):.2f} USD" if Decimal(shortfall) else "")
    claim = UserPromo.objects.get()
    assert (claim.clawback_amount, claim.clawback_shortfall) == (Decimal(taken), Decimal(shortfall))
    assert taken_from(player, before) == Decimal(taken)
    assert messages_of(response)[0].startswith(f"The claim was cancelled. {asked['by_rule']} was")
    entry = AuditEntry.objects.get(action="promo.claim.cancelled")
    assert (entry.actor_kind, entry.reason) == ("staff", "Asked to")


def test_nothing_takes_nothing(office: Client, active: UserPromo, player: Player) -> None:
    asked = office.get(page_of(active, "cancel")).context
    office.post(page_of(active, "cancel"), {"choice": "nothing", "reason": "Asked to"})

    claim = UserPromo.objects.get()
    assert asked["nothing"] == "0.00 USD"
    assert (claim.status, claim.clawback_amount) == (UserPromoStatus.CANCELLED, Decimal(0))
    assert main_balance(player) == 200


@pytest.mark.parametrize("amount", ["0.01", "37.50", "200.00"])
def test_another_amount_takes_exactly_that(
    amount: str, office: Client, active: UserPromo, player: Player
) -> None:
    asked = office.get(page_of(active, "cancel")).context
    given = {"choice": "custom", "custom_decrease_amount": amount, "reason": "Agreed"}
    office.post(page_of(active, "cancel"), given)

    claim = UserPromo.objects.get()
    assert asked["most"] == "200.00 USD"
    assert (claim.clawback_amount, claim.clawback_shortfall) == (Decimal(amount), Decimal(0))
    assert taken_from(player, Decimal(200)) == Decimal(amount)


@pytest.mark.parametrize(
    ("given", "status", "error"),
    [
        ({"choice": "custom"}, 200, {"custom_decrease_amount": ["Say how much."]}),
        (
            {"choice": "rule", "custom_decrease_amount": "5"},
            200,
            {"custom_decrease_amount": ["Leave this empty, or choose \u201canother amount\u201d."]},
        ),
        (
            {"choice": "custom", "custom_decrease_amount": "200.01"},
            409,
            {"__all__": ["The amount is more than the player's main balance."]},
        ),
        (
            {"choice": "custom", "custom_decrease_amount": "0.001"},
            400,
            {"custom_decrease_amount": ["USD has 2 decimals."]},
        ),
        ({"choice": "all"}, 200, None),
    ],
)
def test_what_cannot_be_taken_is_refused_and_nothing_moves(
    given: dict[str, str],
    status: int,
    error: dict[str, Any] | None,
    office: Client,
    active: UserPromo,
    player: Player,
    changes_nothing: Any,
) -> None:
    with changes_nothing():
        response = office.post(page_of(active, "cancel"), {**given, "reason": "Because"})

    assert response.status_code == status
    assert errors_of(response) == error if error else list(errors_of(response)) == ["choice"]
    assert UserPromo.objects.get().status == UserPromoStatus.ACTIVE
    assert main_balance(player) == 200


def test_a_claim_that_waits_for_its_deposit_has_nothing_to_take(
    office: Client, operator: Operator
) -> None:
    claim = UserPromoFactory.create(promo__operator=operator, claimed_at=timezone.now())

    page = office.get(page_of(claim, "cancel"))
    office.post(page_of(claim, "cancel"), {"choice": "rule", "reason": "Asked to"})

    assert page.context["most"] == ""
    assert "custom_decrease_amount" not in page.context["form"].fields
    assert UserPromo.objects.get().status == UserPromoStatus.CANCELLED
    assert Transfer.objects.exists() is False


@pytest.mark.parametrize(
    "status",
    [UserPromoStatus.COMPLETED, UserPromoStatus.CANCELLED, UserPromoStatus.EXPIRED],
)
def test_an_ended_claim_is_not_cancelled(
    status: UserPromoStatus, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    claim = UserPromoFactory.create(promo__operator=operator, status=status)

    asked = office.get(page_of(claim, "cancel"))
    with changes_nothing():
        refused = office.post(page_of(claim, "cancel"), {"reason": "Because"})

    assert asked.context["obstacle"] == f"The claim is {status.label.lower()}: it has ended."
    assert CHOICES not in asked.content.decode()
    assert f'href="{page_of(claim, "cancel")}"' not in office.get(page_of(claim)).content.decode()
    assert refused.status_code == 409


def test_the_timeline_tells_decisions_and_money_in_their_order(
    office: Client, active: UserPromo, player: Player, game: Game
) -> None:
    bet_by(player, game, 150, payout=Decimal(0))
    office.post(page_of(active, "cancel"), {"choice": "rule", "reason": "Asked to"})

    page = office.get(page_of(active)).content.decode()

    told = ["Claimed", "Activated by a deposit", "+100.00 USD", "Cancelled", "−50.00 USD"]
    places = [page.rindex(f">{what}<") for what in told]
    assert places == sorted(places)
    assert "deposit 100.00 USD, to wager 3,000.00 USD" in page
    assert "taken back 50.00 USD, not there 50.00 USD" in page
    assert "“Asked to”" in page
    assert "Staff: ada" in page


def test_the_rollover_is_a_bar(
    office: Client, active: UserPromo, player: Player, game: Game
) -> None:
    bet_by(player, game, 60, payout=Decimal(60))

    page = office.get(page_of(active)).content.decode()

    assert '<progress class="wf-progress" value="2" max="100"' in page
    assert "60.00 USD of 3,000.00 USD wagered" in page
    assert "2,940.00 USD to go, 1 bet counted" in page


@pytest.mark.parametrize("term", ["ada", "welcome100", "{pk}"])
def test_a_claim_is_found(term: str, office: Client, active: UserPromo) -> None:
    UserPromoFactory.create()

    path = reverse("admin:promos_userpromo_changelist")
    found = office.get(path, {"q": term.format(pk=active.pk)}).context["cl"].result_list

    assert [row.pk for row in found] == [active.pk]


def test_a_lock_is_lifted_for_a_reason_and_the_others_stay(
    office: Client, active: UserPromo
) -> None:
    first, second = WithdrawalLock.objects.order_by("pk")

    asked = office.get(page_of(first, "lift")).context["consequences"]
    response = office.post(page_of(first, "lift"), {"reason": "Goodwill"}, follow=True)

    assert asked[1] == "1 other lock of the player runs on, so withdrawals stay locked."
    assert asked[2].startswith("WELCOME100 is active: while a promo is active")
    assert messages_of(response) == ["The withdrawal lock of ada was lifted."]
    lifted = WithdrawalLock.objects.get(pk=first.pk)
    assert (lifted.lifted_at is not None, lifted.lift_reason) == (True, "Goodwill")
    assert WithdrawalLock.objects.get(pk=second.pk).lifted_at is None


def test_a_lock_that_is_over_is_not_lifted(
    office: Client, operator: Operator, changes_nothing: Any
) -> None:
    lock = WithdrawalLockFactory.create(user_promo__promo__operator=operator)

    with changes_nothing():
        response = office.post(page_of(lock, "lift"), {"reason": "Because"})

    assert response.status_code == 409
    assert "The lock ended by itself" in response.content.decode()


def player_page(client: Client, player: Player) -> str:
    return client.get(reverse("admin:players_player_change", args=[player.pk])).content.decode()


def test_the_page_of_a_player_says_what_is_restricted_why_and_until_when(
    office: Client, active: UserPromo, player: Player
) -> None:
    page = player_page(office, player)

    assert "0.00 USD of 3,000.00 USD wagered" in page
    for action in ("Withdraw", "Tip", "Vault", "Bet"):
        assert f">{action}</span>" in page
    assert "The promo WELCOME100 is active: wait until it ends, or cancel it." in page
    assert "Withdrawals are locked by WELCOME100 until" in page
    assert active.due_at is not None
    assert f"{active.due_at:%H:%M:%S}" in page


def test_the_page_of_a_player_without_promos_says_so(office: Client, player: Player) -> None:
    page = player_page(office, player)

    assert "The player has claimed no promo." in page
    assert "Restricted</th>" not in page


def test_promos_are_shown_to_whoever_may_see_them(
    staff_with: Any, active: UserPromo, player: Player
) -> None:
    page = player_page(staff_with("players.view_player"), player)

    assert "WELCOME100" not in page


def test_bets_are_found_by_player_and_read_only(
    office: Client, operator: Operator, player: Player, now: datetime
) -> None:
    bet = BetFactory.create(operator=operator, player=player)
    BetFactory.create(operator=operator)

    path = reverse("admin:activity_bet_changelist")
    found = office.get(path, {"q": "ada"}).context["cl"].result_list
    page = office.get(reverse("admin:activity_bet_change", args=[bet.pk])).content.decode()

    assert [row.pk for row in found] == [bet.pk]
    assert "10.00 EUR" in page
    assert "12.50 USD" in page
    assert f"bet:{player.pk}:{bet.bet_id}" in page
