"""A player holds fewer than 2^63 tickets of a raffle: the leg that would pass it fails, alone."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from core.models import IdempotencyRecord
from jackpots import tasks
from jackpots.models import Contribution, ContributionRequest, Instance
from jackpots.services import requests
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import legs, link, meter
from tests.jackpots.raffles import books_balance
from tests.jackpots.test_player_funded import balance, fund

pytestmark = pytest.mark.django_db

Contribute = Callable[..., Any]

# A ticket costs a euro, and all of a wager is contributed.
LIMIT = 2**63
BEYOND = "99999999999999999999"
MOST = str(LIMIT - 1)


def raffle_of(operator: Operator, **terms: Any) -> Instance:
    return InstanceFactory.create(
        operator=operator, **{"contribution_percent": Decimal(100), **terms}
    )


@pytest.fixture
def raffle(operator: Operator) -> Instance:
    return raffle_of(operator)


@pytest.fixture
def send(client: Client, player: Player) -> Contribute:
    """Send a batch of (key, instance, player, wager), and return what became of each."""
    PlayerFactory.create(operator=player.operator, reference="bob", currency="EUR")

    def post(*items: tuple[str, Instance, str, str]) -> list[Any]:
        body = [
            {
                "idempotency_key": key,
                "instance_id": str(instance.pk),
                "player_id": reference,
                "base_wager": wager,
                "currency": "EUR",
            }
            for key, instance, reference, wager in items
        ]
        response = client.post("/v2/jackpots/contributions/batch", {"contributions": body})
        assert response.status_code == 200, response.json()
        return list(response.json()["results"])

    return post


def told(results: list[Any]) -> list[tuple[str, str | None]]:
    return [(each["status"], each["error"] and each["error"]["code"]) for each in results]


def totals_of(player: str, raffle: Instance) -> list[int | None]:
    rows = Contribution.objects.filter(player__reference=player, instance=raffle)
    return list(rows.order_by("number").values_list("tickets_total", flat=True))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_main_leg_is_refused_and_nothing_is_written(
    version: str, raffle: Instance, contribute: Contribute
) -> None:
    response = contribute(raffle, base_wager=BEYOND, version=version)

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert "more than can be stored" in response.json()["detail"]
    assert not Contribution.objects.exists()
    assert not IdempotencyRecord.objects.exists()


def test_a_linked_leg_fails_alone(
    operator: Operator, raffle: Instance, contribute: Contribute
) -> None:
    main, other = InstanceFactory.create_batch(2, operator=operator)
    link(main, raffle, other)

    response = contribute(main, base_wager=BEYOND)

    assert legs(response) == [("accepted", None), ("failed", "INVALID_REQUEST"), ("accepted", None)]
    assert response.json()["results"][1]["tickets"] is None
    assert meter(raffle) == 0
    assert meter(main) == meter(other) == Decimal(BEYOND) / 100
    books_balance()


def test_tickets_add_up_to_the_limit_and_not_to_more(
    raffle: Instance, contribute: Contribute
) -> None:
    answers = [contribute(raffle, base_wager=wager) for wager in (MOST, "1", "0.99", "0.01")]

    assert [answer.status_code for answer in answers] == [201, 400, 201, 400]
    assert totals_of("ada", raffle) == [LIMIT - 1] * 2
    assert meter(raffle) == LIMIT - Decimal("0.01")
    books_balance()


def test_nobody_pays_for_a_leg_that_is_refused(
    operator: Operator, player: Player, contribute: Contribute
) -> None:
    fund(player, "500000000000.00")
    main = InstanceFactory.create(operator=operator)
    paid = raffle_of(operator, funding="player", ticket_cost=Decimal("0.00000001"))
    link(main, paid)

    response = contribute(main, base_wager="100000000000.00")

    assert legs(response) == [("accepted", None), ("failed", "INVALID_REQUEST")]
    assert balance(player) == Decimal("500000000000.00")
    books_balance()


def test_who_cannot_pay_gets_no_tickets(
    operator: Operator, player: Player, contribute: Contribute
) -> None:
    main = InstanceFactory.create(operator=operator)
    paid, free = raffle_of(operator, funding="player"), raffle_of(operator)
    link(main, paid, free)

    poor = contribute(main, base_wager="10.00").json()["results"]
    fund(player, "5.00")
    rich = contribute(main, base_wager="5.00").json()["results"]

    assert [leg["tickets"] and leg["tickets"]["total"] for leg in poor] == [0, None, 10]
    assert [leg["tickets"] and leg["tickets"]["total"] for leg in rich] == [0, 5, 15]
    assert totals_of("ada", paid) == [None, 5]
    books_balance()


# In a batch


def test_one_item_of_a_batch_fails_alone(raffle: Instance, send: Contribute) -> None:
    results = send(
        ("a", raffle, "ada", BEYOND),
        ("b", raffle, "bob", "7"),
        ("c", raffle, "ada", "3"),
        ("d", raffle, "nobody", "1"),
    )

    assert told(results) == [
        ("failed", "INVALID_REQUEST"),
        ("accepted", None),
        ("accepted", None),
        ("failed", "NOT_FOUND"),
    ]
    assert (totals_of("ada", raffle), totals_of("bob", raffle)) == ([3], [7])
    assert meter(raffle) == 10
    books_balance()


def test_items_of_a_batch_add_up_one_after_the_other(
    operator: Operator, raffle: Instance, send: Contribute, contribute: Contribute
) -> None:
    main = InstanceFactory.create(operator=operator)
    link(main, raffle)
    contribute(raffle, base_wager="6000000000000000000")
    items = [
        ("a", raffle, "ada", "3000000000000000000"),
        ("b", raffle, "ada", "3000000000000000000"),
        ("c", main, "ada", "300000000000000000"),
        ("d", raffle, "ada", "1"),
        ("e", raffle, "bob", "2"),
    ]

    results = send(*items)
    again = send(*items)

    assert told(results) == [
        ("accepted", None),
        ("failed", "INVALID_REQUEST"),
        ("accepted", None),
        ("accepted", None),
        ("accepted", None),
    ]
    assert [leg["status"] for leg in results[2]["results"]] == ["accepted", "failed"]
    assert totals_of("ada", raffle) == [6 * 10**18, 9 * 10**18, None, 9 * 10**18 + 1]
    assert [status for status, _code in told(again)] == ["replayed", "failed"] + ["replayed"] * 3
    assert [each["results"] for each in again] == [each["results"] for each in results]
    assert meter(raffle) == 9 * 10**18 + 3
    books_balance()


# With a promise


def test_a_promise_ends_as_failed(client: Client, raffle: Instance, player: Player) -> None:
    path = f"/v2/jackpots/instances/{raffle.pk}/contributions"
    body = {"player_id": "ada", "base_wager": BEYOND, "currency": "EUR"}
    promised = client.post(path, body, headers={"Prefer": "respond-async"})

    assert tasks.apply_contribution_requests.apply().get() == 1

    shown = client.get(promised.headers["Location"]).json()
    assert (shown["status"], shown["error"]["code"]) == ("failed", "INVALID_REQUEST")


def test_a_promise_that_the_database_cannot_store_ends_as_failed(
    client: Client, raffle: Instance, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v2/jackpots/instances/{raffle.pk}/contributions"
    body = {"player_id": "ada", "base_wager": "1", "currency": "EUR"}
    promised = client.post(path, body, headers={"Prefer": "respond-async"})

    def overflow(**kwargs: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 10::numeric(2, 2)")

    monkeypatch.setattr(requests, "contribute", overflow)

    assert tasks.apply_contribution_requests.apply().get() == 1

    shown = client.get(promised.headers["Location"]).json()
    assert (shown["status"], shown["error"]["code"]) == ("failed", "INVALID_REQUEST")
    assert ContributionRequest.objects.get().attempts == 0
