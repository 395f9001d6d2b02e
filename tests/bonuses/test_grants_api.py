"""Bonuses over HTTP: granting once, reading, cancelling, forfeiting, and offers."""

from datetime import datetime
from typing import Any

import pytest

from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate
from bonuses.ports import PlatformRejected, PlatformUnavailable
from operators.models import Operator
from players.models import Player
from tests.bonuses.conftest import ScriptedPlatform
from tests.conftest import Client
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db

FIELDS = {
    "id", "template_id", "player_id", "type", "status", "platform_bonus_id", "adapter_slug",
    "bonus_amount", "bonus_currency", "deposit_amount", "bonus_amount_base", "base_currency_code",
    "fx_rate_locked", "fx_locked_at", "wagering_required", "wagering_progress", "total_wagered",
    "granted_at", "activated_at", "expires_at", "completed_at", "forfeited_at", "expired_at",
    "cancelled_at", "outcome_reason", "released_amount", "references",
}  # fmt: skip


def body(template: BonusTemplate, **more: Any) -> dict[str, Any]:
    return {"template_id": str(template.pk), "player_id": "ada", **more}


def test_a_bonus_is_granted(client: Client, template: BonusTemplate, player: Player) -> None:
    answer = client.post(
        "/v1/bonus-grants",
        body(
            template,
            granted_by={"kind": "journey", "ref": "welcome-3"},
            references={"ticket": "T-1"},
        ),
    )

    assert answer.status_code == 201
    grant = answer.json()
    assert set(grant) == FIELDS
    assert (grant["status"], grant["player_id"], grant["type"]) == ("active", "ada", "no_deposit")
    assert (grant["bonus_amount"], grant["bonus_currency"]) == ("10.00", "EUR")
    assert (grant["bonus_amount_base"], grant["base_currency_code"]) == ("12.50", "USD")
    assert (grant["fx_rate_locked"], grant["wagering_required"]) == ("1.25", "300.00")
    assert grant["references"] == {"ticket": "T-1"}
    assert client.get(f"/v1/bonus-grants/{grant['id']}").json() == grant
    issuance = BonusIssuance.objects.get()
    assert (issuance.granted_by_kind, issuance.granted_by_ref) == ("journey", "welcome-3")


def test_the_same_key_hears_the_first_answer_whatever_happened_since(
    client: Client, template: BonusTemplate, player: Player
) -> None:
    first = client.post("/v1/bonus-grants", body(template), key="once")
    client.post(f"/v1/bonus-grants/{first.json()['id']}/cancel", {"reason": "A mistake."})

    again = client.post("/v1/bonus-grants", body(template), key="once")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert BonusGrant.objects.count() == 1


def test_the_same_key_for_another_player_is_refused(
    client: Client, operator: Operator, template: BonusTemplate, player: Player
) -> None:
    PlayerFactory.create(operator=operator, reference="eve")
    client.post("/v1/bonus-grants", body(template), key="once")

    answer = client.post("/v1/bonus-grants", {**body(template), "player_id": "eve"}, key="once")

    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_key_is_required(client: Client, template: BonusTemplate, player: Player) -> None:
    answer = client.post("/v1/bonus-grants", body(template), headers={"Idempotency-Key": None})

    assert (answer.status_code, answer.json()["code"]) == (400, "IDEMPOTENCY_KEY_REQUIRED")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"template_id": "0190c0de-0000-7000-8000-000000000000"}, 404, "BONUS_TEMPLATE_NOT_FOUND"),
        ({"template_id": "nonsense"}, 400, "INVALID_REQUEST"),
        ({"player_id": "nobody"}, 404, "NOT_FOUND"),
        ({"deposit_amount": "10.00"}, 400, "INVALID_REQUEST"),
        ({"deposit_amount": 10}, 400, "INVALID_REQUEST"),
        ({"await_deposit": True}, 400, "INVALID_REQUEST"),
        ({"status": "completed"}, 400, "INVALID_REQUEST"),
        ({"wagering_progress": "300.00"}, 400, "INVALID_REQUEST"),
        ({"granted_by": "me"}, 400, "INVALID_REQUEST"),
        ({"references": {"a": {"b": "c"}}}, 400, "INVALID_REQUEST"),
    ],
)
def test_what_cannot_be_is_refused(
    client: Client,
    template: BonusTemplate,
    player: Player,
    change: dict[str, Any],
    status: int,
    code: str,
) -> None:
    answer = client.post("/v1/bonus-grants", {**body(template), **change})

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not BonusIssuance.objects.exists()


