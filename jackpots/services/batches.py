"""
Batches of contributions: every item is a request of its own, and they are written together.

One statement decides and writes them all, in one transaction (docs/adr/0009). What that
statement does not do is sent after it, one by one: items that a player pays for, that repeat a
key of the same batch, or that somebody else has answered at the same moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from core.errors import DomainError, ResourceBusy
from core.failpoints import failpoint
from core.idempotency import IdempotencyKey, key_reused
from core.models import new_id
from jackpots.selectors import ContributionPlan, Target
from jackpots.services.configuration import (
    forget_configuration,
    is_funded_by_players,
    read_configuration,
)
from jackpots.services.contributions import (
    Contributed,
    Wager,
    answer_of,
    as_json,
    contribute,
    learn_outcomes,
    refused,
    unknown_player,
)
from jackpots.services.legs import Leg, decide_legs, rates_used
from operators.models import Operator
from players.rules import canonical_reference

ITEMS_MAX = 1000
#: As for a single contribution: a revision that moves this often is being edited in a loop.
_ATTEMPTS_MAX = 5

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One contribution of a batch; it follows links."""

    key: IdempotencyKey
    instance_id: UUID
    wager: Wager


@dataclass(slots=True)
class _Decided:
    """An item with all that configuration says about it."""

    number: int
    item: BatchItem
    request_id: UUID
    plan: ContributionPlan
    legs: list[Leg]


def contribute_batch(
    *, operator: Operator, items: Sequence[BatchItem], now: datetime
) -> list[Contributed | DomainError]:
    """
    Contribute all items, and return what became of each, in their order.

    An item fails by itself, with the refusal that ``contribute`` would raise. Sent again,
    those that were accepted are replays. Of two items with one key the first is decided
    first.

    :raises ResourceBusy: if instances are being changed all the time; nothing was recorded.
    """
    assert len(items) <= ITEMS_MAX, f"a batch of {len(items)}"
    outcomes: dict[int, Contributed | DomainError] = {}
    firsts: dict[str, tuple[int, BatchItem]] = {}
    for number, item in enumerate(items):
        firsts.setdefault(item.key.value, (number, item))
    waiting = list(firsts.values())
    for _attempt in range(_ATTEMPTS_MAX):
        decided = _decide(operator, waiting, outcomes, now=now)
        if not decided:
            break
        failpoint("batch.before_record")
        told = _record(operator, decided, now=now)
        failpoint("batch.after_record")
        if told is not None:
            for each, outcome in zip(decided, told, strict=True):
                _settle(each, outcome, outcomes, now=now)
            break
        for each in decided:
            forget_configuration(operator=operator, instance_id=each.item.instance_id)
    else:
        raise ResourceBusy("Instances are being changed. Nothing was recorded; send it again.")
    return [
        outcomes[number] if number in outcomes else _contribute_alone(operator, item, now=now)
        for number, item in enumerate(items)
    ]


def _decide(
    operator: Operator,
    items: Sequence[tuple[int, BatchItem]],
    outcomes: dict[int, Contributed | DomainError],
    *,
    now: datetime,
) -> list[_Decided]:
    """Return the items that can be written together; those refused by now are in outcomes."""
    found = []
    for number, item in items:
        try:
            plan = read_configuration(
                operator=operator,
                instance_id=item.instance_id,
                currency=item.wager.currency,
                now=now,
            )
            if is_funded_by_players(plan=plan, follow_links=True):
                continue
            legs = decide_legs(
                plan=plan,
                base_wager=item.wager.base_wager,
                currency=item.wager.currency,
                follow_links=True,
                now=now,
            )
        except DomainError as refusal:
            outcomes[number] = refusal
        else:
            outcomes.pop(number, None)
            found.append(_Decided(number, item, new_id(), plan, legs))
    return found


def _settle(
    decided: _Decided,
    told: dict[str, Any],
    outcomes: dict[int, Contributed | DomainError],
    *,
    now: datetime,
) -> None:
    match told["outcome"]:
        case "accepted":
            learn_outcomes(legs=decided.legs, outcomes=told["legs"])
            answer = answer_of(
                wager=decided.item.wager, legs=decided.legs, request_id=decided.request_id, now=now
            )
            outcomes[decided.number] = Contributed(answer, is_replay=False)
        case "replayed":
            outcomes[decided.number] = Contributed(told["answer"], is_replay=True)
        case "refused":
            outcomes[decided.number] = refused(
                code=told["error"], legs=decided.legs, follow_links=True
            )
        case "unknown_player":
            outcomes[decided.number] = unknown_player()
        case "reused":
            outcomes[decided.number] = key_reused()
        case outcome:
            # It is decided again, alone: by now its key has an answer.
            assert outcome == "overtaken", outcome


def _contribute_alone(
    operator: Operator, item: BatchItem, *, now: datetime
) -> Contributed | DomainError:
    try:
        return contribute(
            operator=operator,
            instance_id=item.instance_id,
            wager=item.wager,
            follow_links=True,
            key=item.key,
            now=now,
        )
    except DomainError as refusal:
        return refusal


def _record(
    operator: Operator, decided: Sequence[_Decided], *, now: datetime
) -> list[dict[str, Any]] | None:
    """Return what became of each item, or None if anything decided upon is out of date."""
    targets: dict[tuple[UUID, int], tuple[int, Target]] = {}
    rates: dict[str, str | None] = {}
    legs = []
    for number, each in enumerate(decided, 1):
        rates.update(
            rates_used(legs=each.legs, plan=each.plan, currency=each.item.wager.currency) or {}
        )
        for position, leg in enumerate(each.legs):
            key = (leg.target.instance_id, leg.target.revision)
            place = targets.setdefault(key, (len(targets) + 1, leg.target))[0]
            legs.append(
                {"item": number, "position": position, "target": place, **_describe_leg(leg)}
            )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT jackpots_contribute_batch(%s, %s, %s, %s, %s, %s)",
            [
                operator.pk,
                as_json(value=[_describe_item(each) for each in decided]),
                as_json(value=legs),
                as_json(value=[_describe_target(target) for _place, target in targets.values()]),
                as_json(value=rates),
                now,
            ],
        )
        row = cursor.fetchone()
    told: list[dict[str, Any]] | None = None if row[0] is None else _decode(row[0])
    return told


def _describe_item(decided: _Decided) -> dict[str, Any]:
    wager = decided.item.wager
    described = {
        "key": decided.item.key.value,
        "fingerprint": decided.item.key.fingerprint,
        "player": canonical_reference(wager.player_reference),
        "request_id": decided.request_id,
        "instance_id": decided.item.instance_id,
        "base_wager": wager.base_wager,
        "currency": wager.currency,
    }
    if wager.gameround_id:
        described["gameround_id"] = wager.gameround_id
    if wager.metadata is not None:
        described["metadata"] = wager.metadata
    return described


def _describe_leg(leg: Leg) -> dict[str, Any]:
    if leg.error is not None:
        return {"id": leg.id, "error": leg.error}
    described: dict[str, Any] = {"id": leg.id, "amount": leg.amount, "parts": leg.parts}
    if leg.target.opt_in_required:
        described["opt_in_to"] = leg.target.instance_id
    if leg.rate_at is not None:
        described["rate"], described["rate_at"] = leg.rate, leg.rate_at
    if leg.hits:
        described["hits"] = leg.hits
    return described


def _describe_target(target: Target) -> dict[str, Any]:
    return {
        "instance_id": target.instance_id,
        "revision": target.revision,
        "lock_number": target.lock_number,
        "currency": target.currency,
        "ticket_cost": target.ticket_cost,
    }
