"""POST /v2/jackpots/contributions/batch: every item as by itself, together in one statement."""

import json
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import IdempotencyRecord
from jackpots.models import Contribution, Instance
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import link, meter
from tests.jackpots.test_player_funded import fund

Send = Callable[..., Any]
PATH = "/v2/jackpots/contributions/batch"


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator)


@pytest.fixture
def send(client: Client, player: Player) -> Send:
    """Send items as one batch, without the header that single contributions need."""

    def post(items: list[Any]) -> Any:
        return super(Client, client).post(PATH, {"contributions": items}, format="json")

    return post


def item(instance: Instance, key: str, **members: Any) -> dict[str, Any]:
    return {
        "idempotency_key": key,
        "instance_id": str(instance.pk),
        "player_id": "ada",
        "base_wager": "10.00",
        "currency": "EUR",
        **members,
    }


def outcomes(response: Any) -> list[tuple[str, str | None]]:
    return [
        (each["status"], each["error"] and each["error"]["code"])
        for each in response.json()["results"]
    ]


def test_an_item_is_answered_as_by_itself(
    operator: Operator, instance: Instance, send: Send, contribute: Callable[..., Any]
) -> None:
    ExchangeRateFactory.create(operator=operator)
    closed = InstanceFactory.create(operator=operator, status="closed")
    choosy = InstanceFactory.create(operator=operator, opt_in_required=True)
    dollars = InstanceFactory.create(operator=operator, currency="USD", ticket_cost=None)
    link(instance, closed, choosy, dollars)
    alone = contribute(instance, gameround_id="r1", metadata={"seat": 3}).json()["results"]

    response = send([item(instance, "one", gameround_id="r1", metadata={"seat": 3})])

    (result,) = response.json()["results"]
    assert (result["idempotency_key"], result["status"], result["error"]) == (
        "one",
        "accepted",
        None,
    )
    for leg, single in zip(result["results"], alone, strict=True):
        assert (leg["contribution_id"] is None) is (single["contribution_id"] is None)
        assert {**leg, "contribution_id": single["contribution_id"]} == single
    facts = ("position", "role", "status", "error_code", "rate", "rate_at", "amount", "pot_amounts")
    kept = ("gameround_id", "metadata", "source_id", "accumulated", "tickets_earned")
    rows = list(
        Contribution.objects.order_by("request_id", "position").values_list(*facts, *kept[:3])
    )
    assert rows[:4] == rows[4:]


def test_items_that_are_alike_are_each_answered_as_by_themselves(
    operator: Operator, send: Send, contribute: Callable[..., Any]
) -> None:
    ExchangeRateFactory.create(operator=operator)
    pots = [{"name": '100 %s "x" é', "share": "0.7"}, {"name": "%", "share": "0.3"}]
    main = InstanceFactory.create(operator=operator, progressive=True, pots=pots)
    link(main, InstanceFactory.create(operator=operator, progressive=True, currency="USD"))
    alone = contribute(main, base_wager="3.33").content.decode()
    keys = ['"50 %s"', "\\", "plain"]

    response = send([item(main, key, base_wager="3.33") for key in keys])

    written = [
        str(pk) for pk in Contribution.objects.order_by("number").values_list("pk", flat=True)
    ]
    expected = alone.partition('"results":')[2].partition(',"summary"')[0]
    results = []
    for number, key in enumerate(keys):
        shown = expected
        for position in range(2):
            shown = shown.replace(written[position], written[2 * number + 2 + position])
        results.append(
            f'{{"idempotency_key":{json.dumps(key)},"status":"accepted",'
            f'"results":{shown},"error":null}}'
        )
    assert response.content.decode() == f'{{"results":[{",".join(results)}]}}'


def test_every_item_counts_once_and_tells_its_own_story(
    operator: Operator, instance: Instance, player: Player, send: Send
) -> None:
    blocked = PlayerFactory.create(operator=operator, is_blocked=True)
    send([item(instance, "known"), item(instance, "used", base_wager="1.00")])
    foreign = InstanceFactory.create()
    too_many = "9" * 20

    response = send(
        [
            item(instance, "new"),
            item(instance, "known"),
            item(instance, "used", base_wager="2.00"),
            item(instance, "new"),
            item(instance, "new", base_wager="3.00"),
            item(foreign, "foreign"),
            item(instance, "blocked", player_id=blocked.reference),
            item(instance, "nobody", player_id="nobody"),
            item(instance, "bad-wager", base_wager=10),
            item(instance, "bad-id", instance_id="7"),
            item(instance, "bad-currency", currency="XXQ"),
            item(instance, " bad key "),
            item(instance, "unknown-member", amount="1.00"),
            {"idempotency_key": "empty"},
            7,
            item(instance, "huge", base_wager=too_many),
            item(instance, "last", player_id=player.reference),
        ]
    )

    assert response.status_code == 200
    assert outcomes(response) == [
        ("accepted", None),
        ("replayed", None),
        ("failed", "IDEMPOTENCY_KEY_REUSED"),
        ("replayed", None),
        ("failed", "IDEMPOTENCY_KEY_REUSED"),
        ("failed", "NOT_FOUND"),
        ("failed", "PLAYER_BLOCKED"),
        ("failed", "NOT_FOUND"),
        ("failed", "INVALID_REQUEST"),
        ("failed", "INVALID_REQUEST"),
        ("failed", "CURRENCY_UNKNOWN"),
        ("failed", "INVALID_REQUEST"),
        ("failed", "INVALID_REQUEST"),
        ("failed", "INVALID_REQUEST"),
        ("failed", "INVALID_REQUEST"),
        ("accepted", None),
        ("accepted", None),
    ]
    results = response.json()["results"]
    assert results[3]["results"] == results[0]["results"]
    assert results[8]["error"]["errors"][0]["pointer"] == "/base_wager"
    assert (results[13]["idempotency_key"], results[14]["idempotency_key"]) == ("empty", None)
    expected = Decimal("0.1") * 3 + Decimal("0.01") + Decimal(too_many) / 100
    assert meter(instance) == expected
    assert IdempotencyRecord.objects.count() == Contribution.objects.count() == 5


