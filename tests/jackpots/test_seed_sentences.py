"""
Linked jackpots, sentence by sentence.

Each test is named after a sentence of the source document of the feature, and asserts it
over HTTP.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from jackpots.models import Contribution, Instance
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory, OptInFactory
from tests.jackpots.conftest import legs, link, meter

ACCEPTED = ("accepted", None)
Contribute = Callable[..., Any]


@pytest.fixture
def daily(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator, name="Daily")


@pytest.fixture
def weekly(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator, name="Weekly")


@pytest.fixture
def monthly(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator, name="Monthly")


def test_a_contribution_to_one_instance_automatically_results_in_one_to_all_linked_instances(
    daily: Instance, weekly: Instance, monthly: Instance, contribute: Contribute
) -> None:
    link(daily, weekly, monthly)

    response = contribute(daily)

    assert response.status_code == 201
    assert [leg["instance_id"] for leg in response.json()["results"]] == [
        str(daily.pk),
        str(weekly.pk),
        str(monthly.pk),
    ]
    assert (meter(daily), meter(weekly), meter(monthly)) == (Decimal("0.1"),) * 3


def test_links_can_be_predefined_allowing_a_single_request_to_reach_all_associated_instances(
    daily: Instance, weekly: Instance, client: Client, contribute: Contribute
) -> None:
    client.put(f"/v2/jackpots/instances/{daily.pk}/links", {"linked_instances": [str(weekly.pk)]})

    response = contribute(daily)

    assert response.json()["summary"] == {"accepted": 2, "failed": 0}
    assert Contribution.objects.count() == 2


def test_linked_instances_are_supported_only_by_the_v2_contribution_api(
    daily: Instance, weekly: Instance, contribute: Contribute
) -> None:
    link(daily, weekly)

    response = contribute(daily, version="v1")

    assert response.status_code == 201
    assert response.json()["instance_id"] == str(daily.pk)
    assert (meter(daily), meter(weekly)) == (Decimal("0.1"), 0)


def test_only_the_links_defined_for_the_target_instance_are_honored(
    daily: Instance, weekly: Instance, monthly: Instance, contribute: Contribute
) -> None:
    link(weekly, monthly)
    link(monthly, daily)

    response = contribute(daily)

    assert len(response.json()["results"]) == 1
    assert (meter(daily), meter(weekly), meter(monthly)) == (Decimal("0.1"), 0, 0)


def test_if_the_contribution_to_the_main_instance_fails_linked_ones_are_not_attempted(
    operator: Operator, weekly: Instance, monthly: Instance, contribute: Contribute
) -> None:
    main = InstanceFactory.create(operator=operator, opt_in_required=True)
    link(main, weekly, monthly)

    response = contribute(main)

    assert response.status_code == 409
    problem = response.json()
    assert problem["code"] == "OPT_IN_REQUIRED"
    assert legs(response) == [("failed", "OPT_IN_REQUIRED")]
    assert problem["results"][0]["role"] == "main"
    assert problem["not_attempted"] == [str(weekly.pk), str(monthly.pk)]
    assert Contribution.objects.count() == 0


def test_if_a_linked_contribution_fails_other_linked_instances_are_processed_normally(
    operator: Operator, daily: Instance, monthly: Instance, contribute: Contribute
) -> None:
    paused = InstanceFactory.create(operator=operator, paused=True)
    link(daily, paused, monthly)

    response = contribute(daily)

    assert response.status_code == 201
    assert legs(response) == [ACCEPTED, ("failed", "INSTANCE_NOT_ACTIVE"), ACCEPTED]
    assert (meter(daily), meter(paused), meter(monthly)) == (Decimal("0.1"), 0, Decimal("0.1"))


def test_opt_ins_are_not_automatically_propagated_to_linked_instances(
    operator: Operator, player: Player, contribute: Contribute
) -> None:
    main = InstanceFactory.create(operator=operator, opt_in_required=True)
    linked = InstanceFactory.create(operator=operator, opt_in_required=True)
    link(main, linked)
    OptInFactory.create(instance=main, player=player)

    response = contribute(main)

    assert legs(response) == [ACCEPTED, ("failed", "OPT_IN_REQUIRED")]


def test_without_the_required_opt_in_the_contribution_to_that_instance_fails_with_an_error(
    operator: Operator, daily: Instance, player: Player, contribute: Contribute
) -> None:
    linked = InstanceFactory.create(operator=operator, opt_in_required=True)
    link(daily, linked)

    before = contribute(daily)
    OptInFactory.create(instance=linked, player=player)
    after = contribute(daily)

    assert legs(before) == [ACCEPTED, ("failed", "OPT_IN_REQUIRED")]
    assert before.json()["results"][1]["error"]["detail"] == (
        "The instance needs an opt-in, and the player has not opted in."
    )
    assert legs(after) == [ACCEPTED, ACCEPTED]


def test_scenario_1_a_contribution_to_daily_propagates_to_daily_weekly_and_monthly(
    daily: Instance, weekly: Instance, monthly: Instance, contribute: Contribute
) -> None:
    link(daily, weekly, monthly)

    response = contribute(daily)

    roles = [(leg["instance_id"], leg["role"]) for leg in response.json()["results"]]
    assert roles == [
        (str(daily.pk), "main"),
        (str(weekly.pk), "linked"),
        (str(monthly.pk), "linked"),
    ]
    assert legs(response) == [ACCEPTED, ACCEPTED, ACCEPTED]


def test_scenario_2_a_contribution_to_daily_applies_to_daily_and_weekly_but_not_monthly(
    daily: Instance, weekly: Instance, monthly: Instance, contribute: Contribute
) -> None:
    link(daily, weekly)
    link(weekly, monthly)

    response = contribute(daily)

    assert legs(response) == [ACCEPTED, ACCEPTED]
    assert (meter(daily), meter(weekly), meter(monthly)) == (Decimal("0.1"), Decimal("0.1"), 0)


def test_scenario_3_an_error_for_weekly_but_monthly_still_processes_normally(
    operator: Operator, daily: Instance, monthly: Instance, contribute: Contribute
) -> None:
    weekly = InstanceFactory.create(operator=operator, name="Weekly", opt_in_required=True)
    link(daily, weekly, monthly)

    response = contribute(daily)

    assert legs(response) == [ACCEPTED, ("failed", "OPT_IN_REQUIRED"), ACCEPTED]
    assert response.json()["summary"] == {"accepted": 2, "failed": 1}


def test_retrieve_set_and_delete_links_for_an_instance(
    daily: Instance, weekly: Instance, monthly: Instance, client: Client
) -> None:
    path = f"/v2/jackpots/instances/{daily.pk}/links"
    wanted = {"linked_instances": [str(monthly.pk), str(weekly.pk)]}

    put = client.put(path, wanted)
    got = client.get(path)
    deleted = client.delete(path)
    got_after = client.get(path)

    assert (put.status_code, got.status_code, deleted.status_code) == (200, 200, 204)
    assert [one["instance_id"] for one in got.json()["linked_instances"]] == wanted[
        "linked_instances"
    ]
    assert put.json() == got.json()
    assert got_after.json()["linked_instances"] == []
