"""What platforms told us of bonuses, and what came of it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from bonuses.enums import EventOutcome, GrantStatus, PlatformEventType
from bonuses.models.grant import BonusGrant
from bonuses.models.issuance import BonusIssuance
from core.querysets import OperatorQuerySet


class PlatformEventQuerySet(OperatorQuerySet["PlatformEvent"]):
    pass


class PlatformEvent(models.Model):
    """
    One event of a platform that has been answered: the seed's ``webhook_events_processed``.

    Written in the transaction of its effect. ``digest`` is the SHA-256 of the body, so that
    the same id with another body is noticed. A parked event waits for the grant of its
    ``issuance``; the transaction that writes the grant applies it.

    Invariant: an adapter's event id is answered once.
    """

    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    adapter_slug = models.CharField(max_length=64)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=64, help_text="As it came; see PlatformEventType.")
    digest = models.CharField(max_length=64)
    payload = models.JSONField(help_text="ts and data as they came.")
    outcome = models.CharField(max_length=24, choices=EventOutcome.choices)
    new_status = models.CharField(max_length=16, choices=GrantStatus.choices, blank=True)
    grant = models.ForeignKey(
        BonusGrant, on_delete=models.PROTECT, related_name="platform_events", null=True, blank=True
    )
    issuance = models.ForeignKey(
        BonusIssuance, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(PlatformEventQuerySet)()

    #: The words of ``type`` that have an effect.
    KNOWN: ClassVar = frozenset(PlatformEventType.values)

    class Meta:
        verbose_name = "platform event"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="platform_event_answered_once", fields=["adapter_slug", "event_id"]
            ),
            models.CheckConstraint(
                name="platform_event_applied_has_its_instant",
                condition=(Q(outcome=EventOutcome.APPLIED) & Q(applied_at__isnull=False))
                | (~Q(outcome=EventOutcome.APPLIED) & Q(applied_at=None)),
            ),
            models.CheckConstraint(
                name="platform_event_parked_names_its_issuance",
                condition=~Q(outcome=EventOutcome.PARKED) | Q(issuance__isnull=False, grant=None),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="platform_event_parked",
                fields=["issuance", "id"],
                condition=Q(outcome=EventOutcome.PARKED),
            ),
            models.Index(name="platform_event_newest_first", fields=["operator", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
