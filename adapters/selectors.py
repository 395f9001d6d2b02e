"""Reads of adapters."""

import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Min, QuerySet

from adapters.models import (
    AdapterConfig,
    AdapterConfigQuerySet,
    DeliveryAttempt,
    WebhookDelivery,
    WebhookDeliveryQuerySet,
    WebhookEndpoint,
    WebhookEndpointQuerySet,
)
from adapters.models.config import SLUG_PATTERN
from core.errors import NotFound
from core.prepared import prepared_cursor
from core.rows import RowOf
from core.sealing import SealBroken, unseal
from operators.models import Operator

logger = logging.getLogger(__name__)

#: A receiver that is deployed anew is away for minutes: that is nobody's worry.
FAILING_LONG = timedelta(hours=1)

_CONFIG, _OPERATOR = RowOf(AdapterConfig), RowOf(Operator)
_FOUND = """
    SELECT {columns} FROM adapters_adapterconfig
    JOIN operators_operator ON operators_operator.id = adapters_adapterconfig.operator_id
    WHERE adapters_adapterconfig.slug = %s
"""
_FIND = _FOUND.format(columns=f"{_CONFIG.columns}, {_OPERATOR.columns}")


@dataclass(frozen=True, slots=True)
class FailingEndpoints:
    """How many endpoints fail, and since when the longest of them has."""

    count: int
    longest_since: datetime | None


def get_adapter_config(*, operator: Operator, slug: str) -> AdapterConfig:
    """
    Return the operator's adapter with that slug.

    :raises NotFound: if it has none, or another operator has it.
    """
    return _only(AdapterConfig.objects.for_operator(operator).with_slug(slug))


def list_adapter_configs(*, operator: Operator) -> AdapterConfigQuerySet:
    """Return the operator's adapters."""
    return AdapterConfig.objects.for_operator(operator)


def find_adapter_config(*, slug: str) -> AdapterConfig:
    """
    Return the adapter with that slug, whosever it is, its operator fetched.

    For those who have no operator to ask for: a platform's webhook names its tenant by the
    slug, and proves by the secret that it may.

    :raises NotFound: if there is none.
    """
    row = None
    # What cannot be stored cannot be asked for either: the database refuses a NUL.
    if re.match(SLUG_PATTERN, slug):
        cursor = prepared_cursor()
        cursor.execute(_FIND, [slug])
        row = cursor.fetchone()
    if row is None:
        raise _no_such_adapter()
    values = iter(row)
    config = _CONFIG.take(values)
    config.operator = _OPERATOR.take(values)
    return config


def get_default_config(*, operator: Operator) -> AdapterConfig:
    """
    Return the adapter through which the operator's new bonuses go.

    :raises NotFound: if there is none, which only raw SQL can bring about.
    """
    return _only(AdapterConfig.objects.for_operator(operator).default())


def list_live_secrets(*, config: AdapterConfig, now: datetime) -> list[str]:
    """
    Return the secrets that are accepted now, the current one first; none if internal.

    One that none of our keys opens is left out, and the log says what to do about it.
    """
    sealed = [config.sealed_secret] if config.has_secret else []
    if config.has_previous_secret(now=now):
        sealed.append(config.previous_sealed_secret)
    opened = []
    for each in sealed:
        try:
            opened.append(unseal(each))
        except SealBroken:
            logger.error(
                "a secret of adapter %s cannot be opened: put the key that sealed it back into "
                "SECRETS_KEYS, or give the adapter a new secret",
                config.slug,
            )
    return opened


def get_endpoint(*, operator: Operator, endpoint_id: UUID) -> WebhookEndpoint:
    """
    Return the operator's webhook endpoint with that id.

    :raises NotFound: if it has none, or another operator has it.
    """
    endpoint = WebhookEndpoint.objects.for_operator(operator).filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFound("There is no such webhook endpoint.")
    return endpoint


def list_endpoints(*, operator: Operator) -> WebhookEndpointQuerySet:
    """Return the operator's webhook endpoints."""
    return WebhookEndpoint.objects.for_operator(operator)


def read_failing_endpoints(*, since: datetime) -> FailingEndpoints:
    """
    Return the active endpoints of all operators that have taken nothing since then, or longer.

    One statement over all endpoints, of which an operator has a few.
    """
    found = WebhookEndpoint.objects.failing_since(since).aggregate(
        count=Count("pk"), longest=Min("failing_since")
    )
    return FailingEndpoints(found["count"], found["longest"])


def list_endpoint_secrets(*, endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Return the secrets that a message to the endpoint is signed with, the current one first."""
    sealed = [endpoint.sealed_secret]
    if endpoint.has_previous_secret(now=now):
        sealed.append(endpoint.previous_sealed_secret)
    return [unseal(each) for each in sealed]


def list_deliveries(*, operator: Operator) -> WebhookDeliveryQuerySet:
    """Return what was sent, or is on its way, to the operator's endpoints."""
    return WebhookDelivery.objects.for_operator(operator)


def list_delivery_attempts(*, delivery: WebhookDelivery) -> QuerySet[DeliveryAttempt]:
    """Return the attempts of a delivery, the newest first."""
    return DeliveryAttempt.objects.filter(delivery=delivery).order_by("-pk")


def _only(found: AdapterConfigQuerySet) -> AdapterConfig:
    config = found.first()
    if config is None:
        raise _no_such_adapter()
    return config


def _no_such_adapter() -> NotFound:
    return NotFound("There is no such adapter.")
