"""Wins wait for a second person, are decided on pages that say what follows, and tell it all."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry
from jackpots.enums import WinStatus
from jackpots.models import Win
from operators.models import Operator
from players.models import Player
from tests.admin.conftest import decide, messages_of
from tests.admin.world import give_money
from tests.factories.jackpots import InstanceFactory, WinFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:jackpots_win_changelist")


@pytest.fixture
def waiting(operator: Operator) -> Win:
    """A win of 1,500 euros that somebody with the number 7 asked for."""
    instance = InstanceFactory.create(operator=operator, name="Daily", progressive=True)
    return WinFactory.create(
        pot=instance.pots.get(),
        amount=1500,
        player__reference="anna",
        status=WinStatus.AWAITING_APPROVAL,
    )


def page(win: Win, name: str) -> str:
    return reverse(f"admin:jackpots_win_{name}", args=[win.pk])


def status_of(win: Win) -> str:
    return Win.objects.get(pk=win.pk).status


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("approve", WinStatus.PAYABLE, "was approved, and is paid within seconds."),
        ("reject", WinStatus.REJECTED, "was rejected."),
    ],
)
def test_a_second_person_decides_and_leaves_a_trail(
    name: str, status: WinStatus, said: str, office: Client, waiting: Win
) -> None:
    before = office.get(page(waiting, name)).context["consequences"]
    response = decide(office, page(waiting, name), "Checked\nthe round")

    assert before[0] == "anna has won the pot main of Daily, cycle 1: manual drop."
    assert "1,500.00 EUR" in before[1] + before[2]
    assert messages_of(response) == [f"The win of anna {said}"]
    assert status_of(waiting) == status
    entry = AuditEntry.objects.get(subject_id=str(waiting.pk))
    assert entry.reason == "Checked the round"
    assert "Checked the round" in response.content.decode()


@pytest.mark.parametrize("name", ["approve", "reject"])
def test_whoever_asked_for_the_win_is_refused_with_a_message(
    name: str, office: Client, superuser: Any, waiting: Win, changes_nothing: Any
) -> None:
    own = WinFactory.create(
        pot=waiting.pot,
        cycle=2,
        status=WinStatus.AWAITING_APPROVAL,
        initiated_by_ref=str(superuser.pk),
    )

    shown = office.get(page(own, name)).content.decode()
    with changes_nothing():
        response = office.post(page(own, name), {"reason": "Because"})

    assert "You asked for this win yourself" in shown
    assert response.status_code == 409
    assert "Whoever made the pot drop does not decide about the win." in response.content.decode()
    assert status_of(own) == WinStatus.AWAITING_APPROVAL


@pytest.mark.parametrize("status", [WinStatus.PAYABLE, WinStatus.PAID, WinStatus.REJECTED])
def test_what_does_not_wait_cannot_be_decided(
    status: WinStatus, office: Client, waiting: Win, changes_nothing: Any
) -> None:
    win = WinFactory.create(pot=waiting.pot, cycle=2, status=status)

    with changes_nothing():
        response = office.post(page(win, "approve"), {"reason": "Because"})

    assert response.status_code == 409
    assert status_of(win) == status


def test_a_win_is_paid_now_and_shows_the_transfer(
    office: Client, waiting: Win, operator: Operator, now: datetime
) -> None:
    player = Player.objects.get(reference="anna")
    give_money(operator, player, now, reference="deposit")
    win = WinFactory.create(
        pot=waiting.pot, cycle=2, player=player, last_error="It answered 500.", attempts=3
    )

    shown = office.get(page(win, "retry")).context["consequences"]
    response = office.post(page(win, "retry"), {"reason": "It is up again"}, follow=True)

    assert "The last of 3 attempts failed: It answered 500." in shown
    assert status_of(win) == WinStatus.PAID
    assert messages_of(response) == ["10.00 EUR was paid to anna."]
    assert "Credited to the main balance" in response.content.decode()


def test_the_queue_leads_with_the_newest_and_offers_the_decision(
    office: Client, staff_with: Any, waiting: Win
) -> None:
    WinFactory.create(pot=waiting.pot, cycle=2, status=WinStatus.PAID)
    queue = {"status__exact": "awaiting_approval"}

    everything = office.get(LIST).content.decode()
    shown = office.get(LIST, queue)
    to_viewer = staff_with("jackpots.view_win").get(LIST, queue).content.decode()

    assert "1 win waits for a second person." in " ".join(everything.split())
    assert [row.pk for row in shown.context["cl"].result_list] == [waiting.pk]
    assert page(waiting, "approve") in shown.content.decode()
    assert page(waiting, "approve") not in to_viewer
    assert "anna" in to_viewer


def test_a_win_is_found_by_its_id_and_by_its_player(office: Client, waiting: Win) -> None:
    WinFactory.create(pot=waiting.pot, cycle=2, status=WinStatus.PAID)

    for term in (str(waiting.pk), "anna"):
        found = office.get(LIST, {"q": term}).context["cl"].result_list
        assert [row.pk for row in found] == [waiting.pk]
    assert office.get(LIST, {"q": "ann"}).context["cl"].result_list == []


def test_a_revealed_amount_comes_with_what_its_commitment_was_made_of(
    office: Client, waiting: Win
) -> None:
    win = WinFactory.create(
        pot=waiting.pot,
        cycle=2,
        cause="must_hit_by_amount",
        trigger="1234.50000000",
        trigger_nonce="ab" * 16,
    )

    shown = office.get(page(win, "change")).content.decode()

    assert f"{win.pot_id}:2:1234.50000000:{'ab' * 16}" in shown
    assert "Hidden amount" not in office.get(page(waiting, "change")).content.decode()
