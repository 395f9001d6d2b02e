"""
Contributions: one request reaches an instance and, on v2, the instances linked to it.

Configuration is decided upon here, from what the process remembers of it; the player, the
funds and everything that may change meanwhile are decided in the database, in the one
statement that writes (docs/adr/0003, 0009). No instance's row is ever locked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.db import IntegrityError
from uuid_utils import uuid7

from core.errors import DomainError, NotFound, ResourceBusy
from core.failpoints import failpoint
from core.idempotency import IdempotencyKey, key_reused
from core.instants import format_instant
from core.models import new_id
from core.prepared import prepared_cursor
from jackpots import errors
from jackpots.services.configuration import forget_configuration, plan_contribution
from jackpots.services.decisions import Decision, decide
from jackpots.services.legs import Leg, as_array, as_json, describe_rarities
from operators.models import Operator
from players.rules import canonical_reference

#: A revision that moves this often under one request means somebody is editing in a loop.
_ATTEMPTS_MAX = 5

_RECORD = f"SELECT jackpots_accept_contribution({', '.join(['%s'] * 19)})"

_ACCEPTED = {"outcome": "accepted"}

_decode = msgspec.json.Decoder().decode


class Wager(msgspec.Struct, frozen=True):
    """What a caller contributes: the bet behind it, and what the caller wants remembered."""

    player_reference: str
    base_wager: Decimal
    currency: str
    gameround_id: str = ""
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Contributed:
    """The answer to a request, and whether it was given before."""

    answer: dict[str, Any]
    is_replay: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request of which every leg was accepted, with nothing to say of it but its ids."""

    is_replay: ClassVar[bool] = False

    decision: Decision
    request_id: UUID | str
    leg_ids: list[str]
    wager: Wager
    now: datetime

    @property
    def legs(self) -> list[Leg]:
        """The legs, made when they are asked for."""
        return self.decision.legs_of(self.leg_ids, base_wager=self.wager.base_wager)

    @property
    def answer(self) -> dict[str, Any]:
        """The answer to the request, made when it is asked for."""
        return answer_of(wager=self.wager, legs=self.legs, request_id=self.request_id, now=self.now)


def contribute(
    *,
    operator: Operator,
    instance_id: UUID,
    wager: Wager,
    follow_links: bool,
    key: IdempotencyKey,
    now: datetime,
    request_id: UUID | None = None,
) -> Contributed | Accepted:
    """
    Contribute to an instance and, if ``follow_links``, to those directly linked to it.

    Each leg is accepted or fails by itself, but a failed main leg refuses the request
    and nothing is written. Called again with the same key, returns the first answer. A
    request that was promised before has its ``request_id`` already.

    :raises NotFound: if the operator has no such instance or player.
    :raises DomainError: the main leg's refusal (``jackpots.errors.REFUSAL_CODES``), with
        the members ``results`` and ``not_attempted`` when links are followed.
    :raises IdempotencyKeyReused: if the key was used for another request.
    """
    request_id = request_id or new_id()
    for _attempt in range(_ATTEMPTS_MAX):
        plan = plan_contribution(
            operator=operator,
            instance_id=instance_id,
            currency=wager.currency,
            player_reference=wager.player_reference,
            follow_links=follow_links,
            now=now,
        )
        decision = decide(
            plan=plan,
            base_wager=wager.base_wager,
            currency=wager.currency,
            follow_links=follow_links,
            now=now,
        )
        ids = [str(uuid7()) for _leg in decision.legs]
        # Of most wagers there is nothing to tell apart but their ids.
        legs = None if decision.is_plain else decision.legs_of(ids, base_wager=wager.base_wager)
        failpoint("contribute.before_record")
        try:
            written = _record(
                operator,
                decision=decision,
                ids=ids,
                rarities=None if legs is None else describe_rarities(legs=legs),
                wager=wager,
                key=key,
                request_id=request_id,
                now=now,
            )
        except IntegrityError:
            # A batch has answered the key at this very moment: it is found the next time.
            continue
        failpoint("contribute.after_record")
        if written["outcome"] != "stale":
            accepted = Accepted(decision, request_id, ids, wager, now)
            return _outcome(written, accepted=accepted, legs=legs, follow_links=follow_links)
        # What was remembered is old, or changed this moment: decide again.
        forget_configuration(operator=operator, instance_id=instance_id)
    raise ResourceBusy("The instance is being changed. Nothing was recorded; send it again.")


