"""Manual drops: somebody names the player who wins a pot."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import audit, locks
from core.actors import Actor
from core.money import EXACT, format_amount
from jackpots.enums import DropType, InstanceStatus, WinCause
from jackpots.errors import InstanceWrongState, OptInRequired, PotNotManual, refusal
from jackpots.models import Instance, OptIn, Win
from jackpots.selectors import get_pot
from jackpots.services.folding import FOLD, fold_locked
from jackpots.services.pots import end_cycle
from operators.models import Operator
from players.errors import PlayerBlocked, PlayerSelfExcluded
from players.models import Player
from players.selectors import get_player

_DROPPING = (InstanceStatus.ACTIVE, InstanceStatus.CLOSING)


@transaction.atomic
def drop_pot(
    *,
    operator: Operator,
    instance_id: UUID,
    pot_name: str,
    player_reference: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Win:
    """
    Let a pot with the drop ``manual`` be won by a player, and begin its next cycle.

    Joins the caller's transaction. The instance is folded first, under its row. The player
    wins what the pot holds then: every contribution below the fold's horizon, the last one
    too, and none above it. Those under way at this instant, and those held up by a long
    transaction elsewhere, are the first of the next cycle; no contributor waits.

    ``actor`` initiates the win, so above the threshold somebody else must approve it. The
    instance may be paused, or closing.

    :raises NotFound: if the operator has no such instance or player, or no such pot is in it.
    :raises InstanceWrongState: if the instance is a raffle, or neither active nor closing.
    :raises PotNotManual: if something else makes the pot drop.
    :raises PlayerBlocked: if the operator has blocked the player.
    :raises PlayerSelfExcluded: if the player has excluded themselves.
    :raises OptInRequired: if the instance needs an opt-in that the player has not given.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    instances = Instance.objects.for_operator(operator).select_related("operator")
    instance = locks.lock_one(instances.filter(pk=instance_id))
    player = get_player(operator=operator, reference=player_reference)
    get_pot(instance=instance, name=pot_name)
    _refuse_unless_dropping(instance)
    _refuse_player(instance, player, now=now)

    fold_locked(instance=instance, actor=FOLD, now=now)
    # Only now: terms that waited may have come into force by a win that the fold found.
    pot = get_pot(instance=instance, name=pot_name)
    if pot.drop_type != DropType.MANUAL:
        raise PotNotManual(
            f"The pot drops by its own terms ({pot.get_drop_type_display().lower()}).",
            drop_type=pot.drop_type,
        )
    win = end_cycle(
        instance=instance,
        pot=pot,
        position_xid=instance.folded_to,
        position_number=0,
        accrued=EXACT.add(pot.opening, pot.folded),
        player_id=player.pk,
        cause=WinCause.MANUAL,
        contribution_id=None,
        initiated_by=actor,
        now=now,
    )
    _record(instance, win, player, reason=reason, actor=actor, now=now)
    return win


def _refuse_unless_dropping(instance: Instance) -> None:
    if instance.is_raffle:
        raise InstanceWrongState(
            "The instance is a raffle: it is drawn, and its pots do not drop.",
            instance_status=instance.status,
        )
    if instance.status not in _DROPPING:
        raise InstanceWrongState(
            f"The instance is {instance.get_status_display().lower()}:"
            " the pots of an active or closing one can drop.",
            instance_status=instance.status,
        )


def _refuse_player(instance: Instance, player: Player, *, now: datetime) -> None:
    if player.is_blocked:
        raise refusal(PlayerBlocked.code)
    if player.is_self_excluded(now=now):
        raise refusal(PlayerSelfExcluded.code)
    if instance.opt_in_required:
        standing = OptIn.objects.filter(instance=instance, player=player, opted_out_at=None)
        if not standing.exists():
            raise refusal(OptInRequired.code)


def _record(
    instance: Instance, win: Win, player: Player, *, reason: str, actor: Actor, now: datetime
) -> None:
    audit.record_action(
        operator=instance.operator,
        actor=actor,
        action="jackpot.pot.dropped",
        subject=instance,
        after={
            "pot": win.pot.name,
            "cycle": win.cycle,
            "player_id": player.reference,
            "amount": format_amount(win.amount, win.currency),
            "currency": win.currency,
            "win_id": str(win.pk),
        },
        reason=reason,
        now=now,
    )
