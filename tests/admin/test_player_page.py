"""The page of a player: who they are, what they hold, and the ways to everything else."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from operators.models import Operator
from players.models import Player
from promos.models import UserPromo
from tests.admin.world import (
    contribute_to,
    fill_world,
    give_money,
    grant_bonuses,
    win_jackpots,
)
from tests.factories.activity import BetFactory
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.jackpots import InstanceFactory, OptInFactory, WinFactory
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import UserPromoFactory, WithdrawalLockFactory
from wallets.enums import PLAYER_KINDS, AccountKind, Tag
from wallets.services.transfers import AccountKey, Posting, post_transfers

pytestmark = pytest.mark.django_db

MAIN, VAULT, BONUS = PLAYER_KINDS
BONUS_COST = AccountKind.BONUS_COST


@pytest.fixture
def player(operator: Operator, now: datetime) -> Player:
    """Holds 25 euros, has opted in to Daily and contributed to it."""
    player = PlayerFactory.create(operator=operator, reference="ada")
    daily = InstanceFactory.create(operator=operator, name="Daily")
    OptInFactory.create(instance=daily, player=player)
    contribute_to(daily, player, now)
    give_money(operator, player, now, reference="deposit-ada")
    return player


@transaction.atomic
def move(
    player: Player,
    now: datetime,
    amount: int,
    debit: AccountKind,
    credit: AccountKind,
    tag: Tag,
    *,
    reference: str,
) -> None:
    """Move euros of the player's, or to them."""

    def key(kind: AccountKind) -> AccountKey:
        owner = "grant-1" if kind == BONUS else ""
        is_players = kind in PLAYER_KINDS
        return AccountKey(
            kind=kind, currency="EUR", player_id=player.pk if is_players else None, owner=owner
        )

    posting = Posting(
        debit=key(debit), credit=key(credit), amount=Decimal(amount), tag=tag, reference=reference
    )
    post_transfers(operator=player.operator, postings=[posting], now=now)


def standing_of(shown: str, name: str) -> list[str]:
    """Return tickets, contributions and their amount, as the page says them of an instance."""
    row = re.search(rf">{name}</a></td>(.*?)</tr>", shown, re.DOTALL)
    assert row is not None, name
    return re.findall(r'<td class="wf-number[^"]*">([^<]*)</td>', row[1])


def page(client: Client, player: Player) -> str:
    path = reverse("admin:players_player_change", args=[player.pk])
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_shows_all_money_with_that_of_bonuses_apart(
    office: Client, player: Player, now: datetime
) -> None:
    move(player, now, 20, MAIN, VAULT, Tag.VAULT, reference="vault-1")
    move(player, now, 10, BONUS_COST, BONUS, Tag.BONUS, reference="bonus-1")

    shown = page(office, player)

    # 25 came in, 20 of it went into the vault, and 10 are a bonus.
    assert "<dt>Main</dt><dd>5.00 EUR</dd>" in shown
    assert "<dt>Vault</dt><dd>20.00 EUR</dd>" in shown
    assert "<dt>Bonus money, in 1 bonus</dt><dd>10.00 EUR</dd>" in shown


def test_a_wallet_that_nobody_opened_holds_nothing(office: Client, operator: Operator) -> None:
    shown = page(office, PlayerFactory.create(operator=operator, currency="JPY"))

    assert "<dt>Main</dt><dd>0 JPY</dd>" in shown
    assert "<dt>Bonus money</dt><dd>0 JPY</dd>" in shown
    assert "Nothing that you may see restricts the player" in shown
    assert "The player has claimed no promo." in shown
    assert "The player has had no bonus." in shown
    assert "The player has won no jackpot." in shown
    assert "Nothing that you may see has happened yet." in shown


