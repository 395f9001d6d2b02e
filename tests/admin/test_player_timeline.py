"""The timeline of a player: everything in order, bets summed up, and the way further back."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from activity import selectors
from activity.selectors import sum_bets_by_day
from core import audit
from core.actors import Actor, ActorKind
from core.admin import history
from operators.models import Operator
from players.models import Player
from tests.admin.world import give_money, hear_of_a_platform
from tests.factories.activity import BetFactory
from tests.factories.approvals import ApprovalFactory
from tests.factories.bonuses import BonusGrantFactory, PlatformEventFactory
from tests.factories.jackpots import OptInFactory, WinFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import UserPromoFactory
from tests.factories.webhooks import WebhookDeliveryFactory
from tests.plans import conditions_by_index
from wallets.selectors import _NEWEST_MOVES

pytestmark = pytest.mark.django_db

STAFF = Actor(kind=ActorKind.STAFF, ref="7")


@pytest.fixture
def player(operator: Operator) -> Player:
    return PlayerFactory.create(operator=operator, reference="ada")


def bet(player: Player, at: datetime, *, paid: Any = None, status: str = "settled") -> None:
    BetFactory.create(
        operator=player.operator,
        player=player,
        status=status,
        placed_at=at,
        payout=None if paid is None else Decimal(paid),
    )


def decide(subject: Any, action: str, at: datetime, *, actor: Actor = STAFF, **told: Any) -> None:
    with transaction.atomic():
        audit.record_action(
            operator=subject.operator, actor=actor, action=action, subject=subject, now=at, **told
        )


def context_of(client: Client, player: Player, query: str = "") -> dict[str, Any]:
    """Return what the panel of the timeline is made of."""
    path = reverse("admin:players_player_change", args=[player.pk])
    response = client.get(path, dict(parse_qsl(query)))
    assert response.status_code == 200
    found: dict[str, Any] = next(
        part for part in response.context if "events" in part and "back" in part
    ).flatten()
    return found


def told(client: Client, player: Player, query: str = "") -> list[str]:
    return [row["event"].what for row in context_of(client, player, query)["events"]]


def all_pages(client: Client, player: Player) -> list[list[tuple[str, str]]]:
    """Return what every page tells, following the way back to its end."""
    pages: list[list[tuple[str, str]]] = []
    query = ""
    while True:
        context = context_of(client, player, query)
        pages.append([(row["event"].what, row["event"].detail) for row in context["events"]])
        query = context["back"]
        if not query:
            return pages
        assert len(pages) < 20, "the way back leads nowhere"


def test_everything_is_told_newest_first(office: Client, player: Player, now: datetime) -> None:
    operator = player.operator
    claim = UserPromoFactory.create(promo__operator=operator, promo__code="HELLO", player=player)
    grant = BonusGrantFactory.create(
        asked_template__operator=operator, asked_template__name="Ten", asked_player=player
    )
    win = WinFactory.create(player=player, pot__instance__operator=operator)
    opt_in = OptInFactory.create(instance=win.instance, player=player)
    minutes = [now + timedelta(minutes=number) for number in range(9)]
    give_money(operator, player, minutes[0], reference="deposit-1")
    decide(claim, "promo.claim.made", minutes[1])
    decide(grant, "bonus.grant.issued", minutes[2], after={"bonus_amount": "10"})
    bet(player, minutes[3], paid=15)
    decide(win, "jackpot.win.found", minutes[4])
    decide(opt_in, "jackpot.opt_in.given", minutes[5])
    PlatformEventFactory.create(grant=grant, type="bonus.wagered", received_at=minutes[6])
    decide(player, "player.changed", minutes[7], before={"vip_level": 0}, after={"vip_level": 2})
    decide(grant, "bonus.grant.cancelled", minutes[8], reason="Asked for by the player")

    context = context_of(office, player)

    assert [(row["event"].what, row["event"].detail) for row in context["events"]] == [
        ("Bonus: cancelled", "Ten"),
        ("The record was changed", "VIP level 0 → 2"),
        ("A platform said bonus.wagered", "Applied"),
        ("Jackpot: opted in", win.instance.name),
        ("Jackpot: won", ""),
        ("1 bet on 29 Mar 2026", "01:02, 10.00 EUR staked, 15.00 EUR won"),
        ("Bonus: issued", "Ten: bonus 10.00 EUR"),
        ("Promo: claimed", "HELLO"),
        ("Deposit", "House: cash → Player: main; main then 25.00 EUR"),
    ]
    amounts = [row["event"].amount for row in context["events"] if row["event"].amount]
    assert amounts == ["+5.00 EUR", "+25.00 EUR"]
    assert context["events"][0]["event"].reason == "Asked for by the player"
    assert context["back"] == ""


def test_requests_for_a_second_person_are_told(
    staff_with: Any, player: Player, now: datetime
) -> None:
    operator = player.operator
    about = {
        "operator": operator,
        "subject": UserPromoFactory.create(promo__operator=operator, player=player),
        "summary": ["Cancel HELLO of ada and take 600.00 USD"],
    }
    mine = ApprovalFactory.create(**about, payload={"player_id": "ada"}, requested_at=now)
    others = [
        ApprovalFactory.create(**about, payload={"player_id": "grace"}, requested_at=now),
        # Of another operator, whose player has the same name.
        ApprovalFactory.create(payload={"player_id": "ada"}, requested_at=now),
    ]
    for approval in (mine, *others):
        decide(approval, "approval.requested", now, reason="Two accounts")
    decide(mine, "approval.rejected", now + timedelta(hours=1))
    permissions = ("players.view_player", "approvals.view_approval")

    shown = context_of(staff_with(*permissions), player)["events"]
    for_readers = context_of(staff_with(*permissions, "core.view_auditentry"), player)["events"]

    assert [(row["event"].what, row["event"].detail) for row in shown] == [
        ("Request: rejected", "Cancel HELLO of ada and take 600.00 USD"),
        ("Request: asked for", "Cancel HELLO of ada and take 600.00 USD"),
    ]
    page = reverse("admin:approvals_approval_change", args=[mine.pk])
    assert {row["event"].url for row in shown + for_readers} == {page}
    assert [row["event"].reason for row in shown] == ["", ""]
    assert [row["event"].reason for row in for_readers] == ["", "Two accounts"]
    assert told(staff_with("players.view_player"), player) == []


def test_messages_to_the_operator_are_told(office: Client, player: Player) -> None:
    grant = BonusGrantFactory.create(asked_template__operator=player.operator, asked_player=player)
    WebhookDeliveryFactory.create(
        endpoint__operator=player.operator,
        message__subject_type="bonuses.bonusgrant",
        message__subject_id=str(grant.pk),
        message__topic="bonus.grant.completed",
        topic="bonus.grant.completed",
    )
    hear_of_a_platform(player.operator, grant.granted_at, number=1)

    assert told(office, player) == ["Told to an endpoint: bonus.grant.completed"]


def test_bets_of_a_day_are_one_event_with_their_sums(
    office: Client, player: Player, now: datetime
) -> None:
    yesterday = now - timedelta(days=1)
    bet(player, now, paid="15.00")
    bet(player, now - timedelta(minutes=20), paid=0)
    bet(player, now - timedelta(minutes=30), paid=99, status="rolled_back")
    bet(player, yesterday, paid=30)
    bet(player, yesterday - timedelta(minutes=1), status="placed")
    bet(PlayerFactory.create(operator=player.operator), now, paid=1_000)

    events = context_of(office, player)["events"]

    # 10 + 10 staked, 15 + 0 won; what was rolled back counts as nothing.
    assert [(row["event"].what, row["event"].detail, row["event"].amount) for row in events] == [
        (
            "3 bets on 29 Mar 2026",
            "00:29 to 00:59, 20.00 EUR staked, 15.00 EUR won, 1 rolled back",
            "−5.00 EUR",
        ),
        (
            "2 bets on 28 Mar 2026",
            "00:58 to 00:59, 20.00 EUR staked, 30.00 EUR won, 1 not settled yet",
            "",
        ),
    ]


def test_pages_together_tell_everything_once(
    office: Client, player: Player, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        # Several at one instant, so that a page ends in the middle of them.
        at = now - timedelta(days=number // 4)
        give_money(player.operator, player, at, reference=f"deposit-{number}")
        decide(player, "player.changed", at, after={"tags": [str(number)]})
    bet(player, now - timedelta(hours=1), paid=0)
    [whole] = all_pages(office, player)
    monkeypatch.setattr(history, "PAGE_SIZE", 4)

    pages = all_pages(office, player)

    assert [len(page) for page in pages] == [4, 4, 4, 3]
    assert [event for page in pages for event in page] == whole


def test_bets_beyond_what_is_read_at_once_are_on_the_next_page(
    office: Client, player: Player, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "BETS_READ_MAX", 2)
    for number in range(5):
        bet(player, now - timedelta(minutes=number), paid=0)
    give_money(player.operator, player, now - timedelta(minutes=2), reference="between")

    pages = all_pages(office, player)

    # Nothing that is older than an unread bet stands before it.
    assert [[what for what, _detail in page] for page in pages] == [
        ["2 bets on 29 Mar 2026"],
        ["Deposit", "2 bets on 29 Mar 2026"],
        ["1 bet on 29 Mar 2026"],
    ]


def test_one_kind_is_shown_alone(office: Client, player: Player, now: datetime) -> None:
    give_money(player.operator, player, now, reference="deposit-1")
    bet(player, now, paid=0)

    assert told(office, player, "kind=money") == ["Deposit"]
    assert told(office, player, "kind=bets") == ["1 bet on 29 Mar 2026"]
    assert told(office, player, "kind=webhooks") == []
    assert len(told(office, player, "kind=nonsense")) == 2


@pytest.mark.parametrize(
    "query",
    [
        "until=never",
        "until=2026-13-45T00:00:00Z",
        "until=2026-03-29T00:00:00",
        "skip=-1",
        "until=2027-01-01T00:00:00Z&skip=x",
        "bets=nonsense~1",
        "bets=2026-99-99~00000000-0000-0000-0000-000000000000",
    ],
)
def test_a_way_back_that_cannot_be_read_is_left_out(
    query: str, office: Client, player: Player, now: datetime
) -> None:
    bet(player, now, paid=0)

    assert told(office, player, query) == ["1 bet on 29 Mar 2026"]


def test_only_kinds_that_the_person_may_see_are_told(
    staff_with: Any, player: Player, now: datetime
) -> None:
    give_money(player.operator, player, now, reference="deposit-1")
    bet(player, now, paid=0)
    decide(player, "player.registered", now)
    player_only = ["players.view_player"]

    assert told(staff_with(*player_only), player) == ["Registered"]
    assert told(staff_with(*player_only), player, "kind=money") == ["Registered"]
    seen = told(staff_with(*player_only, "wallets.view_transfer"), player)
    assert seen == ["Deposit", "Registered"]


def test_who_of_staff_it_was_is_for_readers_of_the_trail(
    office: Client, superuser: Any, staff_with: Any, player: Player, now: datetime
) -> None:
    actor = Actor(kind=ActorKind.STAFF, ref=str(superuser.pk))
    decide(player, "player.changed", now, actor=actor, reason="He rang", after={"kyc_level": 1})

    [whole] = context_of(office, player)["events"]
    [masked] = context_of(staff_with("players.view_player"), player)["events"]

    assert (whole["who"], whole["event"].reason) == ("Staff: ada", "He rang")
    assert (masked["who"], masked["event"].reason, masked["event"].url) == ("Staff", "", "")


def test_what_moved_and_what_was_bet_is_read_off_indexes(player: Player) -> None:
    sides = {"debit": "transfer_debits_but_play", "credit": "transfer_credits_but_play"}
    moves = conditions_by_index(
        _NEWEST_MOVES,
        {"player": player.pk, "until": "now", "count": 41},
        indexes=tuple(sides.values()),
    )
    bets = conditions_by_index(
        selectors._DAYS_OF_BETS,
        {
            "operator": player.operator_id,
            "player": player.pk,
            "until": "now",
            "before": "now",
            "before_id": "00000000-0000-0000-0000-000000000000",
            "count": 5_000,
        },
        indexes=("bets_of_player",),
    )

    for side, index in sides.items():
        [condition] = moves[index]
        assert f"{side}_account_id = " in condition
        assert "posted_at <= " in condition
    [condition] = bets["bets_of_player"]
    assert f"player_id = {player.pk}" in condition
    assert "ROW(placed_at, id) < " in condition
    assert sum_bets_by_day(player=player).days == []
