"""What was sent to an endpoint, how often, and what came back."""

from datetime import datetime
from typing import ClassVar, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from adapters.enums import DeliveryStatus
from adapters.models.endpoint import TOPIC_LENGTH_MAX, WebhookEndpoint
from core.models import id_floor, new_id
from core.querysets import OperatorQuerySet

ERROR_LENGTH_MAX = 300
EXCERPT_LENGTH_MAX = 1_000


class WebhookDeliveryQuerySet(OperatorQuerySet["WebhookDelivery"]):
    def pending(self) -> Self:
        """Deliveries that are still to be made."""
        return self.filter(status=DeliveryStatus.PENDING)

    def due(self, *, now: datetime) -> Self:
        """Pending deliveries whose next attempt has come, and that nobody is attempting."""
        return self.pending().filter(
            Q(leased_until=None) | Q(leased_until__lte=now), next_attempt_at__lte=now
        )

    def settled_before(self, instant: datetime) -> Self:
        """Deliveries made before ``instant`` that are not to be attempted any more."""
        # Ids grow with time, and are the order in which old ones are found.
        return self.filter(pk__lt=id_floor(instant)).exclude(status=DeliveryStatus.PENDING)

    def in_turns(self, *, turns_max: int) -> Self:
        """The first of every endpoint before the second of any, and so on for ``turns_max``."""
        turn = Window(
            RowNumber(),
            partition_by=F("endpoint_id"),
            order_by=[F("next_attempt_at").asc(), F("pk").asc()],
        )
        numbered = self.annotate(turn=turn)
        return numbered.filter(Q(("turn__lte", turns_max))).order_by(
            "turn", "next_attempt_at", "pk"
        )


class WebhookDelivery(models.Model):
    """
    One message on its way to one endpoint.

    PENDING ─→ DELIVERED (it answered 2xx) | FAILED (three days of attempts, or 410 Gone);
    sending it again leads either of them back to PENDING, with the same message.

    ``attempts`` counts those since it was last queued. ``next_attempt_at`` is null when
    there is none to come, or while the endpoint is switched off. ``leased_until`` says that
    an attempt is under way, and when it is to be thought dead.

    Invariants, each one a constraint or a trigger below:
    - an endpoint gets a message through one delivery;
    - only a pending one has an attempt to come, and a delivered one its instant;
    - a pending one is never deleted. Settled ones go after OUTBOX_DAYS
      (adapters.services.retention), their attempts and their messages with them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    message = models.ForeignKey("core.OutboxMessage", on_delete=models.PROTECT, related_name="+")
    topic = models.CharField(max_length=TOPIC_LENGTH_MAX)
    status = models.CharField(
        max_length=16, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING
    )
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    last_status_code = models.PositiveIntegerField(null=True, blank=True)
    last_error = models.CharField(max_length=ERROR_LENGTH_MAX, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(WebhookDeliveryQuerySet)()

    class Meta:
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="webhook_delivery_once_an_endpoint", fields=["endpoint", "message"]
            ),
            models.CheckConstraint(
                name="webhook_delivery_state_has_its_columns",
                condition=Q(status=DeliveryStatus.PENDING, delivered_at=None)
                | Q(
                    status=DeliveryStatus.DELIVERED,
                    delivered_at__isnull=False,
                    next_attempt_at=None,
                    leased_until=None,
                )
                | Q(
                    status=DeliveryStatus.FAILED,
                    delivered_at=None,
                    next_attempt_at=None,
                    leased_until=None,
                ),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="webhook_delivery_due",
                fields=["next_attempt_at"],
                condition=Q(status=DeliveryStatus.PENDING),
            ),
            models.Index(
                name="webhook_delivery_failed",
                fields=["created_at"],
                condition=Q(status=DeliveryStatus.FAILED),
            ),
            models.Index(name="webhook_delivery_newest_first", fields=["operator", "-id"]),
            models.Index(name="webhook_delivery_of_endpoint", fields=["endpoint", "-id"]),
        ]
        permissions: ClassVar = [("replay_webhookdelivery", "Can send a message again")]
        triggers: ClassVar = [
            pgtrigger.FSM(
                name="webhook_delivery_moves",
                field="status",
                transitions=[
                    (DeliveryStatus.PENDING, DeliveryStatus.DELIVERED),
                    (DeliveryStatus.PENDING, DeliveryStatus.FAILED),
                    (DeliveryStatus.DELIVERED, DeliveryStatus.PENDING),
                    (DeliveryStatus.FAILED, DeliveryStatus.PENDING),
                ],
            ),
            pgtrigger.Protect(
                name="webhook_delivery_carries_one_message",
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "operator_id", "endpoint_id", "message_id", "topic", "created_at"
                ),
            ),
            pgtrigger.Protect(
                name="webhook_delivery_is_settled_or_kept",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Q(old__status=DeliveryStatus.PENDING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.message_id}"

    @property
    def is_pending(self) -> bool:
        """Tell whether it is still to be made."""
        return self.status == DeliveryStatus.PENDING

    @property
    def is_held(self) -> bool:
        """Tell whether it waits for its endpoint to be switched on."""
        return self.is_pending and self.next_attempt_at is None


class DeliveryAttempt(models.Model):
    """
    One attempt to deliver, and what came back; never changed, and kept as long as its delivery
    (triggers).

    ``excerpt`` is the beginning of the answer's body, as text. It is the receiver's: it is
    shown escaped, and means nothing to us. No status code: there was no answer.
    """

    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.PROTECT, related_name="log", db_index=False
    )
    at = models.DateTimeField()
    status_code = models.PositiveIntegerField(null=True, blank=True)
    duration_ms = models.PositiveIntegerField()
    error = models.CharField(max_length=ERROR_LENGTH_MAX, blank=True)
    excerpt = models.CharField(max_length=EXCERPT_LENGTH_MAX, blank=True)

    class Meta:
        verbose_name = "delivery attempt"
        indexes: ClassVar = [models.Index(name="delivery_attempt_log", fields=["delivery", "id"])]
        triggers: ClassVar = [
            pgtrigger.Protect(name="delivery_attempt_never_changes", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="delivery_attempt_goes_with_its_delivery",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=(
                    "IF EXISTS (SELECT FROM adapters_webhookdelivery WHERE id = OLD.delivery_id)"
                    " THEN RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table',"
                    " TG_TABLE_NAME; END IF; RETURN OLD;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.status_code or self.error}"
