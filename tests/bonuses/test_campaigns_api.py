"""/v1/bonus-campaigns: made, previewed, issued, paused, resumed, listed, downloaded."""

import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from bonuses.models import BonusCampaign, BonusTemplate
from core.actors import Actor
from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from tests.bonuses.campaigns import Campaigning, grants_of
from tests.factories.bonuses import BonusCampaignFactory, BonusTemplateFactory
from tests.factories.players import PlayerFactory, SegmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime, player: Player) -> Campaigning:
    return Campaigning(operator, actor, now)


def path_of(campaign: BonusCampaign, verb: str = "") -> str:
    return f"/v1/bonus-campaigns/{campaign.pk}" + (f"/{verb}" if verb else "")


def refusal_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_a_campaign_is_a_draft_first(
    client: Any, operator: Operator, template: BonusTemplate
) -> None:
    segment = SegmentFactory.create(operator=operator)
    body = {
        "name": "Spring",
        "segment_id": str(segment.pk),
        "template_id": str(template.pk),
        "budget_base": "1000.5",
    }

    response = client.post("/v1/bonus-campaigns", body)

    assert response.status_code == 201, response.content
    shown = response.json()
    created_at = shown.pop("created_at")
    assert shown == {
        "id": str(BonusCampaign.objects.get().pk),
        "name": "Spring",
        "segment_id": str(segment.pk),
        "template_id": str(template.pk),
        "status": "draft",
        "is_paused": False,
        "pause_reason": None,
        "budget_base": "1000.50",
        "committed_base": "0.00",
        "base_currency_code": "USD",
        "audience_size": None,
        "stats": {"pending": 0, "granted": 0, "skipped": 0, "failed": 0},
        "started_at": None,
        "finished_at": None,
    }
    assert created_at.endswith("Z")
    assert AuditEntry.objects.get().action == "bonus.campaign.created"
    assert client.get(path_of(BonusCampaign.objects.get())).json()["status"] == "draft"


def test_anothers_segment_and_template_are_as_good_as_absent(
    client: Any, operator: Operator, template: BonusTemplate
) -> None:
    own = {
        "name": "Spring",
        "segment_id": str(SegmentFactory.create(operator=operator).pk),
        "template_id": str(template.pk),
    }

    segment = client.post(
        "/v1/bonus-campaigns", {**own, "segment_id": str(SegmentFactory.create().pk)}
    )
    foreign = client.post(
        "/v1/bonus-campaigns", {**own, "template_id": str(BonusTemplateFactory.create().pk)}
    )

    assert refusal_of(segment) == (404, "NOT_FOUND")
    assert refusal_of(foreign) == (404, "BONUS_TEMPLATE_NOT_FOUND")
    assert BonusCampaign.objects.exists() is False


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("segment_id", "nobody"),
        ("template_id", None),
        ("budget_base", "-1"),
        ("budget_base", "NaN"),
        ("budget_base", 100),
        ("status", "issued"),
    ],
)
def test_what_cannot_be_is_refused_by_field(
    member: str, value: Any, client: Any, operator: Operator, template: BonusTemplate
) -> None:
    body = {
        "name": "Spring",
        "segment_id": str(SegmentFactory.create(operator=operator).pk),
        "template_id": str(template.pk),
        member: value,
    }

    response = client.post("/v1/bonus-campaigns", body)

    assert refusal_of(response) == (400, "INVALID_REQUEST")
    assert [error["pointer"] for error in response.json()["errors"]] == [f"/{member}"]


def test_the_preview_says_what_would_be(client: Any, world: Campaigning, player: Player) -> None:
    blocked = PlayerFactory.create(operator=world.operator, is_blocked=True)

    response = client.post(path_of(world.draft([player, blocked]), "preview"))

    assert response.status_code == 200, response.content
    assert response.json() == {
        "audience": 2,
        "eligible": 1,
        "estimated_cost": "12.50",
        "base_currency_code": "USD",
        "is_upper_bound": False,
        "skips": {"PLAYER_BLOCKED": 1},
    }


def test_issuing_is_accepted_once(client: Any, world: Campaigning, player: Player) -> None:
    campaign = world.draft([player])
    path = path_of(campaign, "issue")

    first = client.post(path, key="one")
    replayed = client.post(path, key="one")
    again = client.post(path, key="two")

    assert first.status_code == 202, first.content
    assert (first.json()["status"], first.json()["audience_size"]) == ("issuing", 1)
    assert first.json()["stats"] == {"pending": 1, "granted": 0, "skipped": 0, "failed": 0}
    assert (replayed.status_code, replayed.json()) == (202, first.json())
    assert replayed.headers["Idempotency-Replayed"] == "true"
    assert again.status_code == 200
    assert again.json() == first.json()
    assert campaign.targets.count() == 1
    assert AuditEntry.objects.filter(action="bonus.campaign.started").count() == 1


