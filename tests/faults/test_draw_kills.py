"""
A process may be killed between any two steps of a draw: there is one draw, and each prize once.

Real processes die by SIGKILL, and the sweeps that come after finish what they left.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core import locks
from core.actors import Actor
from jackpots.enums import InstanceStatus, WinStatus
from jackpots.models import Draw, DrawEntry, Instance, Win
from jackpots.services import drawing, payouts
from jackpots.services.verification import verify_draw
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import ExchangeRateFactory
from tests.faults.forking import KILLED, run_forked
from tests.jackpots.conftest import link, meter
from tests.jackpots.raffles import Raffling, again, books_balance
from wallets.models import Transfer

pytestmark = pytest.mark.django_db(transaction=True)

#: Where a draw and the opening of the next run can die, and the payout of its prizes.
FAILPOINTS = (
    "draw.after_request",
    "draw.after_freeze",
    "draw.after_wins",
    "draw.after_draw",
    "runs.after_links",
    "draw.before_settle",
)


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Raffling:
    ExchangeRateFactory.create(operator=operator)
    return Raffling(operator, actor, now)


def opened(world: Raffling) -> Instance:
    """Return a recurring raffle with three players, which something is linked to."""
    raffle = world.opened(
        recurrence="daily",
        pots=[{"share": Decimal("0.5")}, {"share": Decimal("0.5")}],
        prizes=[{"share": Decimal("0.3"), "count": 3}, {"amount": Decimal(9), "priority": 1}],
    )
    link(InstanceFactory.create(operator=world.operator), raffle)
    world.contributed(raffle, ada=2, bob=3, cyd="1.5")
    return raffle


def sweep(world: Raffling, at: datetime) -> None:
    """Do what the clock does: draw, open, pay, settle."""
    world.swept(at)
    payouts.pay_due_wins(clock=lambda: at, limit=100)
    world.swept(at)


def drawn_once(raffle: Instance) -> None:
    assert again(raffle).status == InstanceStatus.CLOSED
    draw = Draw.objects.get(instance=raffle)
    assert verify_draw(operator=draw.operator, draw_id=draw.pk)["verified"]
    wins = Win.objects.filter(draw=draw, status=WinStatus.PAID)
    assert (wins.count(), DrawEntry.objects.filter(draw=draw).count()) == (4, 3)
    paid = Transfer.objects.filter(reference__in=[f"jackpot:{win.pk}" for win in wins])
    # Three times 0.3 × 6.50, and nine of which the house adds what is not in the pot.
    assert sorted(paid.values_list("amount", flat=True)) == [*[Decimal("1.95")] * 3, 9]
    opened_once = Instance.objects.get(previous=raffle)
    assert opened_once.linked_from.count() == 1
    assert raffle.linked_from.count() == 0
    assert (meter(raffle), meter(opened_once)) == (0, 0)


def test_a_loop_of_kills_draws_every_raffle_once_and_pays_every_prize_once(
    world: Raffling,
) -> None:
    raffles = [opened(world) for _ in range(3)]
    closes_at = raffles[0].closes_at
    assert closes_at is not None

    for number, failpoint in enumerate(FAILPOINTS):
        at = closes_at + timedelta(seconds=number)
        died = run_forked(lambda at=at: sweep(world, at), failpoints=f"{failpoint}:kill")  # type: ignore[misc]
        assert died == KILLED, failpoint
        books_balance()

    sweep(world, closes_at + timedelta(minutes=5))
    for raffle in raffles:
        drawn_once(raffle)
    books_balance()


def test_control_without_the_transaction_a_kill_leaves_half_a_draw(
    world: Raffling, monkeypatch: pytest.MonkeyPatch
) -> None:
    raffle = world.opened()
    world.contributed(raffle, ada=5)
    in_pieces = drawing.make_draw.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.setattr(locks, "lock_one", lambda queryset: queryset.get())
    monkeypatch.setattr("core.audit.connection", type("Any", (), {"in_atomic_block": True}))
    monkeypatch.setattr("jackpots.services.draws.make_draw", in_pieces)
    monkeypatch.setattr("jackpots.services.folding.fold_instance", lambda **_given: 0)

    died = run_forked(lambda: world.drawn(raffle), failpoints="draw.after_wins:kill")

    # The prize is there to be paid, and the raffle there to be drawn.
    assert died == KILLED
    assert (Win.objects.count(), again(raffle).status) == (1, InstanceStatus.CLOSING)
