"""registration.exclude_player and PUT /v1/players/{player_id}/self-exclusion"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from core.actors import Actor
from core.errors import InvalidRequest, NotFound
from core.models import AuditEntry
from operators.models import Operator
from players.errors import SelfExclusionOnlyGrows
from players.models import Player
from players.services import registration
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
FAR = "2999-01-01T00:00:00Z"


@pytest.fixture
def player(operator: Operator) -> Player:
    return PlayerFactory.create(operator=operator, reference="anna")


@pytest.fixture
def exclude(operator: Operator, actor: Actor, now: datetime) -> Callable[..., Player]:
    """Return a function that excludes "anna" of ``operator`` until an instant."""

    def exclude(until: datetime, *, at: datetime = now) -> Player:
        return registration.exclude_player(
            operator=operator, reference="anna", until=until, actor=actor, now=at
        )

    return exclude


def excluded_until() -> datetime | None:
    return Player.objects.get(reference="anna").self_excluded_until


def test_excludes_the_player_until_the_instant(player, exclude, now: datetime) -> None:
    exclude(now + DAY)

    stored = Player.objects.get(pk=player.pk)
    assert stored.self_excluded_until == now + DAY
    assert stored.is_self_excluded(now=now + DAY - timedelta(microseconds=1)) is True
    assert stored.is_self_excluded(now=now + DAY) is False


def test_leaves_a_trail(player, exclude, now: datetime) -> None:
    exclude(now + DAY)
    exclude(now + 2 * DAY)

    first, second = AuditEntry.objects.order_by("pk")
    assert first.action == second.action == "player.self_excluded"
    assert first.before == {"self_excluded_until": None}
    assert second.before == first.after == {"self_excluded_until": "2026-03-30T00:59:00Z"}
    assert second.after == {"self_excluded_until": "2026-03-31T00:59:00Z"}


def test_grows(player, exclude, now: datetime) -> None:
    exclude(now + DAY)
    exclude(now + DAY + timedelta(microseconds=1))

    assert excluded_until() == now + DAY + timedelta(microseconds=1)


def test_never_shrinks(player, exclude, now: datetime) -> None:
    exclude(now + DAY)

    with pytest.raises(SelfExclusionOnlyGrows):
        exclude(now + DAY - timedelta(microseconds=1))

    assert excluded_until() == now + DAY
    assert AuditEntry.objects.count() == 1


def test_the_same_instant_again_changes_nothing(player, exclude, now: datetime) -> None:
    exclude(now + DAY)

    # Even when it has passed: the retry of an old request is not a mistake.
    again = exclude(now + DAY, at=now + 2 * DAY)

    assert again.self_excluded_until == now + DAY
    assert AuditEntry.objects.count() == 1


def test_a_player_may_exclude_themselves_anew_when_it_has_ended(
    player, exclude, now: datetime
) -> None:
    exclude(now + DAY)

    exclude(now + 3 * DAY, at=now + 2 * DAY)

    assert excluded_until() == now + 3 * DAY


@pytest.mark.parametrize("ago", [timedelta(0), DAY])
def test_refuses_an_instant_that_has_passed(player, exclude, now: datetime, ago: timedelta) -> None:
    with pytest.raises(InvalidRequest):
        exclude(now - ago)

    assert excluded_until() is None
    assert AuditEntry.objects.exists() is False


def test_does_not_see_another_operators_player(exclude, now: datetime) -> None:
    foreign = PlayerFactory.create(reference="anna")

    with pytest.raises(NotFound):
        exclude(now + DAY)

    assert Player.objects.get(pk=foreign.pk).self_excluded_until is None


def test_locks_the_player_only(player, exclude, now: datetime, record_locks) -> None:
    with record_locks() as tables:
        exclude(now + DAY)

    assert tables == ["players_player"]


def test_answers_200_with_the_player(client, player: Player) -> None:
    response = client.put("/v1/players/anna/self-exclusion", {"until": FAR})

    assert response.status_code == 200
    assert response.json()["self_excluded_until"] == FAR
    assert response.json() == client.get("/v1/players/anna").json()


def test_answers_200_to_the_same_again(client, player: Player) -> None:
    first = client.put("/v1/players/anna/self-exclusion", {"until": FAR})
    again = client.put("/v1/players/anna/self-exclusion", {"until": "2999-01-01T01:00:00+01:00"})

    assert (again.status_code, again.json()) == (200, first.json())


def test_answers_409_to_less(client, player: Player) -> None:
    client.put("/v1/players/anna/self-exclusion", {"until": FAR})

    response = client.put("/v1/players/anna/self-exclusion", {"until": "2998-01-01T00:00:00Z"})

    assert (response.status_code, response.json()["code"]) == (409, "SELF_EXCLUSION_ONLY_GROWS")
    assert response.json()["self_excluded_until"] == FAR
    assert client.get("/v1/players/anna").json()["self_excluded_until"] == FAR


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"until": None},
        {"until": "2020-01-01T00:00:00Z"},
        {"until": "2999-01-01T00:00:00"},
        {"until": "2999-01-01"},
        {"until": "2999-02-30T00:00:00Z"},
        {"until": "0001-01-01T00:00:00+14:00"},
        {"until": 32503680000},
        {"until": "tomorrow"},
        {"until": FAR, "reason": "none of our business"},
    ],
    ids=str,
)
def test_answers_400_to_what_is_no_future_instant(client, player: Player, body: dict) -> None:
    response = client.put("/v1/players/anna/self-exclusion", body)

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert excluded_until() is None


@pytest.mark.parametrize("player_id", ["nobody", "%00", "x" * 65])
def test_answers_404_for_an_absent_player(client, player_id: str) -> None:
    response = client.put(f"/v1/players/{player_id}/self-exclusion", {"until": FAR})

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
