"""POST …/contributions, both versions: amounts, tickets, refusals, replays."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jackpots.models import Contribution, Instance
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import legs, link, meter

Contribute = Callable[..., Any]
TWO_POTS = [
    {"name": "Mini", "share": Decimal("0.7"), "seed": Decimal(5)},
    {"name": "Grand", "share": Decimal("0.3"), "seed": Decimal(1000)},
]


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator)


# What an answer says


def test_v1_answers_with_one_flat_object(instance: Instance, contribute: Contribute) -> None:
    response = contribute(instance, version="v1", base_wager="150.00")

    assert response.status_code == 201
    body = response.json()
    stored = Contribution.objects.get()
    assert list(body.items()) == [
        ("contribution_id", str(stored.pk)),
        ("instance_id", str(instance.pk)),
        ("status", "accepted"),
        ("base_wager", "150.00"),
        ("amount", "1.50"),
        ("currency", "EUR"),
        ("pots", [{"name": "main", "amount": "1.50"}]),
        ("tickets", {"earned": 1, "total": 1}),
        ("wins", []),
        ("created_at", stored.created_at.isoformat().replace("+00:00", "Z")),
    ]


def test_v2_answers_with_a_result_for_each_leg(instance: Instance, contribute: Contribute) -> None:
    response = contribute(instance)

    body = response.json()
    stored = Contribution.objects.get()
    assert body == {
        "request_id": str(stored.request_id),
        "results": [
            {
                "instance_id": str(instance.pk),
                "role": "main",
                "status": "accepted",
                "contribution_id": str(stored.pk),
                "amount": "0.10",
                "currency": "EUR",
                "pots": [{"name": "main", "amount": "0.10"}],
                "tickets": {"earned": 0, "total": 0},
                "wins": [],
                "error": None,
            }
        ],
        "summary": {"accepted": 1, "failed": 0},
    }


def test_the_amount_is_split_over_the_pots(operator: Operator, contribute: Contribute) -> None:
    instance = InstanceFactory.create(operator=operator, progressive=True, pots=TWO_POTS)

    response = contribute(instance, base_wager="1.01")

    leg = response.json()["results"][0]
    assert leg["amount"] == "0.0101"
    assert leg["pots"] == [
        {"name": "Mini", "amount": "0.00707"},
        {"name": "Grand", "amount": "0.00303"},
    ]
    assert leg["tickets"] is None


def test_each_leg_follows_its_own_rule(
    operator: Operator, instance: Instance, contribute: Contribute
) -> None:
    fixed = InstanceFactory.create(operator=operator, fixed=True)
    link(instance, fixed)

    response = contribute(instance, base_wager="33.00")

    assert [leg["amount"] for leg in response.json()["results"]] == ["0.33", "0.50"]


def test_a_wager_of_zero_takes_part_without_money(
    operator: Operator, contribute: Contribute
) -> None:
    fixed = InstanceFactory.create(operator=operator, fixed=True)

    response = contribute(fixed, base_wager="0")

    assert response.status_code == 201
    assert response.json()["results"][0]["amount"] == "0.00"
    assert meter(fixed) == 0


def test_what_the_caller_sends_along_is_kept(instance: Instance, contribute: Contribute) -> None:
    contribute(instance, gameround_id="round 7", metadata={"table": {"seat": 3}})

    stored = Contribution.objects.get()
    assert (stored.gameround_id, stored.metadata) == ("round 7", {"table": {"seat": 3}})


# Tickets


def test_tickets_are_whole_multiples_and_the_remainder_is_kept(
    instance: Instance, contribute: Contribute
) -> None:
    tickets = [
        contribute(instance, base_wager=wager).json()["results"][0]["tickets"]
        for wager in ("60.00", "39.99", "0.01", "350.00")
    ]

    assert tickets == [
        {"earned": 0, "total": 0},
        {"earned": 0, "total": 0},
        {"earned": 1, "total": 1},
        {"earned": 3, "total": 4},
    ]


def test_tickets_are_counted_for_each_player(
    operator: Operator, instance: Instance, contribute: Contribute
) -> None:
    PlayerFactory.create(operator=operator, reference="grace")
    contribute(instance, base_wager="99.00")

    response = contribute(instance, player_id="grace", base_wager="1.00")

    assert response.json()["results"][0]["tickets"] == {"earned": 0, "total": 0}


# Other currencies


def test_another_currency_is_converted_and_the_rate_stored(
    operator: Operator, contribute: Contribute
) -> None:
    rate = ExchangeRateFactory.create(operator=operator, currency="EUR", usd_rate="1.25")
    instance = InstanceFactory.create(operator=operator, currency="USD")

    response = contribute(instance, base_wager="10.00", currency="EUR")

    stored = Contribution.objects.get()
    assert response.json()["results"][0]["amount"] == "0.125"
    assert response.json()["results"][0]["currency"] == "USD"
    assert (stored.base_wager, stored.base_currency) == (Decimal(10), "EUR")
    assert (stored.rate, stored.rate_at) == (Decimal("1.25"), rate.valid_from)


def test_the_rate_in_force_is_the_newest_that_has_come(
    operator: Operator, contribute: Contribute
) -> None:
    now = timezone.now()
    for usd_rate, valid_from in (("2", -2), ("3", -1), ("4", 1)):
        ExchangeRateFactory.create(
            operator=operator, usd_rate=usd_rate, valid_from=now + timedelta(hours=valid_from)
        )
    ExchangeRateFactory.create(usd_rate="9", valid_from=now - timedelta(minutes=1))
    instance = InstanceFactory.create(operator=operator, currency="USD")

    response = contribute(instance, base_wager="10.00", currency="EUR")

    assert response.json()["results"][0]["amount"] == "0.30"


def test_a_missing_rate_fails_only_the_leg_that_needs_it(
    operator: Operator, instance: Instance, contribute: Contribute
) -> None:
    yen = InstanceFactory.create(operator=operator, currency="JPY")
    link(instance, yen)

    assert legs(contribute(instance)) == [
        ("accepted", None),
        ("failed", "EXCHANGE_RATE_MISSING"),
    ]
    assert contribute(yen).json()["code"] == "EXCHANGE_RATE_MISSING"
    assert meter(yen) == 0


# The request itself


def test_a_linked_amount_too_large_to_store_fails_alone(
    operator: Operator, instance: Instance, contribute: Contribute
) -> None:
    ExchangeRateFactory.create(operator=operator, currency="EUR", usd_rate="100000000000")
    dollars = InstanceFactory.create(
        operator=operator, currency="USD", contribution_percent=Decimal(100)
    )
    link(instance, dollars)

    response = contribute(instance, base_wager="9999999999999.00")

    assert legs(response) == [("accepted", None), ("failed", "INVALID_REQUEST")]
    assert meter(dollars) == 0


@pytest.mark.parametrize(
    "members",
    [
        {"base_wager": 10},
        {"base_wager": 10.5},
        {"base_wager": "-1.00"},
        {"base_wager": "NaN"},
        {"base_wager": "1e5"},
        {"base_wager": "0.000000001"},
        {"base_wager": "1_000"},
        {"base_wager": " 1 "},
        {"base_wager": "１２"},
        {"base_wager": None},
        {"currency": "eur"},
        {"currency": "XXQ"},
        {"currency": 978},
        {"player_id": ""},
        {"player_id": "x" * 65},
        {"player_id": 7},
        {"gameround_id": "x" * 129},
        {"metadata": "text"},
        {"metadata": {"note": "x" * 4096}},
        {"amount": "99.00"},
    ],
)
def test_a_malformed_request_is_refused_and_writes_nothing(
    members: dict[str, Any], instance: Instance, contribute: Contribute
) -> None:
    response = contribute(instance, **members)

    assert response.status_code == 400
    assert response.json()["code"] in ("INVALID_REQUEST", "CURRENCY_UNKNOWN")
    assert Contribution.objects.exists() is False


def test_an_amount_too_large_to_store_is_refused(
    operator: Operator, contribute: Contribute
) -> None:
    ExchangeRateFactory.create(operator=operator, usd_rate="100000000000")
    instance = InstanceFactory.create(
        operator=operator, currency="USD", contribution_percent=Decimal(100)
    )

    response = contribute(instance, base_wager="99999999999999999999.00")

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert meter(instance) == 0


def test_the_key_is_required(instance: Instance, client: Client, player: Player) -> None:
    body = {"player_id": player.reference, "base_wager": "1.00", "currency": "EUR"}
    path = f"/v2/jackpots/instances/{instance.pk}/contributions"

    response = super(Client, client).post(path, body, format="json")

    assert (response.status_code, response.json()["code"]) == (400, "IDEMPOTENCY_KEY_REQUIRED")


# The cost


@pytest.mark.parametrize("link_count", [0, 3, 20])
def test_a_contribution_takes_one_statement_however_many_links(
    link_count: int, operator: Operator, instance: Instance, contribute: Contribute
) -> None:
    link(instance, *InstanceFactory.create_batch(link_count, operator=operator))

    with CaptureQueriesContext(connection) as cold:
        contribute(instance)
    with CaptureQueriesContext(connection) as warm:
        response = contribute(instance)

    assert response.json()["summary"]["accepted"] == link_count + 1
    # Besides the look-up of the API key: the configuration, and the one that writes. Both the
    # key and the configuration are remembered.
    assert (len(cold), len(warm)) == (1 + 2, 1)


@pytest.mark.django_db(transaction=True)
def test_a_contribution_locks_no_row_of_an_instance(
    operator: Operator, instance: Instance, contribute: Contribute
) -> None:
    link(instance, InstanceFactory.create(operator=operator, progressive=True))

    with transaction.atomic():
        contribute(instance)
        with connection.cursor() as cursor:
            # Foreign keys are checked at the commit: the locks that takes count as well.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(
                "SELECT count(*) FROM ("
                " SELECT xmax FROM jackpots_instance UNION ALL SELECT xmax FROM jackpots_pot"
                ") AS rows WHERE xmax::text = pg_current_xact_id()::text"
            )
            assert cursor.fetchone() == (0,)
