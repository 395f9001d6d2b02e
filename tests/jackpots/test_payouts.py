"""Wins reach the player's wallet, ours or a platform's: once, in their currency, or later."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.actors import Actor
from core.errors import NotFound, ResourceBusy
from jackpots.books import check_wins
from jackpots.errors import WinWrongState
from jackpots.models import Win
from jackpots.ports import PaidOut, PayoutRejected, PayoutUnavailable
from jackpots.services import payouts
from jackpots.services.payouts import pay_due_wins, retry_win_now
from operators.models import Operator
from tests.factories.jackpots import PotFactory, WinFactory
from tests.factories.operators import LONG_AGO, ExchangeRateFactory, OperatorFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.paying import FakeChannel, audited, pay_outside, read, told
from wallets.models import Transfer

pytestmark = pytest.mark.django_db

PAID_BY_SWEEP = ("jackpot.win.paid", "task:pay_due_wins")


@pytest.fixture
def outside(settings: Any) -> FakeChannel:
    return pay_outside(settings)


@pytest.fixture
def win_of(operator: Operator) -> Callable[..., Win]:
    """Return a function that makes a payable win in euros, for a player of that kind."""

    def make(amount: str = "10.00", *, currency: str = "EUR", **player: Any) -> Win:
        pot = PotFactory.create(instance__operator=operator, instance__progressive=True)
        winner = PlayerFactory.create(operator=operator, currency=currency, **player)
        return WinFactory.create(pot=pot, player=winner, amount=Decimal(amount))

    return make


@pytest.fixture
def rates(operator: Operator) -> None:
    for currency, usd in (("EUR", "1.10"), ("JPY", "0.0067"), ("BTC", "60000")):
        ExchangeRateFactory.create(operator=operator, currency=currency, usd_rate=Decimal(usd))


def sweep(now: datetime, limit: int = 100) -> int:
    return pay_due_wins(clock=lambda: now, limit=limit)


def in_ledger(win: Win) -> Decimal:
    """Return what our ledger moved from the cost of jackpots to the player for the win."""
    transfers = Transfer.objects.filter(
        reference=f"jackpot:{win.pk}",
        debit_account__kind="JACKPOT_COST",
        credit_account__kind="PLAYER_MAIN",
        credit_account__player=win.player,
        tag="JACKPOT",
    )
    return sum((transfer.amount for transfer in transfers), Decimal(0))


def test_our_own_wallet_is_paid_in_its_currency_at_the_rate_in_force(
    operator: Operator, win_of: Callable[..., Win], rates: None, now: datetime
) -> None:
    wins = {
        "10.00": win_of("10.00"),
        "2027": win_of("12.35", currency="JPY"),
        "0.00022641": win_of("12.35", currency="BTC"),
        "0": win_of("0.00"),
        "0.0": win_of("0.00", currency="JPY"),
    }

    paid_count = sweep(now)

    assert paid_count == len(wins)
    for expected, win in wins.items():
        paid = read(win)
        assert (paid.status, paid.paid_at, paid.attempts) == ("paid", now, 1)
        assert paid.payout_amount == Decimal(expected) == in_ledger(win)
        assert paid.payout_currency == win.player.currency
        # Who had nothing to get was not asked about.
        assert paid.adapter_slug == (f"{operator.slug}-internal" if Decimal(expected) else "")
        assert told(win) == [("jackpot.win.paid", "paid")]
        assert audited(win) == [PAID_BY_SWEEP]
    yen = read(wins["2027"])
    assert (yen.payout_rate, yen.payout_rate_at) == (Decimal("164.179104477611940299"), LONG_AGO)
    assert Transfer.objects.get(reference=f"jackpot:{yen.pk}").rate == yen.payout_rate
    assert sweep(now + timedelta(days=1)) == 0
    assert list(check_wins()) == []


def test_the_excluded_and_the_blocked_are_paid_and_who_waits_is_not(
    win_of: Callable[..., Win], now: datetime
) -> None:
    excluded = win_of(self_excluded_until=now + timedelta(days=9))
    blocked = win_of(is_blocked=True)
    waiting = WinFactory.create(status="awaiting_approval", amount=Decimal(7))
    rejected = WinFactory.create(status="rejected", amount=Decimal(7))

    assert sweep(now) == 2

    assert [in_ledger(win) for win in (excluded, blocked, waiting, rejected)] == [10, 10, 0, 0]


def test_without_a_rate_it_waits_and_says_why(
    operator: Operator, win_of: Callable[..., Win], now: datetime
) -> None:
    stuck, other, nothing = win_of(currency="JPY"), win_of(), win_of("0.00", currency="JPY")

    assert sweep(now) == 2

    held = read(stuck)
    assert (held.status, held.attempts, held.adapter_slug) == ("payable", 1, "")
    assert "exchange rate" in held.last_error
    assert now + timedelta(seconds=5) <= held.next_attempt_at <= now + timedelta(seconds=10)
    assert [read(win).status for win in (other, nothing)] == ["paid", "paid"]
    assert sweep(now) == 0
    for currency in ("EUR", "JPY"):
        ExchangeRateFactory.create(operator=operator, currency=currency, usd_rate=Decimal(1))
    assert sweep(now + timedelta(seconds=10)) == 1
    assert (read(stuck).status, read(stuck).last_error) == ("paid", "")
    assert told(stuck) == [("jackpot.win.paid", "paid")]


def test_a_platform_is_asked_for_the_same_until_it_pays(
    operator: Operator,
    outside: FakeChannel,
    win_of: Callable[..., Win],
    rates: None,
    now: datetime,
) -> None:
    win = win_of("12.35", currency="BTC")
    outside.outcomes = [PayoutUnavailable("No answer."), PayoutUnavailable("No answer.")]
    at = now

    for attempt in (1, 2):
        assert sweep(at) == 0
        held = read(win)
        assert (held.status, held.attempts, held.last_error) == ("payable", attempt, "No answer.")
        at = held.next_attempt_at
        # What is a bitcoin worth later is no matter: it was promised at the first attempt.
        ExchangeRateFactory.create(
            operator=operator, currency="BTC", usd_rate=Decimal(1), valid_from=at
        )
    assert sweep(at) == 1

    paid = read(win)
    [order] = {str(each): each for each in outside.asked}.values()
    assert len(outside.asked) == 3
    assert (order.payout_id, order.amount, order.currency) == (win.pk, Decimal("0.00022641"), "BTC")
    assert (order.player_reference, order.pot) == (win.player.reference, "main")
    assert (paid.status, paid.attempts, paid.last_error) == ("paid", 3, "")
    assert (paid.adapter_slug, paid.platform_payout_id) == ("fake", f"fake:{win.pk}")
    assert in_ledger(win) == 0
    assert told(win) == [("jackpot.win.paid", "paid")]
    assert list(check_wins()) == []


def test_a_refusal_is_kept_and_asked_again_much_later_or_by_hand(
    operator: Operator,
    outside: FakeChannel,
    win_of: Callable[..., Win],
    actor: Actor,
    now: datetime,
) -> None:
    win = win_of()
    outside.outcomes = [PayoutRejected("PLAYER_UNKNOWN", "No such player.")]

    assert sweep(now) == 0
    refused = read(win)
    retried = retry_win_now(
        operator=operator, win_id=win.pk, reason="They exist now", actor=actor, clock=lambda: now
    )

    assert (refused.status, refused.attempts) == ("payable", 1)
    assert refused.last_error == "PLAYER_UNKNOWN: No such player."
    assert refused.next_attempt_at >= now + timedelta(minutes=30)
    assert (retried.status, retried.attempts) == ("paid", 2)
    assert audited(win) == [
        ("jackpot.win.refused", "task:pay_due_wins"),
        ("jackpot.win.retried", "staff:7"),
        ("jackpot.win.paid", "staff:7"),
    ]
    members: dict[str, Any] = {"reason": "", "actor": actor, "clock": lambda: now}
    with pytest.raises(WinWrongState):
        retry_win_now(operator=operator, win_id=win.pk, **members)
    with pytest.raises(NotFound):
        retry_win_now(operator=OperatorFactory.create(), win_id=win.pk, **members)
    assert len(outside.asked) == 2


def test_while_a_platform_is_asked_nobody_else_asks_it(
    operator: Operator,
    outside: FakeChannel,
    win_of: Callable[..., Win],
    actor: Actor,
    now: datetime,
) -> None:
    win = win_of()
    later = now + timedelta(minutes=1)

    def meanwhile() -> PaidOut:
        assert sweep(now) == 0
        with pytest.raises(ResourceBusy):
            retry_win_now(
                operator=operator, win_id=win.pk, reason="", actor=actor, clock=lambda: now
            )
        # When the lease is over the attempt is thought dead, and another one pays.
        assert sweep(later) == 1
        raise PayoutUnavailable("Too late to matter.")

    outside.outcomes = [meanwhile]

    sweep(now)

    assert [order.payout_id for order in outside.asked] == [win.pk, win.pk]
    assert (read(win).status, read(win).paid_at, read(win).last_error) == ("paid", later, "")
    assert told(win) == [("jackpot.win.paid", "paid")]


def test_one_that_breaks_never_stops_the_others_nor_comes_back_at_once(
    outside: FakeChannel, win_of: Callable[..., Win], now: datetime, monkeypatch: Any
) -> None:
    first, second = win_of(), win_of()
    outside.is_internal = True
    post = payouts._post

    def post_or_break(win: Win, *, now: datetime) -> None:
        if win.pk == first.pk:
            raise RuntimeError("a bug")
        post(win, now=now)

    monkeypatch.setattr(payouts, "_post", post_or_break)

    assert sweep(now) == 1

    assert read(second).status == "paid"
    held = read(first)
    assert (held.status, held.last_error) == ("payable", payouts.UNEXPECTED)
    assert held.next_attempt_at > now
