"""GET /metrics: who may ask, that each figure tells what there is, and what asking costs."""

import math
import socket
from datetime import datetime, timedelta
from typing import Any

import kombu
import pytest
from django.conf import settings as configured
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from core import metrics, outbox, tasks, ticks
from core.metrics import collect_figures, exposition, gauge
from core.models import BooksCheck
from operators.models import Operator

TOKEN = "a-token-of-forty-characters-0123456789abc"
PATH = "/metrics"
#: A transaction's begin and end, its timeout, and the figures; for all collectors.
STATEMENTS_MAX = 30


def figures(text: str | bytes) -> dict[str, float]:
    """Return every figure by its name, and its labels' values if it has any."""
    parsed = text_string_to_metric_families(text.decode() if isinstance(text, bytes) else text)
    return {
        "/".join([sample.name, *sample.labels.values()]): sample.value
        for family in parsed
        for sample in family.samples
    }


def told(now: datetime) -> dict[str, float]:
    return figures(exposition(now=now))


@pytest.fixture
def _with_token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.mark.django_db
def test_the_machine_itself_may_ask() -> None:
    response = APIClient().get(PATH)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "no-store" in response.headers["Cache-Control"]
    assert figures(response.content)["windfall_outbox_unrelayed"] == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
@pytest.mark.django_db
def test_every_address_of_the_machine_is_the_machine(address: str) -> None:
    assert APIClient(REMOTE_ADDR=address).get(PATH).status_code == 200


# None of these has the database mark: a refusal asks nobody.
@pytest.mark.parametrize("address", ["203.0.113.7", "10.0.0.1", "::ffff:10.0.0.1", "", "localhost"])
def test_nobody_else_may_ask(address: str) -> None:
    response = APIClient(REMOTE_ADDR=address).get(PATH)

    assert (response.status_code, response.content) == (403, b"Not from here.\n")


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via"],
)
def test_who_comes_through_a_proxy_is_not_the_machine(header: str) -> None:
    assert APIClient().get(PATH, headers={header: "127.0.0.1"}).status_code == 403


def test_a_loopback_address_counts_only_where_it_may(settings: Any) -> None:
    # Production: a proxy need not say that it is one.
    settings.METRICS_FROM_LOOPBACK = False

    assert APIClient().get(PATH).status_code == 403


@pytest.mark.usefixtures("_with_token")
@pytest.mark.django_db
def test_whoever_bears_the_token_may_ask_from_anywhere() -> None:
    client = APIClient(REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR="198.51.100.1")

    assert client.get(PATH, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.usefixtures("_with_token")
@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", TOKEN, f"Basic {TOKEN}", "Bearer é"]
)
def test_with_a_token_nothing_else_will_do(given: str) -> None:
    response = APIClient().get(PATH, HTTP_AUTHORIZATION=given)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert TOKEN not in response.content.decode()


def test_nothing_is_told_to_what_would_change_something() -> None:
    assert APIClient().post(PATH).status_code == 405


@pytest.mark.django_db
def test_the_outbox_tells_how_many_wait_and_since_when(operator: Operator, now: datetime) -> None:
    for seconds in (90, 10, 0):
        with transaction.atomic():
            message = outbox.publish(
                operator=operator,
                topic="test.happened",
                subject=operator,
                payload={},
                now=now - timedelta(seconds=seconds),
            )
    outbox.mark_relayed(messages=[message], now=now)

    found = told(now)

    assert found["windfall_outbox_unrelayed"] == 2
    assert found["windfall_outbox_oldest_unrelayed_seconds"] == 90


