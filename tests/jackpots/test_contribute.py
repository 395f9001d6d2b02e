"""POST …/contributions, both versions: amounts, tickets, refusals, replays."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.models import IdempotencyRecord
from jackpots.enums import InstanceStatus
from jackpots.models import Contribution, Instance
from operators.models import Operator
from players.models import Player
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory, OptInFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory
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


# Refusals of the main leg


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


# The request itself


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


# Replays


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_replay_hears_the_first_answer_whatever_has_happened_since(
    version: str, operator: Operator, instance: Instance, player: Player, contribute: Contribute
) -> None:
    link(instance, InstanceFactory.create(operator=operator, paused=True))
    first = contribute(instance, version=version, key="once", base_wager="150.00")
    _blocked(operator, player)
    Instance.objects.filter(pk=instance.pk).update(
        paused_at=timezone.now(), paused_reason="Since then"
    )

    second = contribute(instance, version=version, key="once", base_wager="150.00")

    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert meter(instance) == Decimal("1.5")


def test_a_key_with_another_body_or_endpoint_is_refused(
    instance: Instance, contribute: Contribute
) -> None:
    contribute(instance, key="once")

    responses = [
        contribute(instance, key="once", base_wager="11.00"),
        contribute(instance, key="once", version="v1"),
    ]

    assert [(each.status_code, each.json()["code"]) for each in responses] == [
        (422, "IDEMPOTENCY_KEY_REUSED")
    ] * 2
    assert meter(instance) == Decimal("0.1")


def test_a_refusal_is_not_remembered(
    operator: Operator, instance: Instance, contribute: Contribute
) -> None:
    Instance.objects.filter(pk=instance.pk).update(
        paused_at=timezone.now(), paused_reason="For now"
    )
    refused = contribute(instance, key="again")
    Instance.objects.filter(pk=instance.pk).update(paused_at=None, paused_reason="")

    accepted = contribute(instance, key="again")

    assert (refused.status_code, accepted.status_code) == (409, 201)


def test_keys_are_per_operator(
    instance: Instance, contribute: Contribute, client_of: Callable[..., Client]
) -> None:
    theirs = InstanceFactory.create()
    PlayerFactory.create(operator=theirs.operator, reference="ada")
    contribute(instance, key="once")

    response = client_of(theirs.operator).post(
        f"/v2/jackpots/instances/{theirs.pk}/contributions",
        {"player_id": "ada", "base_wager": "10.00", "currency": "EUR"},
        key="once",
    )

    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response.headers


# The cost


@pytest.mark.parametrize("link_count", [0, 3, 20])
def test_a_contribution_takes_three_statements_however_many_links(
    link_count: int, operator: Operator, instance: Instance, contribute: Contribute
) -> None:
    link(instance, *InstanceFactory.create_batch(link_count, operator=operator))

    with CaptureQueriesContext(connection) as cold:
        contribute(instance)
    with CaptureQueriesContext(connection) as warm:
        response = contribute(instance)

    assert response.json()["summary"]["accepted"] == link_count + 1
    # The key, the plan, the record; a key just seen is not asked for again.
    assert (len(cold), len(warm)) == (3, 2)


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
