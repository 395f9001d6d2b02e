"""Campaigns in the back office: previewed, started, paused, capped, followed, downloaded."""

import csv
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bonuses.enums import CampaignStatus, TargetStatus
from bonuses.models import BonusCampaign, BonusTemplate, CampaignTarget
from core.models import AuditEntry
from operators.models import Operator
from players.models import Player, Segment
from tests.admin.conftest import messages_of
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    BonusTemplateFactory,
    CampaignTargetFactory,
)
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory, SegmentFactory

pytestmark = pytest.mark.django_db

#: More than a template may state, and than any amount in dollars; older ones may have it.
BEYOND = "99999999999999999999.00"
CANNOT = (
    "Who would get it, and at what cost, cannot be worked out. "
    "The amount is larger than can be stored."
)


@pytest.fixture
def template(operator: Operator) -> BonusTemplate:
    """Ten euros, at 1.25 US dollars."""
    ExchangeRateFactory.create(operator=operator)
    return BonusTemplateFactory.create(operator=operator, name="Ten")


@pytest.fixture
def segment(operator: Operator) -> Segment:
    """Three players, one of them blocked."""
    players = [
        PlayerFactory.create(operator=operator, currency="EUR", is_blocked=number == 2)
        for number in range(3)
    ]
    return SegmentFactory.create(operator=operator, name="VIPs", players=players)


@pytest.fixture
def draft(operator: Operator, template: BonusTemplate, segment: Segment) -> BonusCampaign:
    return BonusCampaignFactory.create(
        operator=operator, template=template, segment=segment, name="Spring"
    )


@pytest.fixture
def started(office: Client, draft: BonusCampaign) -> BonusCampaign:
    office.post(page_of(draft, "start"), {"reason": "Spring is here"})
    return BonusCampaign.objects.get()


def page_of(campaign: BonusCampaign, name: str = "change") -> str:
    return reverse(f"admin:bonuses_bonuscampaign_{name}", args=[campaign.pk])


def add_page(operator: Operator) -> str:
    return reverse("admin:bonuses_bonuscampaign_add") + f"?operator={operator.pk}"


def test_a_draft_is_made_of_what_the_operator_has(
    office: Client, operator: Operator, template: BonusTemplate, segment: Segment
) -> None:
    BonusTemplateFactory.create(operator=operator, is_active=False)
    foreign = BonusTemplateFactory.create()

    form = office.get(add_page(operator)).context["form"]
    given = {"name": "Spring", "template": template.pk, "segment": segment.pk}
    refused = office.post(add_page(operator), {**given, "template": foreign.pk})
    response = office.post(add_page(operator), {**given, "budget_base": "100"}, follow=True)

    assert list(form.fields["template"].queryset) == [template]
    assert list(refused.context["form"].errors) == ["template"]
    campaign = BonusCampaign.objects.get()
    assert response.redirect_chain == [(page_of(campaign), 302)]
    assert (campaign.status, campaign.budget_base) == ("draft", Decimal(100))


def test_the_operator_is_chosen_first_unless_there_is_only_one(
    office: Client, operator: Operator
) -> None:
    path = reverse("admin:bonuses_bonuscampaign_add")

    assert "form" in office.get(path).context
    assert office.get(path).context["form"] is not None
    other = OperatorFactory.create(name="Another Casino")
    page = office.get(path)

    assert f'href="?operator={other.pk}"' in page.content.decode()
    assert page.context["form"] is None


def test_a_draft_says_whom_it_reaches_and_what_it_costs(
    office: Client, draft: BonusCampaign, changes_nothing: Any
) -> None:
    with changes_nothing():
        page = office.get(page_of(draft)).content.decode()
        asked = " ".join(office.get(page_of(draft, "start")).context["consequences"])

    assert "<dt>Audience</dt><dd>3</dd>" in page
    assert "<dt>Would get it</dt><dd>2</dd>" in page
    assert "25.00 USD at the rates of now" in page
    assert "PLAYER_BLOCKED" in page
    assert "At this instant 3 players are in VIPs" in asked
    assert "2 players would get Ten." in asked
    assert "Estimated cost: 25.00 USD at the rates of now." in asked


