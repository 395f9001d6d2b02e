"""What platforms sent us, byte for byte."""

from typing import ClassVar

import pgtrigger
from django.db import models

from adapters.enums import MessageOutcome
from adapters.models.config import SLUG_LENGTH_MAX
from core.querysets import OperatorQuerySet

MESSAGE_ID_LENGTH_MAX = 255
EVENT_ID_LENGTH_MAX = 255
DETAIL_LENGTH_MAX = 500


class WebhookMessageQuerySet(OperatorQuerySet["WebhookMessage"]):
    pass


class WebhookMessage(models.Model):
    """
    A webhook of a platform, as it was before anybody interpreted it.

    Written before the body is parsed, in a transaction of its own, and only if a live secret
    signed it: a stranger leaves no trace. The same message again is counted on its row.
    ``outcome`` is RECEIVED until the message has been answered; one that stays so met a bug or
    a crash, and the platform was not told that it arrived.

    Invariant: what was received does not change (trigger).
    """

    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    adapter_slug = models.CharField(max_length=SLUG_LENGTH_MAX)
    webhook_id = models.CharField("webhook-id", max_length=MESSAGE_ID_LENGTH_MAX)
    signed_at = models.DateTimeField(help_text="The sender's clock, in webhook-timestamp.")
    signatures = models.TextField("webhook-signature")
    body = models.BinaryField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the body.")
    delivery_count = models.PositiveIntegerField("deliveries", default=1)
    outcome = models.CharField(
        max_length=24, choices=MessageOutcome.choices, default=MessageOutcome.RECEIVED
    )
    status_code = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="What was answered."
    )
    event_id = models.CharField(max_length=EVENT_ID_LENGTH_MAX, blank=True)
    detail = models.CharField(max_length=DETAIL_LENGTH_MAX, blank=True, help_text="Of a refusal.")
    received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()

    objects = models.Manager.from_queryset(WebhookMessageQuerySet)()

    class Meta:
        verbose_name = "webhook message"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="webhook_message_stored_once", fields=["adapter_slug", "webhook_id", "digest"]
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="webhook_message_newest_first", fields=["operator", "-id"]),
            models.Index(name="webhook_message_by_event", fields=["adapter_slug", "event_id"]),
            models.Index(name="webhook_message_oldest_first", fields=["last_received_at"]),
        ]
        triggers: ClassVar = [
            pgtrigger.Protect(
                name="webhook_message_stays_as_received",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "operator_id",
                    "adapter_slug",
                    "webhook_id",
                    "signed_at",
                    "signatures",
                    "body",
                    "digest",
                    "received_at",
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.webhook_id} of {self.adapter_slug}"
