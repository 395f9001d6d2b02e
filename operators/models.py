"""Tenants, their keys, and what a unit of money was worth to them, and when."""

from datetime import datetime
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from core.models import append_only, new_id
from core.money import AMOUNT_LIMIT, RATE_DECIMALS
from core.querysets import OperatorQuerySet
from operators.enums import Scope

# \Z, not $, which would take a slug with a line break at its end.
SLUG_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?\Z"


class Operator(models.Model):
    """A tenant: one gaming operator. Everything else belongs to exactly one of them."""

    slug = models.CharField(max_length=50, unique=True, validators=[RegexValidator(SLUG_PATTERN)])
    name = models.CharField(max_length=120)
    base_currency = models.CharField(max_length=8, help_text="The currency of reports.")
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        db_default="UTC",
        help_text="Where its days begin: the days of reports. An IANA name.",
    )
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="operator_has_a_time_zone", condition=~Q(time_zone=""))
        ]

    def __str__(self) -> str:
        return self.name


class ApiKeyQuerySet(OperatorQuerySet["ApiKey"]):
    def live(self, *, now: datetime) -> Self:
        """Keys that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ApiKey(models.Model):
    """
    A machine's credential for one operator, stored as the SHA-256 of the key.

    The key itself is shown once, when it is made. ``prefix`` is its first characters, by
    which people can tell keys apart.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="api_keys")
    label = models.CharField(max_length=120)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key, in hex.")
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope.choices))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = models.Manager.from_queryset(ApiKeyQuerySet)()

    class Meta:
        verbose_name = "API key"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="api_key_has_known_scopes",
                condition=Q(scopes__contained_by=Scope.values, scopes__len__gt=0),
            )
        ]
        permissions: ClassVar = [
            ("issue_apikey", "Can issue an API key"),
            ("revoke_apikey", "Can revoke an API key"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.label})"


class ExchangeRateQuerySet(OperatorQuerySet["ExchangeRate"]):
    pass


class ExchangeRate(models.Model):
    """
    What one unit of a currency is worth in US dollars to an operator, from an instant on.

    A history that only grows (trigger): the rate in force is the newest row whose
    ``valid_from`` has come. USD is always 1 and has no rows.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=8)
    usd_rate = models.DecimalField(max_digits=38, decimal_places=RATE_DECIMALS)
    valid_from = models.DateTimeField()
    created_at = models.DateTimeField()

    objects = models.Manager.from_queryset(ExchangeRateQuerySet)()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="exchange_rate_is_positive_number",
                # NaN is greater than every number in PostgreSQL, so it is bounded above too.
                condition=Q(usd_rate__gt=0, usd_rate__lt=AMOUNT_LIMIT),
            ),
            models.CheckConstraint(name="exchange_rate_not_for_usd", condition=~Q(currency="USD")),
        ]
        indexes: ClassVar = [
            models.Index(
                name="exchange_rate_in_force",
                fields=["operator", "currency", "-valid_from", "-id"],
            )
        ]
        triggers: ClassVar = [append_only("exchange_rate_is_append_only")]

    def __str__(self) -> str:
        return f"1 {self.currency} = {self.usd_rate.normalize():f} USD"
