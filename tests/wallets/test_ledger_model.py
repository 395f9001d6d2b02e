"""The ledger against a dict: whatever is posted, refused, repeated, reversed or folded."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core import books
from core.errors import DomainError
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.wallets import house, main_of, posting, vault_of
from wallets.enums import AccountKind
from wallets.errors import InsufficientFunds, TransferReferenceReused
from wallets.models import Account, AccountSnapshot, Transfer
from wallets.selectors import get_hot_balance
from wallets.services import snapshots, transfers
from wallets.services.transfers import AccountKey, Posting

NOW = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
ACCOUNT_COUNT = 7
FOLDED_WITHIN_S = 60

amounts = st.integers(min_value=1, max_value=500).map(lambda cents: Decimal(cents).scaleb(-2))
numbers = st.integers(min_value=0, max_value=ACCOUNT_COUNT - 1)
# Two different ones of the accounts.
sides = st.tuples(numbers, numbers).filter(lambda pair: pair[0] != pair[1])


class Ledger(RuleBasedStateMachine):
    """Three hot accounts, two players with a vault each, and what they should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.operator = OperatorFactory.create()
        players = PlayerFactory.create_batch(2, operator=self.operator)
        self.keys: list[AccountKey] = [
            house(AccountKind.HOUSE_CASH),
            house(AccountKind.HOUSE_GAMES),
            AccountKey(AccountKind.JACKPOT_POOL, "EUR", owner="weekly"),
            *[main_of(player) for player in players],
            *[vault_of(player) for player in players],
        ]
        self.held: Counter[AccountKey] = Counter()
        self.posted: list[Posting] = []
        #: The reversal of each reversed posting, by the posting's reference.
        self.reversals: dict[str, Transfer] = {}

    def is_covered(self, held: Counter[AccountKey], posting: Posting) -> bool:
        return not posting.debit.is_of_player or held[posting.debit] >= posting.amount

    def apply(self, held: Counter[AccountKey], posting: Posting) -> None:
        held[posting.debit] -= posting.amount
        held[posting.credit] += posting.amount

    def post(self, *postings: Posting) -> list[Transfer]:
        return transfers.post_transfers(operator=self.operator, postings=postings, now=NOW)

    def refused(self, refusal: type[DomainError], call: Callable[[], Any]) -> None:
        with pytest.raises(refusal):
            call()

    @rule(movements=st.lists(st.tuples(sides, amounts), min_size=1, max_size=3))
    def post_together(self, movements: list[tuple[tuple[int, int], Decimal]]) -> None:
        wanted = [
            posting(self.keys[debit], self.keys[credit], amount)
            for (debit, credit), amount in movements
        ]
        after = Counter(self.held)
        for each in wanted:
            if not self.is_covered(after, each):
                self.refused(InsufficientFunds, lambda: self.post(*wanted))
                return
            self.apply(after, each)
        assert [transfer.amount for transfer in self.post(*wanted)] == [
            each.amount for each in wanted
        ]
        self.held = after
        self.posted += wanted

    @precondition(lambda self: self.posted)
    @rule(data=st.data())
    def post_again(self, data: st.DataObject) -> None:
        again = data.draw(st.sampled_from(self.posted))
        [replay] = self.post(again)
        assert replay.reference == again.reference

    @precondition(lambda self: self.posted)
    @rule(data=st.data())
    def post_something_else_under_a_reference(self, data: st.DataObject) -> None:
        known = data.draw(st.sampled_from(self.posted))
        other = replace(known, amount=known.amount + 1)
        self.refused(TransferReferenceReused, lambda: self.post(other))

    @precondition(lambda self: self.posted)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        original = data.draw(st.sampled_from(self.posted))
        back = replace(original, debit=original.credit, credit=original.debit)

        def call() -> Transfer:
            return transfers.reverse_transfer(
                operator=self.operator, reference=original.reference, now=NOW
            )

        if original.reference in self.reversals:
            assert call() == self.reversals[original.reference]
        elif not self.is_covered(self.held, back):
            self.refused(InsufficientFunds, call)
        else:
            self.reversals[original.reference] = call()
            self.apply(self.held, back)

    @rule()
    def fold(self) -> None:
        snapshots.snapshot_hot_accounts(now=NOW, limit=100)

    @invariant()
    def the_accounts_hold_what_they_should(self) -> None:
        stored = {
            AccountKey(
                AccountKind(account.kind), account.currency, account.player_id, account.owner
            ): account
            for account in Account.objects.for_operator(self.operator)
        }
        for key, account in stored.items():
            balance = get_hot_balance(account=account) if account.is_hot else account.balance
            assert balance == self.held[key], key
        assert {key for key, amount in self.held.items() if amount} <= set(stored)

    def teardown(self) -> None:
        count = Transfer.objects.for_operator(self.operator).count()
        assert count == len(self.posted) + len(self.reversals)
        assert books.find_differences() == []


@pytest.mark.django_db(transaction=True)
def test_the_ledger_is_what_a_dict_says() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    # It is no proof of the snapshots unless there were some. A transaction that runs anywhere
    # on the server, another test's, delays them.
    deadline = time.monotonic() + FOLDED_WITHIN_S
    while not AccountSnapshot.objects.exists() and time.monotonic() < deadline:
        snapshots.snapshot_hot_accounts(now=NOW, limit=100)
    assert AccountSnapshot.objects.exists()
    assert books.find_differences() == []