def test_a_thousand_with_repeats_known_and_invalid_ones_among_them(
    instance: Instance, send: Send
) -> None:
    known = [item(instance, f"known-{number}", base_wager="7.00") for number in range(10)]
    assert outcomes(send(known)) == [("accepted", None)] * 10
    fresh = [item(instance, f"fresh-{number}") for number in range(970)]
    invalid = [item(instance, f"invalid-{number}", base_wager="-1") for number in range(10)]
    mixed: list[tuple[dict[str, Any], tuple[str, str | None]]] = [
        *((each, ("replayed", None)) for each in known),
        *((each, ("accepted", None)) for each in fresh),
        *((each, ("failed", "INVALID_REQUEST")) for each in invalid),
    ]
    random.Random(11).shuffle(mixed)
    # Each repeat somewhere after the one that it repeats.
    mixed.extend((each, ("replayed", None)) for each in fresh[::97])

    response = send([each for each, _expected in mixed])

    assert len(mixed) == 1000
    assert outcomes(response) == [expected for _each, expected in mixed]
    keys = [each["idempotency_key"] for each in response.json()["results"]]
    assert keys == [each["idempotency_key"] for each, _expected in mixed]
    assert Contribution.objects.count() == 980
    assert IdempotencyRecord.objects.count() == 980
    assert meter(instance) == Decimal("0.07") * 10 + Decimal("0.1") * 970


def test_a_batch_sent_again_is_answered_by_replays(instance: Instance, send: Send) -> None:
    batch = [item(instance, f"key-{number}") for number in range(20)]
    first = send(batch).json()["results"]

    second = send(batch).json()["results"]

    assert [each["results"] for each in second] == [each["results"] for each in first]
    assert {each["status"] for each in second} == {"replayed"}
    assert meter(instance) == 2


def test_keys_are_shared_with_single_contributions(
    instance: Instance, send: Send, contribute: Callable[..., Any]
) -> None:
    contribute(instance, key="single")
    send([item(instance, "batch")])

    assert outcomes(send([item(instance, "single")])) == [("failed", "IDEMPOTENCY_KEY_REUSED")]
    assert contribute(instance, key="batch").json()["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_tickets_go_on_within_a_batch(instance: Instance, send: Send, operator: Operator) -> None:
    PlayerFactory.create(operator=operator, reference="grace")
    send([item(instance, "before", base_wager="60.00")])

    response = send(
        [
            item(instance, "1", base_wager="39.99"),
            item(instance, "2", base_wager="99.00", player_id="grace"),
            item(instance, "3", base_wager="0.01"),
            item(instance, "4", base_wager="350.00"),
        ]
    )

    tickets = [each["results"][0]["tickets"] for each in response.json()["results"]]
    assert tickets == [
        {"earned": 0, "total": 0},
        {"earned": 0, "total": 0},
        {"earned": 1, "total": 1},
        {"earned": 3, "total": 4},
    ]


def test_what_players_pay_is_taken_item_by_item(
    operator: Operator, player: Player, send: Send
) -> None:
    fund(player, "0.15")
    paid = InstanceFactory.create(operator=operator, funding="player")

    response = send([item(paid, "first"), item(paid, "second")])

    assert outcomes(response) == [("accepted", None), ("failed", "INSUFFICIENT_FUNDS")]
    assert meter(paid) == Decimal("0.1")


def test_a_pause_is_obeyed_by_the_next_batch(instance: Instance, send: Send) -> None:
    send([item(instance, "before")])
    Instance.objects.filter(pk=instance.pk).update(
        paused_at=timezone.now(), paused_reason="Now", revision=instance.revision + 1
    )

    assert outcomes(send([item(instance, "after")])) == [("failed", "INSTANCE_NOT_ACTIVE")]
    assert meter(instance) == Decimal("0.1")


@pytest.mark.parametrize(
    "body", [{}, [], {"contributions": []}, {"contributions": 7}, {"contributions": [7] * 1001}]
)
def test_what_is_no_batch_is_refused(body: Any, client: Client) -> None:
    response = super(Client, client).post(PATH, body, format="json")

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("size", [1, 300])
def test_a_batch_takes_one_statement_whatever_its_size(
    size: int, operator: Operator, instance: Instance, send: Send
) -> None:
    link(instance, *InstanceFactory.create_batch(2, operator=operator))
    send([item(instance, "warm")])

    with CaptureQueriesContext(connection) as queries:
        response = send([item(instance, str(uuid4())) for _number in range(size)])

    assert set(outcomes(response)) == {("accepted", None)}
    assert len(queries) == 1
    assert meter(instance) == Decimal("0.1") * (size + 1)
