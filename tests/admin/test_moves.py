"""Activate, pause, resume, close and cancel: offered where possible, obeyed once, or refused."""

from typing import Any

import pytest
from django.test import Client

from core.models import AuditEntry
from jackpots.enums import InstanceStatus
from jackpots.models import Instance
from operators.models import Operator
from tests.admin.conftest import messages_of, page_of
from tests.factories.jackpots import InstanceFactory, InstanceLinkFactory

pytestmark = pytest.mark.django_db

#: From which state, and with which pause, each move leads to what.
MOVES = {
    "activate": (InstanceStatus.DRAFT, False, "activated", "jackpot.instance.activated"),
    "pause": (InstanceStatus.ACTIVE, False, "paused", "jackpot.instance.paused"),
    "resume": (InstanceStatus.ACTIVE, True, "resumed", "jackpot.instance.resumed"),
    "close": (InstanceStatus.ACTIVE, False, "closed to contributions", "jackpot.instance.closed"),
    "cancel": (InstanceStatus.DRAFT, False, "cancelled", "jackpot.instance.cancelled"),
}
STATES = [(status, False) for status in InstanceStatus] + [(InstanceStatus.ACTIVE, True)]


def made(operator: Operator, status: InstanceStatus, paused: bool, **members: Any) -> Instance:
    return InstanceFactory.create(
        operator=operator, name="Daily", status=status, paused=paused, **members
    )


@pytest.mark.parametrize("move", MOVES)
def test_a_move_is_made_and_leaves_a_trail(
    move: str, office: Client, superuser: Any, operator: Operator
) -> None:
    status, paused, done, action = MOVES[move]
    instance = made(operator, status, paused)

    response = office.post(page_of(instance, move), {"reason": "  Asked\nfor  "}, follow=True)

    assert response.redirect_chain == [(page_of(instance, "change"), 302)]
    assert messages_of(response) == [f"Daily was {done}."]
    entry = AuditEntry.objects.get(subject_id=str(instance.pk))
    assert (entry.action, entry.reason) == (action, "Asked for")
    assert (entry.actor_kind, entry.actor_ref) == ("staff", str(superuser.pk))
    assert entry.operator_id == operator.pk


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize(("status", "paused"), STATES)
def test_a_move_is_offered_exactly_where_it_is_possible(
    move: str, status: InstanceStatus, paused: bool, office: Client, operator: Operator
) -> None:
    instance = made(operator, status, paused)
    source, needs_pause, _done, _action = MOVES[move]
    is_possible = status == source and (move == "close" or paused == needs_pause)

    page = office.get(page_of(instance, "change")).content.decode()
    asked = office.get(page_of(instance, move))

    assert (f'href="{page_of(instance, move)}"' in page) is is_possible
    assert ('<form method="post" novalidate data-once' in asked.content.decode()) is is_possible
    assert bool(asked.context["obstacle"]) is not is_possible


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize(("status", "paused"), STATES)
def test_a_move_that_is_not_possible_is_refused_by_the_service_and_nothing_moves(
    move: str,
    status: InstanceStatus,
    paused: bool,
    office: Client,
    operator: Operator,
    changes_nothing: Any,
) -> None:
    instance = made(operator, status, paused)
    source, needs_pause, _done, _action = MOVES[move]
    if status == source and (move == "close" or paused == needs_pause):
        assert office.post(page_of(instance, move), {"reason": "Because"}).status_code == 302
        return

    with changes_nothing():
        response = office.post(page_of(instance, move), {"reason": "Because"})

    assert response.status_code == 409
    assert f"The instance is {status.label.lower()}" in response.content.decode()
    assert AuditEntry.objects.exists() is False


def test_the_offer_needs_the_permission(staff_with: Any, operator: Operator) -> None:
    instance = made(operator, InstanceStatus.ACTIVE, False)
    viewer = staff_with("jackpots.view_instance", "jackpots.pause_instance")

    page = viewer.get(page_of(instance, "change")).content.decode()

    assert f'href="{page_of(instance, "pause")}"' in page
    assert f'href="{page_of(instance, "close")}"' not in page
    assert f'href="{page_of(instance, "links")}"' not in page


def test_a_page_says_before_what_it_will_do(office: Client, operator: Operator) -> None:
    instance = made(operator, InstanceStatus.ACTIVE, False, pots=[{"seed": "1234.5"}])
    InstanceLinkFactory.create(
        source=InstanceFactory.create(operator=operator, name="Hourly"), target=instance
    )
    draft = made(operator, InstanceStatus.DRAFT, False, opt_in_required=True)

    closing = office.get(page_of(instance, "close")).context["consequences"]
    activating = office.get(page_of(draft, "activate")).context["consequences"]

    assert closing == [
        "It takes no more contributions, for good. A closed instance cannot be opened again.",
        "At this instant its pots hold: main 1,234.50 EUR.",
        "The raffle then waits to be drawn.",
        "Hourly links here: those contributions go on, and only their leg to this instance fails.",
    ]
    assert activating == [
        "From now on it takes contributions: 1 % of each wager.",
        "The operator pays it.",
        "It is open at any time, until somebody pauses or closes it.",
        "Its terms are fixed: name, contribution, pots and prizes cannot be edited any more.",
        "Only players who have opted in take part: 0 so far.",
    ]


def test_the_pause_is_shown_with_its_reason(office: Client, operator: Operator) -> None:
    instance = made(operator, InstanceStatus.ACTIVE, True)

    page = office.get(page_of(instance, "change")).content.decode()

    assert "Paused since" in page
    assert "Under review" in page


def test_whoever_may_not_look_at_the_row_is_led_home(staff_with: Any, operator: Operator) -> None:
    instance = made(operator, InstanceStatus.ACTIVE, False)
    client = staff_with("jackpots.pause_instance")

    response = client.post(page_of(instance, "pause"), {"reason": "Because"})

    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert Instance.objects.get(pk=instance.pk).is_paused
