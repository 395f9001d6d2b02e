"""
Webhooks of platforms: verified, stored as they are, then interpreted.

Three transactions on purpose, the first and the last a single statement each. The bytes are
safe before anybody makes sense of them; the event with its effect is one
(bonuses.services.state_sync); and what came of it is noted last, where losing it costs nothing,
since the platform's next delivery says it again.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.db import transaction

from adapters import selectors
from adapters.enums import MessageOutcome
from adapters.errors import AdapterSecretUnreadable, WebhookSignatureInvalid
from adapters.http import signing
from adapters.models import WebhookMessage
from adapters.models.config import AdapterConfig
from adapters.models.inbox import DETAIL_LENGTH_MAX
from adapters.webhooks.parsing import parse_event
from bonuses.services.state_sync import SyncResult, apply_platform_event
from core.errors import DomainError, NotFound
from core.failpoints import failpoint
from core.prepared import prepared_cursor

# One that comes again is counted, and stays what it was.
_STORE = """
    INSERT INTO adapters_webhookmessage AS stored (
        operator_id, adapter_slug, webhook_id, signed_at, signatures, body, digest,
        delivery_count, outcome, event_id, detail, received_at, last_received_at
    )
    VALUES (
        %(operator)s, %(adapter_slug)s, %(webhook_id)s, %(signed_at)s, %(signatures)s, %(body)s,
        %(digest)s, 1, %(outcome)s, '', '', %(now)s, %(now)s
    )
    ON CONFLICT (adapter_slug, webhook_id, digest) DO UPDATE
    SET delivery_count = stored.delivery_count + 1, last_received_at = EXCLUDED.last_received_at
    RETURNING id
"""
# A repeat tells nothing about what came of the message the first time.
_SETTLE = """
    UPDATE adapters_webhookmessage
    SET outcome = %(outcome)s::text, event_id = %(event_id)s, status_code = %(status_code)s,
        detail = %(detail)s
    WHERE id = %(id)s
        AND (%(outcome)s::text <> %(duplicate)s OR outcome IN (%(received)s, %(duplicate)s))
"""


def receive_bonus_event(
    *, adapter_slug: str, headers: Mapping[str, str], body: bytes, now: datetime
) -> SyncResult:
    """
    Take in a webhook about a bonus and return what came of it.

    Nothing is stored unless one of the adapter's live secrets signed the message. The secret
    is the adapter's own, so a message that is replayed to another adapter is not signed there.

    :raises NotFound: if no platform has that slug, or the event's bonus is not known.
    :raises WebhookSignatureInvalid: if the signature is missing, wrong, or too old.
    :raises AdapterSecretUnreadable: if it may be signed with a secret that no key of ours opens.
    :raises InvalidEvent: if it is not an event as the contract describes it.
    :raises EventIdReused: if its event id belongs to an event with another body.
    :raises ResourceBusy: if the grant is in use; the message is stored, nothing else changed.
    """
    config = _find_platform(adapter_slug)
    _verify(config, headers=headers, body=body, now=now)
    message_id = _store(config, headers=headers, body=body, now=now)
    failpoint("inbox.after_store")
    event_id = ""
    try:
        event = parse_event(body)
        event_id = event.event_id
        result = apply_platform_event(
            operator=config.operator, adapter_slug=config.slug, event=event, now=now
        )
    except DomainError as refusal:
        _settle(
            message_id,
            outcome=MessageOutcome.REFUSED,
            event_id=event_id,
            status_code=refusal.status,
            detail=f"{refusal.code}: {refusal.detail}",
        )
        raise
    failpoint("inbox.before_settle")
    _settle(
        message_id,
        outcome=MessageOutcome(result.reason or MessageOutcome.APPLIED),
        event_id=event_id,
        status_code=200,
        detail="",
    )
    return result


def delete_old_messages(*, now: datetime, keep_for: timedelta, batch_size: int, limit: int) -> int:
    """
    Delete up to ``limit`` messages that last arrived longer ago than that; return how many.

    Each batch is a transaction of its own. One that arrives again meanwhile may go all the
    same: the event that it said is kept for ever (bonuses.models.PlatformEvent).
    """
    deleted_count = 0
    while deleted_count < limit:
        count = _delete_batch(now - keep_for, min(batch_size, limit - deleted_count))
        deleted_count += count
        if count < batch_size:
            break
    return deleted_count


@transaction.atomic(durable=True)
def _delete_batch(before: datetime, size: int) -> int:
    old = WebhookMessage.objects.filter(last_received_at__lt=before)
    ids = list(old.order_by("last_received_at").values_list("pk", flat=True)[:size])
    deleted_count, _by_model = WebhookMessage.objects.filter(pk__in=ids).delete()
    return deleted_count


def _find_platform(adapter_slug: str) -> AdapterConfig:
    config = selectors.find_adapter_config(slug=adapter_slug)
    if config.is_internal:
        raise NotFound("There is no such adapter.")
    return config


def _verify(
    config: AdapterConfig, *, headers: Mapping[str, str], body: bytes, now: datetime
) -> None:
    secrets = selectors.list_live_secrets(config=config, now=now)
    try:
        signing.verify(secrets, headers, body, now)
    except WebhookSignatureInvalid:
        if len(secrets) == config.live_secret_count(now=now):
            raise
        # A 401 would tell a platform that signed well never to send it again.
        raise AdapterSecretUnreadable(
            "The signature cannot be checked at present. Send the message again later."
        ) from None


def _store(config: AdapterConfig, *, headers: Mapping[str, str], body: bytes, now: datetime) -> int:
    cursor = prepared_cursor()
    cursor.execute(
        _STORE,
        {
            "operator": config.operator_id,
            "adapter_slug": config.slug,
            "webhook_id": headers[signing.ID_HEADER],
            "signed_at": datetime.fromtimestamp(int(headers[signing.TIMESTAMP_HEADER]), UTC),
            "signatures": headers[signing.SIGNATURE_HEADER],
            "body": body,
            "digest": hashlib.sha256(body).hexdigest(),
            "outcome": MessageOutcome.RECEIVED,
            "now": now,
        },
    )
    (message_id,) = cursor.fetchone()
    return int(message_id)


def _settle(
    message_id: int, *, outcome: MessageOutcome, event_id: str, status_code: int, detail: str
) -> None:
    prepared_cursor().execute(
        _SETTLE,
        {
            "id": message_id,
            "outcome": outcome,
            "event_id": event_id,
            "status_code": status_code,
            "detail": detail[:DETAIL_LENGTH_MAX],
            "received": MessageOutcome.RECEIVED,
            "duplicate": MessageOutcome.DUPLICATE,
        },
    )
