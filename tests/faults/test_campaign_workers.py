"""
Real Celery workers on a real broker: one is killed, messages come twice and again while they
are worked on, and every player still gets exactly one bonus.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection
from kombu import Connection

from bonuses.enums import CampaignStatus
from core.actors import Actor
from operators.models import Operator
from tests.bonuses.campaigns import Campaigning, again, check_sums, grants_of, stats_of
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db(transaction=True)

TARGETS, PATIENCE_S = 40, 120
#: Nobody else's messages are in it, and those of this test are in no other.
BROKER_URL = urlunsplit(urlsplit(settings.CELERY_BROKER_URL)._replace(path="/9"))

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def worker() -> Iterator[Start]:
    """Return a function that starts a worker of the test's database and broker."""
    database = connection.settings_dict
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database['NAME']}")
    started: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> subprocess.Popen[bytes]:
        command = ["-m", "celery", "-A", "tests.faults.worker", "worker", "--pool", "solo"]
        process = subprocess.Popen(
            [sys.executable, *command, "--without-mingle", "--without-gossip", "--queues=bonuses"],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "config.settings.test",
                "DATABASE_URL": urlunsplit(url),
                "BROKER_URL": BROKER_URL,
                **environment,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    with Connection(BROKER_URL) as broker:
        broker.default_channel.client.flushdb()


def send(task: str, **kwargs: Any) -> None:
    with Connection(BROKER_URL) as broker:
        current_app.send_task(f"bonuses.tasks.{task}", kwargs=kwargs, connection=broker)


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "nobody went on"
        time.sleep(0.3)


def test_workers_that_die_and_messages_that_repeat_give_one_bonus_each(
    operator: Operator, actor: Actor, now: datetime, worker: Start
) -> None:
    ExchangeRateFactory.create(operator=operator)
    world = Campaigning(operator, actor, now)
    campaign = world.draft(PlayerFactory.create_batch(TARGETS, operator=operator))
    world.start(campaign)
    for _delivery in range(3):
        send("issue_campaign", campaign_id=str(campaign.pk))

    dying = worker(FAILPOINTS="campaign.after_attempt:kill")
    wait_until(lambda: dying.poll() is not None)
    assert dying.returncode == -signal.SIGKILL
    assert grants_of(campaign) != []
    check_sums(campaign)
    # Whoever comes now is given the message of the dead one, too.
    living = [worker(), worker()]
    wait_until(lambda: len(grants_of(campaign)) == TARGETS)
    send("continue_campaigns")
    wait_until(lambda: again(campaign).status == CampaignStatus.ISSUED)

    assert all(each.poll() is None for each in living)
    assert stats_of(campaign) == {"granted": TARGETS}
    assert len({grant.player_id for grant in grants_of(campaign)}) == TARGETS