@pytest.mark.parametrize(
    ("amount", "status"),
    [("0.00", 400), ("0", 400), ("-1.00", 400), ("10.001", 400), ("NaN", 400), ("0.01", 201)],
)
def test_a_deposit_amount_is_money_of_the_wallet(
    client: Client, operator: Operator, player: Player, amount: str, status: int
) -> None:
    template = BonusTemplateFactory.create(operator=operator, match=True)

    answer = client.post("/v1/bonus-grants", body(template, deposit_amount=amount))

    assert answer.status_code == status


def test_a_match_needs_its_deposit(client: Client, operator: Operator, player: Player) -> None:
    template = BonusTemplateFactory.create(operator=operator, match=True)

    answer = client.post("/v1/bonus-grants", body(template))

    assert (answer.status_code, answer.json()["code"]) == (422, "BONUS_DEPOSIT_AMOUNT_REQUIRED")


def test_the_worked_example_of_a_match(client: Client, operator: Operator, player: Player) -> None:
    template = BonusTemplateFactory.create(operator=operator, match=True)

    answer = client.post("/v1/bonus-grants", body(template, deposit_amount="100.00"))

    assert answer.status_code == 201
    assert answer.json()["bonus_amount"] == answer.json()["deposit_amount"] == "100.00"
    assert answer.json()["wagering_required"] == "6000.00"


def test_an_offer_is_202_and_the_deposit_grants_it(
    client: Client, operator: Operator, player: Player
) -> None:
    template = BonusTemplateFactory.create(operator=operator, match=True)

    offered = client.post("/v1/bonus-grants", body(template, await_deposit=True), key="offer")
    deposited = client.post("/v1/players/ada/deposits", {"amount": "40.00", "currency": "EUR"})

    offer = offered.json()
    assert (offered.status_code, offer["status"]) == (202, "awaiting_deposit")
    assert (offer["grant_id"], offer["attempts"], offer["error"]) == (None, 0, None)
    [armed] = deposited.json()["bonuses"]
    assert (armed["id"], armed["status"]) == (offer["id"], "succeeded")
    assert armed["grant"]["bonus_amount"] == "40.00"
    issuance = client.get(f"/v1/bonus-issuances/{offer['id']}").json()
    assert (issuance["status"], issuance["grant_id"]) == ("succeeded", armed["grant"]["id"])
    again = client.post("/v1/bonus-grants", body(template, await_deposit=True), key="offer")
    assert (again.status_code, again.json()) == (202, offer)


def test_a_platforms_refusal_is_502_with_its_own_code(
    client: Client, platform: ScriptedPlatform, template: BonusTemplate, player: Player
) -> None:
    platform.answers = [PlatformRejected("BONUS_STACKING", "Has one already.")]

    answer = client.post("/v1/bonus-grants", body(template))

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (502, "ADAPTER_REJECTED")
    assert problem["platform_code"] == "BONUS_STACKING"
    issuance = client.get(f"/v1/bonus-issuances/{problem['issuance_id']}").json()
    assert issuance["status"] == "rejected"
    assert issuance["error"] == {"code": "BONUS_STACKING", "detail": "Has one already."}


def test_no_answer_is_503_and_the_issuance_says_when_it_is_tried_again(
    client: Client, platform: ScriptedPlatform, template: BonusTemplate, player: Player
) -> None:
    platform.answers = [PlatformUnavailable("Connection refused.")]

    answer = client.post("/v1/bonus-grants", body(template))

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, "ADAPTER_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) > 0
    issuance = client.get(f"/v1/bonus-issuances/{problem['issuance_id']}").json()
    assert (issuance["status"], issuance["attempts"], issuance["grant_id"]) == ("pending", 1, None)
    assert issuance["next_attempt_at"] is not None
    assert issuance["error"]["code"] == "PLATFORM_UNAVAILABLE"


