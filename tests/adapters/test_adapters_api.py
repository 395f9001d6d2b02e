"""Adapters over HTTP: put, list, read; the secret never comes back."""

import json
from typing import Any

import pytest

from adapters.http.signing import make_secret
from adapters.models import AdapterConfig
from operators.models import Operator
from tests.factories.adapters import AdapterConfigFactory
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

ADDRESS = "https://93.184.216.34"


def body(**changes: Any) -> dict[str, Any]:
    return {"kind": "http", "base_url": ADDRESS, "secret": make_secret(), **changes}


def test_put_answers_201_and_then_200(client: Any) -> None:
    first = client.put("/v1/adapters/acme-1", body())
    second = client.put("/v1/adapters/acme-1", {"kind": "http", "is_default": True})

    assert (first.status_code, second.status_code) == (201, 200)
    shown = second.json()
    assert shown.pop("created_at").endswith("Z")
    assert shown.pop("updated_at").endswith("Z")
    assert shown == {
        "slug": "acme-1",
        "kind": "http",
        "base_url": ADDRESS,
        "is_default": True,
        "has_secret": True,
        "previous_valid_until": None,
    }


def test_no_answer_holds_a_secret(client: Any) -> None:
    old, new = make_secret(), make_secret()
    answers = [
        client.put("/v1/adapters/acme", body(secret=old)),
        client.put("/v1/adapters/acme", body(secret=new)),
        client.get("/v1/adapters/acme"),
        client.get("/v1/adapters"),
        client.put("/v1/adapters/acme", body(secret=new + "!")),
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 400]
    assert answers[1].json()["previous_valid_until"] is not None
    sealed = AdapterConfig.objects.get(slug="acme").sealed_secret
    for answer in answers:
        for secret in (old, new, sealed):
            assert secret.removeprefix("whsec_") not in answer.content.decode()


def test_the_list_begins_with_the_newest_and_ends_with_the_internal_one(
    client: Any, operator: Operator
) -> None:
    client.put("/v1/adapters/acme", body())
    AdapterConfigFactory.create(slug="theirs")

    shown = client.get("/v1/adapters").json()["results"]

    assert [each["slug"] for each in shown] == ["acme", f"{operator.slug}-internal"]
    assert shown[1]["base_url"] is None
    assert shown[1]["has_secret"] is False
    http = client.get("/v1/adapters?kind=http").json()["results"]
    assert [each["slug"] for each in http] == ["acme"]


def test_a_list_shows_no_other_operators_adapters(client_of: Any) -> None:
    AdapterConfigFactory.create(slug="theirs")
    stranger = OperatorFactory.create()

    shown = client_of(stranger).get("/v1/adapters").json()["results"]

    assert [each["slug"] for each in shown] == [f"{stranger.slug}-internal"]


def test_another_operators_slug_is_taken_and_its_row_stays(client: Any, client_of: Any) -> None:
    theirs = AdapterConfigFactory.create(slug="theirs")
    before = AdapterConfig.objects.filter(pk=theirs.pk).values().get()

    response = client.put("/v1/adapters/theirs", body())

    assert response.status_code == 409
    assert response.json()["code"] == "ADAPTER_SLUG_TAKEN"
    assert AdapterConfig.objects.filter(pk=theirs.pk).values().get() == before
    assert client.get("/v1/adapters/theirs").status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"kind": "sandbox"}, "/kind"),
        ({"kind": None}, "/kind"),
        ({"base_url": "http://127.0.0.1:8000"}, "/base_url"),
        ({"base_url": "https://localhost"}, "/base_url"),
        ({"base_url": "https://2130706433"}, "/base_url"),
        ({"base_url": f"{ADDRESS}/\r\nX: 1"}, "/base_url"),
        ({"base_url": f"{ADDRESS}/../x"}, "/base_url"),
        ({"base_url": "https://" + "a" * 500}, "/base_url"),
        ({"base_url": 7}, "/base_url"),
        ({"secret": "whsec_c2hvcnQ="}, "/secret"),
        ({"secret": "x" * 201}, "/secret"),
        ({"is_default": "yes"}, "/is_default"),
        ({"operator": 1}, "/operator"),
        ({"sealed_secret": "x"}, "/sealed_secret"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_written(
    client: Any, changes: dict[str, Any], pointer: str
) -> None:
    response = client.put("/v1/adapters/acme", body(**changes))

    assert response.status_code == 400
    assert response.json()["code"] == "INVALID_REQUEST"
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
    assert not AdapterConfig.objects.filter(slug="acme").exists()


@pytest.mark.parametrize("slug", ["Acme", "acme_1", "a" * 65, "äcme", "acme%0A", "acme.1"])
def test_a_slug_is_plain(client: Any, slug: str) -> None:
    response = client.put(f"/v1/adapters/{slug}", body())

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "/slug"


def test_the_private_is_allowed_where_the_deployment_lists_it(client: Any, settings: Any) -> None:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1:9000"]

    assert client.put("/v1/adapters/a", body(base_url="http://127.0.0.1:9000")).status_code == 201
    assert client.put("/v1/adapters/b", body(base_url="http://127.0.0.1:9001")).status_code == 400


def test_secrets_are_not_logged(client: Any, caplog: pytest.LogCaptureFixture) -> None:
    secret = make_secret()

    client.put("/v1/adapters/acme", body(secret=secret))
    client.put("/v1/adapters/acme", body(secret=secret, base_url="https://10.0.0.1"))

    assert secret not in json.dumps([record.getMessage() for record in caplog.records])