def _outcome(
    written: dict[str, Any], *, accepted: Accepted, legs: list[Leg] | None, follow_links: bool
) -> Contributed | Accepted:
    """Return, or raise, what the database made of a request."""
    if legs is None:
        if written == _ACCEPTED:
            return accepted
        legs = accepted.legs
    match written["outcome"]:
        case "accepted":
            if "legs" in written:
                learn_outcomes(legs=legs, outcomes=written["legs"])
            answer = answer_of(
                wager=accepted.wager, legs=legs, request_id=accepted.request_id, now=accepted.now
            )
            return Contributed(answer, is_replay=False)
        case "replayed":
            return Contributed(written["answer"], is_replay=True)
        case "refused":
            raise refused(code=written["error"], legs=legs, follow_links=follow_links)
        case "unknown_player":
            raise unknown_player()
        case outcome:
            assert outcome == "reused", outcome
            raise key_reused()


def learn_outcomes(*, legs: Iterable[Leg], outcomes: Iterable[list[Any]]) -> None:
    """Complete the legs by what the database decided: error, tickets earned and in total."""
    for leg, (error, earned, total) in zip(legs, outcomes, strict=True):
        leg.error = error
        if total is not None:
            leg.tickets = {"earned": earned, "total": total}


def answer_of(
    *, wager: Wager, legs: list[Leg], request_id: UUID | str, now: datetime
) -> dict[str, Any]:
    """Return the answer to an accepted request, as the database makes it of the rows again."""
    return {
        "request_id": str(request_id),
        "base_wager": f"{wager.base_wager:f}",
        "currency": wager.currency,
        "created_at": format_instant(now),
        "results": results_of(legs=legs),
    }


def results_of(*, legs: Iterable[Leg]) -> list[dict[str, Any]]:
    """Return what an answer says of each leg."""
    return [_result(leg) for leg in legs]


def unknown_player() -> NotFound:
    """Return the refusal of a player whom the operator does not have."""
    return NotFound("There is no such player.")


def _result(leg: Leg) -> dict[str, Any]:
    is_accepted = leg.error is None
    return {
        "instance_id": leg.target.instance_id,
        "role": leg.role,
        "contribution_id": leg.id if is_accepted else None,
        "amount": f"{leg.amount:f}" if is_accepted else "0",
        "currency": leg.target.currency,
        "pots": [
            {"name": pot.name, "amount": f"{part:f}"}
            for pot, part in zip(leg.target.pots, leg.parts, strict=True)
        ]
        if is_accepted
        else [],
        "hits": leg.hits if is_accepted else [],
        "tickets": leg.tickets,
        "error": leg.error,
    }


def _record(
    operator: Operator,
    *,
    decision: Decision,
    ids: list[str],
    rarities: list[dict[str, Any]] | None,
    wager: Wager,
    key: IdempotencyKey,
    request_id: UUID,
    now: datetime,
) -> dict[str, Any]:
    cursor = prepared_cursor()
    cursor.execute(
        _RECORD,
        [
            operator.pk,
            canonical_reference(wager.player_reference),
            key.value,
            key.fingerprint,
            str(request_id),
            f"{wager.base_wager:f}",
            wager.currency,
            wager.gameround_id,
            None if wager.metadata is None else as_json(value=wager.metadata),
            decision.locks,
            as_array(values=ids),
            decision.instance_ids,
            decision.revisions,
            decision.currencies,
            decision.amounts,
            decision.parts,
            None if rarities is None else as_json(value=rarities),
            decision.rates,
            now,
        ],
    )
    row = cursor.fetchone()
    assert row is not None, "a function returns one row"
    written: dict[str, Any] = _decode(row[0])
    return written


def refused(*, code: str, legs: list[Leg], follow_links: bool) -> DomainError:
    """Return the refusal of a request by its main leg's code; it tells of the other legs."""
    refusal = errors.refusal(code)
    if follow_links:
        main, *linked = legs
        main.error = code
        refusal.members = {
            "results": [_result(main)],
            "not_attempted": [leg.target.instance_id for leg in linked],
        }
    return refusal
