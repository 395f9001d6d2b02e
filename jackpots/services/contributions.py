"""
Contributions: one request reaches an instance and, on v2, the instances linked to it.

Configuration is decided upon here, from one statement; the player, the funds and
everything that may change meanwhile are decided in the database, in the one statement
that writes (docs/adr/0003). No instance's row is ever locked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from core import money
from core.errors import InvalidRequest, ResourceBusy
from core.idempotency import IdempotencyKey, key_reused
from core.instants import format_instant
from core.models import new_id
from jackpots import errors
from jackpots.enums import Funding, InstanceStatus, Role
from jackpots.rules import contributions as rules
from jackpots.selectors import ContributionPlan, Target, UsdRateFact, load_contribution_plan
from operators.errors import ExchangeRateMissing
from operators.models import Operator

#: A revision that moves this often under one request means somebody is editing in a loop.
_ATTEMPTS_MAX = 5


@dataclass(frozen=True, slots=True)
class Wager:
    """What a caller contributes: the bet behind it, and what the caller wants remembered."""

    player_reference: str
    base_wager: Decimal
    currency: str
    gameround_id: str = ""
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Contributed:
    """The stored answer to a request, and whether it was given before."""

    answer: dict[str, Any]
    is_replay: bool


def contribute(
    *,
    operator: Operator,
    instance_id: UUID,
    wager: Wager,
    follow_links: bool,
    key: IdempotencyKey,
    now: datetime,
    request_id: UUID | None = None,
) -> Contributed:
    """
    Contribute to an instance and, if ``follow_links``, to those directly linked to it.

    Each leg is accepted or fails by itself, but a failed main leg refuses the request
    and nothing is written. Called again with the same key, returns the first answer.
    ``request_id`` is what the request is called, if it has a name already.

    :raises NotFound: if the operator has no such instance or player.
    :raises DomainError: the main leg's refusal (``jackpots.errors.REFUSAL_CODES``), with
        the members ``results`` and ``not_attempted`` when links are followed.
    :raises IdempotencyKeyReused: if the key was used for another request.
    """
    for _attempt in range(_ATTEMPTS_MAX):
        plan = load_contribution_plan(
            operator=operator,
            instance_id=instance_id,
            player_reference=wager.player_reference,
            currency=wager.currency,
            follow_links=follow_links,
            now=now,
        )
        legs = [
            _leg(target, plan=plan, wager=wager, role=role, now=now)
            for target, role in zip(plan.targets, _roles(plan), strict=True)
        ]
        written = _record(
            operator,
            plan=plan,
            wager=wager,
            legs=legs,
            key=key,
            now=now,
            request_id=request_id or new_id(),
        )
        match written["outcome"]:
            case "accepted" | "replayed" as outcome:
                return Contributed(written["answer"], is_replay=outcome == "replayed")
            case "refused":
                raise _refused(written["error"], plan=plan, follow_links=follow_links)
            case "reused":
                raise key_reused()
            case outcome:
                # An instance changed between the two statements: decide again.
                assert outcome == "stale", outcome
    raise ResourceBusy("The instance is being changed. Nothing was recorded; send it again.")


def _roles(plan: ContributionPlan) -> list[Role]:
    return [Role.MAIN, *[Role.LINKED] * (len(plan.targets) - 1)]


def _leg(
    target: Target, *, plan: ContributionPlan, wager: Wager, role: Role, now: datetime
) -> dict[str, Any]:
    """Decide one leg as far as configuration goes, in the shape the database takes."""
    leg: dict[str, Any] = {
        "id": str(new_id()),
        "instance_id": str(target.instance_id),
        "revision": target.revision,
        "role": role,
        "currency": target.currency,
        "opt_in_required": target.opt_in_required,
        "ticket_cost": None if target.ticket_cost is None else str(target.ticket_cost),
        "rate": "1",
        "rate_at": None,
        "amount": "0",
        "pots": [],
        "error": _refusal_code(target, plan=plan, wager=wager, now=now),
    }
    if leg["error"] is None:
        try:
            leg.update(_amounts(target, plan=plan, wager=wager))
        except InvalidRequest as refusal:
            # The caller's wager is at fault only where it was aimed at; a link fails alone.
            if role == Role.MAIN:
                raise
            leg["error"] = refusal.code
    return leg


def _refusal_code(
    target: Target, *, plan: ContributionPlan, wager: Wager, now: datetime
) -> str | None:
    if target.status != InstanceStatus.ACTIVE or target.is_paused:
        return errors.InstanceNotActive.code
    if not rules.is_open(opens_at=target.opens_at, closes_at=target.closes_at, now=now):
        return errors.OutsideSchedule.code
    currencies = {wager.currency: plan.wager_usd_rate, target.currency: target.usd_rate}
    if target.funding == Funding.PLAYER:
        currencies[plan.wallet_currency] = plan.wallet_usd_rate
    if len(currencies) > 1 and None in currencies.values():
        return ExchangeRateMissing.code
    return None


def _amounts(target: Target, *, plan: ContributionPlan, wager: Wager) -> dict[str, Any]:
    rate, rate_at = _rate(wager.currency, plan.wager_usd_rate, target.currency, target.usd_rate)
    found: dict[str, Any] = {
        "rate": str(rate),
        "rate_at": None if rate_at is None else rate_at.isoformat(),
    }
    if target.funding == Funding.PLAYER:
        funded = rules.player_funded_amount(
            target.terms,
            base_wager=wager.base_wager,
            rates=_usd_rates(target, plan),
            wallet=money.get_currency(plan.wallet_currency),
        )
        amount = funded.amount
        found["debit_amount"] = str(funded.debit)
        found["debit_currency"] = plan.wallet_currency
    else:
        amount = rules.operator_funded_amount(target.terms, base_wager=wager.base_wager, rate=rate)
    parts = rules.split_over_pots(amount, [pot.share for pot in target.pots])
    found["amount"] = f"{amount:f}"
    found["pots"] = [
        {"name": pot.name, "amount": f"{part:f}"}
        for pot, part in zip(target.pots, parts, strict=True)
    ]
    return found


def _usd_rates(target: Target, plan: ContributionPlan) -> rules.UsdRates:
    facts = (plan.wager_usd_rate, plan.wallet_usd_rate, target.usd_rate)
    # In one currency no rate is needed, and there may be none: any one will do.
    wager, wallet, instance = (Decimal(1) if fact is None else fact.rate for fact in facts)
    return rules.UsdRates(wager=wager, wallet=wallet, instance=instance)


def _rate(
    source: str, source_usd: UsdRateFact | None, target: str, target_usd: UsdRateFact | None
) -> tuple[Decimal, datetime | None]:
    """Return units of the target for one of the source, and the younger of their instants."""
    if source == target:
        return Decimal(1), None
    assert source_usd is not None, "a rate is missing"
    assert target_usd is not None, "a rate is missing"
    since = [fact.valid_from for fact in (source_usd, target_usd) if fact.valid_from is not None]
    return money.cross_rate(source_usd.rate, target_usd.rate), max(since)


def _record(
    operator: Operator,
    *,
    plan: ContributionPlan,
    wager: Wager,
    legs: list[dict[str, Any]],
    key: IdempotencyKey,
    now: datetime,
    request_id: UUID,
) -> dict[str, Any]:
    request = {
        "request_id": str(request_id),
        "base_wager": f"{wager.base_wager:f}",
        "currency": wager.currency,
        "gameround_id": wager.gameround_id,
        "metadata": wager.metadata,
        "created_at": format_instant(now),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT jackpots_record_contribution(%s, %s, %s, %s, %s, %s, %s)",
            [
                operator.pk,
                plan.player_id,
                key.value,
                key.fingerprint,
                json.dumps(request),
                json.dumps(legs),
                now,
            ],
        )
        row = cursor.fetchone()
    written: dict[str, Any] = json.loads(row[0])
    return written


def _refused(code: str, *, plan: ContributionPlan, follow_links: bool) -> Exception:
    refusal = errors.refusal(code)
    if follow_links:
        main, *linked = plan.targets
        refusal.members = {
            "results": [
                {
                    "instance_id": str(main.instance_id),
                    "role": Role.MAIN,
                    "contribution_id": None,
                    "amount": "0",
                    "currency": main.currency,
                    "pots": [],
                    "tickets": None,
                    "error": code,
                }
            ],
            "not_attempted": [str(target.instance_id) for target in linked],
        }
    return refusal
