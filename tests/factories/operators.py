"""Builds operators, keys and rates, without running the services under test."""

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import factory

from operators.enums import Scope
from operators.models import ApiKey, ExchangeRate, Operator
from operators.services.credentials import digest_of

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class OperatorFactory(factory.django.DjangoModelFactory[Operator]):
    """An operator that reports in US dollars."""

    class Meta:
        model = Operator

    slug = factory.Sequence(lambda number: f"operator-{number}")
    name = factory.Sequence(lambda number: f"Operator {number}")
    base_currency = "USD"
    created_at = LONG_AGO


class ApiKeyFactory(factory.django.DjangoModelFactory[ApiKey]):
    """A live key with every scope. Give ``secret`` to know it, or use issue_key()."""

    class Meta:
        model = ApiKey
        exclude = ("secret",)

    secret = factory.LazyFunction(lambda: "wf_" + secrets.token_urlsafe(32))
    operator = factory.SubFactory(OperatorFactory)
    label = "Test key"
    prefix = factory.LazyAttribute(lambda key: key.secret[:9])
    digest = factory.LazyAttribute(lambda key: digest_of(secret=key.secret))
    scopes = factory.LazyFunction(lambda: list(Scope.values))
    created_at = LONG_AGO


class ExchangeRateFactory(factory.django.DjangoModelFactory[ExchangeRate]):
    """A euro is worth 1.25 US dollars, since long ago."""

    class Meta:
        model = ExchangeRate

    operator = factory.SubFactory(OperatorFactory)
    currency = "EUR"
    usd_rate = Decimal("1.25")
    valid_from = LONG_AGO
    created_at = LONG_AGO


def issue_key(operator: Operator, **kwargs: Any) -> str:
    """Store a key of ``operator`` and return its secret."""
    secret = "wf_" + secrets.token_urlsafe(32)
    ApiKeyFactory.create(operator=operator, secret=secret, **kwargs)
    return secret
