"""What a contribution looks up it looks up by an index, also while there is hardly anything."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from core.models import IdempotencyRecord
from tests.conftest import Client
from tests.factories.jackpots import InstanceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def scans() -> Callable[[], int]:
    """Return a function that tells how often all idempotency records were read since now."""

    def count() -> int:
        # Of this session: what tests before have done may be among it.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = %s",
                [IdempotencyRecord._meta.db_table],
            )
            [found] = cursor.fetchone()
        return int(found)

    before = count()
    return lambda: count() - before


def test_contributions(
    contribute: Callable[..., Any], operator: Any, scans: Callable[[], int]
) -> None:
    instance = InstanceFactory.create(operator=operator)

    assert [contribute(instance, key=key).status_code for key in ("a", "b", "b")] == [201] * 3

    assert scans() == 0


def test_batches(
    contribute: Callable[..., Any], client: Client, operator: Any, scans: Callable[[], int]
) -> None:
    instance = InstanceFactory.create(operator=operator)
    wager = {"player_id": "ada", "base_wager": "10.00", "currency": "EUR"}
    items = [
        {**wager, "idempotency_key": f"key-{number}", "instance_id": str(instance.pk)}
        for number in range(10)
    ]

    for _time in range(2):
        response = client.post("/v2/jackpots/contributions/batch", {"contributions": items})

    assert {item["status"] for item in response.json()["results"]} == {"replayed"}
    assert scans() == 0
