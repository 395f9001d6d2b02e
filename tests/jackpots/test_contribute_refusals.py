"""POST …/contributions, both versions: every refusal, of the main leg and of a linked one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.models import IdempotencyRecord
from jackpots.enums import InstanceStatus
from jackpots.models import Contribution, Instance
from operators.models import Operator
from players.models import Player
from tests.factories.jackpots import InstanceFactory, OptInFactory
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import legs, link, meter

Contribute = Callable[..., Any]


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator)


def _paused(operator: Operator, player: Player) -> Instance:
    return InstanceFactory.create(operator=operator, paused=True)


def _not_yet_open(operator: Operator, player: Player) -> Instance:
    return InstanceFactory.create(operator=operator, opens_at=timezone.now() + timedelta(minutes=1))


def _over(operator: Operator, player: Player) -> Instance:
    return InstanceFactory.create(operator=operator, closes_at=datetime(2026, 2, 1, tzinfo=UTC))


def _needs_opt_in(operator: Operator, player: Player) -> Instance:
    return InstanceFactory.create(operator=operator, opt_in_required=True)


def _opted_out(operator: Operator, player: Player) -> Instance:
    instance = InstanceFactory.create(operator=operator, opt_in_required=True)
    OptInFactory.create(instance=instance, player=player, opted_out_at=timezone.now())
    return instance


def _excluded(operator: Operator, player: Player) -> Instance:
    until = timezone.now() + timedelta(days=1)
    Player.objects.filter(pk=player.pk).update(self_excluded_until=until)
    return InstanceFactory.create(operator=operator)


def _blocked(operator: Operator, player: Player) -> Instance:
    Player.objects.filter(pk=player.pk).update(is_blocked=True)
    return InstanceFactory.create(operator=operator)


def _penniless(operator: Operator, player: Player) -> Instance:
    return InstanceFactory.create(operator=operator, funding="player")


REFUSALS = [
    (_paused, "INSTANCE_NOT_ACTIVE"),
    (_not_yet_open, "OUTSIDE_SCHEDULE"),
    (_over, "OUTSIDE_SCHEDULE"),
    (_needs_opt_in, "OPT_IN_REQUIRED"),
    (_opted_out, "OPT_IN_REQUIRED"),
    (_excluded, "PLAYER_SELF_EXCLUDED"),
    (_blocked, "PLAYER_BLOCKED"),
    (_penniless, "INSUFFICIENT_FUNDS"),
]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize(("make", "code"), REFUSALS)
def test_a_refused_main_leg_is_a_conflict_and_writes_nothing(
    make: Callable[[Operator, Player], Instance],
    code: str,
    version: str,
    operator: Operator,
    player: Player,
    contribute: Contribute,
) -> None:
    refusing = make(operator, player)
    linked = InstanceFactory.create(operator=operator)
    link(refusing, linked)

    response = contribute(refusing, version=version)

    assert (response.status_code, response.json()["code"]) == (409, code)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert Contribution.objects.exists() is False
    assert IdempotencyRecord.objects.exists() is False
    assert (meter(refusing), meter(linked)) == (0, 0)
    assert ("results" in response.json()) is (version == "v2")


@pytest.mark.parametrize(("make", "code"), REFUSALS)
def test_the_same_refusal_of_a_linked_leg_fails_that_leg_only(
    make: Callable[[Operator, Player], Instance],
    code: str,
    operator: Operator,
    player: Player,
    contribute: Contribute,
) -> None:
    main = InstanceFactory.create(operator=operator)
    refusing = make(operator, player)
    link(main, refusing)

    response = contribute(main)

    if code in ("PLAYER_SELF_EXCLUDED", "PLAYER_BLOCKED"):
        # The player's own state refuses the main leg as well.
        assert (response.status_code, response.json()["code"]) == (409, code)
    else:
        assert legs(response) == [("accepted", None), ("failed", code)]
    assert meter(refusing) == 0


@pytest.mark.parametrize(
    "status", [status for status in InstanceStatus if status != InstanceStatus.ACTIVE]
)
def test_only_an_active_instance_accrues(
    status: InstanceStatus, operator: Operator, contribute: Contribute
) -> None:
    instance = InstanceFactory.create(operator=operator, status=status)

    response = contribute(instance)

    assert (response.status_code, response.json()["code"]) == (409, "INSTANCE_NOT_ACTIVE")
    assert meter(instance) == 0


def test_a_self_exclusion_that_is_over_refuses_nothing(
    instance: Instance, player: Player, contribute: Contribute
) -> None:
    Player.objects.filter(pk=player.pk).update(self_excluded_until=timezone.now())

    assert contribute(instance).status_code == 201


def test_unknown_and_foreign_things_are_not_found(
    instance: Instance, contribute: Contribute
) -> None:
    foreign = InstanceFactory.create(operator=OperatorFactory.create())
    PlayerFactory.create(operator=foreign.operator, reference="theirs")

    responses = [
        contribute(foreign),
        contribute(instance, player_id="nobody"),
        contribute(instance, player_id="theirs"),
    ]

    assert [(each.status_code, each.json()["code"]) for each in responses] == [
        (404, "NOT_FOUND")
    ] * 3
    assert Contribution.objects.exists() is False
