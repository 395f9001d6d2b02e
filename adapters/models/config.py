"""Which casino platforms an operator has, and how to reach them."""

import re
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from adapters.enums import AdapterKind
from core.querysets import OperatorQuerySet

SLUG_LENGTH_MAX = 64
# \Z, not $, which would take a slug with a line break at its end.
SLUG_PATTERN = r"^[a-z0-9-]{1,64}\Z"
#: Ends the slug of the adapter that every operator is born with, and no other's.
RESERVED_SUFFIX = "-internal"
BASE_URL_LENGTH_MAX = 500
#: How long the old secret goes on being accepted beside a new one (API.md).
SECRET_OVERLAP = timedelta(hours=24)


class AdapterConfigQuerySet(OperatorQuerySet["AdapterConfig"]):
    def with_slug(self, slug: str) -> Self:
        """The adapter with that slug, or none."""
        # What cannot be stored cannot be asked for either: the database refuses a NUL.
        return self.filter(slug=slug) if re.match(SLUG_PATTERN, slug) else self.none()

    def built_in(self) -> Self:
        """The adapters that operators were born with: one an operator."""
        return self.filter(slug__endswith=RESERVED_SUFFIX)

    def default(self) -> Self:
        """The adapters that new bonuses go through: one an operator."""
        return self.filter(is_default=True)


class AdapterConfig(models.Model):
    """
    One operator's connection to one casino platform, or to its own ledger.

    A slug is unique across operators, so that a webhook's path names the tenant. Every
    operator has an internal adapter from the start, its default until another one is: a
    database trigger writes it with the operator (migration 0002).

    Secrets are sealed (core.sealing), and live nowhere else: neither in the audit trail nor
    in any answer. The previous one is accepted until ``previous_valid_until``.

    Invariants, each one a constraint below:
    - an operator has at most one default;
    - an http adapter has an address and a secret, an internal one has neither;
    - a previous secret has an end.
    """

    operator = models.ForeignKey("operators.Operator", on_delete=models.PROTECT, related_name="+")
    slug = models.CharField(max_length=SLUG_LENGTH_MAX, unique=True)
    kind = models.CharField(max_length=16, choices=AdapterKind.choices)
    base_url = models.CharField("address", max_length=BASE_URL_LENGTH_MAX, blank=True)
    is_default = models.BooleanField("default", default=False)
    sealed_secret = models.TextField(blank=True, editable=False)
    previous_sealed_secret = models.TextField(blank=True, editable=False)
    previous_valid_until = models.DateTimeField(
        "previous secret valid until", null=True, blank=True, help_text="Exclusive."
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = models.Manager.from_queryset(AdapterConfigQuerySet)()

    class Meta:
        verbose_name = "adapter"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="adapter_one_default_an_operator",
                fields=["operator"],
                condition=Q(is_default=True),
            ),
            models.CheckConstraint(
                name="adapter_slug_is_plain", condition=Q(slug__regex="^[a-z0-9-]{1,64}$")
            ),
            models.CheckConstraint(
                name="adapter_reserved_suffix_is_internal",
                condition=~Q(slug__endswith=RESERVED_SUFFIX) | Q(kind=AdapterKind.INTERNAL),
            ),
            models.CheckConstraint(
                name="adapter_kind_has_its_columns",
                condition=Q(
                    kind=AdapterKind.INTERNAL,
                    base_url="",
                    sealed_secret="",
                    previous_sealed_secret="",
                )
                | (Q(kind=AdapterKind.HTTP) & ~Q(base_url="") & ~Q(sealed_secret="")),
            ),
            models.CheckConstraint(
                name="adapter_previous_secret_has_its_end",
                condition=Q(previous_sealed_secret="", previous_valid_until=None)
                | (~Q(previous_sealed_secret="") & Q(previous_valid_until__isnull=False)),
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="adapter_newest_first", fields=["operator", "-id"]),
        ]
        permissions: ClassVar = [
            ("put_adapterconfig", "Can add and change adapters"),
            ("test_adapterconfig", "Can test the connection of an adapter"),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def is_internal(self) -> bool:
        """Tell whether we are the platform ourselves."""
        return self.kind == AdapterKind.INTERNAL

    @property
    def is_built_in(self) -> bool:
        """Tell whether the operator was born with it."""
        return self.slug.endswith(RESERVED_SUFFIX)

    @property
    def has_secret(self) -> bool:
        """Tell whether there is a secret. What it is, nothing tells."""
        return self.sealed_secret != ""

    def has_previous_secret(self, *, now: datetime) -> bool:
        """Tell whether the previous secret is still accepted."""
        return self.previous_valid_until is not None and now < self.previous_valid_until

    def live_secret_count(self, *, now: datetime) -> int:
        """Return how many secrets are accepted now, whether a key of ours opens them or not."""
        return int(self.has_secret) + int(self.has_previous_secret(now=now))
