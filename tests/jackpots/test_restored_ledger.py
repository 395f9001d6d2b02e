"""core.transactions: a restored database's counter is noticed when it is behind, and caught up."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from core.books import find_differences
from core.transactions import (
    advance_counter,
    highest_stored_id,
    highest_watermark,
    next_transaction_id,
)
from jackpots.models import Instance
from jackpots.selectors import read_meters
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory

pytestmark = pytest.mark.django_db(transaction=True)

AHEAD = 30_000


@pytest.fixture
def restored(operator: Operator) -> Instance:
    """An instance as pg_restore leaves it in a new cluster: folded up to what is yet to come."""
    instance = InstanceFactory.create(operator=operator, progressive=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE jackpots_instance SET folded_to ="
            " ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint + %s)::text)::xid8"
            " WHERE id = %s",
            [AHEAD, instance.pk],
        )
    return instance


def test_a_database_that_lives_in_its_cluster_is_not_behind(operator: Operator) -> None:
    InstanceFactory.create(operator=operator, progressive=True)

    assert find_differences(names=["core.transactions"]) == []


def test_a_counter_that_is_behind_is_a_difference_in_the_books(restored: Instance) -> None:
    [difference] = find_differences(names=["core.transactions"])

    assert difference.computed == highest_watermark()
    assert 0 < difference.computed - difference.recorded <= AHEAD
    assert "catch_up_transactions" in str(difference)


def test_catching_up_goes_beyond_all_that_is_known(restored: Instance) -> None:
    told: list[int] = []

    used_count = advance_counter(beyond=highest_stored_id(), notify=told.append)

    assert AHEAD - 100 < used_count <= AHEAD + 1
    # In steps, each of which can be the last.
    assert len(told) >= 2
    assert next_transaction_id() > highest_stored_id()
    assert find_differences(names=["core.transactions"]) == []


def test_a_row_is_known_as_well_as_a_watermark(
    operator: Operator, contribute: Callable[..., Any]
) -> None:
    instance = InstanceFactory.create(operator=operator, progressive=True)

    assert contribute(instance).status_code == 201

    assert highest_watermark() < highest_stored_id() < next_transaction_id()


def test_control_what_is_contributed_before_catching_up_is_not_counted(
    restored: Instance, contribute: Callable[..., Any]
) -> None:
    before = meter(restored)

    assert contribute(restored).status_code == 201

    assert meter(restored) == before


def test_what_is_contributed_after_catching_up_is_counted(
    restored: Instance, contribute: Callable[..., Any]
) -> None:
    before = meter(restored)
    call_command("catch_up_transactions", stdout=StringIO())

    assert contribute(restored).status_code == 201

    assert meter(restored) > before


def test_the_command_says_what_it_did_and_does_it_once(restored: Instance) -> None:
    first, second = StringIO(), StringIO()

    call_command("catch_up_transactions", stdout=first)
    call_command("catch_up_transactions", stdout=second)

    assert "Used up" in first.getvalue()
    assert second.getvalue().endswith("Nothing is behind.\n")


def meter(instance: Instance) -> Any:
    return sum(pot.value for pot in read_meters(instance_ids=[instance.pk])[instance.pk])
