"""Where an operator wants to hear from us."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.models import new_id
from core.querysets import OperatorQuerySet

URL_LENGTH_MAX = 500
DESCRIPTION_LENGTH_MAX = 200
TOPIC_LENGTH_MAX = 64
REASON_LENGTH_MAX = 200
#: How long messages are signed with the old secret too, beside a new one.
ENDPOINT_SECRET_OVERLAP = timedelta(hours=24)


class WebhookEndpointQuerySet(OperatorQuerySet["WebhookEndpoint"]):
    def active(self) -> Self:
        """Endpoints that messages are sent to."""
        return self.filter(is_active=True)

    def failing_since(self, instant: datetime) -> Self:
        """Active endpoints that have taken nothing since ``instant`` or longer."""
        return self.active().filter(failing_since__lte=instant)


class WebhookEndpoint(models.Model):
    """
    An address of an operator that our messages are sent to, and which ones.

    ``topics`` lists what it wants to hear of; empty: everything. Messages are signed with
    its secret, which is sealed (core.sealing) and shown once, when it is made; until
    ``previous_valid_until`` with the previous one too.

    ``failing_since`` is the first failure after the last message that it took. An endpoint
    that is switched off hears nothing, and what it has not heard yet waits.

    Invariants, each one a constraint below:
    - it is switched off for a reason;
    - a previous secret has an end.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    url = models.CharField("address", max_length=URL_LENGTH_MAX)
    description = models.CharField(max_length=DESCRIPTION_LENGTH_MAX, blank=True)
    topics = ArrayField(models.CharField(max_length=TOPIC_LENGTH_MAX), default=list, blank=True)
    sealed_secret = models.TextField(editable=False)
    previous_sealed_secret = models.TextField(blank=True, editable=False)
    previous_valid_until = models.DateTimeField(
        "previous secret valid until", null=True, blank=True, help_text="Exclusive."
    )
    is_active = models.BooleanField("active", default=True)
    disabled_reason = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(WebhookEndpointQuerySet)()

    class Meta:
        verbose_name = "webhook endpoint"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="webhook_endpoint_off_for_a_reason",
                condition=Q(is_active=True, disabled_reason="")
                | (Q(is_active=False) & ~Q(disabled_reason="")),
            ),
            models.CheckConstraint(
                name="webhook_endpoint_has_its_secret", condition=~Q(sealed_secret="")
            ),
            models.CheckConstraint(
                name="webhook_endpoint_previous_secret_has_its_end",
                condition=Q(previous_sealed_secret="", previous_valid_until=None)
                | (~Q(previous_sealed_secret="") & Q(previous_valid_until__isnull=False)),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="webhook_endpoint_newest_first", fields=["operator", "-id"])
        ]
        permissions: ClassVar = [
            ("rotate_webhookendpoint_secret", "Can give an endpoint a new secret"),
            ("disable_webhookendpoint", "Can switch an endpoint off and on"),
            ("test_webhookendpoint", "Can send an endpoint a test message"),
        ]

    def __str__(self) -> str:
        return self.url

    def wants(self, topic: str) -> bool:
        """Tell whether messages of ``topic`` are sent to it."""
        return not self.topics or topic in self.topics

    def has_previous_secret(self, *, now: datetime) -> bool:
        """Tell whether messages are signed with the previous secret too."""
        return self.previous_valid_until is not None and now < self.previous_valid_until