def test_a_cost_that_no_amount_can_hold_is_said_in_words(
    office: Client, operator: Operator, segment: Segment, draft: BonusCampaign, changes_nothing: Any
) -> None:
    template = BonusTemplateFactory.create(
        operator=operator,
        match=True,
        config={"match_percent": "100", "cap_amount": BEYOND, "currency": "EUR"},
    )
    BonusCampaign.objects.update(template=template)

    with changes_nothing():
        page = office.get(page_of(draft))
        start = office.get(page_of(draft, "start"))

    assert (page.status_code, start.status_code) == (200, 200)
    assert CANNOT in page.content.decode()
    assert start.context["consequences"][0] == CANNOT


def test_one_whose_template_is_switched_off_is_not_started(
    office: Client, draft: BonusCampaign, changes_nothing: Any
) -> None:
    BonusTemplate.objects.update(is_active=False)

    page = office.get(page_of(draft)).content.decode()
    with changes_nothing():
        refused = office.post(page_of(draft, "start"), {"reason": "Because"})

    assert "Its template is switched off" in page
    assert refused.status_code == 422


def test_a_start_writes_the_audience_down(started: BonusCampaign, superuser: Any) -> None:
    assert (started.status, started.audience_size) == ("issuing", 3)
    assert CampaignTarget.objects.filter(status=TargetStatus.PENDING).count() == 3
    entry = AuditEntry.objects.get(action="bonus.campaign.started")
    assert (entry.actor_ref, entry.reason) == (str(superuser.pk), "Spring is here")


def test_a_started_one_is_not_started_again(office: Client, started: BonusCampaign) -> None:
    asked = office.get(page_of(started, "start")).context["obstacle"]

    assert asked == "Spring has been started already."
    assert (
        f'href="{page_of(started, "start")}"' not in office.get(page_of(started)).content.decode()
    )


def test_it_is_paused_and_resumed_for_a_reason(office: Client, started: BonusCampaign) -> None:
    office.post(page_of(started, "pause"), {"reason": "Too many calls"})
    paused = office.get(page_of(started)).content.decode()
    again = office.post(page_of(started, "pause"), {"reason": "Too many calls"})
    response = office.post(page_of(started, "resume"), {"reason": "Quiet now"}, follow=True)

    assert "Paused: Too many calls" in paused
    assert "data-campaign-progress" not in paused
    assert again.status_code == 409
    assert messages_of(response) == ["Spring was resumed."]
    assert BonusCampaign.objects.get().is_paused is False


def test_a_budget_is_set_and_lifted(office: Client, draft: BonusCampaign) -> None:
    first = office.post(
        page_of(draft, "budget"), {"budget_base": "50", "reason": "Agreed"}, follow=True
    )
    assert BonusCampaign.objects.get().budget_base == 50
    second = office.post(page_of(draft, "budget"), {"reason": "Never mind"}, follow=True)

    assert messages_of(first) == ["Spring may cost 50.00 USD."]
    assert messages_of(second) == ["Spring has no budget any more: its cost is not capped."]
    assert BonusCampaign.objects.get().budget_base is None


def test_a_budget_below_what_is_committed_is_marked(
    office: Client, started: BonusCampaign, changes_nothing: Any
) -> None:
    BonusCampaign.objects.update(committed_base=Decimal(25))

    with changes_nothing():
        response = office.post(
            page_of(started, "budget"), {"budget_base": "24.99", "reason": "Less"}
        )

    assert response.status_code == 400
    assert dict(response.context["form"].errors) == {
        "budget_base": ["25.00 USD is committed already."]
    }


def test_its_page_and_its_script_say_how_far_it_is(
    office: Client, started: BonusCampaign, changes_nothing: Any
) -> None:
    CampaignTarget.objects.filter(player__is_blocked=True).update(
        status=TargetStatus.SKIPPED, reason_code="PLAYER_BLOCKED", settled_at=timezone.now()
    )

    with changes_nothing():
        page = office.get(page_of(started)).content.decode()
        told = office.get(page_of(started, "progress"))

    assert f'data-campaign-progress="{page_of(started, "progress")}"' in page
    assert "PLAYER_BLOCKED" in page
    assert "no-store" in told["Cache-Control"]
    assert told.json() == {
        "percent": 33,
        "audience": "3",
        "pending": "2",
        "granted": "0",
        "skipped": "1",
        "failed": "0",
        "cost": "0.00 USD",
        "is_running": True,
        "said": "Workers are issuing.",
    }