def test_an_empty_audience_is_accepted_and_issued(client: Any, world: Campaigning) -> None:
    response = client.post(path_of(world.draft([]), "issue"))

    assert (response.status_code, response.json()["status"]) == (202, "issued")


def test_issuing_needs_a_key(client: Any, world: Campaigning) -> None:
    response = client.generic("POST", path_of(world.draft([]), "issue"))

    assert refusal_of(response) == (400, "IDEMPOTENCY_KEY_REQUIRED")


@pytest.mark.parametrize("verb", ["issue", "preview"])
def test_a_template_that_is_switched_off_is_refused(
    verb: str, client: Any, world: Campaigning
) -> None:
    template = BonusTemplateFactory.create(operator=world.operator, is_active=False)

    response = client.post(path_of(world.draft([], template), verb))

    assert refusal_of(response) == (422, "BONUS_TEMPLATE_NOT_ACTIVE")


def test_it_is_paused_and_resumed(client: Any, world: Campaigning, player: Player) -> None:
    campaign = world.started([player])

    paused = client.post(path_of(campaign, "pause"), {"reason": "Wrong amount?"})
    twice = client.post(path_of(campaign, "pause"))
    resumed = client.post(path_of(campaign, "resume"))
    again = client.post(path_of(campaign, "resume"))
    unexplained = client.post(path_of(campaign, "pause"))

    assert (paused.status_code, paused.json()["pause_reason"]) == (200, "Wrong amount?")
    assert refusal_of(twice) == (409, "CAMPAIGN_WRONG_STATE")
    assert (resumed.json()["is_paused"], resumed.json()["pause_reason"]) == (False, None)
    assert refusal_of(again) == (409, "CAMPAIGN_WRONG_STATE")
    assert unexplained.json()["pause_reason"] == "Paused over the API"


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_draft_is_neither_paused_nor_resumed(verb: str, client: Any, world: Campaigning) -> None:
    response = client.post(path_of(world.draft([]), verb))

    assert refusal_of(response) == (409, "CAMPAIGN_WRONG_STATE")


def test_the_budget_is_set_and_lifted(client: Any, world: Campaigning, player: Player) -> None:
    campaign = world.started([player], budget_base=Decimal(1))
    world.run(campaign)

    refused = client.post(path_of(campaign, "resume"))
    raised = client.put(path_of(campaign, "budget"), {"budget_base": "12.50"})
    resumed = client.post(path_of(campaign, "resume"))
    world.run(campaign)
    too_late = client.put(path_of(campaign, "budget"), {"budget_base": None})

    assert refusal_of(refused) == (409, "CAMPAIGN_BUDGET_REACHED")
    assert "Budget reached: 0.00 of 1.00 USD" in refused.json()["detail"]
    assert (raised.status_code, raised.json()["budget_base"]) == (200, "12.50")
    assert resumed.status_code == 200
    assert refusal_of(too_late) == (409, "CAMPAIGN_WRONG_STATE")


def test_campaigns_are_listed_with_their_counts(
    client: Any, world: Campaigning, player: Player, django_assert_max_num_queries: Any
) -> None:
    done = world.started([player])
    world.run(done)
    BonusCampaignFactory.create_batch(5, operator=world.operator)
    BonusCampaignFactory.create()

    with django_assert_max_num_queries(6):
        everything = client.get("/v1/bonus-campaigns").json()["results"]
    issued = client.get("/v1/bonus-campaigns?status=issued").json()["results"]

    assert len(everything) == 6
    assert [each["id"] for each in issued] == [str(done.pk)]
    assert issued[0]["stats"] == {"pending": 0, "granted": 1, "skipped": 0, "failed": 0}


def test_the_results_are_a_line_a_player(
    client: Any, world: Campaigning, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bonuses.selectors.TARGETS_PER_PAGE", 2)
    ada = PlayerFactory.create(operator=world.operator, reference="=ada")
    others = PlayerFactory.create_batch(3, operator=world.operator, is_blocked=True)
    campaign = world.started([ada, *others])
    world.run(campaign)

    response = client.get(path_of(campaign, "results.csv"))

    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(response.streaming_content).decode()
    header, first, *rest = csv.reader(io.StringIO(text))
    assert header == [
        "player_id",
        "status",
        "reason_code",
        "reason",
        "grant_id",
        "bonus_amount",
        "currency",
        "cost_base",
        "settled_at",
    ]
    [grant] = grants_of(campaign)
    settled = "2026-03-29T00:59:00Z"
    assert first == [
        "'=ada", "granted", "", "", str(grant.pk), "10.00", "EUR", "12.50", settled
    ]  # fmt: skip
    assert [line[0] for line in rest] == [player.reference for player in others]
    blocked = ["skipped", "PLAYER_BLOCKED", "The player is blocked.", "", "", "", "", settled]
    assert rest[0][1:] == blocked


def test_the_results_of_a_draft_are_a_header(client: Any, world: Campaigning) -> None:
    response = client.get(path_of(world.draft([]), "results.csv"))

    assert len(b"".join(response.streaming_content).decode().splitlines()) == 1
