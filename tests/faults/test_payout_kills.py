"""
A process may be killed between any two steps of paying a win: it is paid, and paid once.

Real processes die by SIGKILL, against a real database and a real platform.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.sandbox.demo import DEMO_SECRET
from adapters.services.configs import put_adapter
from core.actors import Actor
from core.models import OutboxMessage, new_id
from jackpots.models import Pot, Win
from jackpots.services import payouts
from operators.models import Operator
from tests.adapters.sandbox import (  # noqa: F401 -- fixtures
    Sandbox,
    sandbox_process,
    sandbox_server,
)
from tests.factories.jackpots import PotFactory, WinFactory
from tests.faults.forking import KILLED, run_forked
from wallets.models import Transfer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]

#: Where a payout through a platform can die, and where one into our own ledger can.
FAILPOINTS = ("payout.before_call", "payout.after_call", "payout.after_settle")
OWN_FAILPOINTS = ("payout.after_post",)
#: The loop's seed, wins, and kills.
SEED, WINS, KILLS = 20260329, 4, 10


@pytest.fixture
def pot(operator: Operator) -> Pot:
    return PotFactory.create(instance__operator=operator, instance__progressive=True)


@pytest.fixture
def external(
    sandbox_process: Sandbox,  # noqa: F811
    operator: Operator,
    actor: Actor,
    now: datetime,
    settings: Any,
) -> Sandbox:
    """The operator's wallets are with a sandbox platform."""
    settings.ADAPTER_ALLOWED_HOSTS = [sandbox_process.host]
    put_adapter(
        operator=operator,
        slug=f"{operator.slug}-casino",
        kind="http",
        details={
            "base_url": sandbox_process.base_url,
            "secret": DEMO_SECRET,
            "is_default": True,
        },
        actor=actor,
        now=now,
    )
    return sandbox_process


def sweep(at: datetime) -> Callable[[], int]:
    return lambda: payouts.pay_due_wins(clock=lambda: at, limit=1)


def everything_is_paid_once(sandbox: Sandbox | None = None) -> None:
    wins = list(Win.objects.order_by("pk"))
    assert {win.status for win in wins} == {"paid"}
    told = OutboxMessage.objects.filter(topic="jackpot.win.paid")
    assert sorted(each.subject_id for each in told) == sorted(str(win.pk) for win in wins)
    posted = sorted(Transfer.objects.values_list("reference", flat=True))
    paid_outside = sorted(row["payout_id"] for row in sandbox.payouts()) if sandbox else []
    expected = sorted(str(win.pk) for win in wins)
    assert paid_outside == (expected if sandbox else [])
    assert posted == ([] if sandbox else [f"jackpot:{win_id}" for win_id in expected])


@pytest.mark.parametrize("failpoint", OWN_FAILPOINTS)
def test_our_own_payout_survives_a_kill(failpoint: str, pot: Pot, now: datetime) -> None:
    WinFactory.create(pot=pot)

    died = run_forked(sweep(now), failpoints=f"{failpoint}:kill")

    assert died == KILLED
    assert Transfer.objects.count() == 0
    assert sweep(now)() == 1
    everything_is_paid_once()


def test_a_platforms_payouts_survive_a_loop_of_kills_and_lost_answers(
    pot: Pot, external: Sandbox, now: datetime
) -> None:
    for cycle in range(WINS):
        WinFactory.create(pot=pot, cycle=cycle + 1)
    external.misbehave("lost", path="/v1/jackpots/payouts", times=1)
    dice, at = random.Random(SEED), now

    # Each of them first, so that none is left out; then as it comes.
    places = [*FAILPOINTS, *(dice.choice(FAILPOINTS) for _kill in range(KILLS - len(FAILPOINTS)))]
    died = []
    for place in places:
        at += timedelta(minutes=1)
        died.append(run_forked(sweep(at), failpoints=f"{place}:kill"))
    for _win in range(WINS):
        at += timedelta(minutes=1)
        sweep(at)()

    assert died[: len(FAILPOINTS)] == [KILLED] * len(FAILPOINTS)
    assert len(external.requests("/v1/jackpots/payouts")) > WINS
    everything_is_paid_once(external)


def test_control_without_the_stored_id_a_kill_doubles_the_payout(
    pot: Pot, external: Sandbox, now: datetime, monkeypatch: Any
) -> None:
    """Ask under another id than before, and the platform's idempotency protects nobody."""
    WinFactory.create(pot=pot)
    run_forked(sweep(now), failpoints="payout.after_call:kill")
    payout_order_of = payouts.payout_order_of
    monkeypatch.setattr(
        payouts,
        "payout_order_of",
        lambda *, win: replace(payout_order_of(win=win), payout_id=new_id()),
    )

    assert sweep(now + timedelta(minutes=1))() == 1

    assert len(external.payouts()) == 2