@pytest.mark.django_db
def test_nothing_is_counted_further_than_is_worth_it(
    operator: Operator, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.figures.COUNTED_MAX", 2)
    with transaction.atomic():
        for topic in "abc":
            outbox.publish(operator=operator, topic=topic, subject=operator, payload={}, now=now)

    assert told(now)["windfall_outbox_unrelayed"] == 2


@pytest.mark.django_db
def test_books_that_were_never_checked_are_infinitely_old(now: datetime) -> None:
    found = told(now)

    assert found["windfall_books_check_age_seconds"] == math.inf
    assert found["windfall_books_differences"] == 0


@pytest.mark.django_db
def test_the_books_tell_what_the_last_check_found(now: datetime) -> None:
    for hours, differences in ((30, []), (2, [{"check": "a"}, {"check": "b"}])):
        at = now - timedelta(hours=hours)
        BooksCheck.objects.create(
            started_at=at, finished_at=at, checked_count=9, differences=differences
        )

    found = told(now)

    assert found["windfall_books_check_age_seconds"] == 2 * 3600
    assert found["windfall_books_differences"] == 2


@pytest.mark.django_db
def test_a_queue_that_nobody_has_ever_served_is_silent_for_ever(now: datetime) -> None:
    found = told(now)

    assert {
        queue: found[f"windfall_queue_tick_age_seconds/{queue}"] for queue in configured.QUEUES
    } == dict.fromkeys(configured.QUEUES, math.inf)


@pytest.mark.django_db
def test_a_tick_is_noted_for_its_queue_and_no_other() -> None:
    tasks.tick.apply(kwargs={"queue": "jackpots", "something_newer": 1}).get()

    now = timezone.now()
    found = told(now)
    assert 0 <= found["windfall_queue_tick_age_seconds/jackpots"] < 60
    assert found["windfall_queue_tick_age_seconds/core"] == math.inf
    assert told(now + timedelta(hours=1))["windfall_queue_tick_age_seconds/jackpots"] >= 3600


def test_ticks_are_kept_apart(now: datetime) -> None:
    ticks.note_tick(queue="core", now=now)

    assert ticks.last_ticks(queues=["core", "jackpots"]) == {"core": now, "jackpots": None}


def test_every_queue_gets_ticks_through_itself() -> None:
    entries = [
        entry
        for entry in configured.CELERY_BEAT_SCHEDULE.values()
        if entry["task"] == "core.tasks.tick"
    ]

    assert [entry["kwargs"]["queue"] for entry in entries] == configured.QUEUES
    assert [entry["options"]["queue"] for entry in entries] == configured.QUEUES


@pytest.mark.django_db
def test_queues_tell_how_long_they_are(settings: Any, now: datetime) -> None:
    # Queues of our own: the tests that run at the same time share the broker.
    settings.QUEUES = [f"{id(settings)}-full", f"{id(settings)}-empty"]
    with kombu.Connection(configured.CELERY_BROKER_URL) as broker:
        queue = broker.SimpleQueue(settings.QUEUES[0])
        for number in range(3):
            queue.put(number)
        found = told(now)
        queue.clear()
        queue.close()

    assert [found[f"windfall_queue_messages/{name}"] for name in settings.QUEUES] == [3, 0]


@pytest.mark.django_db
def test_the_database_tells_who_is_connected(operator: Operator, now: datetime) -> None:
    # The test is a transaction, and has written the operator.
    found = told(now)

    connected = sum(
        value for name, value in found.items() if name.startswith("windfall_database_connections/")
    )
    assert 1 <= connected <= found["windfall_database_connections_max"]
    assert found["windfall_database_oldest_write_seconds"] > 0
    assert found["windfall_database_transactions_behind"] == 0


@pytest.mark.django_db
def test_a_broker_that_is_away_takes_its_own_figures_only(settings: Any, now: datetime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{port}/0"

    found = told(now)

    assert found["windfall_collector_up/queues"] == 0
    assert found["windfall_collector_up/outbox"] == 1
    assert not [name for name in found if name.startswith("windfall_queue_messages")]


def test_a_database_that_is_away_is_asked_once(now: datetime, monkeypatch: Any) -> None:
    # Without the database mark it is out of reach, like a server that is down.
    asked: list[str] = []
    monkeypatch.setattr(metrics, "_means_away", lambda _error: True)
    monkeypatch.setattr(metrics, "_bounded", lambda *_given: asked.append("again") or 1 / 0)

    found = told(now)

    assert asked == ["again"]
    down = {name for name, value in found.items() if value == 0 and "collector_up" in name}
    assert {f"windfall_collector_up/{name}" for name in ("books", "jackpots", "outbox")} <= down
    assert found["windfall_collector_up/ticks"] == 1


@pytest.mark.django_db
def test_figures_that_take_long_are_given_up(now: datetime, monkeypatch: Any) -> None:
    def dawdle(_now: datetime) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")
        return [gauge("never", "Never told.", 1)]

    monkeypatch.setattr(metrics, "STATEMENT_TIMEOUT_MS", 500)
    monkeypatch.setitem(metrics._collectors, "a-slow-one", (dawdle, True))

    found = told(now)

    assert found["windfall_collector_up/a-slow-one"] == 0
    # It was slow, and not away: the next one was asked.
    assert found["windfall_collector_up/books"] == 1


@pytest.mark.django_db
def test_asking_costs_few_statements(now: datetime) -> None:
    told(now)

    with CaptureQueriesContext(connection) as queries:
        told(now)

    assert len(queries) <= STATEMENTS_MAX


@pytest.mark.django_db
def test_every_app_that_has_figures_is_asked(now: datetime) -> None:
    names = {metric.name for metric in collect_figures(now=now)}

    assert metrics.collector_names() == sorted(
        ["books", "bonuses", "database", "jackpots", "outbox", "queues", "ticks", "webhooks"]
    )
    assert {name for name in names if not name.startswith("windfall_")} == set()
