"""Exchange rates in the back office: a history that only grows."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry
from operators.models import ExchangeRate, Operator
from tests.admin.conftest import messages_of

pytestmark = pytest.mark.django_db


def set_rate(office: Client, operator: Operator, **given: Any) -> Any:
    path = reverse("admin:operators_exchangerate_add")
    whole = {"operator": str(operator.pk), "currency": "EUR", "usd_rate": "1.0842", **given}
    return office.post(path, whole, follow=True)


def test_adds_a_rate(office: Client, superuser: Any, operator: Operator) -> None:
    response = set_rate(office, operator, valid_from="2026-03-01T00:00")

    rate = ExchangeRate.objects.get()
    assert (rate.operator, rate.currency, rate.usd_rate) == (operator, "EUR", Decimal("1.0842"))
    assert rate.valid_from == datetime(2026, 3, 1, tzinfo=UTC)
    assert messages_of(response) == ["The rate was set: 1 EUR = 1.0842 USD."]
    entry = AuditEntry.objects.get(action="operator.exchange_rate.set")
    assert entry.actor_ref == str(superuser.pk)


@pytest.mark.parametrize(
    "usd_rate",
    ["", "0", "-1", "1e5", "1_000", "1,5", "NaN", "Infinity", "１.５", "1" * 21, "0." + "1" * 19],
)
def test_what_is_no_rate_is_refused(usd_rate: str, office: Client, operator: Operator) -> None:
    response = set_rate(office, operator, usd_rate=usd_rate)

    assert list(response.context["form"].errors) == ["usd_rate"]
    assert ExchangeRate.objects.exists() is False


@pytest.mark.parametrize("currency", ["USD", "XXX", ""])
def test_what_is_no_currency_or_needs_no_rate_is_refused(
    currency: str, office: Client, operator: Operator
) -> None:
    response = set_rate(office, operator, currency=currency)

    assert list(response.context["form"].errors) == ["currency"]
    assert ExchangeRate.objects.exists() is False