def test_a_finished_one_is_not_followed_any_more(office: Client, operator: Operator) -> None:
    finished = BonusCampaignFactory.create(
        operator=operator,
        status=CampaignStatus.ISSUED,
        audience_size=0,
        started_at=timezone.now(),
        finished_at=timezone.now(),
    )

    told = office.get(page_of(finished, "progress")).json()

    assert (told["percent"], told["is_running"]) == (100, False)
    assert told["said"].startswith("Finished.")
    assert "data-campaign-progress" not in office.get(page_of(finished)).content.decode()


def test_what_became_of_everybody_is_a_file_and_is_written_down(
    office: Client, superuser: User, operator: Operator
) -> None:
    target = CampaignTargetFactory.create(
        campaign__operator=operator,
        status=TargetStatus.SKIPPED,
        reason_code="PLAYER_BLOCKED",
        settled_at=timezone.now(),
    )

    response = office.post(page_of(target.campaign, "result"))
    lines = b"".join(response.streaming_content).decode().splitlines()

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith("attachment;")
    assert len(lines) == 2
    assert lines[1].startswith(f"{target.player.reference},skipped,PLAYER_BLOCKED")
    entry = AuditEntry.objects.get(action="bonus.campaign.exported")
    assert (entry.actor_kind, entry.actor_ref) == ("staff", str(superuser.pk))
    assert (entry.operator_id, entry.subject_id) == (operator.pk, str(target.campaign_id))


def test_a_bonus_is_in_its_own_currency_whatever_the_wallet_has_now(
    office: Client, operator: Operator
) -> None:
    grant = BonusGrantFactory.create(external=True, template__operator=operator)
    target = CampaignTargetFactory.create(
        campaign__operator=operator,
        player=grant.player,
        issuance=grant.issuance,
        status=TargetStatus.GRANTED,
        settled_at=timezone.now(),
    )
    Player.objects.update(currency="USD")

    response = office.post(page_of(target.campaign, "result"))

    [row] = csv.DictReader(b"".join(response.streaming_content).decode().splitlines())
    assert (row["grant_id"], row["bonus_amount"], row["currency"]) == (
        str(grant.pk),
        "10.00",
        "EUR",
    )


def test_whoever_got_nothing_has_no_currency(office: Client, operator: Operator) -> None:
    target = CampaignTargetFactory.create(campaign__operator=operator)

    response = office.post(page_of(target.campaign, "result"))

    [row] = csv.DictReader(b"".join(response.streaming_content).decode().splitlines())
    assert (row["grant_id"], row["bonus_amount"], row["currency"]) == ("", "", "")


def test_the_file_is_for_whoever_may_export(
    office: Client, staff_with: Any, started: BonusCampaign
) -> None:
    path = page_of(started, "result")
    viewer = staff_with("bonuses.view_bonuscampaign")
    exporter = staff_with("bonuses.view_bonuscampaign", "reports.export_report")
    stranger = staff_with("reports.export_report")

    assert [client.post(path).status_code for client in (viewer, stranger)] == [403, 403]
    assert Client().post(path).status_code == 302
    assert exporter.get(path).status_code == 405
    assert AuditEntry.objects.filter(action="bonus.campaign.exported").count() == 0
    assert exporter.post(path).status_code == 200
    pages = [client.get(page_of(started)).content.decode() for client in (viewer, exporter)]
    assert ["Result as CSV" in page for page in pages] == [False, True]
    assert "Its result was downloaded" in pages[0]
    missing = path.replace(str(started.pk), "01a1fceb-fdac-715d-8ca4-51336434b2e0")
    assert office.post(missing).status_code == 404


def test_progress_is_for_whoever_may_look(
    office: Client, staff_with: Any, draft: BonusCampaign
) -> None:
    path = page_of(draft, "progress")
    missing = path.replace(str(draft.pk), "01a1fceb-fdac-715d-8ca4-51336434b2e0")

    assert staff_with("bonuses.view_bonuscampaign").get(path).status_code == 200
    assert staff_with("bonuses.view_bonusgrant").get(path).status_code == 403
    assert Client().get(path).status_code == 302
    assert office.post(path).status_code == 405
    assert office.get(missing).status_code == 404


def test_the_list_says_how_far_each_is(office: Client, started: BonusCampaign) -> None:
    page = office.get(reverse("admin:bonuses_bonuscampaign_changelist")).content.decode()

    assert 'title="0 of 3 players"' in page
    assert "Spring" in office.get("/admin/").content.decode()
