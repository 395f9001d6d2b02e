"""Exchange rates: a history that only grows."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from core import audit
from core.actors import Actor
from core.errors import InvalidRequest
from operators.models import ExchangeRate, Operator
from operators.selectors import USD


@transaction.atomic(durable=True)
def set_exchange_rate(
    *,
    operator: Operator,
    currency: str,
    usd_rate: Decimal,
    valid_from: datetime | None,
    actor: Actor,
    now: datetime,
) -> ExchangeRate:
    """
    Add a rate to the history: US dollars for one unit, from ``valid_from`` (default now) on.

    Amounts already converted keep the rate that is stored beside them.

    :raises InvalidRequest: if the currency is USD, which is always 1.
    """
    if currency == USD:
        raise InvalidRequest.for_field("currency", "USD is the reference: its rate is always 1.")
    rate = ExchangeRate(
        operator=operator,
        currency=currency,
        usd_rate=usd_rate,
        valid_from=valid_from or now,
        created_at=now,
    )
    rate.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="operator.exchange_rate.set",
        subject=rate,
        after={"currency": currency, "usd_rate": f"{usd_rate:f}"},
        now=now,
    )
    return rate
