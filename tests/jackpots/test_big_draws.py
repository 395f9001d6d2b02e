"""A draw of many winners costs what few cost, and takes as long as it takes."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import Actor
from core.models import AuditEntry, OutboxMessage
from jackpots.enums import WinStatus
from jackpots.models import JackpotSettings, Win
from jackpots.rules.draws import draw_winners
from jackpots.services import drawing
from jackpots.services.announcements import describe_win
from operators.models import Operator
from tests.factories.operators import ExchangeRateFactory
from tests.jackpots.raffles import Raffling, books_balance

pytestmark = pytest.mark.django_db

LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Raffling:
    return Raffling(operator, actor, now)


def count_statements(world: Raffling, *, winners: int) -> int:
    """Draw so many winners among three players, and return how many statements it took."""
    raffle = world.opened(prizes=[{"name": "Euro", "amount": Decimal(1), "count": winners}])
    world.contributed(raffle, ada=900, bob=500, cyd=2)
    with CaptureQueriesContext(connection) as queries:
        world.drawn(raffle)
    assert Win.objects.filter(instance=raffle).count() == winners
    return len(queries)


def test_statements_do_not_grow_with_the_winners(world: Raffling) -> None:
    one = count_statements(world, winners=1)

    assert count_statements(world, winners=40) == one
    # For each further thousand: the players, the wins, the audit trail and the messages.
    assert count_statements(world, winners=1001) == one + 4


def test_each_of_many_wins_is_told_of_and_judged_by_itself(
    world: Raffling, operator: Operator
) -> None:
    JackpotSettings.objects.create(operator=operator, win_approval_above=Decimal("6.25"))
    # A euro is 1.25 dollars.
    ExchangeRateFactory.create(operator=operator)
    raffle = world.opened(
        prizes=[
            {"name": "Ten", "amount": Decimal(10), "count": 2},
            {"name": "Five", "amount": Decimal(5), "count": 2, "priority": 1},
        ]
    )
    world.contributed(raffle, ada=3, bob=3)

    world.drawn(raffle)

    wins = list(Win.objects.select_related("pot", "prize", "player").order_by("draw_position"))
    assert [(win.draw_position, win.prize and win.prize.name, win.status) for win in wins] == [
        (1, "Ten", WinStatus.AWAITING_APPROVAL),
        (2, "Ten", WinStatus.AWAITING_APPROVAL),
        (3, "Five", WinStatus.PAYABLE),
        (4, "Five", WinStatus.PAYABLE),
    ]
    messages = OutboxMessage.objects.filter(topic="jackpot.pot.won").order_by("pk")
    assert [message.payload for message in messages] == [describe_win(win=win) for win in wins]
    assert [message.subject_id for message in messages] == [str(win.pk) for win in wins]
    entries = list(AuditEntry.objects.filter(action="jackpot.win.found").order_by("pk"))
    assert [entry.subject_id for entry in entries] == [str(win.pk) for win in wins]
    assert {(entry.actor_kind, entry.actor_ref) for entry in entries} == {("task", "draw")}
    assert entries[0].after == {
        "status": "awaiting_approval",
        "instance_id": str(raffle.pk),
        "pot": "main",
        "cycle": 1,
        "cause": "draw",
        "player_id": wins[0].player.reference,
        "amount": "10.00",
        "currency": "EUR",
    }
    books_balance()


def test_nothing_ends_a_draw_while_it_is_computed(
    world: Raffling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def limits() -> list[str]:
        with connection.cursor() as cursor:
            return [str(cursor.execute(f"SHOW {name}").fetchone()[0]) for name in LIMITS]

    met: list[list[str]] = []

    def drawing_slowly(*args: Any, **named: Any) -> Any:
        met.append(limits())
        return draw_winners(*args, **named)

    monkeypatch.setattr(drawing, "draw_winners", drawing_slowly)
    raffle = world.opened()
    world.contributed(raffle, ada=5)
    assert "0" not in limits()

    world.drawn(raffle)

    assert met == [["0", "0"]]