@pytest.mark.parametrize("verb", ["cancel", "forfeit"])
def test_ending_our_own_grant_takes_its_money_back(
    client: Client, template: BonusTemplate, player: Player, verb: str
) -> None:
    grant = client.post("/v1/bonus-grants", body(template)).json()

    answer = client.post(f"/v1/bonus-grants/{grant['id']}/{verb}", {"reason": "Agreed."}, key="end")

    ended = answer.json()
    past = {"cancel": "cancelled", "forfeit": "forfeited"}[verb]
    assert (answer.status_code, ended["status"], ended["outcome_reason"]) == (200, past, "Agreed.")
    assert ended[f"{past}_at"] is not None
    again = client.post(f"/v1/bonus-grants/{grant['id']}/{verb}", {"reason": "Agreed."}, key="end")
    assert (again.status_code, again.json()) == (200, ended)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = client.post(f"/v1/bonus-grants/{grant['id']}/cancel", {"reason": "Again."})
    assert (other.status_code, other.json()["code"]) == (409, "BONUS_GRANT_CLOSED")


@pytest.mark.parametrize("verb", ["cancel", "forfeit"])
@pytest.mark.parametrize("sent", [{}, {"reason": ""}, {"reason": 7}])
def test_a_reason_is_required(
    client: Client, operator: Operator, verb: str, sent: dict[str, Any]
) -> None:
    grant = BonusGrantFactory.create(asked_template__operator=operator)

    answer = client.post(f"/v1/bonus-grants/{grant.pk}/{verb}", sent)

    assert answer.status_code == 400
    assert BonusGrant.objects.get().status == "active"


def test_a_platform_is_told_once_and_first(
    client: Client, platform: ScriptedPlatform, template: BonusTemplate, player: Player
) -> None:
    grant = client.post("/v1/bonus-grants", body(template)).json()
    path = f"/v1/bonus-grants/{grant['id']}/cancel"
    platform.answers = [PlatformUnavailable("Timeout."), PlatformRejected("TOO_LATE")]

    silent = client.post(path, {"reason": "Agreed."})
    refused = client.post(path, {"reason": "Agreed."})
    done = client.post(path, {"reason": "Agreed."}, key="end")
    again = client.post(path, {"reason": "Agreed."}, key="end")

    assert (silent.status_code, silent.json()["code"]) == (503, "ADAPTER_UNAVAILABLE")
    assert (refused.status_code, refused.json()["code"]) == (502, "ADAPTER_REJECTED")
    assert refused.json()["platform_code"] == "TOO_LATE"
    assert (done.status_code, done.json()["status"]) == (200, "cancelled")
    assert (again.status_code, again.json()) == (200, done.json())
    assert [str(grant_id) for grant_id in platform.cancelled] == [grant["id"]]


def test_grants_are_listed_newest_first_and_filtered(
    client: Client, operator: Operator, now: datetime
) -> None:
    template = BonusTemplateFactory.create(operator=operator)
    ada, eve = (PlayerFactory.create(operator=operator, reference=name) for name in ("ada", "eve"))
    first = BonusGrantFactory.create(asked_template=template, asked_player=ada)
    second = BonusGrantFactory.create(asked_template=template, asked_player=eve, status="expired")
    third = BonusGrantFactory.create(asked_template__operator=operator, asked_player=ada)

    def listed(query: str) -> list[str]:
        return [row["id"] for row in client.get(f"/v1/bonus-grants{query}").json()["results"]]

    assert listed("") == [str(grant.pk) for grant in (third, second, first)]
    assert listed("?player_id=ada") == [str(third.pk), str(first.pk)]
    assert listed("?status=expired") == [str(second.pk)]
    assert listed(f"?template_id={template.pk}") == [str(second.pk), str(first.pk)]
    assert listed("?player_id=nobody") == []
    assert client.get("/v1/bonus-grants?status=over").status_code == 400
