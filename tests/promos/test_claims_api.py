"""Claims over HTTP: the answer, the replay, the statements it takes, reading and cancelling."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from operators.enums import Scope
from operators.models import Operator
from players.models import Player
from promos.models import Promo, UserPromo
from tests.concurrency.sabotage import sabotaged
from tests.factories.operators import ExchangeRateFactory
from tests.factories.promos import PromoBatchCodeFactory, PromoFactory, UserPromoFactory
from tests.factories.wallets import deposit, held_by

pytestmark = pytest.mark.django_db

_CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_a_claim_is_answered_with_the_user_promo(
    client: Any, operator: Operator, player: Player
) -> None:
    promo = PromoFactory.create(operator=operator, code="WELCOME100")

    response = client.post(f"/v1/promos/{promo.pk}/claim", {"player_id": "ada"})

    assert response.status_code == 201, response.content
    body = response.json()
    claim = UserPromo.objects.get()
    claimed_at = body.pop("claimed_at")
    assert claimed_at.endswith("Z")
    assert body == {
        "id": str(claim.pk),
        "promo_id": str(promo.pk),
        "code": "WELCOME100",
        "player_id": "ada",
        "status": "CLAIMED",
        "bonus_amount": None,
        "bonus_currency": "USD",
        "activated_at": None,
        "completed_at": None,
        "cancelled_at": None,
        "expired_at": None,
        "clawback_amount": None,
        "clawback_shortfall": None,
        "progress": None,
    }
    assert client.get(f"/v1/user-promos/{claim.pk}").json() == {**body, "claimed_at": claimed_at}


def test_a_claim_by_code_in_another_case(client: Any, operator: Operator, player: Player) -> None:
    PromoFactory.create(operator=operator, instant=True, currency="USD", code="Tenner")

    response = client.post("/v1/promos/claim", {"code": "tENNER", "player_id": "ada"})

    assert response.status_code == 201, response.content
    assert (response.json()["status"], response.json()["bonus_amount"]) == ("COMPLETED", "10.00")


def test_a_replay_hears_the_first_answer_and_pays_nothing(
    client: Any, operator: Operator, player: Player
) -> None:
    promo = PromoFactory.create(operator=operator, instant=True, currency="USD", claims_left=2)
    path, body = f"/v1/promos/{promo.pk}/claim", {"player_id": "ada"}

    first = client.post(path, body, key="once")
    again = client.post(path, body, key="once")
    anew = client.post(path, body, key="twice")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert refusal(anew) == (409, "PROMO_ALREADY_CLAIMED")
    assert (held_by(player), Promo.objects.get().claims_left) == (10, 1)


@pytest.mark.django_db(transaction=True)
def test_a_key_that_a_batch_writes_meanwhile_is_in_progress_and_nothing_is_claimed(
    client: Any, operator: Operator, player: Player
) -> None:
    """A batch claims its keys by writing them, without a lock for each."""
    promo = PromoFactory.create(operator=operator, instant=True, currency="USD", claims_left=2)
    overtaken = """INSERT INTO core_idempotencyrecord
        (operator_id, key, fingerprint, answer, created_at)
        VALUES (v_operator_id, p_answer ->> 'key', repeat('f', 64), '', v_now);
        v_outcome := promos_record_claim"""

    with sabotaged("promos_make_claim", ("v_outcome := promos_record_claim", overtaken)):
        response = client.post(f"/v1/promos/{promo.pk}/claim", {"player_id": "ada"}, key="k")

    assert refusal(response) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert (held_by(player), Promo.objects.get().claims_left) == (None, 2)
    assert not UserPromo.objects.exists()


def test_a_refused_claim_is_not_remembered(client: Any, operator: Operator, player: Player) -> None:
    promo = PromoFactory.create(operator=operator, is_active=False)
    path, body = f"/v1/promos/{promo.pk}/claim", {"player_id": "ada"}

    assert refusal(client.post(path, body, key="k")) == (409, "PROMO_INACTIVE")
    Promo.objects.update(is_active=True)

    assert client.post(path, body, key="k").status_code == 201


def test_a_claim_needs_a_key(operator: Operator, client: Any, player: Player) -> None:
    promo = PromoFactory.create(operator=operator)

    response = client.generic(
        "POST", f"/v1/promos/{promo.pk}/claim", b"{}", content_type="application/json"
    )

    assert response.status_code == 400


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": "NOTHING", "player_id": "ada"}, "PROMO_NOT_FOUND"),
        ({"code": "a b", "player_id": "ada"}, "PROMO_NOT_FOUND"),
        ({"code": "WELCOME", "player_id": "nobody"}, "NOT_FOUND"),
    ],
)
def test_what_is_not_there_is_404(
    body: dict[str, str], code: str, client: Any, operator: Operator, player: Player
) -> None:
    PromoFactory.create(operator=operator, code="WELCOME")

    assert refusal(client.post("/v1/promos/claim", body)) == (404, code)


def statements_of(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries if not query["sql"].startswith(_CONTROL)]


@pytest.mark.parametrize(
    ("terms", "count"),
    [
        # The plan, the claim.
        ({}, 2),
        ({"claims_left": 9, "lock_withdraw_on_claim_hours": 24}, 2),
        ({"instant": True, "currency": "EUR", "claims_left": 9}, 2),
        ({"instant": True, "lock_withdraw_on_claim_hours": 24, "currency": "EUR"}, 2),
        # The plan; the key, the plan, the claim; the balance, its way into the vault; the answer.
        ({"instant": True, "currency": "EUR", "auto_vault_on_claim": True}, 7),
        ({"auto_vault_on_claim": True}, 7),
    ],
)
def test_a_claim_takes_few_statements(
    terms: dict[str, Any], count: int, client: Any, operator: Operator, player: Player
) -> None:
    ExchangeRateFactory.create(operator=operator)
    deposit(player, "25.00")
    promo = PromoFactory.create(operator=operator, **terms)
    client.get("/v1/promos")  # warms the API key

    with CaptureQueriesContext(connection) as queries:
        response = client.post(f"/v1/promos/{promo.pk}/claim", {"player_id": "ada"})

    assert response.status_code == 201, response.content
    statements = statements_of(queries)
    # Two are a transaction each by themselves.
    assert (count == 2) == (len(statements) == len(queries))
    assert len(statements) == count, "\n".join(statements)


def test_a_single_use_code_takes_no_statement_more(
    client: Any, operator: Operator, player: Player
) -> None:
    code = PromoBatchCodeFactory.create(batch__promo__operator=operator)
    client.get("/v1/promos")

    with CaptureQueriesContext(connection) as queries:
        response = client.post("/v1/promos/claim", {"code": code.code, "player_id": "ada"})

    assert response.status_code == 201, response.content
    assert len(statements_of(queries)) == 2


# Validate


def test_validate_answers_every_reason_and_needs_no_key(
    client: Any, operator: Operator, player: Player
) -> None:
    PromoFactory.create(operator=operator, code="VIP", min_vip_level_to_claim=3, claims_left=0)

    response = client.post("/v1/promos/validate", {"code": "vip", "player_id": "ada"})

    assert response.status_code == 200
    assert response.json() == {
        "claimable": False,
        "reasons": [
            {"code": "PROMO_CLAIMS_EXHAUSTED", "detail": "No claims are left."},
            {"code": "VIP_LEVEL_TOO_LOW", "detail": "It takes VIP level 3."},
        ],
    }
    assert UserPromo.objects.exists() is False


def test_validate_of_a_claimable_code(client: Any, operator: Operator, player: Player) -> None:
    PromoFactory.create(operator=operator, code="WELCOME")

    response = client.post("/v1/promos/validate", {"code": "welcome", "player_id": "ada"})

    assert response.json() == {"claimable": True, "reasons": []}


def test_validate_of_an_unknown_code(client: Any, player: Player) -> None:
    response = client.post("/v1/promos/validate", {"code": "NO", "player_id": "ada"})

    assert response.status_code == 200
    assert [reason["code"] for reason in response.json()["reasons"]] == ["PROMO_NOT_FOUND"]


# Reading


def test_claims_are_filtered(client: Any, operator: Operator, player: Player) -> None:
    mine = UserPromoFactory.create(promo__operator=operator, player=player)
    ended = UserPromoFactory.create(promo__operator=operator, status="COMPLETED")
    UserPromoFactory.create()

    def ids(query: str) -> list[str]:
        return [claim["id"] for claim in client.get(f"/v1/user-promos?{query}").json()["results"]]

    assert ids("") == [str(ended.pk), str(mine.pk)]
    assert ids("player_id=ada") == [str(mine.pk)]
    assert ids(f"promo_id={ended.promo_id}") == [str(ended.pk)]
    assert ids("status=COMPLETED") == [str(ended.pk)]
    assert ids("status=CANCELLED") == []
    assert client.get("/v1/user-promos?status=NONSENSE").status_code == 400


def test_an_absent_claim_is_404(client: Any) -> None:
    assert refusal(client.get(f"/v1/user-promos/{uuid4()}")) == (404, "NOT_FOUND")


# Cancelling


def test_cancelling_needs_a_reason_and_is_answered_once(
    client: Any, operator: Operator, player: Player
) -> None:
    claim = UserPromoFactory.create(promo__operator=operator, player=player)
    path = f"/v1/user-promos/{claim.pk}/cancel"

    assert client.post(path, {}).status_code == 400
    first = client.post(path, {"reason": "asked"}, key="k")
    again = client.post(path, {"reason": "asked"}, key="k")

    assert first.status_code == 200, first.content
    assert (first.json()["status"], first.json()["clawback_amount"]) == ("CANCELLED", "0.00")
    assert again.json() == first.json()
    assert refusal(client.post(path, {"reason": "again"})) == (409, "USER_PROMO_CLOSED")


def test_a_custom_amount_needs_the_scope_manage(operator: Operator, client_of: Any) -> None:
    claim = UserPromoFactory.create(promo__operator=operator)
    path = f"/v1/user-promos/{claim.pk}/cancel"
    play, manage = client_of(operator, scopes=[Scope.PLAY]), client_of(operator)
    body = {"reason": "goodwill", "custom_decrease_amount": "0"}

    assert refusal(play.post(path, body)) == (403, "INSUFFICIENT_SCOPE")
    assert UserPromo.objects.get().status == "CLAIMED"
    assert manage.post(path, body).status_code == 200


def test_a_custom_amount_is_a_decimal_string(client: Any, operator: Operator) -> None:
    claim = UserPromoFactory.create(promo__operator=operator)
    path = f"/v1/user-promos/{claim.pk}/cancel"

    for amount in (1, "-1", "NaN", "1e2", "0.001"):
        response = client.post(path, {"reason": "x", "custom_decrease_amount": amount})
        assert refusal(response) == (400, "INVALID_REQUEST"), amount
    too_large = client.post(path, {"reason": "x", "custom_decrease_amount": "1.00"})

    assert refusal(too_large) == (409, "CUSTOM_DECREASE_TOO_LARGE")
