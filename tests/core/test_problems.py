"""Every error is an RFC 9457 problem document, and none says what it should not."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from rest_framework.test import APIClient

from operators.models import Operator
from players.models import Player
from tests.concurrency.sabotage import impatient
from tests.factories.operators import issue_key
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db

TYPE = re.compile(r"urn:windfall:problem:[a-z]+(-[a-z]+)*")

with_failures = pytest.mark.urls("tests.core.urls")


def document(response: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem document, having checked what every one of them has."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == "urn:windfall:problem:" + code.lower().replace("_", "-")
    assert TYPE.fullmatch(problem["type"])
    assert problem["instance"] == response.request["PATH_INFO"]
    assert problem["title"]
    assert problem["detail"].endswith(".")
    return problem


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/v1/nothing", "/v1/players/", "/v1/players.json", "/v1/players/a/b/c",
     "/v3/players", "/V1/players", "/%00", "/v1/players/%2F"],
)  # fmt: skip
def test_a_path_that_does_not_exist_is_404(client, path: str) -> None:
    document(client.get(path), 404, "NOT_FOUND")


def test_a_method_that_does_not_exist_is_405(client) -> None:
    response = client.patch("/v1/players/anna", {})

    document(response, 405, "METHOD_NOT_ALLOWED")
    assert {"GET", "PUT"} <= set(response.headers["Allow"].split(", "))


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "POST", "DELETE", "PROPFIND"])
def test_an_odd_method_is_405(client, method: str) -> None:
    document(client.generic(method, "/v1/players/anna"), 405, "METHOD_NOT_ALLOWED")


def test_no_api_page_is_rendered_for_browsers(client, operator: Operator) -> None:
    PlayerFactory.create(operator=operator, reference="anna")

    response = client.get("/v1/players/anna", headers={"Accept": "text/html"})

    assert response.headers["Content-Type"] == "application/json"


def test_every_invalid_field_is_named(client) -> None:
    response = client.put("/v1/players/anna", {"kyc_level": "1", "tags": ["ok", 7], "extra": 1})

    problem = document(response, 400, "INVALID_REQUEST")
    assert problem["errors"] == [
        {"pointer": "/extra", "code": "unknown", "detail": "This field is not known here."}
    ]

    response = client.put("/v1/players/anna", {"kyc_level": "1", "tags": ["ok", 7]})

    pointers = [(error["pointer"], error["code"]) for error in response.json()["errors"]]
    assert pointers == [
        ("/currency", "required"),
        ("/kyc_level", "invalid"),
        ("/tags/1", "invalid"),
    ]


@with_failures
def test_a_mistake_in_a_list_is_pointed_at(client) -> None:
    body = {"lines": [{"text": "abc"}, {"text": "abcd"}, {}]}

    problem = document(client.post("/failures/-", body), 400, "INVALID_REQUEST")

    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("/lines/1/text", "max_length"),
        ("/lines/2/text", "required"),
    ]


@with_failures
def test_a_mistake_of_the_whole_body_points_at_the_body(client) -> None:
    problem = document(client.post("/failures/-", {"lines": []}), 400, "INVALID_REQUEST")

    assert problem["errors"] == [
        {"pointer": "", "code": "invalid", "detail": "Nobody writes letters."}
    ]


@with_failures
def test_a_refusal_carries_its_members_and_no_member_shadows_the_standard_ones(client) -> None:
    response = client.get("/failures/closed")

    problem = document(response, 409, "DOOR_CLOSED")
    assert (problem["until"], problem["title"], problem["detail"]) == (
        "noon", "Door closed", "It is."
    )  # fmt: skip
    assert response.headers["Retry-After"] == "7"


@with_failures
def test_djangos_own_refusals_keep_their_reasons_to_themselves(client) -> None:
    absent, forbidden = client.get("/failures/absent"), client.get("/failures/forbidden")

    document(absent, 404, "NOT_FOUND")
    document(forbidden, 403, "INSUFFICIENT_SCOPE")
    assert "secret" not in (absent.content + forbidden.content).decode().lower()


@with_failures
@pytest.mark.parametrize("failure", ["bug", "data"])
def test_a_bug_is_500_with_the_request_id_and_nothing_else(
    operator: Operator, failure: str
) -> None:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {issue_key(operator)}")

    response = client.get(f"/failures/{failure}", headers={"X-Request-Id": "req-7"})

    problem = document(response, 500, "INTERNAL_ERROR")
    assert problem["request_id"] == response.headers["X-Request-Id"] == "req-7"
    assert "hunter2" not in response.content.decode()
    assert set(problem) == {
        "type", "title", "status", "detail", "code", "instance", "request_id"
    }  # fmt: skip


@with_failures
@pytest.mark.parametrize(
    "failure", ["lock", "deadlock", "serialization", "slow", "shutdown", "gone", "interface"]
)
def test_a_busy_database_is_503_and_may_be_asked_again(client, failure: str) -> None:
    response = client.get(f"/failures/{failure}")

    document(response, 503, "RESOURCE_BUSY")
    assert response.headers["Retry-After"] == "2"


@pytest.fixture
def other_connection() -> Iterator[psycopg.Connection]:
    """A second session of the test's own database."""
    options = connection.settings_dict
    with psycopg.connect(
        host=options["HOST"], port=options["PORT"], user=options["USER"],
        password=options["PASSWORD"], dbname=options["NAME"],
    ) as other:  # fmt: skip
        yield other


