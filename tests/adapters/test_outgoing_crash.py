"""A worker that is killed between sending and noting it: sent again, under the same id."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from adapters.models import DeliveryAttempt, WebhookDelivery
from adapters.services import deliveries
from core.actors import Actor, ActorKind
from tests.adapters.receivers import Receiver, receiving
from tests.factories.webhooks import WebhookDeliveryFactory

pytestmark = pytest.mark.django_db(transaction=True)

TASK = Actor(kind=ActorKind.TASK, ref="deliver_webhook")
WORKER = """
import sys
import django

django.setup()
from django.conf import settings
settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
from adapters import tasks

print(tasks.deliver_webhook.apply(kwargs={"delivery_id": sys.argv[1]}, throw=True).get())
"""


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as server:
        yield server


def worker(
    delivery: WebhookDelivery, *, failpoints: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run the task in a process of its own, on the test's database."""
    at = connection.settings_dict
    url = f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    return subprocess.run(
        [sys.executable, "-c", WORKER, str(delivery.pk)],
        cwd=django_settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url, "FAILPOINTS": failpoints},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_worker_killed_after_sending_sends_again_under_the_same_id(receiver: Receiver) -> None:
    delivery = WebhookDeliveryFactory.create(endpoint__url=receiver.url)

    died = worker(delivery, failpoints="delivery.after_http:kill")

    assert died.returncode == -signal.SIGKILL, died.stderr
    left = WebhookDelivery.objects.get(pk=delivery.pk)
    assert (left.status, left.attempts) == ("pending", 1)
    assert left.leased_until is not None
    assert DeliveryAttempt.objects.exists() is False
    assert len(receiver.received) == 1
    # While the lease runs, nobody knows that it is dead.
    assert worker(delivery).stdout == "False\n"

    after = left.leased_until + timedelta(seconds=1)
    swept = deliveries.attempt_due_deliveries(
        limit=10, time_max=timedelta(minutes=1), actor=TASK, clock=lambda: after
    )

    assert swept == 1
    first, second = receiver.received
    assert first.message_id == second.message_id == str(delivery.message_id)
    assert first.body == second.body
    assert WebhookDelivery.objects.get(pk=delivery.pk).status == "delivered"


def test_control_a_worker_that_lives_notes_it(receiver: Receiver) -> None:
    delivery = WebhookDeliveryFactory.create(endpoint__url=receiver.url)

    done = worker(delivery)

    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    noted = WebhookDelivery.objects.get(pk=delivery.pk)
    assert noted.status == "delivered"
    assert noted.delivered_at is not None
    assert datetime.now(UTC) - noted.delivered_at < timedelta(minutes=1)
    assert len(receiver.received) == DeliveryAttempt.objects.count() == 1
