"""Bonuses given by hand, and issuances that wait: hurried, given up, never doubled."""

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bonuses.enums import IssuanceStatus
from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate
from bonuses.ports import PlatformRejected, PlatformUnavailable
from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from tests.admin.conftest import messages_of
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.bonuses import BonusIssuanceFactory, BonusTemplateFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from wallets.selectors import get_bonus_balances

pytestmark = pytest.mark.django_db

LIST = "admin:bonuses_bonusissuance_changelist"
GIVEN = {"player_id": "ada", "reason": "Goodwill"}


@pytest.fixture
def player(operator: Operator) -> Player:
    ExchangeRateFactory.create(operator=operator)
    return PlayerFactory.create(operator=operator, reference="ada", currency="EUR")


@pytest.fixture
def template(operator: Operator) -> BonusTemplate:
    return BonusTemplateFactory.create(operator=operator, name="Ten")


@pytest.fixture
def waiting(template: BonusTemplate, player: Player) -> BonusIssuance:
    """One that its platform has not answered yet."""
    return BonusIssuanceFactory.create(
        template=template,
        player=player,
        external=True,
        attempts=1,
        error_detail="It was silent.",
        created_at=timezone.now(),
    )


def page_of(row: Any, name: str = "change") -> str:
    return reverse(f"admin:bonuses_{row._meta.model_name}_{name}", args=[row.pk])


def errors_of(response: Any) -> dict[str, Any]:
    return {name: list(errors) for name, errors in response.context["form"].errors.items()}


def test_a_bonus_is_given_by_hand_and_can_be_bet_at_once(
    office: Client, superuser: Any, template: BonusTemplate, player: Player
) -> None:
    asked = office.get(page_of(template, "issue")).context["consequences"]
    response = office.post(page_of(template, "issue"), GIVEN, follow=True)

    grant = BonusGrant.objects.get()
    assert "The player gets: 10.00 EUR." in asked
    assert "Our own ledger is credited: the bonus can be bet at once." in asked
    assert response.redirect_chain == [(page_of(grant), 302)]
    assert messages_of(response) == ["Ten was granted to ada."]
    assert get_bonus_balances(player=player) == {str(grant.pk): Decimal(10)}
    issuance = BonusIssuance.objects.get()
    assert (issuance.actor_kind, issuance.actor_ref) == ("staff", str(superuser.pk))
    assert (issuance.granted_by_kind, issuance.references) == ("staff", {"reason": "Goodwill"})
    assert "Staff: ada" in office.get(page_of(issuance)).content.decode()
    whole = reverse("admin:players_player_change", args=[player.pk])
    assert "Goodwill" in office.get(whole).content.decode()


def test_a_form_that_is_sent_twice_gives_one_bonus(
    office: Client, template: BonusTemplate, player: Player
) -> None:
    given = {**GIVEN, "form_token": str(uuid.uuid4())}

    office.post(page_of(template, "issue"), given, follow=True)
    again = office.post(page_of(template, "issue"), given, follow=True)

    assert messages_of(again) == [
        "This form had been sent already, so nothing was done a second time."
    ]
    assert BonusIssuance.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "wrong"),
    [
        ({"player_id": "nobody"}, 404, "__all__"),
        ({"player_id": ""}, 200, "player_id"),
        ({}, 409, "__all__"),
    ],
)
def test_what_is_refused_is_said_and_nothing_is_given(
    changes: dict[str, str],
    status: int,
    wrong: str,
    office: Client,
    template: BonusTemplate,
    operator: Operator,
) -> None:
    PlayerFactory.create(operator=operator, reference="ada", is_blocked=True)

    response = office.post(page_of(template, "issue"), {**GIVEN, **changes})

    assert response.status_code == status
    assert list(errors_of(response)) == [wrong]
    assert BonusIssuance.objects.exists() is False


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, "Say which deposit is matched, or offer it."),
        ({"deposit_amount": "5", "await_deposit": "on"}, "Leave this empty for an offer."),
    ],
)
def test_a_match_needs_a_deposit_or_waits_for_one(
    changes: dict[str, str], error: str, office: Client, operator: Operator, player: Player
) -> None:
    match = BonusTemplateFactory.create(operator=operator, match=True)

    response = office.post(page_of(match, "issue"), {**GIVEN, **changes})

    assert errors_of(response) == {"deposit_amount": [error]}
    assert BonusIssuance.objects.exists() is False


def test_a_match_is_given_for_a_deposit_or_offered_for_the_next(
    office: Client, operator: Operator, player: Player
) -> None:
    match = BonusTemplateFactory.create(operator=operator, match=True, name="Match")

    office.post(page_of(match, "issue"), {**GIVEN, "deposit_amount": "100"}, follow=True)
    response = office.post(page_of(match, "issue"), {**GIVEN, "await_deposit": "on"}, follow=True)

    assert BonusGrant.objects.get().wagering_required == 6000
    offer = BonusIssuance.objects.awaiting_deposit().get()
    assert response.redirect_chain == [(page_of(offer), 302)]
    assert messages_of(response) == ["Match was offered: ada's next deposit arms it."]


