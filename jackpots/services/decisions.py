"""
What a wager does, decided once for all that are alike.

Stakes are few and come again by the thousand. What configuration says of one is kept with the
configuration that it was said of, in the shape that the database takes, and is forgotten
with it (jackpots.services.configuration).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from jackpots.selectors import ContributionPlan
from jackpots.services.legs import (
    Leg,
    as_array,
    as_json,
    decide_legs,
    draw_for,
    has_rarities,
    rates_used,
)

#: More stakes than this of one instance are decided anew rather than remembered.
_REMEMBERED_MAX = 1000


@dataclass(eq=False, slots=True)
class Decision:
    """
    What configuration says of a stake in a currency.

    ``legs`` have neither the ids of a request nor its hits. ``is_plain``: nothing but ids is
    left to be told, and nothing left to chance. The texts are arrays and JSON of PostgreSQL,
    for each leg one entry; ``locks`` has those of legs without an error.
    """

    legs: list[Leg]
    is_plain: bool
    locks: str
    instance_ids: str
    revisions: str
    currencies: str
    amounts: str
    parts: str
    rates: str | None

    def legs_of(self, ids: Sequence[str], *, base_wager: Decimal) -> list[Leg]:
        """Return the legs of a request, with its ids; what is left to chance is drawn here."""
        return [
            replace(leg, id=leg_id, hits=draw_for(leg=leg, base_wager=base_wager))
            for leg, leg_id in zip(self.legs, ids, strict=True)
        ]


def decide(
    *,
    plan: ContributionPlan,
    base_wager: Decimal,
    currency: str,
    follow_links: bool,
    now: datetime,
) -> Decision:
    """
    Return what a wager does, from memory if one like it was decided before.

    :raises InvalidRequest: if the main leg's amount would be larger than can be stored.
    """
    alike = (base_wager, currency, follow_links)
    decision: Decision | None = plan.decisions.get(alike)
    if decision is None:
        legs = decide_legs(
            plan=plan, base_wager=base_wager, currency=currency, follow_links=follow_links, now=now
        )
        decision = _describe(legs, plan=plan, currency=currency)
        # What opens or closes is not the same a moment later.
        if all(leg.target.opens_at is leg.target.closes_at is None for leg in legs):
            if len(plan.decisions) >= _REMEMBERED_MAX:
                plan.decisions.clear()
            plan.decisions[alike] = decision
    return decision


def _describe(legs: list[Leg], *, plan: ContributionPlan, currency: str) -> Decision:
    rates = rates_used(legs=legs, plan=plan, currency=currency)
    return Decision(
        legs=legs,
        is_plain=not any(has_rarities(leg=leg) or leg.target.drops_by_chance for leg in legs),
        locks=as_array(
            values=sorted({leg.target.lock_number for leg in legs if leg.error is None})
        ),
        instance_ids=as_array(values=[leg.target.instance_id for leg in legs]),
        revisions=as_array(values=[leg.target.revision for leg in legs]),
        currencies=as_array(values=[leg.target.currency for leg in legs]),
        amounts=as_array(values=[leg.amount for leg in legs]),
        parts=as_array(values=[f'"{as_array(values=leg.parts)}"' for leg in legs]),
        rates=None if rates is None else as_json(value=rates),
    )
