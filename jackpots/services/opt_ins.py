"""
Opt-ins: a player's agreement to take part in an instance.

They lock no instance: a contribution reads the opt-in itself while it is written, and an
opt-in that arrives together with a close is without effect, because what is closing takes
no contributions.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from core import audit, locks
from core.actors import Actor
from core.errors import NotFound
from core.instants import format_instant
from core.querysets import OperatorQuerySet
from jackpots.enums import InstanceStatus
from jackpots.errors import InstanceWrongState
from jackpots.models import Instance, OptIn
from jackpots.selectors import get_instance
from operators.models import Operator
from players.errors import PlayerBlocked, PlayerSelfExcluded
from players.models import Player
from players.selectors import get_player

_OPEN_TO_OPT_INS = (InstanceStatus.DRAFT, InstanceStatus.ACTIVE)


@dataclass(frozen=True, slots=True)
class GivenOptIn:
    """The opt-in that stands, and whether this call gave it."""

    opt_in: OptIn
    is_new: bool


@transaction.atomic(durable=True)
def opt_in_player(
    *, operator: Operator, instance_id: UUID, player_reference: str, actor: Actor, now: datetime
) -> GivenOptIn:
    """
    Opt the player in to the instance; linked instances are not included.

    An opt-in that stands already is the answer again, before any rule. Opting in after
    opting out is a new row.

    :raises NotFound: if the operator has no such instance or no such player.
    :raises InstanceWrongState: if the instance is neither a draft nor active.
    :raises PlayerSelfExcluded: if the player has excluded themselves.
    :raises PlayerBlocked: if the operator has blocked the player.
    """
    instance = get_instance(operator=operator, instance_id=instance_id)
    player = get_player(operator=operator, reference=player_reference)
    standing = _standing(instance, player).first()
    if standing is not None:
        return GivenOptIn(opt_in=standing, is_new=False)

    if instance.status not in _OPEN_TO_OPT_INS:
        raise InstanceWrongState(
            f"The instance is {instance.get_status_display().lower()}: it takes no opt-ins.",
            instance_status=instance.status,
        )
    if player.is_self_excluded(now=now):
        raise PlayerSelfExcluded("The player is self-excluded.")
    if player.is_blocked:
        raise PlayerBlocked("The player is blocked.")

    opt_in = OptIn(operator=operator, instance=instance, player=player, opted_in_at=now)
    try:
        with transaction.atomic():
            opt_in.save(force_insert=True)
    except IntegrityError:
        # Another request opted the player in after we had looked. Its row is the answer
        # even if the player has opted out again since: it stood when ours was refused.
        newest = instance.opt_ins.filter(player=player).select_related("player").latest("pk")
        return GivenOptIn(opt_in=newest, is_new=False)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="jackpot.opt_in.given",
        subject=opt_in,
        after={
            "instance_id": str(instance.pk),
            "player_id": player.reference,
            "opted_in_at": format_instant(now),
        },
        now=now,
    )
    return GivenOptIn(opt_in=opt_in, is_new=True)


def get_opt_in(*, operator: Operator, instance_id: UUID, player_reference: str) -> OptIn:
    """
    Return the player's opt-in that stands.

    :raises NotFound: if the operator has no such instance or player, or if the player has
        not opted in, or has opted out.
    """
    instance = get_instance(operator=operator, instance_id=instance_id)
    player = get_player(operator=operator, reference=player_reference)
    opt_in = _standing(instance, player).first()
    if opt_in is None:
        raise NotFound("The player has not opted in.")
    return opt_in


@transaction.atomic(durable=True)
def opt_out_player(
    *, operator: Operator, instance_id: UUID, player_reference: str, actor: Actor, now: datetime
) -> None:
    """
    End the player's opt-in to the instance, whatever the state of either; none is no error.

    :raises NotFound: if the operator has no such instance or no such player.
    :raises ResourceBusy: if the opt-in is in use; nothing was changed.
    """
    instance = get_instance(operator=operator, instance_id=instance_id)
    player = get_player(operator=operator, reference=player_reference)
    for opt_in in locks.lock_many(_standing(instance, player)):
        # The clock of the process that opted the player in may be ahead of ours.
        opt_in.opted_out_at = max(now, opt_in.opted_in_at)
        opt_in.save(update_fields=["opted_out_at"])
        audit.record_action(
            operator=operator,
            actor=actor,
            action="jackpot.opt_in.withdrawn",
            subject=opt_in,
            before={"opted_out_at": None},
            after={
                "instance_id": str(instance.pk),
                "player_id": player.reference,
                "opted_out_at": format_instant(opt_in.opted_out_at),
            },
            now=now,
        )


def _standing(instance: Instance, player: Player) -> OperatorQuerySet[OptIn]:
    opt_ins = OptIn.objects.filter(instance=instance, player=player, opted_out_at=None)
    return opt_ins.select_related("player")