def test_shows_tickets_contributions_wins_and_opt_ins(
    office: Client, player: Player, operator: Operator
) -> None:
    weekly = InstanceFactory.create(operator=operator, name="Weekly")
    yesterday = timezone.now() - timedelta(days=1)
    # 1 % of 250 is 2.50: two tickets of a euro each, and half a euro towards the next.
    contribute_to(weekly, player, yesterday, wager=Decimal(250))
    WinFactory.create(player=player, pot__instance__operator=operator, amount=Decimal("77.70"))

    shown = page(office, player)

    assert standing_of(shown, "Weekly") == ["2", "1", "2.50 EUR"]
    # What Daily was given is months old, its ticket is not.
    assert standing_of(shown, "Daily") == ["1", "0", "0.00 EUR"]
    assert "77.70 EUR" in shown
    assert ">Opted in</span>" in shown


def test_restrictions_say_why_and_until_when(
    office: Client, player: Player, operator: Operator
) -> None:
    until = timezone.now() + timedelta(days=2, hours=3, minutes=30)
    Player.objects.filter(pk=player.pk).update(self_excluded_until=until)
    BonusGrantFactory.create(
        asked_template__operator=operator,
        asked_template__name="Ten free",
        asked_player=player,
        max_bet=Decimal(5),
        expires_at=until,
    )
    claim = UserPromoFactory.create(
        promo__operator=operator,
        promo__code="WELCOME",
        player=player,
        due_at=until,
        status="ACTIVE",
    )
    WithdrawalLockFactory.create(user_promo=claim, until=until)

    shown = page(office, player)
    rows = shown[shown.index("<h2>Restrictions</h2>") : shown.index("<h2>Wallet</h2>")]

    assert "Self-excluded, by their own wish" in rows
    assert "A stake above 5.00 EUR forfeits the bonus." in rows
    assert f"Withdrawals are locked by WELCOME until {until:%-d %b %Y, %H:%M:%S} UTC." in rows
    assert "Bets are limited to the games and stakes of the promo WELCOME." in rows
    # The exclusion, four actions of the promo, its lock, and the bonus: one time for all.
    assert rows.count("2 days, 3 hours left") == 7
    assert rows.count("Lift lock of the claim") == 1


def test_what_is_open_says_how_far_it_is_and_how_it_ends(
    office: Client, player: Player, operator: Operator
) -> None:
    until = timezone.now() + timedelta(days=3, minutes=5)
    BonusGrantFactory.create(
        asked_template__operator=operator,
        asked_player=player,
        wagering_progress=Decimal(75),
        max_win_cap=Decimal(100),
        expires_at=until,
    )
    UserPromoFactory.create(
        promo__operator=operator, player=player, status="ACTIVE", wagered_usd_amount=Decimal(600)
    )

    shown = page(office, player)

    # 10 × 30 are to be wagered, and 75 are a quarter; 600 of 3000 are a fifth.
    assert 'value="25" max="100"' in shown
    assert "75.00 EUR of 300.00 EUR wagered" in shown
    assert "225.00 EUR to go" in shown
    assert "the bonus and at most 100.00 EUR that was won with it go to the main balance" in shown
    assert "3 days left" in shown
    assert 'value="20" max="100"' in shown
    assert "600.00 USD of 3,000.00 USD wagered" in shown
    assert "80.00 EUR is taken back, as far as the main balance holds it." in shown


def test_a_claim_that_waits_says_for_what(office: Client, player: Player) -> None:
    UserPromoFactory.create(promo__operator=player.operator, player=player)

    shown = page(office, player)

    assert "waits for the player&#x27;s next deposit of 20.00 USD or more" in shown


