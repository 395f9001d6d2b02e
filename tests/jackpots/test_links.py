"""/v2/jackpots/instances/{id}/links: a set of directed links, replaced as a whole."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import Actor
from core.models import AuditEntry
from jackpots.models import Instance
from jackpots.services import links
from operators.enums import Scope
from operators.models import Operator
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory
from tests.jackpots.conftest import legs, link

pytestmark = pytest.mark.django_db


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


# Setting and reading


def test_a_put_answers_with_the_new_set_in_order(
    client: Client, daily: Instance, weekly: Instance, monthly: Instance
) -> None:
    response = put(client, daily, monthly, weekly)

    expected = {
        "instance_id": str(daily.pk),
        "linked_instances": [
            {
                "instance_id": str(monthly.pk),
                "name": "Monthly",
                "kind": "progressive",
                "status": "draft",
                "opt_in_required": False,
            },
            {
                "instance_id": str(weekly.pk),
                "name": "Weekly",
                "kind": "raffle",
                "status": "active",
                "opt_in_required": True,
            },
        ],
    }
    assert (response.status_code, response.json()) == (200, expected)
    assert client.get(path(daily)).json() == expected
    assert targets_of(daily) == [(0, monthly.pk), (1, weekly.pk)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([], [0, 1, 2]),
        ([0, 1, 2], [2, 1, 0]),
        ([0, 1, 2], [1]),
        ([0], [1]),
        ([0, 1], [1, 2]),
        ([0, 1], []),
    ],
)
def test_a_put_replaces_the_whole_set(
    first: list[int], second: list[int], client: Client, operator: Operator, daily: Instance
) -> None:
    others = InstanceFactory.create_batch(3, operator=operator)
    put(client, daily, *[others[index] for index in first])

    response = put(client, daily, *[others[index] for index in second])

    wanted = [others[index].pk for index in second]
    assert [link["instance_id"] for link in response.json()["linked_instances"]] == [
        str(target_id) for target_id in wanted
    ]
    assert targets_of(daily) == list(enumerate(wanted))


def test_without_links_the_set_is_empty(client: Client, daily: Instance) -> None:
    response = client.get(path(daily))

    assert response.status_code == 200
    assert response.json() == {"instance_id": str(daily.pk), "linked_instances": []}


def test_links_lead_one_way(
    client: Client, daily: Instance, weekly: Instance, monthly: Instance
) -> None:
    put(client, daily, weekly)
    put(client, monthly, weekly)

    assert targets_of(weekly) == []
    assert targets_of(daily) == targets_of(monthly) == [(0, weekly.pk)]


def test_20_links_are_taken(client: Client, operator: Operator, daily: Instance) -> None:
    targets = InstanceFactory.create_batch(20, operator=operator)

    response = put(client, daily, *targets)

    assert response.status_code == 200
    assert targets_of(daily) == [(index, target.pk) for index, target in enumerate(targets)]


def test_reading_takes_two_statements_however_many_links(
    client: Client, operator: Operator, daily: Instance
) -> None:
    link(daily, *InstanceFactory.create_batch(5, operator=operator))
    client.get(path(daily))

    with CaptureQueriesContext(connection) as statements:
        client.get(path(daily))

    assert len(statements) == 2


# Cycles


def test_two_instances_may_be_linked_to_each_other(
    client: Client, daily: Instance, weekly: Instance
) -> None:
    statuses = [put(client, *pair).status_code for pair in ((daily, weekly), (weekly, daily))]

    assert statuses == [200, 200]
    assert (targets_of(daily), targets_of(weekly)) == ([(0, weekly.pk)], [(0, daily.pk)])


def test_a_circle_of_three_is_legal_and_followed_for_one_hop(
    client: Client, operator: Operator, contribute: Callable[..., Any]
) -> None:
    ring = InstanceFactory.create_batch(3, operator=operator)
    for source, target in zip(ring, [*ring[1:], ring[0]], strict=True):
        assert put(client, source, target).status_code == 200

    response = contribute(ring[0])

    assert legs(response) == [("accepted", None)] * 2
    assert [leg["instance_id"] for leg in response.json()["results"]] == [
        str(ring[0].pk),
        str(ring[1].pk),
    ]


# Deleting


def test_a_delete_removes_every_link_of_the_instance_and_no_other(
    client: Client, daily: Instance, weekly: Instance, monthly: Instance
) -> None:
    link(daily, weekly, monthly)
    link(weekly, daily)

    response = client.delete(path(daily))

    assert (response.status_code, response.content) == (204, b"")
    assert (targets_of(daily), targets_of(weekly)) == ([], [(0, daily.pk)])


def test_a_delete_without_links_is_no_error(client: Client, daily: Instance) -> None:
    responses = [client.delete(path(daily)) for _again in range(2)]

    assert [response.status_code for response in responses] == [204, 204]
    assert revision(daily) == daily.revision
    assert not AuditEntry.objects.exists()


# The trail, the locks, the neighbours


def test_a_replacement_is_audited_with_the_ids_in_order(
    client: Client, daily: Instance, weekly: Instance, monthly: Instance
) -> None:
    put(client, daily, weekly, monthly)
    put(client, daily, monthly, weekly)
    client.delete(path(daily))

    ids = [str(weekly.pk), str(monthly.pk)]
    assert list(
        AuditEntry.objects.order_by("pk").values_list("action", "before", "after", "subject_id")
    ) == [
        (
            "jackpot.links.replaced",
            {"linked_instances": []},
            {"linked_instances": ids},
            str(daily.pk),
        ),
        (
            "jackpot.links.replaced",
            {"linked_instances": ids},
            {"linked_instances": ids[::-1]},
            str(daily.pk),
        ),
        (
            "jackpot.links.deleted",
            {"linked_instances": ids[::-1]},
            {"linked_instances": []},
            str(daily.pk),
        ),
    ]


def test_a_change_moves_the_revision_of_the_source_only(
    client: Client, daily: Instance, weekly: Instance
) -> None:
    put(client, daily, weekly)

    assert revision(daily) == daily.revision + 1
    assert revision(weekly) == weekly.revision


def test_replacing_a_set_by_itself_leaves_no_trace(
    client: Client, daily: Instance, weekly: Instance
) -> None:
    put(client, daily, weekly)

    response = put(client, daily, weekly)

    assert response.status_code == 200
    assert revision(daily) == daily.revision + 1
    assert AuditEntry.objects.count() == 1


def test_a_replacement_locks_only_the_source(
    client: Client, daily: Instance, weekly: Instance, record_locks: Any
) -> None:
    with record_locks() as tables:
        put(client, daily, weekly)

    assert tables == ["jackpots_instance"]


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_another_operators_links_do_not_exist(method: str, client: Client) -> None:
    theirs = InstanceFactory.create()
    link(theirs, InstanceFactory.create(operator=theirs.operator))
    before = targets_of(theirs)

    foreign, absent = (
        getattr(client, method)(path(instance), {"linked_instances": []})
        for instance in (theirs, uuid4())
    )

    assert foreign.status_code == absent.status_code == 404
    assert foreign.json()["detail"] == absent.json()["detail"]
    assert targets_of(theirs) == before


def test_reading_needs_the_right_to_read_and_setting_the_right_to_manage(
    operator: Operator, daily: Instance, client_of: Callable[..., Client]
) -> None:
    reader, player, manager = (
        client_of(operator, scopes=[scope]) for scope in (Scope.READ, Scope.PLAY, Scope.MANAGE)
    )

    assert [each.get(path(daily)).status_code for each in (reader, player, manager)] == [
        200,
        403,
        403,
    ]
    assert [put(each, daily).status_code for each in (reader, player, manager)] == [403, 403, 200]
    assert [each.delete(path(daily)).status_code for each in (reader, player, manager)] == [
        403,
        403,
        204,
    ]


def test_the_reason_of_a_member_of_staff_is_kept(
    daily: Instance, weekly: Instance, actor: Actor, now: datetime
) -> None:
    links.replace_links(
        operator=daily.operator,
        instance_id=daily.pk,
        target_ids=[weekly.pk],
        reason="Autumn campaign",
        actor=actor,
        now=now,
    )

    entry = AuditEntry.objects.get()
    assert (entry.reason, entry.actor_kind, entry.actor_ref) == ("Autumn campaign", "staff", "7")
    assert entry.created_at == now