@pytest.fixture
def _impatient() -> Iterator[None]:
    """Let this session give up on a lock soon."""
    with impatient():
        yield


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_impatient")
def test_a_row_that_stays_locked_is_503(client, operator: Operator, other_connection) -> None:
    player = PlayerFactory.create(operator=operator, reference="anna")
    other_connection.execute("SELECT 1 FROM players_player WHERE id = %s FOR UPDATE", [player.pk])

    response = client.put("/v1/players/anna", {"currency": "EUR", "kyc_level": 1})

    document(response, 503, "RESOURCE_BUSY")
    assert response.headers["Retry-After"] == "2"
    other_connection.rollback()
    assert Player.objects.get(pk=player.pk).kyc_level == 0
    assert client.put("/v1/players/anna", {"currency": "EUR", "kyc_level": 1}).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_impatient")
def test_an_insert_that_waits_for_another_is_503(
    client, operator: Operator, other_connection
) -> None:
    # No row to lock yet: the wait is inside the unique index, where core.locks is not asked.
    other_connection.execute(
        "INSERT INTO games_game (operator_id, slug, name, category, provider, is_house, created_at)"
        " VALUES (%s, 'sums', 'Sums', 'slots', '', false, now())",
        [operator.pk],
    )

    response = client.put("/v1/games/sums", {"name": "Sums", "category": "slots"})

    document(response, 503, "RESOURCE_BUSY")
    other_connection.commit()
    again = client.put("/v1/games/sums", {"name": "Sums", "category": "slots"})
    assert again.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_cut_is_503_once(client, other_connection) -> None:
    assert client.get("/v1/players").status_code == 200
    other_connection.execute("SELECT pg_terminate_backend(%s)", [backend_of(connection)])

    during = client.get("/v1/players")
    # What a server does between two requests, and the test client does not.
    connection.close()
    after = client.get("/v1/players")

    document(during, 503, "RESOURCE_BUSY")
    assert after.status_code == 200


def backend_of(connection: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("given", ["req-7", "a" * 64, "A.b_c-9"])
def test_a_plain_request_id_is_kept(client, given: str) -> None:
    response = client.get("/livez", headers={"X-Request-Id": given})

    assert response.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "<script>", "a\u00fc", '"'])
def test_any_other_request_id_is_replaced(client, given: str) -> None:
    response = client.get("/livez", headers={"X-Request-Id": given})

    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", response["X-Request-Id"])
