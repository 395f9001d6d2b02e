"""Groups of players, for campaigns and reports."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from core import audit
from core.actors import Actor
from core.errors import InvalidRequest
from operators.models import Operator
from players.models import Player, Segment, SegmentMember
from players.rules import BOUNDED_FIELDS, canonical_reference

# Enough to find the mistake by; a list of thousands helps nobody.
UNKNOWN_NAMED_MAX = 5


@transaction.atomic(durable=True)
def create_listed_segment(
    *,
    operator: Operator,
    name: str,
    player_references: Sequence[str],
    actor: Actor,
    now: datetime,
) -> Segment:
    """
    Create a segment of exactly those players; one who is named twice is in it once.

    :raises InvalidRequest: if the operator has no player of one of the ids.
    """
    wanted = list(dict.fromkeys(canonical_reference(text) for text in player_references))
    known = dict(
        Player.objects.for_operator(operator)
        .filter(reference__in=wanted)
        .values_list("reference", "pk")
    )
    unknown = [reference for reference in wanted if reference not in known]
    if unknown:
        named = ", ".join(unknown[:UNKNOWN_NAMED_MAX])
        more = len(unknown) - UNKNOWN_NAMED_MAX
        rest = f" and {more} more" if more > 0 else ""
        raise InvalidRequest.for_field("player_ids", f"There is no player {named}{rest}.")
    segment = write_segment(
        operator=operator, name=name, rules=None, actor=actor, now=now, size=len(wanted)
    )
    SegmentMember.objects.bulk_create(
        [SegmentMember(segment=segment, player_id=known[text]) for text in wanted],
        batch_size=5_000,
    )
    return segment


@transaction.atomic(durable=True)
def create_segment_by_rules(
    *, operator: Operator, name: str, rules: Mapping[str, Any], actor: Actor, now: datetime
) -> Segment:
    """
    Create a segment of whoever matches the rules, whenever it is asked.

    Bounds are inclusive; a player must match every rule, so no rule at all is everybody.

    :raises InvalidRequest: if a lower bound is above its upper one.
    """
    for field in BOUNDED_FIELDS:
        least, most = rules.get(f"min_{field}"), rules.get(f"max_{field}")
        if least is not None and most is not None and least > most:
            raise InvalidRequest.for_field(
                f"rules/min_{field}", f"It is above max_{field}: nobody could match."
            )
    stored = {
        rule: f"{value:f}" if isinstance(value, Decimal) else value for rule, value in rules.items()
    }
    return write_segment(operator=operator, name=name, rules=stored, actor=actor, now=now)


@transaction.atomic
def write_segment(
    *,
    operator: Operator,
    name: str,
    rules: dict[str, Any] | None,
    actor: Actor,
    now: datetime,
    **recorded: Any,
) -> Segment:
    """Write down a segment; for the services that make one, in their transaction."""
    segment = Segment(operator=operator, name=name, rules=rules, created_at=now)
    segment.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="player.segment.created",
        subject=segment,
        after={"name": name, "rules": rules, **recorded},
        now=now,
    )
    return segment
