"""
What others hear of wins: outbox messages, in the transaction of the change.

A message carries the win as the API shows it at that instant.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import outbox
from core.instants import format_instant
from core.models import OutboxMessage
from core.money import format_amount, format_decimal
from jackpots.models import Win
from jackpots.rules.drops import commitment
from operators.models import Operator

WIN_TOPICS = frozenset({"jackpot.pot.won", "jackpot.win.paid", "jackpot.win.rejected"})


def announce_win(*, win: Win, topic: str, now: datetime) -> OutboxMessage:
    """Tell of a win, after the change was saved and in its transaction."""
    assert topic in WIN_TOPICS, f"{topic} is no topic of wins"
    return outbox.publish(
        operator=win.operator, topic=topic, subject=win, payload=describe_win(win=win), now=now
    )


def announce_found_wins(*, operator: Operator, wins: Sequence[Win], now: datetime) -> None:
    """Tell of many wins that were found at once, in their order: a message for each."""
    outbox.publish_each(
        operator=operator,
        topic="jackpot.pot.won",
        messages=[(win, describe_win(win=win)) for win in wins],
        now=now,
    )


def describe_win(*, win: Win) -> dict[str, Any]:
    """Return a win, its pot, prize and player fetched, as the API shows it."""
    trigger = _amount(win.trigger, win.currency)
    return {
        "id": str(win.pk),
        "instance_id": str(win.instance_id),
        "pot_id": win.pot_id,
        "pot": win.pot.name,
        "cycle": win.cycle,
        "cause": str(win.cause),
        "contribution_id": _id(win.contribution_id),
        "draw_id": _id(win.draw_id),
        "draw_position": win.draw_position,
        "prize": None if win.prize is None else win.prize.name,
        "player_id": win.player.reference,
        "amount": format_amount(win.amount, win.currency),
        "currency": win.currency,
        "status": str(win.status),
        "trigger": trigger,
        "trigger_nonce": win.trigger_nonce or None,
        "commitment": None
        if trigger is None
        else commitment(
            pot_id=win.pot_id, cycle=win.cycle, trigger=trigger, nonce=win.trigger_nonce
        ),
        "initiated_by": {"kind": str(win.initiated_by_kind), "ref": win.initiated_by_ref},
        "found_at": format_instant(win.found_at),
        "decided_by": None
        if win.decided_at is None
        else {"kind": str(win.decided_by_kind), "ref": win.decided_by_ref},
        "decided_at": _instant(win.decided_at),
        "decision_reason": win.decision_reason or None,
        "payout_amount": _amount(win.payout_amount, win.payout_currency),
        "payout_currency": win.payout_currency or None,
        "payout_rate": None if win.payout_rate is None else format_decimal(win.payout_rate),
        "payout_rate_at": _instant(win.payout_rate_at),
        "adapter_slug": win.adapter_slug or None,
        "platform_payout_id": win.platform_payout_id or None,
        "attempts": win.attempts,
        "next_attempt_at": _instant(win.next_attempt_at),
        "last_error": win.last_error or None,
        "paid_at": _instant(win.paid_at),
    }


def _id(value: Any) -> str | None:
    return None if value is None else str(value)


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else format_instant(value)
