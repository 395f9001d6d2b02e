"""Every move of a win: the ones that exist, and all the ones that do not, here and in SQL."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, connection, transaction
from django_fsm import TransitionNotAllowed

from jackpots.enums import WinStatus
from jackpots.models import Win
from tests.factories.jackpots import WinFactory

pytestmark = pytest.mark.django_db

# The whole machine on one screen. A move that is not listed must be refused.
MOVES = {
    ("awaiting_approval", "approve"): "payable",
    ("awaiting_approval", "reject"): "rejected",
    ("payable", "pay"): "paid",
}
VERBS: dict[str, Callable[[Win, datetime], None]] = {
    "approve": lambda win, now: win.approve(now=now),
    "reject": lambda win, now: win.reject(now=now),
    "pay": lambda win, now: win.pay(now=now),
}


def refused_by_the_database(win: Win, change: str, params: list[Any]) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE jackpots_win SET {change} WHERE id = %s", [*params, win.pk])
    except (IntegrityError, InternalError, ProgrammingError):
        return True
    return False


def test_a_win_moves_as_the_table_says_and_no_other_way(now: datetime) -> None:
    assert {move.name for move in Win().get_all_status_transitions()} == set(VERBS)
    for status in WinStatus.values:
        for verb, move in VERBS.items():
            win = Win(status=status)
            if (status, verb) in MOVES:
                move(win, now)
                assert win.status == MOVES[status, verb]
            else:
                with pytest.raises(TransitionNotAllowed):
                    move(win, now)


def test_the_database_knows_the_same_moves_and_keeps_the_facts(now: datetime) -> None:
    # With every column that any of the states may want, so that only the move is at fault.
    facts = {
        "awaiting_approval": "decided_at = NULL, next_attempt_at = NULL, paid_at = NULL",
        "payable": "next_attempt_at = now(), paid_at = NULL",
        "paid": "next_attempt_at = NULL, paid_at = now(), payout_amount = 1",
        "rejected": "decided_at = now(), decided_by_ref = 'x', next_attempt_at = NULL,"
        " paid_at = NULL",
    }
    legal = {(source, target) for (source, _verb), target in MOVES.items()}
    for source in WinStatus.values:
        for target in WinStatus.values:
            if source == target:
                continue
            win = WinFactory.create(status=source)
            is_refused = refused_by_the_database(win, f"status = %s, {facts[target]}", [target])
            assert is_refused == ((source, target) not in legal), (source, target)

    paid = WinFactory.create(status="paid")
    for change in ("amount = 11", "player_id = player_id + 1", "initiated_by_ref = 'x'"):
        assert refused_by_the_database(paid, change, []), change
    with pytest.raises((IntegrityError, InternalError, ProgrammingError)), transaction.atomic():
        Win.objects.filter(pk=paid.pk).delete()
