"""Above what a win waits for a second person, and whether one does."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from approvals.enums import Limit
from approvals.selectors import get_limit
from core.actors import Actor, ActorKind
from core.errors import InvalidRequest
from core.money import EXACT
from jackpots.enums import WinCause
from jackpots.models import Instance
from jackpots.selectors import get_jackpot_settings
from jackpots.services.exchange import find_exchange
from operators.errors import ExchangeRateMissing
from operators.models import Operator


@dataclass(frozen=True, slots=True)
class WinThreshold:
    """Above what wins wait, in the base currency, and what a unit of theirs is worth there."""

    above: Decimal | None
    rate: Decimal | None

    def is_passed(self, amount: Decimal) -> bool:
        """Tell whether a second person decides about a win; so if nobody knows its worth."""
        if self.above is None:
            return False
        return self.rate is None or EXACT.multiply(amount, self.rate) > self.above


def read_win_threshold(
    *, instance: Instance, cause: WinCause, initiated_by: Actor, now: datetime
) -> WinThreshold:
    """Return what holds for all wins of the instance that are found so at this instant."""
    operator = instance.operator
    above = find_win_threshold(operator=operator, cause=cause, initiated_by=initiated_by)
    if above is None:
        return WinThreshold(above=None, rate=None)
    try:
        exchange = find_exchange(
            operator=operator, source=instance.currency, target=operator.base_currency, now=now
        )
    except (ExchangeRateMissing, InvalidRequest):
        return WinThreshold(above=above, rate=None)
    return WinThreshold(above=above, rate=exchange.rate)


def find_win_threshold(
    *, operator: Operator, cause: WinCause, initiated_by: Actor
) -> Decimal | None:
    """Return the worth, in the base currency, above which a win waits; null: none does."""
    limits = [get_jackpot_settings(operator=operator).win_approval_above]
    if cause == WinCause.MANUAL and initiated_by.kind == ActorKind.STAFF:
        # Whoever names the winner gives something by hand, as with a bonus.
        limits.append(get_limit(operator=operator, limit=Limit.MANUAL_GRANT))
    return min((limit for limit in limits if limit is not None), default=None)
