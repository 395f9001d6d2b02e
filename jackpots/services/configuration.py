"""
What a process remembers of instances, so that a contribution is one statement.

Remembered configuration may be out of date. It is never obeyed without being asked for
again: the database function compares every instance's revision, and every rate that was
used, under the locks of the contribution (jackpots_accept_contribution), and answers
``stale``. What was remembered is then forgotten, and the decision is made anew. So a pause,
a close, a link or a rate is obeyed everywhere at once, in refusals as well.
"""

from datetime import datetime
from uuid import UUID

from jackpots.enums import Funding
from jackpots.selectors import ContributionPlan, load_contribution_plan
from operators.models import Operator

#: More instances than this in one process are read again rather than remembered.
_REMEMBERED_MAX = 10_000

_remembered: dict[tuple[int, UUID], ContributionPlan] = {}


def read_configuration(
    *, operator: Operator, instance_id: UUID, currency: str, now: datetime
) -> ContributionPlan:
    """
    Return an instance and its links, from memory if they have been read before.

    :raises NotFound: if the operator has no such instance.
    """
    key = (operator.pk, instance_id)
    plan = _remembered.get(key)
    if plan is None or currency not in plan.rates:
        known = set() if plan is None else set(plan.rates)
        plan = load_contribution_plan(
            operator=operator,
            instance_id=instance_id,
            currencies=known | {currency},
            now=now,
        )
        _remember(key, plan)
    return plan


def plan_contribution(
    *,
    operator: Operator,
    instance_id: UUID,
    currency: str,
    player_reference: str,
    follow_links: bool,
    now: datetime,
) -> ContributionPlan:
    """
    Return what a contribution is decided upon, from memory where that is enough.

    What a player pays depends on the player's wallet, which is not remembered: if a target
    is funded by players, everything is read anew.

    :raises NotFound: if the operator has no such instance, or, where the wallet matters,
        no such player.
    """
    plan = read_configuration(
        operator=operator, instance_id=instance_id, currency=currency, now=now
    )
    if is_funded_by_players(plan=plan, follow_links=follow_links):
        return load_contribution_plan(
            operator=operator,
            instance_id=instance_id,
            currencies={currency},
            player_reference=player_reference,
            now=now,
        )
    return plan


def is_funded_by_players(*, plan: ContributionPlan, follow_links: bool) -> bool:
    """Tell whether a player pays for any instance that a contribution reaches."""
    reached = plan.targets if follow_links else plan.targets[:1]
    return any(target.funding == Funding.PLAYER for target in reached)


def forget_configuration(*, operator: Operator, instance_id: UUID) -> None:
    """Forget what is remembered of an instance and its links: it has turned out to be old."""
    _remembered.pop((operator.pk, instance_id), None)


def _remember(key: tuple[int, UUID], plan: ContributionPlan) -> None:
    if len(_remembered) >= _REMEMBERED_MAX:
        _remembered.clear()
    _remembered[key] = plan
