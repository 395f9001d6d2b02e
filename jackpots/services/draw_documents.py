"""Draws as others see them: prizes as they were frozen, winners in the order drawn."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.instants import format_instant
from core.money import format_amount, format_decimal
from jackpots.models import Draw, Instance, Prize, Win
from jackpots.rules.draws import WHOLE_POT, PrizeRow


def freeze_prizes(*, instance: Instance, prizes: Sequence[Prize]) -> list[dict[str, Any]]:
    """Return the prizes in the order in which they are drawn, as ``Draw.terms`` keeps them."""
    drawn_for: Sequence[Prize | PrizeRow] = prizes or [WHOLE_POT]
    return [
        {
            "name": prize.name,
            "amount": _amount(prize.amount, instance.currency),
            "share": None if prize.share is None else format_decimal(prize.share),
            "count": prize.count,
            "min_tickets": prize.min_tickets,
        }
        for prize in drawn_for
    ]


def frozen_prizes(*, draw: Draw) -> list[PrizeRow]:
    """Return the prizes that a draw was, or will be, made for."""
    return [
        PrizeRow(
            name=prize["name"],
            amount=None if prize["amount"] is None else Decimal(prize["amount"]),
            share=None if prize["share"] is None else Decimal(prize["share"]),
            count=prize["count"],
            min_tickets=prize["min_tickets"],
        )
        for prize in draw.terms
    ]


def describe_draw(*, draw: Draw) -> dict[str, Any]:
    """Return a draw, its instance fetched, as the API shows it; the winners are apart."""
    currency = draw.instance.currency
    return {
        "id": str(draw.pk),
        "instance_id": str(draw.instance_id),
        "commitment": draw.commitment,
        "committed_at": format_instant(draw.committed_at),
        "requested_at": _instant(draw.requested_at),
        "drawn_at": _instant(draw.drawn_at),
        "seed": draw.seed or None,
        "entries_digest": draw.entries_digest or None,
        "entries_count": draw.entries_count,
        "tickets_total": draw.tickets_total,
        "pot_amount": _amount(draw.pot_amount, currency),
        "currency": currency,
    }


def describe_winner(*, win: Win) -> dict[str, Any]:
    """Return a winner of a draw, the prize and the player fetched."""
    return {
        "position": win.draw_position,
        "prize": WHOLE_POT.name if win.prize is None else win.prize.name,
        "player_id": win.player.reference,
        "amount": format_amount(win.amount, win.currency),
        "counter": win.draw_counter,
    }


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def _instant(value: datetime | None) -> str | None:
    return None if value is None else format_instant(value)
