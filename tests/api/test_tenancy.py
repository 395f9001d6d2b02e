"""
Nobody is let in without a key, a scope, or to what belongs to another operator.

Generated over every route of the API; see tests/api/routes.py for adding one.
"""

from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.urls.converters import StringConverter, UUIDConverter
from rest_framework.test import APIClient

from operators.enums import Scope
from operators.models import Operator
from tests.api.routes import (
    ABSENT,
    BORN_WITH,
    GLOBAL_NAMES,
    NAMED,
    OBJECTS,
    ROWS,
    SINGLES,
    WORDS,
    Route,
    calls,
    routes,
)
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db


def call_id(value: Any) -> str:
    return str(value)


every_call = pytest.mark.parametrize(("route", "method"), calls(), ids=call_id)
every_object = pytest.mark.parametrize(
    ("route", "method", "part"),
    [
        (route, method, part)
        for route, method in calls()
        if (route.name, method) not in GLOBAL_NAMES
        for part in route.object_parts
    ],
    ids=call_id,
)
every_list = pytest.mark.parametrize(
    "route",
    [
        route
        for route in routes()
        if "GET" in route.methods and not route.parts and route.name not in SINGLES | BORN_WITH
    ],
    ids=call_id,
)


def send(client: Any, method: str, path: str, body: Any = None) -> Any:
    if method in ("GET", "HEAD", "OPTIONS"):
        return getattr(client, method.lower())(path)
    return getattr(client, method.lower())(path, body)


def outcome(response: Any) -> tuple[int, str | None]:
    """Return what a caller can tell apart: the status, and the code of a refusal."""
    is_refusal = response.headers.get("Content-Type") == "application/problem+json"
    return response.status_code, response.json()["code"] if is_refusal else None


def everything_of(operator: Operator) -> dict[str, list[Any]]:
    """Return all rows that belong to ``operator``, by model."""
    return {
        model._meta.label: list(
            model.objects.filter(operator_id=operator.pk).order_by("pk").values()
        )
        for model in apps.get_models()
        if any(field.attname == "operator_id" for field in model._meta.concrete_fields)
    }


def any_path(route: Route) -> str:
    return route.path(**{part: route.absent(part) for part in route.object_parts})


@pytest.fixture
def stranger() -> Operator:
    return OperatorFactory.create()


def test_every_app_has_routes_here() -> None:
    assert {"players", "games", "exchange-rates", "segments"} <= {route.name for route in routes()}
    assert len(calls()) > 10


@pytest.mark.parametrize("route", routes(), ids=call_id)
def test_every_part_of_a_path_is_known(route: Route) -> None:
    unknown = [part for part, _converter in route.parts if part not in {**OBJECTS, **WORDS}]

    assert unknown == [], "say in tests/api/routes.py what it names"


@pytest.mark.parametrize("route", routes(), ids=call_id)
def test_every_method_names_its_scope(route: Route) -> None:
    # A method without one would be open to any key.
    assert sorted(route.view.scopes) == sorted(route.methods)
    assert set(route.view.scopes.values()) <= set(Scope)


@every_call
def test_without_a_key_nobody_enters(route: Route, method: str) -> None:
    response = send(APIClient(), method, any_path(route), {})

    assert outcome(response) == (401, "UNAUTHENTICATED")
    assert response.headers["WWW-Authenticate"] == "Api-Key"


@pytest.mark.parametrize("route", routes(), ids=call_id)
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "TRACE"])
def test_without_a_key_no_other_method_enters(route: Route, method: str) -> None:
    response = APIClient().generic(method, any_path(route))

    assert response.status_code == 401


@every_call
def test_without_the_scope_nobody_enters(
    route: Route, method: str, operator: Operator, client_of
) -> None:
    others = [scope for scope in Scope if scope != route.view.scopes[method]]
    client = client_of(operator, scopes=others)

    response = send(client, method, any_path(route), {})

    assert outcome(response) == (403, "INSUFFICIENT_SCOPE")


@pytest.mark.parametrize(
    "route", [route for route in routes() if "GET" in route.methods], ids=call_id
)
def test_head_needs_the_scope_that_get_needs(route: Route, operator: Operator, client_of) -> None:
    others = [scope for scope in Scope if scope != route.view.scopes["GET"]]
    client = client_of(operator, scopes=others)

    assert client.head(any_path(route)).status_code == 403


@every_object
def test_anothers_object_is_as_good_as_absent(
    route: Route, method: str, part: str, operator: Operator, stranger: Operator, client_of
) -> None:
    client = client_of(stranger)
    theirs, own = route.objects_of(operator), route.objects_of(stranger)
    body = route.body(method, stranger)
    before = everything_of(operator)

    absent = send(client, method, route.path(**{**own, part: route.absent(part)}), body)
    foreign = send(client, method, route.path(**{**own, part: theirs[part]}), body)

    assert outcome(foreign) == outcome(absent)
    assert outcome(foreign) != (400, "INVALID_REQUEST"), "BODIES needs a body for this method"
    assert foreign.status_code < 500
    assert everything_of(operator) == before


@every_call
def test_control_the_owner_is_let_in(
    route: Route, method: str, operator: Operator, client_of
) -> None:
    client = client_of(operator)
    path = route.path(**route.objects_of(operator))

    response = send(client, method, path, route.body(method, operator))

    assert response.status_code not in (401, 403, 404)
    assert response.status_code < 500


@pytest.mark.parametrize(
    ("route", "method"), [call for call in calls() if (call[0].name, call[1]) in NAMED], ids=call_id
)
def test_anothers_object_in_a_body_is_as_good_as_absent(
    route: Route, method: str, operator: Operator, stranger: Operator, client_of
) -> None:
    client, path = client_of(stranger), route.path(**route.objects_of(stranger))
    part, naming = NAMED[route.name, method]
    theirs, own = OBJECTS[part](operator), OBJECTS[part](stranger)
    unknown = ABSENT[UUIDConverter if isinstance(theirs, UUID) else StringConverter]
    before = everything_of(operator)

    absent = send(client, method, path, naming(unknown))
    foreign = send(client, method, path, naming(theirs))
    control = send(client, method, path, naming(own))

    assert outcome(foreign) == outcome(absent)
    assert foreign.status_code in (400, 404)
    assert control.status_code in (200, 201)
    assert everything_of(operator) == before


@every_list
def test_a_list_shows_the_operators_own_rows_only(
    route: Route, operator: Operator, stranger: Operator, client_of
) -> None:
    assert route.name in ROWS, "say in tests/api/routes.py how to make a row of this list"
    ROWS[route.name](operator)

    owners, strangers = client_of(operator), client_of(stranger)
    path = route.path()

    assert len(rows(owners.get(path))) == 1
    assert rows(strangers.get(path)) == []


def rows(response: Any) -> list[Any]:
    assert response.status_code == 200, response.content
    body = response.json()
    return body["results"] if "results" in body else body["instances"]
