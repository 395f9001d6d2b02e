"""
The wagering of our own grants: settled bets advance it, rolled-back ones take it back.

The caller (activity) holds the grants. Progress is kept per bet, so a bet that is rolled
back takes back exactly what it brought. A platform's grants are advanced by its events.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from bonuses.models import BonusGrant, WagerEvent
from bonuses.rules import wagering as rules
from bonuses.services.endings import complete_grant
from bonuses.services.wager_events import add_wager_events
from core.actors import Actor
from core.errors import InvalidRequest
from core.money import AMOUNT_LIMIT
from core.writes import Writes, write_together
from games.models import Game


@dataclass(frozen=True, slots=True)
class GrantProgress:
    """A grant, and what one bet has brought it."""

    grant: BonusGrant
    weighted_amount: Decimal


@transaction.atomic(savepoint=False)
def count_bet_towards_grants(
    *,
    grants: Sequence[BonusGrant],
    game: Game,
    bet_ref: str,
    stake: Decimal,
    placed_at: datetime,
    writes: Writes,
    actor: Actor,
    now: datetime,
) -> list[GrantProgress]:
    """
    Let a settled bet advance the active ones of the grants, and complete those that get there.

    A bet counts if it was placed when the grant was active already, and settled before the
    grant's time is up; the whole stake counts, whoever paid it, at the weight of the game.
    Return all of the grants with what the bet has brought them. Joins the caller's
    transaction; what the bet brought is in ``writes`` unless a grant was completed.

    :raises InvalidRequest: if the sum would be larger than can be stored.
    :raises ResourceBusy: if an account is in use.
    """
    advanced: list[GrantProgress] = []
    for grant in grants:
        if _counts_for(grant, placed_at=placed_at, now=now):
            weight = rules.weight_of(
                game_contribution=grant.game_contribution,
                game_slug=game.slug,
                game_category=game.category,
            )
            weighted = rules.weighted_amount_of(stake=stake, weight=weight)
            advanced.append(GrantProgress(grant, weighted))
    _write(advanced, bet_ref, wagered=stake, writes=writes, now=now)
    wagered = [progress.grant for progress in advanced if progress.grant.is_wagered]
    if wagered:
        # Only an active grant is advanced, and completing one locks accounts.
        writes.send()
    for grant in wagered:
        complete_grant(grant=grant, actor=actor, now=now)
    brought = {progress.grant.pk: progress.weighted_amount for progress in advanced}
    return _progress_of(grants, brought)


@transaction.atomic(savepoint=False)
def take_back_bet_from_grants(
    *, grants: Sequence[BonusGrant], bet_ref: str, stake: Decimal, now: datetime
) -> None:
    """
    Take back what a bet, which is being rolled back, brought to those that are active.

    Joins the caller's transaction. A bet that brought nothing to a grant takes nothing.
    """
    active = [grant for grant in grants if grant.is_active]
    brought = _brought_by(bet_ref, active)
    taken = [GrantProgress(grant, -brought[grant.pk]) for grant in active if grant.pk in brought]
    with write_together() as writes:
        _write(taken, bet_ref, wagered=-stake, writes=writes, now=now)


def list_progress(*, grants: Sequence[BonusGrant], bet_ref: str) -> list[GrantProgress]:
    """Return the grants with what the bet has brought them: nothing, if it was taken back."""
    return _progress_of(grants, _brought_by(bet_ref, grants))


def _progress_of(
    grants: Sequence[BonusGrant], brought: Mapping[UUID, Decimal]
) -> list[GrantProgress]:
    return [GrantProgress(grant, brought.get(grant.pk, Decimal(0))) for grant in grants]


def _counts_for(grant: BonusGrant, *, placed_at: datetime, now: datetime) -> bool:
    if not grant.is_active or grant.is_overdue(now=now):
        return False
    return grant.activated_at is not None and placed_at >= grant.activated_at


def _brought_by(bet_ref: str, grants: Sequence[BonusGrant]) -> Mapping[UUID, Decimal]:
    if not grants:
        return {}
    events = WagerEvent.objects.filter(grant__in=grants, source=_source_of(bet_ref))
    return dict(events.values_list("grant_id").annotate(total=Sum("weighted_amount")).order_by())


def _write(
    progresses: Sequence[GrantProgress],
    bet_ref: str,
    *,
    wagered: Decimal,
    writes: Writes,
    now: datetime,
) -> None:
    if not progresses:
        return
    for progress in progresses:
        if progress.grant.total_wagered + wagered >= AMOUNT_LIMIT:
            raise InvalidRequest("The grant's wagering would be larger than can be stored.")
    add_wager_events(
        brought=[(progress.grant, progress.weighted_amount) for progress in progresses],
        source=_source_of(bet_ref),
        wagered=wagered,
        writes=writes,
        now=now,
    )


def _source_of(bet_ref: str) -> str:
    return f"bet:{bet_ref}"
