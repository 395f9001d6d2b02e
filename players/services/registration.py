"""Who plays: registering players, keeping what is known of them, excluding them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from django.db import IntegrityError, transaction
from django.db.models.functions import Coalesce

from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest, ResourceBusy
from core.instants import format_instant
from operators.models import Operator
from players.errors import CurrencyLocked, SelfExclusionOnlyGrows
from players.models import Player
from players.rules import canonical_reference


class PlayerProfile(TypedDict, total=False):
    """What an operator may say of a player beside the currency; what is left out stays."""

    country: str
    kyc_level: int
    vip_level: int
    affiliate_code: str
    tags: list[str]
    is_blocked: bool


@dataclass(frozen=True, slots=True)
class RegisteredPlayer:
    """The player, and whether this call registered them."""

    player: Player
    is_new: bool


@transaction.atomic(durable=True)
def put_player(
    *,
    operator: Operator,
    reference: str,
    currency: str,
    profile: PlayerProfile,
    actor: Actor,
    now: datetime,
) -> RegisteredPlayer:
    """
    Register the player with that id, or bring what is known of them up to date.

    Members that ``profile`` leaves out keep their value; a new player starts without
    country, affiliate and tags, at level 0 and not blocked. A call that changes nothing
    leaves no trace.

    :raises CurrencyLocked: if the currency differs and the player's wallet has been opened.
    :raises ResourceBusy: if the player is in use; nothing was changed.
    """
    wanted = {"currency": currency, **profile}
    found = Player.objects.for_operator(operator).with_reference(reference)
    players = locks.lock_many(found)
    if not players:
        try:
            with transaction.atomic():
                player = _register(operator, reference, wanted, actor=actor, now=now)
                return RegisteredPlayer(player=player, is_new=True)
        except IntegrityError:
            # Another request registered the player after we had looked.
            players = [locks.lock_one(found)]
    player = players[0]
    _change(player, wanted, operator=operator, actor=actor, now=now)
    return RegisteredPlayer(player=player, is_new=False)


@transaction.atomic(durable=True)
def exclude_player(
    *, operator: Operator, reference: str, until: datetime, actor: Actor, now: datetime
) -> Player:
    """
    Exclude the player from play, by their own wish, until an instant (exclusive).

    Excluding until the same instant again changes nothing.

    :raises NotFound: if the operator has no such player.
    :raises InvalidRequest: if ``until`` has passed.
    :raises SelfExclusionOnlyGrows: if the player is excluded for longer already.
    :raises ResourceBusy: if the player is in use; nothing was changed.
    """
    player = locks.lock_one(Player.objects.for_operator(operator).with_reference(reference))
    current = player.self_excluded_until
    if current == until:
        return player
    if until <= now:
        raise InvalidRequest.for_field("until", "It must be in the future.")
    if current is not None and until < current:
        raise SelfExclusionOnlyGrows(
            "The player is excluded for longer; an exclusion may only be extended.",
            self_excluded_until=current,
        )
    player.self_excluded_until = until
    player.save(update_fields=["self_excluded_until"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="player.self_excluded",
        subject=player,
        before={"self_excluded_until": current and format_instant(current)},
        after={"self_excluded_until": format_instant(until)},
        now=now,
    )
    return player


@transaction.atomic(savepoint=False)
def lock_currency(*, player: Player, now: datetime) -> None:
    """
    Fix the currency of the player's wallet, because something was promised in it.

    Joins the caller's transaction, as its last step: players' rows are the lowest that are
    locked. Opening an account fixes it likewise.

    :raises ResourceBusy: if the currency has just been changed; nothing was fixed.
    """
    if player.currency_locked_at is not None:
        return
    in_this_currency = Player.objects.filter(pk=player.pk, currency=player.currency)
    if not in_this_currency.update(currency_locked_at=Coalesce("currency_locked_at", now)):
        raise ResourceBusy("The player's currency has just been changed. Send it again.")


def _register(
    operator: Operator, reference: str, wanted: dict[str, Any], *, actor: Actor, now: datetime
) -> Player:
    player = Player(
        operator=operator,
        reference=canonical_reference(reference),
        created_at=now,
        **wanted,
    )
    player.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="player.registered",
        subject=player,
        after={"player_id": player.reference, **wanted},
        now=now,
    )
    return player


def _change(
    player: Player, wanted: dict[str, Any], *, operator: Operator, actor: Actor, now: datetime
) -> None:
    after = {name: value for name, value in wanted.items() if getattr(player, name) != value}
    if not after:
        return
    if "currency" in after and player.currency_locked_at is not None:
        raise CurrencyLocked(f"The player's wallet holds {player.currency} and cannot change.")
    before = {name: getattr(player, name) for name in after}
    for name, value in after.items():
        setattr(player, name, value)
    player.save(update_fields=list(after))
    audit.record_action(
        operator=operator,
        actor=actor,
        action="player.changed",
        subject=player,
        before=before,
        after=after,
        now=now,
    )
