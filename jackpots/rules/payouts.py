"""What a winner gets of a win, and when to try again what could not be paid."""

from datetime import timedelta
from decimal import Decimal

from core.backoff import exponential_delay
from core.money import EXACT, get_currency, round_down

#: After what may be over in a moment: no answer, a row in use, no rate.
FIRST_S, LONGEST_S = 10, 3600
#: After a refusal, which somebody has to look at: it is asked again all the same.
REFUSED_FIRST_S, REFUSED_LONGEST_S = 3600, 24 * 3600


def payout_amount(amount: Decimal, *, rate: Decimal, currency: str) -> Decimal:
    """
    Return ``amount`` at ``rate``, rounded down to what a player can hold in ``currency``.

    :raises InvalidRequest: if the result has more digits than can be stored.
    """
    return round_down(EXACT.multiply(amount, rate), get_currency(currency))


def delay_after(*, attempts: int, is_refused: bool, jitter: float) -> timedelta:
    """Return how long to wait after that many failed attempts, the last of them ``is_refused``."""
    first_s, longest_s = (
        (REFUSED_FIRST_S, REFUSED_LONGEST_S) if is_refused else (FIRST_S, LONGEST_S)
    )
    return exponential_delay(attempts=attempts, jitter=jitter, first_s=first_s, longest_s=longest_s)
