"""/v2/jackpots/instances/{id}/opt-ins/{player_id}: who takes part, and since when."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import time_machine

from core.actors import Actor
from core.models import AuditEntry
from jackpots.enums import InstanceStatus
from jackpots.models import Instance, OptIn
from jackpots.services import opt_ins
from operators.enums import Scope
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory, OptInFactory
from tests.factories.operators import LONG_AGO, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import legs, link

pytestmark = pytest.mark.django_db

OPEN = ("draft", "active")


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator, opt_in_required=True)


def path(instance: Any, player: Any = "ada") -> str:
    reference = getattr(player, "reference", player)
    instance_id = getattr(instance, "pk", instance)
    return f"/v2/jackpots/instances/{instance_id}/opt-ins/{quote(reference, safe='')}"


def history() -> list[tuple[datetime, datetime | None]]:
    """Return all opt-ins there have been, oldest first."""
    return list(OptIn.objects.order_by("pk").values_list("opted_in_at", "opted_out_at"))


# Opting in and out


def test_the_first_put_creates_the_opt_in_and_the_next_repeats_it(
    client: Client, instance: Instance, player: Player, now: datetime
) -> None:
    with time_machine.travel(now, tick=False):
        first = client.put(path(instance))
    with time_machine.travel(now + timedelta(hours=1), tick=False):
        again = client.put(path(instance))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == {
        "instance_id": str(instance.pk),
        "player_id": "ada",
        "opted_in_at": "2026-03-29T00:59:00Z",
    }
    assert again.json() == first.json() == client.get(path(instance)).json()
    assert history() == [(now, None)]


def test_opting_in_again_after_opting_out_is_new_and_the_history_is_kept(
    client: Client, instance: Instance, player: Player, now: datetime
) -> None:
    statuses = []
    for hour, method in enumerate(["put", "delete", "put", "delete"]):
        with time_machine.travel(now + timedelta(hours=hour), tick=False):
            statuses.append(getattr(client, method)(path(instance)).status_code)

    hours = [now + timedelta(hours=hour) for hour in range(4)]
    assert statuses == [201, 204, 201, 204]
    assert history() == [(hours[0], hours[1]), (hours[2], hours[3])]


def test_without_an_opt_in_there_is_nothing_to_read(
    client: Client, instance: Instance, player: Player
) -> None:
    never = client.get(path(instance))
    client.put(path(instance))
    client.delete(path(instance))
    no_longer = client.get(path(instance))

    assert (never.status_code, never.json()["code"]) == (404, "NOT_FOUND")
    assert (no_longer.status_code, no_longer.json()["code"]) == (404, "NOT_FOUND")


def test_opting_out_without_an_opt_in_is_no_error(
    client: Client, instance: Instance, player: Player
) -> None:
    responses = [client.delete(path(instance)) for _again in range(2)]

    assert [(response.status_code, response.content) for response in responses] == [(204, b"")] * 2
    assert history() == []
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_the_path_says_everything(
    body: bytes, client: Client, instance: Instance, player: Player
) -> None:
    response = client.generic("PUT", path(instance), body, content_type="application/json")

    assert response.status_code == 201


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"opted_in_at": "2020-01-01T00:00:00Z"}'])
def test_a_body_has_nothing_to_add(
    body: bytes, client: Client, instance: Instance, player: Player
) -> None:
    response = client.generic("PUT", path(instance), body, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert history() == []


def test_an_opt_in_is_of_one_instance_and_one_player(
    client: Client, operator: Operator, instance: Instance, player: Player
) -> None:
    other_instance = InstanceFactory.create(operator=operator)
    bob = PlayerFactory.create(operator=operator, reference="bob")

    client.put(path(instance))

    assert client.get(path(other_instance)).status_code == 404
    assert client.get(path(instance, bob)).status_code == 404


def test_opt_ins_are_not_propagated_to_linked_instances(
    client: Client, operator: Operator, instance: Instance, contribute: Callable[..., Any]
) -> None:
    weekly = InstanceFactory.create(operator=operator, opt_in_required=True)
    link(instance, weekly)

    client.put(path(instance))
    before = legs(contribute(instance))
    client.put(path(weekly))
    after = legs(contribute(instance))

    assert before == [("accepted", None), ("failed", "OPT_IN_REQUIRED")]
    assert after == [("accepted", None)] * 2


def test_after_opting_out_a_contribution_is_refused(
    client: Client, instance: Instance, contribute: Callable[..., Any]
) -> None:
    client.put(path(instance))
    accepted = contribute(instance)
    client.delete(path(instance))
    refused = contribute(instance)

    assert accepted.status_code == 201
    assert (refused.status_code, refused.json()["code"]) == (409, "OPT_IN_REQUIRED")


def test_a_player_is_known_by_any_printable_id(
    client: Client, operator: Operator, instance: Instance
) -> None:
    PlayerFactory.create(operator=operator, reference="ada lovelace#1?é%")

    response = client.put(path(instance, "ada lovelace#1?é%"))

    assert (response.status_code, response.json()["player_id"]) == (201, "ada lovelace#1?é%")


# Who may, and when


@pytest.mark.parametrize("status", InstanceStatus.values)
def test_only_a_draft_and_an_active_instance_take_opt_ins(
    status: str, client: Client, operator: Operator, player: Player
) -> None:
    instance = InstanceFactory.create(operator=operator, status=status)

    response = client.put(path(instance))

    if status in OPEN:
        assert response.status_code == 201
        assert OptIn.objects.count() == 1
    else:
        assert (response.status_code, response.json()["code"]) == (409, "INSTANCE_WRONG_STATE")
        assert history() == []


def test_a_paused_instance_takes_opt_ins(
    client: Client, operator: Operator, player: Player
) -> None:
    instance = InstanceFactory.create(operator=operator, paused=True)

    assert client.put(path(instance)).status_code == 201


def barred(operator: Operator, code: str, now: datetime) -> Player:
    standing: dict[str, dict[str, Any]] = {
        "PLAYER_SELF_EXCLUDED": {"self_excluded_until": now + timedelta(microseconds=1)},
        "PLAYER_BLOCKED": {"is_blocked": True},
    }
    return PlayerFactory.create(operator=operator, **standing[code])


BARS = pytest.mark.parametrize("code", ["PLAYER_SELF_EXCLUDED", "PLAYER_BLOCKED"])


@BARS
def test_a_barred_player_cannot_opt_in(
    code: str, client: Client, operator: Operator, instance: Instance, now: datetime
) -> None:
    player = barred(operator, code, now)

    with time_machine.travel(now, tick=False):
        response = client.put(path(instance, player))

    assert (response.status_code, response.json()["code"]) == (409, code)
    assert history() == []
    assert not AuditEntry.objects.exists()


@BARS
def test_a_barred_player_can_opt_out(
    code: str, client: Client, operator: Operator, instance: Instance, now: datetime
) -> None:
    player = barred(operator, code, now)
    OptInFactory.create(instance=instance, player=player)

    with time_machine.travel(now, tick=False):
        response = client.delete(path(instance, player))

    assert response.status_code == 204
    assert history() == [(LONG_AGO, now)]


@BARS
def test_an_opt_in_that_stands_is_answered_before_any_rule(
    code: str, client: Client, operator: Operator, now: datetime
) -> None:
    closed = InstanceFactory.create(operator=operator, status="closed")
    player = barred(operator, code, now)
    OptInFactory.create(instance=closed, player=player)

    with time_machine.travel(now, tick=False):
        response = client.put(path(closed, player))

    assert (response.status_code, response.json()["opted_in_at"]) == (200, "2026-01-01T00:00:00Z")
    assert OptIn.objects.count() == 1


def test_an_exclusion_that_has_ended_bars_nobody(
    client: Client, operator: Operator, instance: Instance, now: datetime
) -> None:
    player = PlayerFactory.create(operator=operator, self_excluded_until=now)

    with time_machine.travel(now, tick=False):
        response = client.put(path(instance, player))

    assert response.status_code == 201


@pytest.mark.parametrize("status", InstanceStatus.values)
def test_opting_out_is_possible_in_every_state(
    status: str, client: Client, operator: Operator, player: Player
) -> None:
    instance = InstanceFactory.create(operator=operator, status=status)
    OptInFactory.create(instance=instance, player=player)

    response = client.delete(path(instance))

    assert response.status_code == 204
    assert not OptIn.objects.filter(opted_out_at=None).exists()


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_what_belongs_to_another_operator_does_not_exist(
    method: str, client: Client, instance: Instance, player: Player
) -> None:
    theirs = OptInFactory.create(operator=OperatorFactory.create())
    before = history()
    paths = [
        path(theirs.instance, player),
        path(uuid4(), player),
        path(instance, theirs.player),
        path(instance, "nobody"),
        path(instance, "nul\x00"),
    ]

    responses = [getattr(client, method)(each) for each in paths]

    assert [response.status_code for response in responses] == [404] * 5
    assert {response.json()["code"] for response in responses} == {"NOT_FOUND"}
    assert responses[0].json()["detail"] == responses[1].json()["detail"]
    assert responses[2].json()["detail"] == responses[3].json()["detail"]
    assert history() == before


def test_reading_needs_the_right_to_read_and_opting_the_right_to_play(
    operator: Operator, instance: Instance, player: Player, client_of: Callable[..., Client]
) -> None:
    clients = [
        client_of(operator, scopes=[scope]) for scope in (Scope.READ, Scope.PLAY, Scope.MANAGE)
    ]

    def statuses(method: str) -> list[int]:
        return [getattr(each, method)(path(instance)).status_code for each in clients]

    assert statuses("put") == [403, 201, 403]
    assert statuses("get") == [200, 403, 403]
    assert statuses("delete") == [403, 204, 403]


# The service


@pytest.fixture
def opt(operator: Operator, instance: Instance, player: Player, actor: Actor) -> Callable[..., Any]:
    """Return a function that calls a service of opt-ins for ``player`` at an instant."""

    def call(service: Callable[..., Any], now: datetime) -> Any:
        return service(
            operator=operator,
            instance_id=instance.pk,
            player_reference="ada",
            actor=actor,
            now=now,
        )

    return call


def test_opting_in_and_out_is_audited(
    opt: Callable[..., Any], instance: Instance, now: datetime
) -> None:
    opt_in = opt(opt_ins.opt_in_player, now).opt_in
    opt(opt_ins.opt_out_player, now + timedelta(hours=1))

    entries = list(AuditEntry.objects.order_by("pk"))
    who = {"instance_id": str(instance.pk), "player_id": "ada"}
    assert [(entry.action, entry.before, entry.after) for entry in entries] == [
        ("jackpot.opt_in.given", {}, {**who, "opted_in_at": "2026-03-29T00:59:00Z"}),
        (
            "jackpot.opt_in.withdrawn",
            {"opted_out_at": None},
            {**who, "opted_out_at": "2026-03-29T01:59:00Z"},
        ),
    ]
    assert {entry.subject_id for entry in entries} == {str(opt_in.pk)}


def test_a_clock_that_is_behind_ends_an_opt_in_when_it_began(
    opt: Callable[..., Any], now: datetime
) -> None:
    opt(opt_ins.opt_in_player, now)
    opt(opt_ins.opt_out_player, now - timedelta(seconds=1))

    assert history() == [(now, now)]


def test_opting_in_locks_nothing_and_opting_out_the_opt_in(
    opt: Callable[..., Any], now: datetime, record_locks: Any
) -> None:
    with record_locks() as tables_in:
        opt(opt_ins.opt_in_player, now)
    with record_locks() as tables_out:
        opt(opt_ins.opt_out_player, now)

    assert (tables_in, tables_out) == ([], ["jackpots_optin"])
