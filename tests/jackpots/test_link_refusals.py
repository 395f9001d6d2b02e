"""What cannot be linked, and when not: the set of links then stays as it was."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction

from core.models import AuditEntry
from jackpots.enums import InstanceStatus
from jackpots.models import Instance, InstanceLink
from operators.models import Operator
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import OperatorFactory
from tests.jackpots.conftest import link

pytestmark = pytest.mark.django_db

ENDED = ("closed", "cancelled")


def path(instance: Instance | UUID) -> str:
    return f"/v2/jackpots/instances/{getattr(instance, 'pk', instance)}/links"


def put(client: Client, source: Instance, *targets: Any) -> Any:
    ids = [str(getattr(target, "pk", target)) for target in targets]
    return client.put(path(source), {"linked_instances": ids})


def targets_of(source: Instance) -> list[tuple[int, UUID]]:
    """Return the stored links: position and target, in order."""
    return list(source.links.order_by("position").values_list("position", "target_id"))


def revision(instance: Instance) -> int:
    return Instance.objects.get(pk=instance.pk).revision


@pytest.fixture
def daily(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator, name="Daily")


@pytest.fixture
def weekly(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator, name="Weekly", opt_in_required=True)


@pytest.fixture
def monthly(operator: Operator) -> Instance:
    return InstanceFactory.create(
        operator=operator, name="Monthly", progressive=True, status="draft"
    )


def foreign(operator: Operator, daily: Instance) -> list[Any]:
    return [InstanceFactory.create(operator=OperatorFactory.create())]


REFUSED: dict[str, tuple[Callable[[Operator, Instance], list[Any]], str]] = {
    "itself": (lambda operator, daily: [daily], "/linked_instances/1"),
    "unknown": (lambda operator, daily: [uuid4()], "/linked_instances/1"),
    "another operator's": (foreign, "/linked_instances/1"),
    "no id": (lambda operator, daily: ["daily"], "/linked_instances/1"),
    "a number": (lambda operator, daily: ["7"], "/linked_instances/1"),
    "21 links": (
        lambda operator, daily: InstanceFactory.create_batch(20, operator=operator),
        "/linked_instances",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_set_leaves_the_links_as_they_were(
    case: str, client: Client, operator: Operator, daily: Instance, weekly: Instance
) -> None:
    make, pointer = REFUSED[case]
    link(daily, weekly)
    good = InstanceFactory.create(operator=operator)

    response = put(client, daily, good, *make(operator, daily))

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert targets_of(daily) == [(0, weekly.pk)]
    assert revision(daily) == daily.revision
    assert not AuditEntry.objects.exists()


def test_a_duplicate_is_refused_where_it_comes_again(
    client: Client, daily: Instance, weekly: Instance, monthly: Instance
) -> None:
    link(daily, monthly)

    # The same id, written in another way.
    response = put(client, daily, weekly, monthly, str(weekly.pk).upper())

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert response.json()["errors"] == [
        {
            "pointer": "/linked_instances/2",
            "code": "invalid",
            "detail": "This instance comes twice.",
        }
    ]
    assert targets_of(daily) == [(0, monthly.pk)]


def test_another_operators_id_is_refused_exactly_as_an_unknown_one(
    client: Client, daily: Instance
) -> None:
    theirs = put(client, daily, InstanceFactory.create()).json()
    unknown = put(client, daily, uuid4()).json()

    assert theirs == unknown


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"linked_instances": None},
        {"linked_instances": "daily"},
        {"linked_instances": {}},
        {"linked_instances": [None]},
        {"linked_instances": [7]},
        {"linked_instances": [True]},
        {"linked_instances": [["x"]]},
        {"links": []},
        [],
    ],
)
def test_a_malformed_body_is_refused(
    body: Any, client: Client, daily: Instance, weekly: Instance
) -> None:
    link(daily, weekly)

    response = client.put(path(daily), body)

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert targets_of(daily) == [(0, weekly.pk)]


def test_the_database_refuses_a_link_to_itself_and_a_second_of_a_pair(
    daily: Instance, weekly: Instance
) -> None:
    link(daily, weekly)

    for target, name in ((daily, "link_not_to_itself"), (weekly, "link_only_once")):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            InstanceLink.objects.create(
                operator=daily.operator, source=daily, target=target, position=1
            )

    assert targets_of(daily) == [(0, weekly.pk)]


# States


@pytest.mark.parametrize("method", ["put", "delete"])
@pytest.mark.parametrize("status", InstanceStatus.values)
def test_links_change_until_their_source_has_ended(
    status: str, method: str, client: Client, operator: Operator, weekly: Instance
) -> None:
    source = InstanceFactory.create(operator=operator, status=status)
    link(source, InstanceFactory.create(operator=operator))
    before = targets_of(source)

    response = put(client, source, weekly) if method == "put" else client.delete(path(source))

    if status in ENDED:
        assert (response.status_code, response.json()["code"]) == (409, "INSTANCE_WRONG_STATE")
        assert targets_of(source) == before
    else:
        assert response.status_code == (200 if method == "put" else 204)
        assert targets_of(source) == ([(0, weekly.pk)] if method == "put" else [])


@pytest.mark.parametrize("status", InstanceStatus.values)
def test_a_target_may_be_in_any_state(
    status: str, client: Client, operator: Operator, daily: Instance
) -> None:
    target = InstanceFactory.create(operator=operator, status=status)

    response = put(client, daily, target)

    assert response.status_code == 200
    assert response.json()["linked_instances"][0]["status"] == status
