"""What the simulator adds to the demo world: limits that some of its terms are above."""

from datetime import datetime
from decimal import Decimal

from activity.demo.steps import demo_step
from core.actors import Actor
from operators.models import Operator
from simulations.errors import TermsLimitsTaken
from simulations.services.limits import add_terms_limits

MARKET = "Great Britain"
MULTIPLE_MAX = Decimal(10)


@demo_step
def limit_demo_terms(*, operator: Operator, actor: Actor, now: datetime) -> None:
    """Limit how often a bonus may have to be wagered in one market."""
    try:
        add_terms_limits(
            operator=operator,
            label=MARKET,
            wagering_multiple_max=MULTIPLE_MAX,
            reason="The rule of that market",
            actor=actor,
            now=now,
        )
    except TermsLimitsTaken:
        # An interrupted load has made them.
        return