def test_a_platform_that_is_silent_is_asked_again_and_the_page_says_so(
    office: Client, template: BonusTemplate, player: Player, platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformUnavailable("It was silent.")]

    asked = office.get(page_of(template, "issue")).context["consequences"]
    response = office.post(page_of(template, "issue"), GIVEN, follow=True)

    issuance = BonusIssuance.objects.get()
    assert any(f"The platform of {platform.slug} is asked now." in each for each in asked)
    assert response.redirect_chain == [(page_of(issuance), 302)]
    assert "did not answer usably" in messages_of(response)[0]
    assert (issuance.status, issuance.attempts) == (IssuanceStatus.PENDING, 1)
    assert "It was silent." in response.content.decode()


def test_a_platform_that_refuses_is_quoted(
    office: Client, template: BonusTemplate, player: Player, platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformRejected("PLAYER_UNKNOWN", "No such player.")]

    response = office.post(page_of(template, "issue"), GIVEN)

    assert response.status_code == 502
    assert errors_of(response) == {"__all__": ["The platform refused the bonus: PLAYER_UNKNOWN."]}
    assert BonusGrant.objects.exists() is False


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (None, IssuanceStatus.SUCCEEDED, "Ten was granted to ada."),
        (
            PlatformUnavailable("Still silent."),
            IssuanceStatus.PENDING,
            "There was no usable answer: Still silent. Next attempt",
        ),
        (
            PlatformRejected("CLOSED", "The player left."),
            IssuanceStatus.REJECTED,
            "The platform rejected it: CLOSED. The player left.",
        ),
    ],
)
def test_an_issuance_is_hurried(
    answer: Any,
    status: IssuanceStatus,
    said: str,
    office: Client,
    waiting: BonusIssuance,
    platform: ScriptedPlatform,
) -> None:
    platform.answers = [answer]

    response = office.post(page_of(waiting, "retry"), {"reason": "They called"}, follow=True)

    issuance = BonusIssuance.objects.get()
    assert messages_of(response)[0].startswith(said)
    assert (issuance.status, issuance.attempts) == (status, 2)
    assert [order.grant_id for order in platform.orders] == [waiting.grant_id]
    entry = AuditEntry.objects.get(action="bonus.issuance.retried")
    assert (entry.actor_kind, entry.reason) == ("staff", "They called")


@pytest.mark.parametrize("is_offer", [False, True])
def test_an_issuance_is_given_up(
    is_offer: bool,
    office: Client,
    waiting: BonusIssuance,
    template: BonusTemplate,
    player: Player,
    platform: ScriptedPlatform,
) -> None:
    if is_offer:
        waiting = BonusIssuanceFactory.create(
            template=template, player=player, status=IssuanceStatus.AWAITING_DEPOSIT
        )

    asked = " ".join(office.get(page_of(waiting, "give-up")).context["consequences"])
    response = office.post(page_of(waiting, "give-up"), {"reason": "In vain"}, follow=True)

    assert ("The offer is withdrawn" in asked) == is_offer
    known = "" if is_offer else " The platform has not granted it."
    assert messages_of(response) == [f"The issuance was given up.{known}"]
    assert BonusIssuance.objects.get(pk=waiting.pk).status == IssuanceStatus.FAILED
    assert "“In vain”" in response.content.decode()


@pytest.mark.parametrize("page", ["retry", "give-up"])
def test_an_attempt_that_is_under_way_is_not_disturbed(
    page: str, office: Client, template: BonusTemplate, player: Player, changes_nothing: Any
) -> None:
    leased = BonusIssuanceFactory.create(
        template=template,
        player=player,
        external=True,
        leased_until=timezone.now() + timedelta(minutes=5),
    )

    with changes_nothing():
        response = office.post(page_of(leased, page), {"reason": "Because"})

    assert response.status_code == 503
    assert "An attempt is under way" in response.content.decode()
    assert "under way" in office.get(reverse(LIST)).content.decode()


@pytest.mark.parametrize(
    "status", [IssuanceStatus.SUCCEEDED, IssuanceStatus.REJECTED, IssuanceStatus.FAILED]
)
def test_a_settled_issuance_offers_nothing(
    status: IssuanceStatus, office: Client, template: BonusTemplate, changes_nothing: Any
) -> None:
    settled = BonusIssuanceFactory.create(template=template, status=status)

    page = office.get(page_of(settled)).content.decode()
    for name in ("retry", "give-up"):
        assert f'href="{page_of(settled, name)}"' not in page
        with changes_nothing():
            refused = office.post(page_of(settled, name), {"reason": "Because"})
        assert refused.status_code == 409


def test_what_waits_is_listed(office: Client, waiting: BonusIssuance) -> None:
    BonusIssuanceFactory.create(template=waiting.template, status=IssuanceStatus.FAILED)

    found = office.get(reverse(LIST), {"state": "waiting"}).context["cl"].result_list

    assert [row.pk for row in found] == [waiting.pk]


@pytest.mark.parametrize("term", ["ada", "{pk}", "{grant_id}"])
def test_an_issuance_is_found(term: str, office: Client, waiting: BonusIssuance) -> None:
    BonusIssuanceFactory.create(template=waiting.template)

    query = term.format(pk=waiting.pk, grant_id=waiting.grant_id)
    found = office.get(reverse(LIST), {"q": query}).context["cl"].result_list

    assert [row.pk for row in found] == [waiting.pk]
