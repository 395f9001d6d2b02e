"""At what rate money changes its currency now, and since when that rate holds."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core import money
from operators.models import Operator
from operators.selectors import get_usd_rate


@dataclass(frozen=True, slots=True)
class Exchange:
    """Units of one currency for one of another; ``rate_at`` is null within one currency."""

    rate: Decimal
    rate_at: datetime | None


def find_exchange(*, operator: Operator, source: str, target: str, now: datetime) -> Exchange:
    """
    Return units of ``target`` for one of ``source``, and since when that holds.

    Within one currency no rate is needed, and there may be none.

    :raises ExchangeRateMissing: if one of the two has no rate in force.
    :raises InvalidRequest: if the rate has more digits than can be stored.
    """
    if source == target:
        return Exchange(rate=Decimal(1), rate_at=None)
    rates = [
        get_usd_rate(operator=operator, currency=currency, now=now) for currency in (source, target)
    ]
    since = [rate.valid_from for rate in rates if rate.valid_from is not None]
    return Exchange(rate=money.cross_rate(rates[0].rate, rates[1].rate), rate_at=max(since))