@pytest.mark.parametrize(
    ("permission", "seen", "command"),
    [
        ("promos.cancel_userpromo", "promos.view_userpromo", "Cancel claim"),
        ("bonuses.cancel_bonusgrant", "bonuses.view_bonusgrant", "Cancel grant"),
        ("bonuses.forfeit_bonusgrant", "bonuses.view_bonusgrant", "Forfeit grant"),
        ("bonuses.issue_bonusgrant", "bonuses.view_bonusgrant", "Issue a bonus by hand"),
        ("jackpots.drop_pot", "jackpots.view_win", "Drop a pot to the player"),
        ("jackpots.retry_win", "jackpots.view_win", "Pay now"),
    ],
)
def test_what_can_be_done_is_offered_to_whoever_may(
    permission: str, seen: str, command: str, staff_with: Any, player: Player
) -> None:
    given = {"operator": player.operator}
    UserPromoFactory.create(
        promo__operator=player.operator,
        player=player,
        status="ACTIVE",
        due_at=timezone.now() + timedelta(days=1),
    )
    BonusGrantFactory.create(
        asked_template__operator=player.operator, asked_player=player, expires_at=None
    )
    instance = InstanceFactory.create(**given, progressive=True)
    WinFactory.create(pot=instance.pots.get(), player=player)

    assert command in page(staff_with("players.view_player", seen, permission), player)
    assert command not in page(staff_with("players.view_player", seen), player)


def test_nothing_is_offered_that_would_be_refused(office: Client, player: Player) -> None:
    Player.objects.filter(pk=player.pk).update(is_blocked=True)
    UserPromoFactory.create(promo__operator=player.operator, player=player, status="COMPLETED")
    BonusGrantFactory.create(
        asked_template__operator=player.operator, asked_player=player, status="forfeited"
    )
    InstanceFactory.create(operator=player.operator, progressive=True)

    shown = page(office, player)

    for command in ("Cancel claim", "Cancel grant", "Issue a bonus", "Drop a pot to"):
        assert command not in shown


def test_a_link_fills_the_player_in(office: Client, player: Player) -> None:
    template = BonusTemplateFactory.create(operator=player.operator)
    instance = InstanceFactory.create(operator=player.operator, progressive=True)
    issue = reverse("admin:bonuses_bonustemplate_issue", args=[template.pk]) + "?player_id=ada"
    drop = reverse("admin:jackpots_instance_drop", args=[instance.pk]) + "?player=ada"

    shown = page(office, player)

    for address, name in ((issue, "player_id"), (drop, "player")):
        assert f'href="{address}"' in shown
        assert office.get(address).context["form"][name].value() == "ada"


def test_personal_data_is_for_whoever_may_see_it(staff_with: Any, player: Player) -> None:
    Player.objects.filter(pk=player.pk).update(
        country="MT", affiliate_code="partner-7", tags=["likes-roulette"]
    )

    masked = page(staff_with("players.view_player"), player)
    whole = page(staff_with("players.view_player", "reports.view_personal_data"), player)

    for value in ("partner-7", "likes-roulette"):
        assert value not in masked
        assert value in whole


def test_a_page_costs_as_much_with_many_rows_as_with_few(
    office: Client, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=1)
    few = UserPromo.objects.get().player
    with CaptureQueriesContext(connection) as first:
        page(office, few)
    for number in range(3):
        contribute_to(InstanceFactory.create(operator=operator), few, now)
        win_jackpots(operator, few, now)
        grant_bonuses(operator, few, now)
        BetFactory.create_batch(4, operator=operator, player=few)
        give_money(operator, few, now, reference=f"more-{number}")
        UserPromoFactory.create(promo__operator=operator, player=few, status="COMPLETED")

    with CaptureQueriesContext(connection) as second:
        page(office, few)

    assert len(second) == len(first)


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

    for panel in ("Wallet", "Promos", "Bonuses", "Jackpots"):
        assert f"<h2>{panel}</h2>" not in shown
    assert "25.00 EUR" not in shown
    assert "Opted in" not in shown


def test_a_hot_account_is_summed_on_its_page(office: Client, player: Player) -> None:
    accounts = office.get(
        reverse("admin:wallets_account_changelist"), {"kind__exact": "HOUSE_CASH"}
    )
    (house,) = accounts.context["cl"].result_list

    shown = office.get(reverse("admin:wallets_account_change", args=[house.pk])).content.decode()

    assert "−25.00 EUR" in shown
