"""
What every adapter must do: subclass AdapterContract and give it a ``case``.

It is the Protocols ``BonusAdapter`` of bonuses/ports.py and ``PayoutChannel`` of
jackpots/ports.py as tests, to be run against an adapter whose platform works
(docs/adapters.md). What an adapter makes of a platform that does not is its own matter to test.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from bonuses.enums import GrantStatus
from bonuses.ports import BonusAdapter, BonusOrder, PlatformBonusUnknown
from jackpots.ports import PayoutChannel, PayoutOrder, PayoutRejected
from tests.adapters.orders import order, payout

OPEN_STATUSES = (GrantStatus.ACTIVE, "credited", "pending")


@dataclass(frozen=True)
class Case:
    """An adapter to be tested, and the orders that its platform takes."""

    adapter: BonusAdapter
    make_order: Callable[..., BonusOrder] = order
    make_payout: Callable[..., PayoutOrder] = payout

    @property
    def channel(self) -> PayoutChannel:
        """The same adapter, as a way to pay wins."""
        assert hasattr(self.adapter, "pay_out"), "an adapter pays wins as well"
        return self.adapter


class AdapterContract:
    """The promises of the Protocol. A subclass defines the fixture ``case``."""

    @pytest.fixture
    def case(self) -> Case:
        raise NotImplementedError("give the adapter under test")

    def test_it_has_a_slug_and_knows_what_it_is(self, case: Case) -> None:
        assert case.adapter.slug
        assert isinstance(case.adapter.is_internal, bool)

    def test_a_grant_has_an_id_and_is_open(self, case: Case) -> None:
        granted = case.adapter.grant_bonus(case.make_order())

        assert 1 <= len(granted.platform_bonus_id) <= 200
        assert granted.status in OPEN_STATUSES

    def test_the_same_order_twice_is_one_bonus(self, case: Case) -> None:
        wanted = case.make_order()

        first = case.adapter.grant_bonus(wanted)
        second = case.adapter.grant_bonus(wanted)

        assert second.platform_bonus_id == first.platform_bonus_id

    def test_two_orders_are_two_bonuses(self, case: Case) -> None:
        first, second = case.make_order(), case.make_order()

        ids = {case.adapter.grant_bonus(each).platform_bonus_id for each in (first, second)}

        assert len(ids) == 2

    def test_what_it_states_is_what_was_ordered(self, case: Case) -> None:
        wanted = case.make_order()

        granted = case.adapter.grant_bonus(wanted)

        assert granted.amount in (None, wanted.amount)
        assert granted.currency in (None, wanted.currency)

    @pytest.mark.parametrize(
        ("currency", "amount"), [("JPY", "1000"), ("BTC", "0.00000001"), ("EUR", "0.01")]
    )
    def test_currencies_of_any_number_of_decimals_go_through(
        self, case: Case, currency: str, amount: str
    ) -> None:
        wanted = case.make_order(
            currency=currency,
            amount=Decimal(amount),
            max_bet=None,
            config={"amount": amount, "currency": currency},
        )

        granted = case.adapter.grant_bonus(wanted)

        assert granted.amount in (None, Decimal(amount))

    def test_terms_may_be_left_open(self, case: Case) -> None:
        wanted = replace(
            case.make_order(), max_bet=None, expires_at=None, wagering_multiplier=Decimal(0)
        )

        assert case.adapter.grant_bonus(wanted).platform_bonus_id

    def test_a_bonus_can_be_looked_at(self, case: Case) -> None:
        if case.adapter.is_internal:
            # Our own row is the truth; nobody asks (bonuses.services.reconciliation).
            return
        granted = case.adapter.grant_bonus(case.make_order())

        seen = case.adapter.get_bonus(platform_bonus_id=granted.platform_bonus_id, currency="EUR")

        assert seen.platform_bonus_id == granted.platform_bonus_id
        assert seen.status in OPEN_STATUSES

    def test_a_bonus_can_be_looked_at_by_its_grant(self, case: Case) -> None:
        if case.adapter.is_internal:
            return
        wanted = case.make_order()
        granted = case.adapter.grant_bonus(wanted)

        seen = case.adapter.get_bonus(
            platform_bonus_id=str(wanted.grant_id), currency="EUR", grant_id=wanted.grant_id
        )

        assert seen.platform_bonus_id == granted.platform_bonus_id
        none = case.make_order().grant_id
        with pytest.raises(PlatformBonusUnknown):
            case.adapter.get_bonus(platform_bonus_id=str(none), currency="EUR", grant_id=none)

    def test_a_cancelled_bonus_is_seen_as_cancelled(self, case: Case) -> None:
        wanted = case.make_order()
        granted = case.adapter.grant_bonus(wanted)

        case.adapter.cancel_bonus(
            grant_id=wanted.grant_id,
            platform_bonus_id=granted.platform_bonus_id,
            reason="The player asked for it.",
        )

        if not case.adapter.is_internal:
            seen = case.adapter.get_bonus(
                platform_bonus_id=granted.platform_bonus_id, currency="EUR"
            )
            assert seen.status == GrantStatus.CANCELLED

    @pytest.mark.parametrize(
        "platform_bonus_id", ["01a1f000-0000-7000-8000-000000000000", "a/../b?c#d", "é ü", "%2e%2e"]
    )
    def test_a_bonus_that_is_none_is_unknown(self, case: Case, platform_bonus_id: str) -> None:
        with pytest.raises(PlatformBonusUnknown):
            case.adapter.get_bonus(platform_bonus_id=platform_bonus_id, currency="EUR")

    def test_the_database_is_not_touched(self, case: Case) -> None:
        # The calls are made outside any transaction, and may take seconds: these tests have no
        # database, so that whoever asks it fails.
        wanted = case.make_order()

        granted = case.adapter.grant_bonus(wanted)

        assert granted.platform_bonus_id

    def test_a_win_is_paid_once_under_its_id(self, case: Case) -> None:
        wanted, other = case.make_payout(), case.make_payout()
        if case.adapter.is_internal:
            # Jackpots post it to our own ledger; whoever asks has confused something.
            with pytest.raises(PayoutRejected):
                case.channel.pay_out(wanted)
            return

        paid = [case.channel.pay_out(each) for each in (wanted, wanted, other)]

        ids = [each.platform_payout_id for each in paid]
        assert all(len(each) <= 200 for each in ids)
        # A platform may say that it paid, and not under which name.
        assert ids[1] in (ids[0], "")
        assert ids[2] == "" or ids[2] not in ids[:2]

    def test_wins_of_any_number_of_decimals_are_paid(self, case: Case) -> None:
        if case.adapter.is_internal:
            return
        for currency, amount in (("JPY", "1000"), ("BTC", "0.00000001"), ("EUR", "0.01")):
            case.channel.pay_out(case.make_payout(currency=currency, amount=Decimal(amount)))
