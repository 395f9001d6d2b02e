"""
Wins: found by the fold, a draw or a person; above the threshold, decided by another one.

A win is a row and nothing else until it is paid (jackpots.services.payouts).
"""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from core import audit, money
from core.actors import Actor
from core.errors import InvalidRequest
from core.models import new_id
from core.money import EXACT, format_amount
from jackpots.enums import WinCause, WinStatus
from jackpots.models import Draw, Instance, JackpotSettings, Pot, Prize, Win
from jackpots.services.announcements import announce_win
from jackpots.services.exchange import find_exchange
from operators.errors import ExchangeRateMissing


@transaction.atomic(savepoint=False)
def record_win(
    *,
    instance: Instance,
    pot: Pot,
    cycle: int,
    cause: WinCause,
    player_id: int,
    amount: Decimal,
    initiated_by: Actor,
    now: datetime,
    win_id: UUID | None = None,
    contribution_id: UUID | None = None,
    draw: Draw | None = None,
    prize: Prize | None = None,
    draw_position: int | None = None,
    draw_counter: int | None = None,
    trigger: Decimal | None = None,
    trigger_nonce: str = "",
) -> Win:
    """
    Write down that a player has won, and tell of it. Joins the caller's transaction.

    The caller holds the instance's row, and has taken ``amount`` (in the instance's
    currency, rounded to its decimals) out of the pot. Above the operator's threshold the
    win waits for approval; so does one whose worth in the base currency is not known.
    """
    assert money.has_only_minor_units(amount, money.get_currency(instance.currency)), amount
    needs_approval = _is_above_threshold(instance, amount, now=now)
    win = Win(
        id=win_id or new_id(),
        operator=instance.operator,
        instance=instance,
        pot=pot,
        cycle=cycle,
        cause=cause,
        contribution_id=contribution_id,
        draw=draw,
        prize=prize,
        draw_position=draw_position,
        draw_counter=draw_counter,
        player_id=player_id,
        amount=amount,
        currency=instance.currency,
        trigger=trigger,
        trigger_nonce=trigger_nonce,
        initiated_by_kind=initiated_by.kind,
        initiated_by_ref=initiated_by.ref,
        found_at=now,
        status=WinStatus.AWAITING_APPROVAL if needs_approval else WinStatus.PAYABLE,
        next_attempt_at=None if needs_approval else now,
    )
    win.save(force_insert=True)
    audit.record_action(
        operator=instance.operator,
        actor=initiated_by,
        action="jackpot.win.found",
        subject=win,
        after=_facts(win),
        now=now,
    )
    announce_win(win=win, topic="jackpot.pot.won", now=now)
    return win


def _is_above_threshold(instance: Instance, amount: Decimal, *, now: datetime) -> bool:
    operator = instance.operator
    settings = JackpotSettings.objects.filter(operator=operator).first()
    if settings is None or settings.win_approval_above is None:
        return False
    try:
        exchange = find_exchange(
            operator=operator, source=instance.currency, target=operator.base_currency, now=now
        )
    except (ExchangeRateMissing, InvalidRequest):
        # Nobody knows what it is worth, so somebody looks at it.
        return True
    above: Decimal = settings.win_approval_above
    return EXACT.multiply(amount, exchange.rate) > above


def _facts(win: Win) -> dict[str, Any]:
    return {
        "status": str(win.status),
        "instance_id": str(win.instance_id),
        "pot": win.pot.name,
        "cycle": win.cycle,
        "cause": str(win.cause),
        "player_id": win.player.reference,
        "amount": format_amount(win.amount, win.currency),
        "currency": win.currency,
    }
