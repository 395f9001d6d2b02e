"""adapters.metrics: deliveries that are late or given up, and endpoints that take nothing."""

from datetime import datetime, timedelta

import pytest

from adapters.enums import DeliveryStatus
from tests.factories.webhooks import WebhookDeliveryFactory, WebhookEndpointFactory
from tests.watching import searched_by, told_by

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_where_nothing_happens_everything_is_nothing(now: datetime) -> None:
    assert set(told_by("webhooks", now).values()) == {0}


def test_deliveries_are_due_once_their_attempt_has_come(now: datetime) -> None:
    for hours in (-2, -1, 1):
        WebhookDeliveryFactory.create(next_attempt_at=now + hours * HOUR)
    # Put aside, until its endpoint is switched on.
    WebhookDeliveryFactory.create(next_attempt_at=None)
    WebhookDeliveryFactory.create(status=DeliveryStatus.DELIVERED)

    found = told_by("webhooks", now)

    assert found["deliveries_due"] == 2
    assert found["deliveries_oldest_due_seconds"] == 2 * 3600


def test_what_was_given_up_is_told_for_a_week(now: datetime) -> None:
    for days in (6, 8):
        WebhookDeliveryFactory.create(status=DeliveryStatus.FAILED, created_at=now - days * DAY)

    assert told_by("webhooks", now)["deliveries_failed"] == 1


def test_an_endpoint_fails_while_it_is_switched_on(now: datetime) -> None:
    WebhookEndpointFactory.create(failing_since=now - 3 * HOUR)
    WebhookEndpointFactory.create(failing_since=now - 9 * HOUR, is_active=False)
    WebhookEndpointFactory.create()

    found = told_by("webhooks", now)

    assert found["endpoints_failing"] == 1
    assert found["endpoints_longest_failing_seconds"] == 3 * 3600


def test_large_tables_are_asked_through_an_index(now: datetime) -> None:
    searched = searched_by("webhooks", now, "webhook_delivery_due", "webhook_delivery_failed")

    [due], [failed] = searched["webhook_delivery_due"], searched["webhook_delivery_failed"]
    assert "next_attempt_at <= " in due
    assert "created_at > " in failed
