"""The stored words of adapters. Values go over the wire, so they never change."""

from django.db import models


class AdapterKind(models.TextChoices):
    """What stands behind an adapter."""

    INTERNAL = "internal", "Our own ledger"
    HTTP = "http", "A casino platform, over HTTP"


class DeliveryStatus(models.TextChoices):
    """How far the delivery of one message to one endpoint is."""

    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class MessageOutcome(models.TextChoices):
    """What came of a webhook message."""

    RECEIVED = "received", "Received, not interpreted"
    APPLIED = "applied", "Applied"
    DUPLICATE = "duplicate", "Answered before"
    PARKED = "parked", "Parked: the grant is not there yet"
    TERMINAL_IMMUTABLE = "terminal_immutable", "The grant has ended"
    UNSUPPORTED_EVENT = "unsupported_event", "Not an event we know"
    REFUSED = "refused", "Refused"
