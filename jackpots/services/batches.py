"""
Batches of contributions: every item is a request of its own, and they are written together.

One statement decides and writes them all, in one transaction (docs/adr/0009). Items that are
alike but for key and player are decided once. What that statement does not do is sent after
it, one by one: items that a player pays for, those that repeat a key of the same batch, and
those of players who might come to hold more tickets than can be stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from uuid_utils import uuid7

from core.errors import DomainError, ResourceBusy
from core.failpoints import failpoint
from core.idempotency import IdempotencyKey, key_reused
from core.prepared import prepared_cursor
from jackpots.selectors import ContributionPlan, Target
from jackpots.services.configuration import (
    forget_configuration,
    is_funded_by_players,
    read_configuration,
)
from jackpots.services.contributions import (
    Accepted,
    Contributed,
    Wager,
    answer_of,
    contribute,
    refused,
    unknown_player,
)
from jackpots.services.legs import (
    Leg,
    as_array,
    as_json,
    decide_legs,
    describe_legs,
    draw_for,
    rates_used,
)
from operators.models import Operator
from players.rules import canonical_reference

ITEMS_MAX = 1000
#: As for a single contribution: a revision that moves this often is being edited in a loop.
_ATTEMPTS_MAX = 5

_UNMADE: Any = object()

#: What the database says of an item that it has not written, and that is to be sent by itself.
_ALONE = {"outcome": "alone"}

_decode = msgspec.json.Decoder().decode


class BatchItem(msgspec.Struct, frozen=True):
    """One contribution of a batch; it follows links."""

    key: IdempotencyKey
    instance_id: UUID
    wager: Wager


@dataclass(eq=False, slots=True)
class Decision:
    """
    What configuration says about a wager, for all items of a batch that are alike in it.

    ``legs`` have neither the ids of an item nor its hits. ``terms`` are their numbers, from 1,
    among the legs of all decisions of the batch.
    """

    plan: ContributionPlan
    base_wager: Decimal
    currency: str
    legs: list[Leg]
    terms: range
    drops_by_chance: bool


class AsDecided(msgspec.Struct, frozen=True):
    """An item of which every leg was accepted, with nothing to say of it but its id."""

    is_replay: ClassVar[bool] = False

    decision: Decision
    contribution_ids: list[str]


Outcome = Contributed | Accepted | AsDecided | DomainError


class _Decided(msgspec.Struct):
    """An item with all that configuration says about it, and its hits, leg by leg."""

    number: int
    item: BatchItem
    request_id: str
    decision: Decision
    leg_ids: list[str]
    hits: list[list[int]] | None


def contribute_batch(
    *, operator: Operator, items: Sequence[BatchItem], now: datetime
) -> list[Outcome]:
    """
    Contribute all items, and return what became of each, in their order.

    An item fails by itself, with the refusal that ``contribute`` would raise. Sent again,
    those that were accepted are replays. Of two items with one key the first is decided
    first.

    :raises ResourceBusy: if instances are being changed all the time; nothing was recorded.
    """
    assert len(items) <= ITEMS_MAX, f"a batch of {len(items)}"
    outcomes: dict[int, Outcome] = {}
    firsts: dict[str, tuple[int, BatchItem]] = {}
    for number, item in enumerate(items):
        firsts.setdefault(item.key.value, (number, item))
    waiting = list(firsts.values())
    for _attempt in range(_ATTEMPTS_MAX):
        outcomes.clear()
        decided = _decide_items(operator, waiting, outcomes, now=now)
        if not decided:
            break
        failpoint("batch.before_record")
        told = _record(operator, decided, now=now)
        failpoint("batch.after_record")
        if told is not None:
            for place, each in enumerate(decided, 1):
                told_of = told.get(str(place))
                if told_of != _ALONE:
                    outcomes[each.number] = _settle(each, told_of, now=now)
            break
        for instance_id in {each.item.instance_id for each in decided}:
            forget_configuration(operator=operator, instance_id=instance_id)
    else:
        raise ResourceBusy("Instances are being changed. Nothing was recorded; send it again.")
    return [
        outcomes[number] if number in outcomes else _contribute_alone(operator, item, now=now)
        for number, item in enumerate(items)
    ]


def _decide_items(
    operator: Operator,
    items: Sequence[tuple[int, BatchItem]],
    outcomes: dict[int, Outcome],
    *,
    now: datetime,
) -> list[_Decided]:
    """Return the items that can be written together; those refused by now are in outcomes."""
    made: dict[tuple[int, Decimal, str], Decision | DomainError | None] = {}
    found = []
    terms_count = 0
    for number, item in items:
        wager = item.wager
        # As a number an id is hashed in a fraction of the time.
        alike = (item.instance_id.int, wager.base_wager, wager.currency)
        decision = made.get(alike, _UNMADE)
        if decision is _UNMADE:
            made[alike] = decision = _decide(operator, item, first=terms_count + 1, now=now)
            terms_count += len(decision.legs) if isinstance(decision, Decision) else 0
        if isinstance(decision, Decision):
            found.append(_decided(number, item, decision))
        elif isinstance(decision, DomainError):
            outcomes[number] = decision
    return found


def _decide(
    operator: Operator, item: BatchItem, *, first: int, now: datetime
) -> Decision | DomainError | None:
    """Return what becomes of items like this one, or None if they cannot go together."""
    wager = item.wager
    try:
        plan = read_configuration(
            operator=operator, instance_id=item.instance_id, currency=wager.currency, now=now
        )
        if is_funded_by_players(plan=plan, follow_links=True):
            return None
        legs = decide_legs(
            plan=plan,
            base_wager=wager.base_wager,
            currency=wager.currency,
            follow_links=True,
            now=now,
        )
    except DomainError as refusal:
        return refusal
    return Decision(
        plan=plan,
        base_wager=wager.base_wager,
        currency=wager.currency,
        legs=legs,
        terms=range(first, first + len(legs)),
        drops_by_chance=any(leg.target.drops_by_chance for leg in legs),
    )


def _decided(number: int, item: BatchItem, decision: Decision) -> _Decided:
    hits = None
    if decision.drops_by_chance:
        # What is left to chance is drawn for every item.
        hits = [draw_for(leg=leg, base_wager=decision.base_wager) for leg in decision.legs]
    return _Decided(
        number,
        item,
        str(uuid7()),
        decision,
        [str(uuid7()) for _leg in decision.legs],
        hits if hits and any(hits) else None,
    )


def _settle(decided: _Decided, told: dict[str, Any] | None, *, now: datetime) -> Outcome:
    """Return what became of an item; nothing is told of one that went as decided."""
    if told is None and decided.hits is None:
        return AsDecided(decided.decision, decided.leg_ids)
    match "accepted" if told is None else told["outcome"]:
        case "accepted":
            legs = _legs_of(decided)
            for position, error, earned, total in () if told is None else told["legs"]:
                legs[position].error = error
                if total is not None:
                    legs[position].tickets = {"earned": earned, "total": total}
            answer = answer_of(
                wager=decided.item.wager, legs=legs, request_id=decided.request_id, now=now
            )
            return Contributed(answer, is_replay=False)
        case "replayed":
            assert told is not None, "a replay is told"
            return Contributed(told["answer"], is_replay=True)
        case "refused":
            assert told is not None, "a refusal is told"
            return refused(code=told["error"], legs=_legs_of(decided), follow_links=True)
        case "unknown_player":
            return unknown_player()
        case outcome:
            assert outcome == "reused", outcome
            return key_reused()


def _legs_of(decided: _Decided) -> list[Leg]:
    hits: Sequence[Sequence[int]] = decided.hits or [()] * len(decided.leg_ids)
    return [
        replace(leg, id=leg_id, hits=list(drawn))
        for leg, leg_id, drawn in zip(decided.decision.legs, decided.leg_ids, hits, strict=True)
    ]


def _contribute_alone(operator: Operator, item: BatchItem, *, now: datetime) -> Outcome:
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
) -> dict[str, dict[str, Any]] | None:
    """
    Write the items, and return what is to tell of some of them, by their number from 1.

    None if anything decided upon is out of date; then nothing was written.
    """
    leg_ids: list[str] = []
    leg_items: list[int] = []
    leg_terms: list[int] = []
    for number, each in enumerate(decided, 1):
        leg_ids += each.leg_ids
        leg_items += [number] * len(each.leg_ids)
        leg_terms += each.decision.terms
    decisions = list(dict.fromkeys(each.decision for each in decided))
    keys = [each.item.key for each in decided]
    players = [canonical_reference(each.item.wager.player_reference) for each in decided]
    cursor = prepared_cursor()
    cursor.execute(
        "SELECT jackpots_contribute_batch(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            operator.pk,
            as_json(value=[key.value for key in keys]),
            as_array(values=[key.fingerprint for key in keys]),
            as_json(value=players),
            as_array(values=[each.request_id for each in decided]),
            as_array(values=leg_ids),
            as_array(values=leg_items),
            as_array(values=leg_terms),
            as_json(value=_describe_extras(decided)),
            as_json(value=[term for each in decisions for term in _describe_terms(each)]),
            as_json(value=_describe_targets(decisions)),
            as_json(value=_rates_used(decisions)),
            now,
        ],
    )
    row = cursor.fetchone()
    assert row is not None, "a function returns one row"
    told: dict[str, dict[str, Any]] | None = None if row[0] is None else _decode(row[0])
    return told


def _describe_extras(decided: Sequence[_Decided]) -> dict[str, list[Any]]:
    """Return what few batches have; a list has one entry for each item, or each leg."""
    extras: dict[str, list[Any]] = {}
    gameround_ids = [each.item.wager.gameround_id for each in decided]
    if any(gameround_ids):
        extras["gameround_ids"] = gameround_ids
    metadata = [each.item.wager.metadata for each in decided]
    if any(each is not None for each in metadata):
        extras["metadata"] = metadata
    if any(each.hits for each in decided):
        extras["hits"] = [
            as_array(values=drawn)
            for each in decided
            for drawn in each.hits or [[] for _leg in each.leg_ids]
        ]
    return extras


def _describe_terms(decision: Decision) -> list[dict[str, Any]]:
    main = decision.legs[0].target.instance_id
    described = describe_legs(legs=decision.legs)
    for position, terms in enumerate(described):
        terms.update(
            position=position,
            role=decision.legs[position].role,
            source_id=main if position else None,
            base_wager=decision.base_wager,
            base_currency=decision.currency,
        )
    return described


def _describe_targets(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    targets: dict[tuple[str, int], Target] = {}
    for decision in decisions:
        for leg in decision.legs:
            targets.setdefault((leg.target.instance_id, leg.target.revision), leg.target)
    return [
        {
            "instance_id": target.instance_id,
            "revision": target.revision,
            "lock_number": target.lock_number,
            "ticket_cost": target.ticket_cost,
        }
        for target in targets.values()
    ]


def _rates_used(decisions: Sequence[Decision]) -> dict[str, str | None]:
    rates: dict[str, str | None] = {}
    for each in decisions:
        rates.update(rates_used(legs=each.legs, plan=each.plan, currency=each.currency) or {})
    return rates
