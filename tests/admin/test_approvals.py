"""Requests and their decisions, as two people see them: one asks, the other approves or not."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals.enums import ApprovalStatus
from approvals.models import Approval
from approvals.services.requesting import list_alike
from bonuses.models import BonusGrant, BonusIssuance
from core.models import AuditEntry
from jackpots.models import Instance, Pot
from operators.models import Operator
from promos.models import UserPromo
from tests.admin.conftest import decide, messages_of, page_of, signed_in
from tests.factories.activity import deposit_by
from tests.factories.approvals import ApprovalFactory, ApprovalSettingsFactory
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory, UserPromoFactory
from wallets.selectors import get_balances

pytestmark = pytest.mark.django_db

#: What the second person of each kind has.
SEES = "approvals.view_approval"
CHOOSES = "promos.claw_back_userpromo"


@pytest.fixture
def claim(operator: Operator) -> UserPromo:
    """A claim whose deposit of 500 dollars has been matched: the wallet holds 1,000."""
    promo = PromoFactory.create(operator=operator, code="WELCOME500")
    player = PlayerFactory.create(operator=operator, reference="ada", currency="USD")
    now = timezone.now()
    UserPromoFactory.create(promo=promo, player=player, claimed_at=now - timedelta(minutes=2))
    deposit_by(player, 500, now=now - timedelta(minutes=1))
    return UserPromo.objects.get()


@pytest.fixture
def daily(operator: Operator) -> Instance:
    return InstanceFactory.create(
        operator=operator, name="Daily", progressive=True, pots=[{"seed": "100"}]
    )


def cancel_page(claim: UserPromo) -> str:
    return reverse("admin:promos_userpromo_cancel", args=[claim.pk])


def page(approval: Approval, name: str = "change") -> str:
    return reverse(f"admin:approvals_approval_{name}", args=[approval.pk])


def ask_for_600(client: Client, claim: UserPromo) -> Any:
    given = {"choice": "custom", "custom_decrease_amount": "600", "reason": "Two accounts"}
    return client.post(cancel_page(claim), given, follow=True)


def test_a_large_clawback_is_asked_for_by_one_and_done_by_another(
    staff_with: Any, claim: UserPromo
) -> None:
    first = staff_with("promos.cancel_userpromo", CHOOSES, SEES)
    second = staff_with(SEES, "promos.approve_clawback")

    before = first.get(cancel_page(claim)).context["consequences"]
    asked = ask_for_600(first, claim)
    approval = Approval.objects.get()
    [balance_between] = get_balances(player=claim.player)
    shown = second.get(page(approval, "approve"))
    done = decide(second, page(approval, "approve"), "Seen the bets")

    assert (
        "An amount of choice above 500.00 USD is not done now: it waits for a second person."
        in before
    )
    assert asked.redirect_chain == [(page(approval), 302)]
    assert messages_of(asked)[0].startswith("It takes a second person, so nothing has been done")
    assert balance_between.main == 1000
    assert shown.context["summary"][0] == "Cancel WELCOME500 of ada and take 600.00 USD"
    assert shown.context["consequences"][0] == (
        "600.00 USD is taken from the main balance of ada, which holds 1,000.00 USD at this"
        " instant."
    )
    assert "Two accounts" in shown.content.decode()
    assert messages_of(done) == ["Approved. WELCOME500 of ada was cancelled. 600.00 USD was taken."]
    [balance] = get_balances(player=claim.player)
    assert balance.main == 400
    assert "Approved, and done" in done.content.decode()


def test_whoever_may_not_see_requests_is_led_back_to_the_claim(
    staff_with: Any, claim: UserPromo
) -> None:
    blind = staff_with("promos.cancel_userpromo", CHOOSES, "promos.view_userpromo")

    asked = ask_for_600(blind, claim)

    back = reverse("admin:promos_userpromo_change", args=[claim.pk])
    assert asked.redirect_chain == [(back, 302)]
    assert Approval.objects.count() == 1


def test_what_is_asked_for_twice_is_said_to_who_asks_and_who_decides(
    staff_with: Any, claim: UserPromo
) -> None:
    first = staff_with("promos.cancel_userpromo", CHOOSES, SEES)
    second = staff_with(SEES, "promos.approve_clawback")
    told = "Cancel WELCOME500 of ada and take 600.00 USD (waiting, asked for"

    once, twice = ask_for_600(first, claim), ask_for_600(first, claim)
    [one, other] = Approval.objects.order_by("requested_at")
    others = ApprovalFactory.create(operator=claim.operator, requested_at=timezone.now())
    shown = second.get(page(other, "approve"))

    assert len(messages_of(once)) == 1
    assert messages_of(twice)[1].startswith(f"There are other requests about the same. {told}")
    assert [told in each and page(one) in each for each in shown.context["alike"]] == [True]
    assert page(one) in shown.content.decode()
    # Neither of another claim, nor what was decided long ago.
    assert list_alike(approval=others, now=timezone.now()) == []
    decide(second, page(one, "reject"), "Twice")
    [rejected] = second.get(page(other, "approve")).context["alike"]
    assert "(rejected, asked for" in rejected
    later = timezone.now() + timedelta(hours=25)
    assert list_alike(approval=other, now=later) == []


def test_what_can_never_be_done_any_more_is_not_counted_and_only_rejected(
    staff_with: Any, claim: UserPromo, office: Client
) -> None:
    ask_for_600(staff_with("promos.cancel_userpromo", CHOOSES), claim)
    approval = Approval.objects.get()
    second = staff_with(SEES, "promos.approve_clawback")
    queue = reverse("admin:approvals_approval_changelist")

    before = second.get(queue)
    office.post(cancel_page(claim), {"choice": "nothing", "reason": "Asked to"})
    after = second.get(queue)
    home = second.get(reverse("admin:index")).content.decode()

    assert before.context["tabs"][0]["count"] == 1
    assert page(approval, "approve") in before.content.decode()
    assert after.context["tabs"][0]["count"] == 0
    assert "Cannot be done any more" in after.context["rows"][0]["status"]
    assert page(approval, "approve") not in after.content.decode()
    assert page(approval, "reject") in after.content.decode()
    assert "Nothing waits for a second person." in home
    assert "Cannot be done any more" in second.get(page(approval)).content.decode()


def test_whoever_may_only_cancel_chooses_no_amount(
    staff_with: Any, claim: UserPromo, changes_nothing: Any
) -> None:
    client = staff_with("promos.cancel_userpromo")
    page = client.get(cancel_page(claim))
    given = {"choice": "custom", "custom_decrease_amount": "1", "reason": "Two accounts"}

    with changes_nothing():
        refused = client.post(cancel_page(claim), given)
    by_rule = client.post(cancel_page(claim), {**given, "choice": "rule"}, follow=True)

    assert "nother amount" not in page.content.decode()
    assert list(refused.context["form"].errors) == ["choice"]
    assert messages_of(by_rule) == ["The claim was cancelled. 500.00 USD was taken."]


def test_the_first_person_is_refused_in_every_session_of_theirs(
    office: Client, superuser: User, claim: UserPromo, changes_nothing: Any
) -> None:
    ask_for_600(office, claim)
    approval = Approval.objects.get()

    for client in (office, signed_in(superuser)):
        path = page(approval, "approve")
        shown = client.get(path)
        with changes_nothing():
            refused = client.post(path, {"reason": "Mine", "fingerprint": approval.fingerprint})

        assert "You asked for this yourself" in shown.content.decode()
        assert "<form" not in shown.content.decode().partition('id="content-main"')[2]
        assert refused.status_code == 409
        assert "Somebody other than who asked for it" in refused.content.decode()


@pytest.mark.parametrize(
    "permissions",
    [
        (SEES,),
        ("promos.approve_clawback",),
        (SEES, "bonuses.approve_manual_grant", "jackpots.approve_live_terms"),
        (SEES, "promos.cancel_userpromo"),
    ],
)
@pytest.mark.parametrize("name", ["approve", "reject"])
def test_a_decision_takes_the_permission_of_its_kind(
    name: str, permissions: tuple[str, ...], staff_with: Any, operator: Operator
) -> None:
    approval = ApprovalFactory.create(operator=operator, requested_at=timezone.now())
    client = staff_with(*permissions)
    given = {"reason": "Because", "fingerprint": approval.fingerprint}

    assert client.get(page(approval, name)).status_code == 403
    assert client.post(page(approval, name), given).status_code == 403
    assert Approval.objects.get().status == ApprovalStatus.REQUESTED


def test_whoever_asked_takes_it_back_without_the_right_to_approve(
    staff_with: Any, claim: UserPromo
) -> None:
    first = staff_with("promos.cancel_userpromo", CHOOSES, SEES)
    ask_for_600(first, claim)
    approval = Approval.objects.get()

    shown = first.get(page(approval, "reject")).context["consequences"]
    done = decide(first, page(approval, "reject"), "A mistake")

    assert "recorded as withdrawn by you" in shown[1]
    assert messages_of(done) == ["The request was withdrawn."]
    assert AuditEntry.objects.latest("pk").action == "approval.withdrawn"
    assert "Withdrawn by who asked for it" in done.content.decode()


def test_what_is_not_what_was_shown_is_refused(
    office: Client, operator: Operator, changes_nothing: Any
) -> None:
    approval = ApprovalFactory.create(operator=operator, requested_at=timezone.now())

    for shown in ("", "0" * 64):
        with changes_nothing():
            response = office.post(
                page(approval, "reject"), {"reason": "Because", "fingerprint": shown}
            )
        assert response.status_code == 409
        assert "not what you were shown" in response.content.decode()


def test_what_is_not_possible_any_more_is_said_before_anybody_presses_anything(
    staff_with: Any, claim: UserPromo, office: Client
) -> None:
    ask_for_600(staff_with("promos.cancel_userpromo", CHOOSES), claim)
    approval = Approval.objects.get()
    office.post(cancel_page(claim), {"choice": "nothing", "reason": "Asked to"})

    shown = office.get(page(approval, "approve"))
    refused = decide(office, page(approval, "approve"), "Because")

    assert shown.context["obstacle"] == "The claim has ended meanwhile: it is cancelled."
    assert refused.status_code == 409
    assert "The claim has ended." in refused.content.decode()
    assert Approval.objects.get().status == ApprovalStatus.REQUESTED
    assert messages_of(decide(office, page(approval, "reject"), "Over")) == [
        "The request was rejected."
    ]


def test_what_has_expired_can_only_be_rejected(office: Client, operator: Operator) -> None:
    old = ApprovalFactory.create(operator=operator)

    shown = office.get(page(old, "approve")).context["obstacle"]
    refused = decide(office, page(old, "approve"), "Late")

    assert shown == "The request has expired. It can be rejected, and asked for again."
    assert refused.status_code == 409
    assert ">Expired</span>" in office.get(page(old)).content.decode()
    assert messages_of(decide(office, page(old, "reject"), "Too late")) == [
        "The request was rejected."
    ]


# Bonuses by hand, and live terms


def test_a_large_bonus_is_asked_for_by_one_and_given_by_another(
    office: Client, staff_with: Any, operator: Operator
) -> None:
    ExchangeRateFactory.create(operator=operator)
    PlayerFactory.create(operator=operator, reference="ada", currency="EUR")
    template = BonusTemplateFactory.create(
        operator=operator, name="Big", config={"amount": "600.00", "currency": "EUR"}
    )
    path = reverse("admin:bonuses_bonustemplate_issue", args=[template.pk])
    second = staff_with(SEES, "bonuses.approve_manual_grant")

    before = office.get(path).context["consequences"]
    asked = office.post(path, {"player_id": "ada", "reason": "Goodwill"}, follow=True)
    approval = Approval.objects.get()
    nothing_given = not BonusIssuance.objects.exists()
    done = decide(second, page(approval, "approve"), "Agreed")

    assert before[0] == (
        "This is above 500.00 USD, so it is not done now: it waits for a second person."
    )
    assert asked.redirect_chain == [(page(approval), 302)]
    assert nothing_given
    assert messages_of(done) == [
        "The bonus was granted.",
        "Approved. 600.00 EUR by Big was given to ada.",
    ]
    assert BonusGrant.objects.get().bonus_amount == 600


@pytest.mark.parametrize(
    ("above", "first"),
    [
        (Decimal(5), "This is above 5.00 USD, so it is not done now"),
        (Decimal(500), "The player gets: 10.00 EUR."),
        (None, "The player gets: 10.00 EUR."),
    ],
)
def test_the_page_of_a_bonus_says_of_a_stated_amount_whether_it_waits(
    above: Decimal | None, first: str, office: Client, operator: Operator
) -> None:
    ExchangeRateFactory.create(operator=operator)
    ApprovalSettingsFactory.create(operator=operator, manual_grant_above=above)
    template = BonusTemplateFactory.create(operator=operator)
    path = reverse("admin:bonuses_bonustemplate_issue", args=[template.pk])

    assert office.get(path).context["consequences"][0].startswith(first)


def test_the_page_of_a_match_says_above_what_it_waits(office: Client, operator: Operator) -> None:
    match = BonusTemplateFactory.create(operator=operator, match=True)
    path = reverse("admin:bonuses_bonustemplate_issue", args=[match.pk])

    assert office.get(path).context["consequences"][0] == (
        "A bonus above 500.00 USD is not done now: it waits for a second person."
    )


def test_live_terms_are_asked_for_by_one_and_wait_by_another(
    office: Client, staff_with: Any, daily: Instance
) -> None:
    rows = {
        "pots-TOTAL_FORMS": "1",
        "pots-INITIAL_FORMS": "1",
        "pots-0-seed": "200",
        "pots-0-drop_type": "manual",
        "reason": "The summer",
    }
    second = staff_with(SEES, "jackpots.approve_live_terms")

    before = office.get(page_of(daily, "terms"))
    asked = office.post(page_of(daily, "terms"), rows, follow=True)
    approval = Approval.objects.get()
    between = Pot.objects.get().pending_terms
    done = decide(second, page(approval, "approve"), "Agreed")

    assert before.context["consequences"][0].startswith("It takes two people, so nothing is")
    assert "Ask a second person" in before.content.decode()
    assert asked.redirect_chain == [(page(approval), 302)]
    assert "main: seed 200.00 EUR" in asked.content.decode()
    assert between is None
    assert messages_of(done) == ["Approved. The terms of main of Daily wait for the next win."]
    assert Pot.objects.get().pending_terms["seed"] == "200"
