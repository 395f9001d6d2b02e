"""
Contributions at one instant: one key, one player, one instance that closes, one circle.

The decisions are made in a database function, so each control takes a guard out of it
and shows the race that it stops.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from core.actors import Actor, ActorKind
from core.errors import DomainError
from core.idempotency import IdempotencyKey
from core.models import IdempotencyRecord
from jackpots.api.serializers import represent_linked_contribution
from jackpots.models import Contribution, Instance
from jackpots.services import configuration, instances
from jackpots.services.contributions import Accepted, Contributed, Wager, contribute
from players.models import Player
from tests.concurrency.sabotage import at_once, execute, meeting, sabotaged
from tests.factories.jackpots import InstanceFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import link, meter

pytestmark = pytest.mark.django_db(transaction=True)

Answer = Contributed | Accepted

STAFF = Actor(kind=ActorKind.STAFF, ref="7")
RECORD = "jackpots_accept_contribution"
KEY_LOCK = "PERFORM pg_advisory_xact_lock(1, hashtext(p_operator_id || ':' || p_key));"
PLAYER_LOCK = "PERFORM pg_advisory_xact_lock(2, hashint8(v_player_id));"
SHARED_LOCK = "PERFORM pg_advisory_xact_lock_shared(3, number) FROM unnest(p_locks) AS number;"
#: That of the first leg, and then, when others have theirs, the rest.
FIRST_LOCK = "PERFORM pg_advisory_xact_lock(3, hashtext(p_instance_ids[1]::text));"
ALL_LOCKS = (
    "PERFORM pg_advisory_xact_lock(3, hashtext(leg::text)) FROM unnest(p_instance_ids) AS leg;"
)
CLAIMED = "IF v_fingerprint <> p_fingerprint THEN"
ANSWERING = "INSERT INTO core_idempotencyrecord"


@pytest.fixture
def player() -> Player:
    return PlayerFactory.create(reference="ada")


@pytest.fixture
def instance(player: Player) -> Instance:
    return InstanceFactory.create(operator=player.operator)


def contributing(
    instance: Instance, key: str, *, base_wager: str = "50.00", player: str = "ada"
) -> Callable[[], Answer | str]:
    """Return a call that contributes and returns the answer, or the code of the refusal."""

    def call() -> Answer | str:
        try:
            return contribute(
                operator=instance.operator,
                instance_id=instance.pk,
                wager=Wager(player, Decimal(base_wager), "EUR"),
                follow_links=True,
                key=IdempotencyKey(key, "f" * 64),
                now=timezone.now(),
            )
        except DomainError as error:
            return error.code

    return call


# One key


@contextmanager
def key_may_be_answered_twice() -> Iterator[None]:
    constraint = "idempotency_key_has_one_answer"
    execute(f"ALTER TABLE core_idempotencyrecord DROP CONSTRAINT {constraint}")
    try:
        yield
    finally:
        execute("TRUNCATE core_idempotencyrecord")
        execute(
            f"ALTER TABLE core_idempotencyrecord ADD CONSTRAINT {constraint}"
            " UNIQUE (operator_id, key)"
        )


def test_control_without_its_guards_one_key_has_many_effects(instance: Instance) -> None:
    with (
        key_may_be_answered_twice(),
        meeting(8) as all_have_claimed,
        sabotaged(RECORD, (KEY_LOCK, ""), (CLAIMED, f"{all_have_claimed} {CLAIMED}")),
    ):
        at_once([contributing(instance, "once")] * 8)

    assert Contribution.objects.count() == 8


def test_64_requests_with_one_key_have_one_effect_and_one_answer(instance: Instance) -> None:
    answers = at_once([contributing(instance, "once")] * 64)

    assert all(not isinstance(answer, str) for answer in answers)
    assert sorted(answer.is_replay for answer in answers) == [False] + [True] * 63
    shown = [represent_linked_contribution(answer.answer) for answer in answers]
    assert shown == [shown[0]] * 64
    assert Contribution.objects.count() == 1
    assert IdempotencyRecord.objects.count() == 1
    assert meter(instance) == Decimal("0.5")


# One player


def test_control_without_the_players_lock_tickets_are_lost(instance: Instance) -> None:
    with (
        meeting(8) as all_have_counted,
        sabotaged(RECORD, (PLAYER_LOCK, ""), (ANSWERING, f"{all_have_counted} {ANSWERING}")),
    ):
        at_once([contributing(instance, f"key-{number}") for number in range(8)])

    # Each began at nothing, so that none of the eight halves makes a ticket with another.
    assert list(Contribution.objects.values_list("tickets_earned", flat=True)) == [0] * 8


def test_a_players_contributions_at_once_earn_every_ticket_once(instance: Instance) -> None:
    at_once([contributing(instance, f"key-{number}") for number in range(16)])

    rows = list(Contribution.objects.order_by("number"))
    # Two contributions of 0.50 make a ticket of 1.00.
    assert [row.tickets_earned for row in rows] == [0, 1] * 8
    assert [row.accumulated for row in rows] == [Decimal("0.5") * n for n in range(1, 17)]
    assert rows[-1].tickets_total == 8


# An instance that closes


def close(instance: Instance) -> int:
    """Close an instance; return the rows there were at that moment."""
    instances.close_instance(
        operator=instance.operator,
        instance_id=instance.pk,
        reason="The end",
        actor=STAFF,
        now=timezone.now(),
    )
    return Contribution.objects.count()


def close_while_contributing(instance: Instance) -> tuple[int, list[Answer | str]]:
    """Close amid contributions; return the rows there were at that moment, and the answers."""
    PlayerFactory.create_batch(8, operator=instance.operator)
    references = Player.objects.exclude(reference="ada").values_list("reference", flat=True)
    has_closed = threading.Event()
    counted: list[int] = []

    def contribute_until_closed(reference: str) -> Callable[[], Any]:
        def call() -> list[Answer | str]:
            found = []
            for number in range(200):
                key = f"{reference}-{number}"
                found.append(contributing(instance, key, player=reference)())
                if has_closed.is_set():
                    break
            return found

        return call

    def close_amid() -> list[Answer | str]:
        while Contribution.objects.count() < 20:
            pass
        counted.append(close(instance))
        has_closed.set()
        return []

    answers = at_once([close_amid, *[contribute_until_closed(each) for each in references]])
    return counted[0], [answer for thread in answers for answer in thread]


def test_control_without_the_shared_lock_contributions_land_after_the_close(
    instance: Instance,
) -> None:
    def close_amid() -> int:
        while execute("SELECT is_called FROM meeting") == [(False,)]:
            pass
        rows_at_close = close(instance)
        execute("SELECT nextval('meeting')")
        return rows_at_close

    with (
        meeting(2) as it_is_closed,
        sabotaged(RECORD, (SHARED_LOCK, ""), (ANSWERING, f"{it_is_closed} {ANSWERING}")),
    ):
        _answer, rows_at_close = at_once([contributing(instance, "late"), close_amid])

    assert (rows_at_close, Contribution.objects.count()) == (0, 1)


def test_while_an_instance_closes_each_contribution_is_wholly_in_or_refused(
    instance: Instance,
) -> None:
    rows_at_close, answers = close_while_contributing(instance)

    accepted = [answer for answer in answers if not isinstance(answer, str)]
    refused = [answer for answer in answers if isinstance(answer, str)]
    assert set(refused) == {"INSTANCE_NOT_ACTIVE"}
    assert rows_at_close == Contribution.objects.count() == len(accepted)
    assert meter(instance) == Decimal("0.5") * len(accepted)


def test_a_decision_made_before_a_pause_is_made_again_after_it(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = configuration.load_contribution_plan
    plans = []

    def load_and_be_overtaken(**kwargs: Any) -> Any:
        plans.append(load(**kwargs))
        if len(plans) == 1:
            instances.pause_instance(
                operator=instance.operator,
                instance_id=instance.pk,
                reason="Overtaking",
                actor=STAFF,
                now=timezone.now(),
            )
        return plans[-1]

    monkeypatch.setattr(configuration, "load_contribution_plan", load_and_be_overtaken)

    assert contributing(instance, "once")() == "INSTANCE_NOT_ACTIVE"
    assert len(plans) == 2
    assert Contribution.objects.exists() is False


# Circles of links


@pytest.fixture
def circle(player: Player) -> list[Instance]:
    """A links to B and C, B to C and A, C to A and B."""
    a, b, c = InstanceFactory.create_batch(3, operator=player.operator, ticket_cost=None)
    for source, *targets in ((a, b, c), (b, c, a), (c, a, b)):
        link(source, *targets)
    return [a, b, c]


def contribute_around(circle: list[Instance], *, threads: int, rounds: int) -> list[str]:
    """Contribute from many threads, starting at each instance; return what went wrong."""

    def call(number: int) -> Callable[[], str]:
        def repeat() -> str:
            try:
                for round_number in range(rounds):
                    source = circle[number % 3]
                    contributing(source, f"{number}-{round_number}")()
            except DatabaseError as error:
                return type(error.__cause__).__name__
            return ""

        return repeat

    return sorted(filter(None, at_once([call(number) for number in range(threads)])))


def test_control_exclusive_locks_in_the_order_of_links_deadlock(circle: list[Instance]) -> None:
    with (
        meeting(3) as each_has_one,
        sabotaged(RECORD, (SHARED_LOCK, f"{FIRST_LOCK} {each_has_one} {ALL_LOCKS}")),
    ):
        failures = contribute_around(circle, threads=3, rounds=1)

    assert "DeadlockDetected" in failures


def test_circles_of_links_from_16_threads_never_deadlock(circle: list[Instance]) -> None:
    failures = contribute_around(circle, threads=16, rounds=5)

    assert failures == []
    # 16 threads × 5 rounds, each reaching all three.
    assert [meter(each) for each in circle] == [Decimal("0.5") * 80] * 3


def test_an_instance_that_closes_amid_a_circle_deadlocks_nobody(circle: list[Instance]) -> None:
    def close(instance: Instance) -> Callable[[], list[str]]:
        def call() -> list[str]:
            instances.close_instance(
                operator=instance.operator,
                instance_id=instance.pk,
                reason="The end",
                actor=STAFF,
                now=timezone.now(),
            )
            return []

        return call

    def flow(number: int) -> Callable[[], list[Any]]:
        source = circle[number % 3]
        return lambda: [contributing(source, f"{number}-{n}")() for n in range(10)]

    answers = at_once([*[flow(number) for number in range(8)], *map(close, circle[1:])])

    refused = {each for thread in answers for each in thread if isinstance(each, str)}
    assert refused <= {"INSTANCE_NOT_ACTIVE"}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT request_id) FROM jackpots_contribution")
        (requests,) = cursor.fetchone()
    # Every request wrote all of its legs or none.
    assert Contribution.objects.count() == 3 * requests
