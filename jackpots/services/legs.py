"""
The legs of a contribution, decided as far as configuration goes: plain values in and out.

What depends on the player, on funds and on what happens meanwhile is decided in the
database (docs/adr/0003, 0009).
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from core import money
from core.errors import InvalidRequest
from core.money import EXACT
from jackpots import errors
from jackpots.enums import Funding, InstanceStatus, Role
from jackpots.rules import contributions as rules
from jackpots.rules.hits import draw_hits
from jackpots.selectors import ContributionPlan, Target, UsdRateFact
from operators.errors import ExchangeRateMissing

_encode = msgspec.json.Encoder().encode

_ONE = Decimal(1)
_ZERO = Decimal(0)


@dataclass(slots=True)
class Leg:
    """
    What a wager does to one instance, or the code of why it does nothing.

    The id is text, as it goes to the database and over the wire.
    """

    target: Target
    role: Role
    error: str | None
    id: str = ""
    rate: Decimal = _ONE
    rate_at: datetime | None = None
    amount: Decimal = _ZERO
    parts: list[Decimal] | tuple[()] = ()
    hits: list[int] | tuple[()] = ()
    debit: Decimal | None = None
    debit_currency: str | None = None
    tickets: dict[str, int] | None = None


def decide_legs(
    *,
    plan: ContributionPlan,
    base_wager: Decimal,
    currency: str,
    follow_links: bool,
    now: datetime,
) -> list[Leg]:
    """
    Return the main leg and, if ``follow_links``, one for each link, in the links' order.

    They are those of any wager like it: without ids, and without what is left to chance.

    :raises InvalidRequest: if the main leg's amount would be larger than can be stored.
    """
    targets = plan.targets if follow_links else plan.targets[:1]
    legs = []
    role = Role.MAIN
    for target in targets:
        leg = Leg(target, role, _refusal_code(target, plan, currency, now))
        if leg.error is None:
            try:
                _fill(leg, plan, base_wager, currency)
            except InvalidRequest as refusal:
                # The caller's wager is at fault only where it was aimed at; a link fails alone.
                if role == Role.MAIN:
                    raise
                leg = Leg(target, role, refusal.code)
        legs.append(leg)
        role = Role.LINKED
    return legs


def draw_for(*, leg: Leg, base_wager: Decimal) -> list[int]:
    """Draw for the pots of a decided leg that drop by chance; return the positions hit."""
    if leg.error is not None or not leg.target.drops_by_chance:
        return []
    return draw_hits(
        [pot.hit_probability for pot in leg.target.pots],
        wagered=EXACT.multiply(base_wager, leg.rate),
        randbelow=secrets.randbelow,
    )


def describe_legs(*, legs: Iterable[Leg]) -> list[dict[str, Any]]:
    """
    Return the legs in the shape a batch takes, once written as JSON by msgspec.

    What is null there is left out here.
    """
    return [
        {
            "instance_id": leg.target.instance_id,
            "currency": leg.target.currency,
            "amount": leg.amount,
            "parts": leg.parts,
            "rate": leg.rate,
            **_rarities(leg),
        }
        for leg in legs
    ]


def describe_rarities(*, legs: Iterable[Leg]) -> list[dict[str, Any]] | None:
    """Return what few legs have, one object for each leg; None if none of them has anything."""
    rarities = [_rarities(leg) for leg in legs]
    return rarities if any(rarities) else None


def has_rarities(*, leg: Leg) -> bool:
    """Tell whether a leg has anything that few legs have."""
    return bool(_rarities(leg))


def as_json(*, value: Any) -> str:
    """Return plain values, ids, amounts and instants as JSON for the database."""
    return _encode(value).decode()


def as_array(*, values: Iterable[object]) -> str:
    """Return numbers, ids or codes as PostgreSQL writes an array of them."""
    return "{" + ",".join(map(str, values)) + "}"


def rates_used(
    *, legs: Iterable[Leg], plan: ContributionPlan, currency: str
) -> dict[str, str | None] | None:
    """
    Return the id of each exchange rate that the legs were decided with, by currency.

    None for a currency without one: a leg that failed for want of it was decided with that.
    """
    used = {currency}
    for leg in legs:
        used.add(leg.target.currency)
        if leg.debit_currency is not None:
            used.add(leg.debit_currency)
    if len(used) == 1:
        return None
    found = {}
    for code in used - {"USD"}:
        fact = plan.rates.get(code)
        found[code] = None if fact is None else fact.id
    return found


def _rarities(leg: Leg) -> dict[str, Any]:
    if leg.error is not None:
        return {"error": leg.error}
    target = leg.target
    found: dict[str, Any] = {}
    if target.opt_in_required:
        found["opt_in_required"] = True
    if target.ticket_cost is not None:
        found["ticket_cost"] = target.ticket_cost
    if leg.rate_at is not None:
        found["rate"], found["rate_at"] = leg.rate, leg.rate_at
    if leg.hits:
        found["hits"] = as_array(values=leg.hits)
    if leg.debit is not None:
        found["debit_amount"], found["debit_currency"] = leg.debit, leg.debit_currency
        found["id"], found["instance_id"] = leg.id, target.instance_id
    return found


def _refusal_code(
    target: Target, plan: ContributionPlan, currency: str, now: datetime
) -> str | None:
    if target.status != InstanceStatus.ACTIVE or target.is_paused:
        return errors.InstanceNotActive.code
    if not rules.is_open(opens_at=target.opens_at, closes_at=target.closes_at, now=now):
        return errors.OutsideSchedule.code
    currencies = {currency, target.currency}
    if target.funding == Funding.PLAYER and plan.wallet_currency is not None:
        currencies.add(plan.wallet_currency)
    if len(currencies) > 1 and None in map(plan.rates.get, currencies):
        return ExchangeRateMissing.code
    return None


def _fill(leg: Leg, plan: ContributionPlan, base_wager: Decimal, currency: str) -> None:
    target = leg.target
    if currency != target.currency:
        leg.rate, leg.rate_at = _cross_rate(plan.rates[currency], plan.rates[target.currency])
    if target.funding == Funding.PLAYER:
        assert plan.wallet_currency is not None, "the wallet was not asked for"
        funded = rules.player_funded_amount(
            target.terms,
            base_wager=base_wager,
            rates=rules.UsdRates(
                wager=_usd_rate(plan, currency),
                wallet=_usd_rate(plan, plan.wallet_currency),
                instance=_usd_rate(plan, target.currency),
            ),
            wallet=money.get_currency(plan.wallet_currency),
        )
        leg.amount, leg.debit = funded.amount, funded.debit
        leg.debit_currency = plan.wallet_currency
    else:
        leg.amount = rules.operator_funded_amount(
            target.terms, base_wager=base_wager, rate=leg.rate
        )
    leg.parts = rules.split_over_pots(leg.amount, [pot.share for pot in target.pots])


def _usd_rate(plan: ContributionPlan, currency: str) -> Decimal:
    # In one currency no rate is needed, and there may be none: any one will do.
    fact = plan.rates.get(currency)
    return _ONE if fact is None else fact.rate


def _cross_rate(
    source: UsdRateFact | None, target: UsdRateFact | None
) -> tuple[Decimal, datetime | None]:
    """Return units of the target for one of the source, and the younger of their instants."""
    assert source is not None, "a rate is missing"
    assert target is not None, "a rate is missing"
    since = [fact.valid_from for fact in (source, target) if fact.valid_from is not None]
    return money.cross_rate(source.rate, target.rate), max(since)
