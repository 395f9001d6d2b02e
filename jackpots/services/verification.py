"""
Verification: a draw recomputed from its stored rows, and everything needed to do it again.

The document is all that docs/verify_draw.py reads, so that nobody has to trust this code.
"""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from core.errors import NotFound
from core.money import format_amount, get_currency
from jackpots.errors import InstanceWrongState
from jackpots.models import Draw, DrawEntry, Win
from jackpots.rules.draws import (
    ALGORITHM,
    Entry,
    award_prizes,
    commitment_of,
    digest_entries,
    draw_winners,
)
from jackpots.services.draw_documents import describe_winner, frozen_prizes
from operators.models import Operator


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so for the draw to be what was committed to."""

    check: str
    ok: bool
    detail: str


def verify_draw(*, operator: Operator, draw_id: UUID) -> dict[str, Any]:
    """
    Recompute a draw from its stored rows; return what was found and all that it rests on.

    :raises NotFound: if the operator has no such draw.
    :raises InstanceWrongState: if it has not been made: until then its seed is a secret.
    """
    return recompute_draw(draw=find_made_draw(operator=operator, draw_id=draw_id))


def find_made_draw(*, operator: Operator, draw_id: UUID) -> Draw:
    """
    Return a draw of the operator that has been made, its instance fetched.

    :raises NotFound: if the operator has no such draw.
    :raises InstanceWrongState: if it has not been made: until then its seed is a secret.
    """
    draws = Draw.objects.for_operator(operator).select_related("instance")
    draw = draws.filter(pk=draw_id).first()
    if draw is None:
        raise NotFound("There is no such draw.")
    if draw.drawn_at is None:
        raise InstanceWrongState(
            "The raffle has not been drawn yet. Until then only the commitment is public.",
            instance_status=draw.instance.status,
            commitment=draw.commitment,
        )
    return draw


def recompute_draw(*, draw: Draw) -> dict[str, Any]:
    """Return what recomputing a made draw shows, as verify_draw() does."""
    frozen = DrawEntry.objects.filter(draw=draw).order_by("position")
    entries = [
        Entry(player=reference, tickets=tickets)
        for reference, tickets in frozen.values_list("player_reference", "tickets")
    ]
    wins = Win.objects.filter(draw=draw).select_related("prize", "player")
    winners = [describe_winner(win=win) for win in wins.order_by("draw_position")]
    checks = [
        _check_commitment(draw),
        _check_entries(draw, entries),
        _check_winners(draw, entries, winners),
    ]
    assert draw.pot_amount is not None, "what was drawn had a pot"
    return {
        "draw_id": str(draw.pk),
        "instance_id": str(draw.instance_id),
        "verified": all(check.ok for check in checks),
        "checks": [asdict(check) for check in checks],
        "algorithm": ALGORITHM,
        "seed": draw.seed,
        "commitment": draw.commitment,
        "entries_digest": draw.entries_digest,
        "pot_amount": format_amount(draw.pot_amount, draw.instance.currency),
        "currency": draw.instance.currency,
        "currency_decimals": get_currency(draw.instance.currency).decimals,
        "prizes": draw.terms,
        "entries": [{"player_id": entry.player, "tickets": entry.tickets} for entry in entries],
        "winners": winners,
    }


def _check_commitment(draw: Draw) -> Check:
    ok = commitment_of(draw.seed) == draw.commitment
    return Check(
        "commitment",
        ok=ok,
        detail="The seed is what was committed to when the raffle opened."
        if ok
        else "The seed is not what was committed to.",
    )


def _check_entries(draw: Draw, entries: list[Entry]) -> Check:
    digest = digest_entries(entries)
    if digest != draw.entries_digest:
        return Check(
            "entries", ok=False, detail=f"The entries have the digest {digest}, another one."
        )
    tickets = sum(entry.tickets for entry in entries)
    if (len(entries), tickets) != (draw.entries_count, draw.tickets_total):
        return Check("entries", ok=False, detail="The entries are not as many as were drawn among.")
    return Check("entries", ok=True, detail=f"{len(entries)} entries with {tickets} tickets.")


def _check_winners(draw: Draw, entries: list[Entry], winners: list[dict[str, Any]]) -> Check:
    prizes = frozen_prizes(draw=draw)
    currency = get_currency(draw.instance.currency)
    assert draw.pot_amount is not None, "what was drawn had a pot"
    drawn = draw_winners(entries, prizes, seed=draw.seed, draw_id=draw.pk)
    award = award_prizes(drawn, prizes, pot=draw.pot_amount, currency=currency)
    computed = [
        {
            "position": position,
            "prize": prizes[winner.prize].name,
            "player_id": entries[winner.entry].player,
            "amount": format_amount(amount, currency.code),
            "counter": winner.counter,
        }
        for position, (winner, amount) in enumerate(zip(drawn, award.amounts, strict=True), 1)
    ]
    if len(computed) != len(winners):
        detail = f"{len(winners)} winners are recorded, {len(computed)} were drawn."
        return Check("winners", ok=False, detail=detail)
    for recorded, expected in zip(winners, computed, strict=True):
        if recorded != expected:
            detail = (
                f"Position {expected['position']}: {recorded['player_id']} won "
                f"{recorded['amount']}, but {expected['player_id']} was drawn "
                f"for {expected['amount']}."
            )
            return Check("winners", ok=False, detail=detail)
    detail = f"{len(winners)} winners, each drawn and paid as recorded."
    return Check("winners", ok=True, detail=detail)
