"""The page of an instance: meters and how they grew, drops, terms that wait, the draw."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.actors import Actor, ActorKind
from core.errors import ResourceBusy
from jackpots.enums import InstanceStatus
from jackpots.growth import count_tickets, read_growth
from jackpots.models import Draw, Instance, MeterHour, Win
from jackpots.services.instances import activate_instance
from operators.models import Operator
from tests.admin.conftest import messages_of, page_of
from tests.admin.world import contribute_to
from tests.factories.approvals import ApprovalSettingsFactory
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def daily(operator: Operator) -> Instance:
    """A progressive with a pot that is dropped by hand, and one that hides its amount."""
    return InstanceFactory.create(
        operator=operator,
        name="Daily",
        progressive=True,
        pots=[
            {"seed": "100", "share": "0.6"},
            {
                "seed": "10",
                "share": "0.4",
                "drop_type": "must_hit_by_amount",
                "drop_amount": "50",
                "trigger": Decimal(20),
            },
        ],
    )


@pytest.fixture
def raffle(operator: Operator, superuser: Any) -> Instance:
    """An open raffle that is committed to, with twelve tickets of two players."""
    draft = InstanceFactory.create(
        operator=operator, name="Weekly", status=InstanceStatus.DRAFT, pots=[{"seed": "500"}]
    )
    now = timezone.now() - timedelta(hours=1)
    activate_instance(
        operator=operator,
        instance_id=draft.pk,
        reason="It begins",
        actor=Actor(kind=ActorKind.STAFF, ref=str(superuser.pk)),
        now=now,
    )
    for wager in (700, 500):
        contribute_to(draft, PlayerFactory.create(operator=operator), now, wager=Decimal(wager))
    return Instance.objects.get(pk=draft.pk)


def test_the_growth_carries_the_last_hour_on_and_says_nothing_of_before(
    daily: Instance, now: datetime
) -> None:
    first = daily.pots.get(position=0)
    hour = now.replace(minute=0, second=0, microsecond=0)
    for ago, value in ((30, "90"), (3, "100.5"), (1, "120")):
        MeterHour.objects.create(
            pot=first, hour=hour - timedelta(hours=ago), value=value, contributed=10
        )

    day = read_growth(instance=daily, now=now, hours=5)

    assert day.instants[0] == hour - timedelta(hours=3)
    assert day.instants[-1] == now
    assert day.pots[0].values == tuple(map(Decimal, ("90", "100.5", "100.5", "120", "120")))
    assert day.pots[0].contributed == 20
    assert day.pots[1].values == (None,) * 5
    assert day.is_known


def test_the_chart_ends_at_the_meter_and_an_empty_one_says_so(
    office: Client, daily: Instance
) -> None:
    empty = office.get(page_of(daily, "change")).content.decode()
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    MeterHour.objects.create(pot=daily.pots.get(position=0), hour=hour, value=90, contributed=1)

    drawn = office.get(page_of(daily, "change"), {"span": "day"})

    assert "There is nothing to draw yet" in empty
    assert "uPlot" not in empty
    page = drawn.content.decode()
    assert '<script id="growth-drawn" type="application/json">' in page
    assert "uPlot.iife.min" in page
    assert "unsafe" not in page
    assert '"90.00", "100.00"]' in page
    assert "1.00 EUR contributed in 24 hours; between 90.00 EUR and 100.00 EUR" in page


def test_the_pots_show_the_commitment_and_never_what_it_hides(
    office: Client, daily: Instance
) -> None:
    hidden = daily.pots.get(position=1)

    page = office.get(page_of(daily, "change")).content.decode()

    assert hidden.commitment in page
    assert hidden.trigger_sealed not in page
    assert "20.00000000" not in page
    assert "Seed from the house" in page
    assert "Nobody has won anything of Daily yet." in page


def test_new_terms_wait_are_shown_and_can_be_withdrawn(office: Client, daily: Instance) -> None:
    ApprovalSettingsFactory.create(operator=daily.operator, live_terms=False)
    rows = {
        "pots-TOTAL_FORMS": "2",
        "pots-INITIAL_FORMS": "2",
        "pots-0-seed": "200",
        "pots-0-drop_type": "manual",
        "pots-1-seed": "10",
        "pots-1-drop_type": "must_hit_by_amount",
        "pots-1-drop_amount": "50",
        "reason": "The summer",
    }

    refused = office.post(page_of(daily, "terms"), {**rows, "pots-1-drop_amount": "5"})
    waiting = office.post(page_of(daily, "terms"), rows, follow=True)
    filled = office.get(page_of(daily, "terms")).content.decode()
    back = office.post(page_of(daily, "terms"), {**rows, "pots-0-seed": "100"}, follow=True)

    assert refused.status_code == 400
    assert messages_of(waiting) == ["New terms wait for the next win of: main."]
    assert "main: seed 200.00 EUR" in waiting.content.decode()
    assert 'value="200"' in filled
    assert messages_of(back) == ["No terms wait: Daily keeps those that it has."]
    assert "Terms that wait" not in back.content.decode()


def test_terms_that_nobody_touched_do_not_wait(office: Client, operator: Operator) -> None:
    at = timezone.now() + timedelta(days=9, seconds=0.5)
    timed = InstanceFactory.create(
        operator=operator,
        name="Timed",
        progressive=True,
        pots=[{"drop_type": "must_hit_by_time", "drop_at": at}],
    )
    rows = {
        "pots-TOTAL_FORMS": "1",
        "pots-INITIAL_FORMS": "1",
        "pots-0-drop_type": "must_hit_by_time",
        "pots-0-drop_at": f"{at:%Y-%m-%dT%H:%M}",
        "reason": "Nothing",
    }

    response = office.post(page_of(timed, "terms"), rows, follow=True)

    assert messages_of(response) == ["No terms wait: Timed keeps those that it has."]


def test_a_pot_drops_to_the_player_that_somebody_names(office: Client, daily: Instance) -> None:
    ExchangeRateFactory.create(operator=daily.operator)
    PlayerFactory.create(operator=daily.operator, reference="anna")
    given = {"pot": "main", "player": "anna", "reason": "The draw on stage"}

    shown = office.get(page_of(daily, "drop")).context["consequences"]
    unknown = office.post(page_of(daily, "drop"), {**given, "player": "nobody"})
    not_manual = office.post(page_of(daily, "drop"), {**given, "pot": "pot-1"})
    dropped = office.post(page_of(daily, "drop"), given, follow=True)

    assert "Now: main 100.00 EUR." in shown[0]
    assert "A win above 500.00 USD waits for somebody else's approval" in shown[2]
    assert unknown.status_code == 404
    assert "There is no such player." in unknown.content.decode()
    assert not_manual.status_code == 200
    assert messages_of(dropped) == ["main dropped: anna has won 100.00 EUR."]
    win = Win.objects.get()
    assert (win.player.reference, win.status) == ("anna", "payable")


def test_a_pot_that_nobody_may_give_away_alone_is_not_paid_when_it_drops(
    office: Client, operator: Operator
) -> None:
    ExchangeRateFactory.create(operator=operator)
    PlayerFactory.create(operator=operator, reference="anna")
    grand = InstanceFactory.create(operator=operator, progressive=True, pots=[{"seed": "250000"}])
    given = {"pot": "main", "player": "anna", "reason": "My cousin"}

    dropped = office.post(page_of(grand, "drop"), given, follow=True)

    [told] = messages_of(dropped)
    assert told.startswith("main dropped: anna has won 250,000.00 EUR. It is not paid before")
    assert Win.objects.get().status == "awaiting_approval"


def test_a_raffle_says_among_whom_it_is_drawn_and_can_be_verified_after(
    office: Client, raffle: Instance
) -> None:
    verification = reverse("admin:jackpots_instance_verification", args=[raffle.pk])
    before = office.get(page_of(raffle, "change")).content.decode()
    said = office.get(page_of(raffle, "draw")).context["consequences"]
    early = office.get(verification).content.decode()

    drawn = office.post(page_of(raffle, "draw"), {"reason": "The week is over"}, follow=True)
    draw = Draw.objects.get(instance=raffle)
    after = drawn.content.decode()
    verified = office.get(verification)

    assert count_tickets(instance=raffle) == (2, 12)
    assert draw.commitment in before
    assert "At this instant 2 players hold 12 tickets." in said[1]
    assert "512.00 EUR" in said[2]
    assert "not drawn yet" in early
    assert messages_of(drawn) == ["Weekly was drawn: 1 winner, among 2 players with 12 tickets."]
    assert draw.seed in after
    assert draw.seed not in before
    assert verification in after
    assert verified.context["is_verified"] is True
    assert verified.content.decode().count(">Holds</span>") == 3


def test_a_verification_that_somebody_else_waits_for_is_not_made_twice(
    office: Client, raffle: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_given: object) -> None:
        raise ResourceBusy("The draw is being recomputed. Ask again in some seconds.")

    office.post(page_of(raffle, "draw"), {"reason": "The week is over"})
    monkeypatch.setattr("jackpots.admin.draw_views.prove_draw", busy)

    page = office.get(reverse("admin:jackpots_instance_verification", args=[raffle.pk]))

    assert page.status_code == 200
    assert "is being recomputed. Ask again" in page.content.decode()
    assert "not what was published" not in page.content.decode()


def test_a_verification_is_for_those_who_see_instances_and_for_raffles(
    office: Client, staff_with: Any, daily: Instance, raffle: Instance
) -> None:
    path = reverse("admin:jackpots_instance_verification", args=[raffle.pk])

    assert staff_with("jackpots.view_win").get(path).status_code == 403
    assert office.post(path).status_code == 405
    missing = reverse("admin:jackpots_instance_verification", args=[daily.pk])
    assert office.get(missing).status_code == 404


@pytest.mark.parametrize("name", ["draw", "drop", "terms", "boost"])
def test_what_has_ended_is_refused_by_the_service(
    name: str, office: Client, operator: Operator, changes_nothing: Any
) -> None:
    over = InstanceFactory.create(
        operator=operator, status=InstanceStatus.CLOSED, progressive=name != "draw"
    )
    PlayerFactory.create(operator=operator, reference="anna")
    given = {
        "pot": "main",
        "player": "anna",
        "amount": "1",
        "reason": "Because",
        "pots-TOTAL_FORMS": "1",
        "pots-INITIAL_FORMS": "1",
        "pots-0-drop_type": "manual",
    }

    with changes_nothing():
        response = office.post(page_of(over, name), given)

    assert response.status_code == 409
    assert "closed" in response.content.decode()
