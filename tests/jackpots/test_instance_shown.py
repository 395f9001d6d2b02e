"""GET of instances: reserves, cycles, commitments, draws and runs, in few statements."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from operators.models import Operator
from tests.conftest import Client
from tests.factories.jackpots import DrawFactory, InstanceFactory
from tests.jackpots.conftest import link

pytestmark = pytest.mark.django_db

PATH = "/v2/jackpots/instances"


def test_a_linked_pot_at_its_ceiling_shows_the_rest_as_reserve(
    client: Client, operator: Operator, contribute: Callable[..., Any]
) -> None:
    pot = {"seed": Decimal(10), "ceiling": Decimal("10.05"), "reserve": Decimal(1), "cycle": 3}
    main = InstanceFactory.create(operator=operator)
    full = InstanceFactory.create(operator=operator, progressive=True, pots=[pot])
    link(main, full)

    results = contribute(main, base_wager="10.00").json()["results"]

    shown = client.get(f"{PATH}/{full.pk}").json()["pots"][0]
    assert [leg["status"] for leg in results] == ["accepted", "accepted"]
    assert (shown["value"], shown["reserve"], shown["cycle"]) == ("10.05", "1.05", 3)
    assert (shown["id"], shown["pending_terms"]) == (full.pots.get().pk, None)


def test_a_hidden_amount_is_shown_by_its_commitment_only(
    client: Client, operator: Operator
) -> None:
    pot = {
        "drop_type": "must_hit_by_amount",
        "drop_amount": Decimal(90),
        "trigger": Decimal("33.5"),
    }
    instance = InstanceFactory.create(operator=operator, progressive=True, pots=[pot])

    response = client.get(f"{PATH}/{instance.pk}")

    assert response.json()["pots"][0]["drop"] == {
        "type": "must_hit_by_amount",
        "amount": "90.00",
        "commitment": instance.pots.get().commitment,
    }
    assert "33.5" not in response.content.decode()


def test_a_run_names_its_neighbours_and_its_draw(client: Client, operator: Operator) -> None:
    first = InstanceFactory.create(operator=operator, status="drawn", recurrence="daily")
    second = InstanceFactory.create(
        operator=operator, recurrence="daily", previous=first, run_number=2, carry_opt_ins=True
    )
    draw = DrawFactory.create(instance=second)

    shown = [client.get(f"{PATH}/{run.pk}").json() for run in (first, second)]

    members = ("previous_id", "next_id", "run_number", "carry_opt_ins")
    assert [[run[name] for name in members] for run in shown] == [
        [None, str(second.pk), 1, False],
        [str(first.pk), None, 2, True],
    ]
    assert shown[0]["draw"] is None
    assert shown[1]["draw"] == {
        "id": str(draw.pk),
        "commitment": draw.commitment,
        "requested_at": None,
        "drawn_at": None,
    }


def test_a_page_takes_the_same_statements_with_draws_and_runs(
    client: Client, operator: Operator
) -> None:
    previous = None
    for number in range(1, 5):
        previous = InstanceFactory.create(
            operator=operator, previous=previous, run_number=number, status="closing"
        )
        DrawFactory.create(instance=previous)
    client.get(PATH)

    with CaptureQueriesContext(connection) as statements:
        body = client.get(PATH).json()

    assert sum(run["draw"] is not None for run in body["results"]) == 4
    # Instances with draws and runs, pots, prizes, meters.
    assert len(statements) == 4
