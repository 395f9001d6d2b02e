"""core.outbox: a message exists if and only if its change was committed, and says one thing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import ProgrammingError, connection, connections, transaction

from core import outbox
from core.models import OutboxMessage
from operators.models import Operator
from tests.factories.players import PlayerFactory


def publish(operator: Operator, now: datetime, topic: str = "test.happened") -> OutboxMessage:
    with transaction.atomic():
        return outbox.publish(
            operator=operator, topic=topic, subject=operator, payload={"amount": "1.00"}, now=now
        )


@pytest.mark.django_db
def test_a_message_says_what_happened_to_what(operator: Operator, now: datetime) -> None:
    player = PlayerFactory.create(operator=operator)

    message = outbox.publish(
        operator=operator,
        topic="test.happened",
        subject=player,
        payload={"player_id": player.reference, "amount": "1.00"},
        now=now,
    )

    stored = OutboxMessage.objects.for_operator(operator).get()
    assert stored == message
    assert stored.pk.version == 7
    assert (stored.topic, stored.created_at) == ("test.happened", now)
    assert (stored.subject_type, stored.subject_id) == ("players.player", str(player.pk))
    assert stored.payload == {"player_id": player.reference, "amount": "1.00"}
    assert stored.relayed_at is None


@pytest.mark.django_db(transaction=True)
def test_a_message_without_a_transaction_is_the_programmers_mistake(
    operator: Operator, now: datetime
) -> None:
    with pytest.raises(AssertionError):
        outbox.publish(
            operator=operator, topic="test.happened", subject=operator, payload={}, now=now
        )

    assert OutboxMessage.objects.exists() is False


@pytest.mark.django_db(transaction=True)
def test_what_did_not_happen_is_not_told(operator: Operator, now: datetime) -> None:
    with transaction.atomic():
        publish(operator, now)
        transaction.set_rollback(True)

    assert OutboxMessage.objects.exists() is False


@pytest.mark.django_db(transaction=True)
def test_what_is_not_committed_is_not_passed_on(operator: Operator, now: datetime) -> None:
    seen: list[int] = []

    def look() -> None:
        try:
            with transaction.atomic():
                seen.append(len(outbox.lock_unrelayed(count_max=10)))
        finally:
            connections.close_all()

    with transaction.atomic():
        publish(operator, now)
        run(look)
    run(look)

    assert seen == [0, 1]


@pytest.mark.django_db
def test_messages_are_taken_oldest_first_and_once(operator: Operator, now: datetime) -> None:
    first, second, third = (publish(operator, now) for _ in range(3))

    taken = outbox.lock_unrelayed(count_max=2)
    marked_count = outbox.mark_relayed(messages=taken, now=now)

    assert taken == [first, second]
    assert marked_count == 2
    assert outbox.lock_unrelayed(count_max=2) == [third]
    assert outbox.mark_relayed(messages=taken, now=now + timedelta(hours=1)) == 0
    assert OutboxMessage.objects.get(pk=first.pk).relayed_at == now


@pytest.mark.django_db(transaction=True)
def test_two_who_take_at_once_never_take_the_same(operator: Operator, now: datetime) -> None:
    messages = {publish(operator, now).pk for _ in range(6)}
    taken: list[list[OutboxMessage]] = []
    both_hold = Barrier(2)

    def take() -> None:
        try:
            with transaction.atomic():
                taken.append(outbox.lock_unrelayed(count_max=3))
                both_hold.wait(timeout=60)
        finally:
            connections.close_all()

    run(take, take)

    assert [len(each) for each in taken] == [3, 3]
    assert {message.pk for each in taken for message in each} == messages


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_outboxmessage SET payload = '{}'",
        "UPDATE core_outboxmessage SET topic = 'test.other'",
        "UPDATE core_outboxmessage SET operator_id = -1",
        "DELETE FROM core_outboxmessage",
    ],
)
def test_a_message_cannot_be_made_to_say_something_else(
    operator: Operator, now: datetime, statement: str
) -> None:
    message = publish(operator, now)

    with (
        pytest.raises(ProgrammingError, match=r"Cannot (update|delete)"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert OutboxMessage.objects.get().payload == message.payload


@pytest.mark.django_db
def test_a_message_cannot_be_taken_back_once_it_is_out(operator: Operator, now: datetime) -> None:
    outbox.mark_relayed(messages=[publish(operator, now)], now=now)

    with (
        pytest.raises(ProgrammingError, match="Cannot update rows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE core_outboxmessage SET relayed_at = NULL")

    assert OutboxMessage.objects.get().relayed_at == now


def run(*targets: Callable[[], None]) -> None:
    """Run ``targets`` at the same time, each on a connection of its own."""
    threads = [Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
