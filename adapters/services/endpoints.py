"""Webhook endpoints: where an operator hears from us, what of, and signed with which secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from adapters.http import signing
from adapters.http.guard import AddressRefused
from adapters.models import WebhookDelivery, WebhookEndpoint
from adapters.models.endpoint import ENDPOINT_SECRET_OVERLAP, REASON_LENGTH_MAX
from adapters.webhooks import sender
from adapters.webhooks.topics import TOPICS
from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest
from core.sealing import seal
from operators.models import Operator

_PLAIN_FIELDS = ("url", "description", "topics")


@dataclass(frozen=True, slots=True)
class EndpointSecret:
    """An endpoint, and its new secret, which is shown this once."""

    endpoint: WebhookEndpoint
    secret: str


def create_endpoint(
    *,
    operator: Operator,
    url: str,
    description: str,
    topics: Sequence[str],
    secret: str | None,
    actor: Actor,
    now: datetime,
) -> EndpointSecret:
    """
    Make an endpoint that hears of ``topics``, or of everything if there are none.

    Without a ``secret`` one is made. Its address is looked up first, outside the transaction.

    :raises InvalidRequest: if we may not send to the address, a topic is not one, or the
        secret is not of the Standard Webhooks form.
    """
    chosen = _checked_secret(secret)
    endpoint = WebhookEndpoint(
        operator=operator,
        url=_checked_url(url),
        description=description,
        topics=_checked_topics(topics),
        sealed_secret=seal(chosen),
        created_at=now,
    )
    return EndpointSecret(endpoint=_create(endpoint, actor=actor, now=now), secret=chosen)


@transaction.atomic(durable=True)
def _create(endpoint: WebhookEndpoint, *, actor: Actor, now: datetime) -> WebhookEndpoint:
    endpoint.save(force_insert=True)
    _record(endpoint, "created", after=_described(endpoint), actor=actor, now=now)
    return endpoint


def update_endpoint(
    *,
    operator: Operator,
    endpoint_id: UUID,
    changes: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> WebhookEndpoint:
    """
    Change address, description, topics or ``is_active`` of an endpoint; others stay.

    What is on its way already goes to the new address. Switching it off and on is as
    disable_endpoint and enable_endpoint do it.

    :raises NotFound: if the operator has no such endpoint.
    :raises InvalidRequest: if we may not send to the address, or a topic is not one.
    :raises ResourceBusy: if the endpoint is in use; nothing was changed.
    """
    wanted = dict(changes)
    if "url" in wanted:
        wanted["url"] = _checked_url(wanted["url"])
    if "topics" in wanted:
        wanted["topics"] = _checked_topics(wanted["topics"])
    return _update(operator, endpoint_id, wanted, actor=actor, now=now)


@transaction.atomic(durable=True)
def _update(
    operator: Operator,
    endpoint_id: UUID,
    changes: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> WebhookEndpoint:
    endpoint = _lock(operator, endpoint_id)
    before = _described(endpoint)
    fields = [name for name in _PLAIN_FIELDS if name in changes]
    for name in fields:
        setattr(endpoint, name, changes[name])
    changed = [name for name in fields if before[name] != _described(endpoint)[name]]
    if changed:
        endpoint.save(update_fields=changed)
        after = _described(endpoint)
        _record(
            endpoint,
            "changed",
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
            actor=actor,
            now=now,
        )
    match changes.get("is_active"):
        case True:
            _switch_on(endpoint, reason="", actor=actor, now=now)
        case False:
            _switch_off(endpoint, reason="Switched off.", actor=actor, now=now)
    return endpoint


def rotate_endpoint_secret(
    *,
    operator: Operator,
    endpoint_id: UUID,
    secret: str | None,
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> EndpointSecret:
    """
    Give an endpoint a new secret; for a day messages are signed with the old one too.

    An older one than that, from a rotation within the day, is dropped at once.

    :raises NotFound: if the operator has no such endpoint.
    :raises InvalidRequest: if the secret is not of the Standard Webhooks form.
    :raises ResourceBusy: if the endpoint is in use; nothing was changed.
    """
    chosen = _checked_secret(secret)
    endpoint = _rotate(operator, endpoint_id, seal(chosen), reason=reason, actor=actor, now=now)
    return EndpointSecret(endpoint=endpoint, secret=chosen)


@transaction.atomic(durable=True)
def _rotate(
    operator: Operator,
    endpoint_id: UUID,
    sealed: str,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> WebhookEndpoint:
    endpoint = _lock(operator, endpoint_id)
    endpoint.previous_sealed_secret = endpoint.sealed_secret
    endpoint.previous_valid_until = now + ENDPOINT_SECRET_OVERLAP
    endpoint.sealed_secret = sealed
    endpoint.save(update_fields=["sealed_secret", "previous_sealed_secret", "previous_valid_until"])
    _record(
        endpoint,
        "secret_rotated",
        after={"previous_valid_until": endpoint.previous_valid_until.isoformat()},
        reason=reason,
        actor=actor,
        now=now,
    )
    return endpoint


@transaction.atomic(durable=True)
def disable_endpoint(
    *, operator: Operator, endpoint_id: UUID, reason: str, actor: Actor, now: datetime
) -> WebhookEndpoint:
    """
    Switch an endpoint off: it hears of nothing that happens, and what is pending waits.

    Again, it changes nothing.

    :raises NotFound: if the operator has no such endpoint.
    :raises ResourceBusy: if the endpoint is in use; nothing was changed.
    """
    endpoint = _lock(operator, endpoint_id)
    _switch_off(endpoint, reason=reason, actor=actor, now=now)
    return endpoint


@transaction.atomic(durable=True)
def enable_endpoint(
    *, operator: Operator, endpoint_id: UUID, reason: str, actor: Actor, now: datetime
) -> WebhookEndpoint:
    """
    Switch an endpoint on: what waited is sent now. What happened meanwhile it never hears.

    Again, it changes nothing.

    :raises NotFound: if the operator has no such endpoint.
    :raises ResourceBusy: if the endpoint is in use; nothing was changed.
    """
    endpoint = _lock(operator, endpoint_id)
    _switch_on(endpoint, reason=reason, actor=actor, now=now)
    return endpoint


@transaction.atomic
def disable_gone_endpoint(*, endpoint_id: UUID, actor: Actor, now: datetime) -> WebhookEndpoint:
    """
    Switch off an endpoint that answered 410 Gone. Joins the caller's transaction.

    :raises ResourceBusy: if the endpoint is in use; nothing was changed.
    """
    endpoint = locks.lock_one(
        WebhookEndpoint.objects.filter(pk=endpoint_id).select_related("operator")
    )
    _switch_off(endpoint, reason="It answered 410 Gone.", actor=actor, now=now)
    return endpoint


def _lock(operator: Operator, endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = locks.lock_one(WebhookEndpoint.objects.for_operator(operator).filter(pk=endpoint_id))
    endpoint.operator = operator
    return endpoint


def _switch_off(endpoint: WebhookEndpoint, *, reason: str, actor: Actor, now: datetime) -> None:
    if not endpoint.is_active:
        return
    endpoint.is_active = False
    endpoint.disabled_reason = reason[:REASON_LENGTH_MAX]
    endpoint.failing_since = None
    endpoint.save(update_fields=["is_active", "disabled_reason", "failing_since"])
    _pending_of(endpoint).update(next_attempt_at=None)
    _record(endpoint, "disabled", reason=endpoint.disabled_reason, actor=actor, now=now)


def _switch_on(endpoint: WebhookEndpoint, *, reason: str, actor: Actor, now: datetime) -> None:
    if endpoint.is_active:
        return
    endpoint.is_active = True
    endpoint.disabled_reason = ""
    endpoint.save(update_fields=["is_active", "disabled_reason"])
    # All of them, not only those that wait: one may be put aside at this very moment by
    # somebody who still believes the endpoint to be off, and this waits for that row.
    _pending_of(endpoint).update(next_attempt_at=now)
    _record(endpoint, "enabled", reason=reason, actor=actor, now=now)


def _pending_of(endpoint: WebhookEndpoint) -> Any:
    return WebhookDelivery.objects.pending().filter(endpoint=endpoint)


def _checked_url(url: str) -> str:
    try:
        return sender.checked_url(url)
    except AddressRefused as error:
        raise InvalidRequest.for_field("url", str(error)) from None


def _checked_topics(topics: Sequence[str]) -> list[str]:
    unknown = sorted(set(topics) - set(TOPICS))
    if unknown:
        raise InvalidRequest.for_field("topics", f"There is no topic {unknown[0]!r}.")
    return sorted(set(topics))


def _checked_secret(secret: str | None) -> str:
    if secret is None:
        return signing.make_secret()
    try:
        signing.decode_secret(secret)
    except signing.SecretMalformed as error:
        raise InvalidRequest.for_field("secret", str(error)) from None
    return secret


def _described(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "topics": list(endpoint.topics),
    }


def _record(
    endpoint: WebhookEndpoint,
    move: str,
    *,
    actor: Actor,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    audit.record_action(
        operator=endpoint.operator,
        actor=actor,
        action=f"webhook.endpoint.{move}",
        subject=endpoint,
        before=before,
        after=after,
        reason=reason,
        now=now,
    )
