"""Offers: a bonus that waits for the player's next deposit is issued by the one that qualifies."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from activity.services.deposits import MadeDeposit, make_deposit
from bonuses.enums import GrantStatus, IssuanceStatus
from bonuses.errors import BonusGrantLimitReached
from bonuses.models import BonusGrant, BonusIssuance
from bonuses.services import issuing
from bonuses.services.issuing import Issued
from core.actors import Actor
from core.errors import InvalidRequest
from operators.models import Operator
from players.models import Player
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.bonuses import BonusTemplateFactory
from wallets.selectors import get_balances

pytestmark = pytest.mark.django_db

Issue = Callable[..., Issued]


@pytest.fixture
def deposit(operator: Operator, player: Player, actor: Actor, now: datetime) -> Any:
    """Return a function that lets the player deposit."""

    @transaction.atomic
    def make(amount: str, *, at: datetime = now) -> MadeDeposit:
        return make_deposit(
            operator=operator,
            player_reference=player.reference,
            amount=Decimal(amount),
            currency=player.currency,
            reference=None,
            actor=actor,
            now=at,
        )

    return make


def test_the_next_deposit_issues_the_match_in_its_own_transaction(
    issue: Issue, operator: Operator, player: Player, deposit: Any, now: datetime
) -> None:
    offer = issue(BonusTemplateFactory.create(operator=operator, match=True), player, is_offer=True)

    made = deposit("100.00")

    assert offer.issuance.status == IssuanceStatus.AWAITING_DEPOSIT
    [armed] = made.armed
    grant = BonusGrant.objects.get()
    assert (armed.pk, armed.status) == (offer.issuance.pk, IssuanceStatus.SUCCEEDED)
    assert (grant.pk, grant.status, grant.granted_at) == (armed.grant_id, GrantStatus.ACTIVE, now)
    assert (grant.bonus_amount, grant.deposit_amount) == (Decimal(100), Decimal(100))
    # 100 % of 100.00 capped at 200.00, 30 times bonus plus deposit.
    assert grant.wagering_required == Decimal(6000)
    assert get_balances(player=player)[0].main == Decimal(100)


def test_a_deposit_issues_it_once(
    issue: Issue, operator: Operator, player: Player, deposit: Any
) -> None:
    issue(BonusTemplateFactory.create(operator=operator, match=True), player, is_offer=True)
    deposit("100.00")

    made = deposit("50.00")

    assert made.armed == []
    assert BonusGrant.objects.count() == 1


def test_a_reload_lets_the_first_deposit_pass(
    issue: Issue, operator: Operator, player: Player, deposit: Any
) -> None:
    issue(BonusTemplateFactory.create(operator=operator, reload=True), player, is_offer=True)

    first, second = deposit("100.00"), deposit("40.00")

    assert (first.armed, len(second.armed)) == ([], 1)
    assert BonusGrant.objects.get().bonus_amount == Decimal(20)


def test_a_deposit_too_small_for_any_bonus_leaves_the_offer_waiting(
    issue: Issue, operator: Operator, player: Player, deposit: Any
) -> None:
    issue(BonusTemplateFactory.create(operator=operator, reload=True), player, is_offer=True)
    deposit("1.00")

    # Half of a cent is no cent.
    small, enough = deposit("0.01"), deposit("0.02")

    assert (small.armed, len(enough.armed)) == ([], 1)
    assert BonusGrant.objects.get().bonus_amount == Decimal("0.01")


def test_one_deposit_arms_every_offer_that_waits(
    issue: Issue, operator: Operator, player: Player, deposit: Any
) -> None:
    for _ in range(2):
        issue(BonusTemplateFactory.create(operator=operator, match=True), player, is_offer=True)

    assert len(deposit("10.00").armed) == 2


def test_an_offer_counts_against_the_limit(
    issue: Issue, operator: Operator, player: Player
) -> None:
    template = BonusTemplateFactory.create(operator=operator, match=True, max_grants_per_player=1)
    issue(template, player, is_offer=True)

    with pytest.raises(BonusGrantLimitReached):
        issue(template, player, is_offer=True)
    with pytest.raises(BonusGrantLimitReached):
        issue(template, player, deposit_amount="10.00")


def test_only_a_match_can_wait_for_a_deposit(
    issue: Issue, operator: Operator, player: Player
) -> None:
    with pytest.raises(InvalidRequest):
        issue(BonusTemplateFactory.create(operator=operator), player, is_offer=True)

    assert not BonusIssuance.objects.exists()


def test_a_platform_is_asked_after_the_deposit_is_committed(
    issue: Issue,
    operator: Operator,
    player: Player,
    platform: ScriptedPlatform,
    deposit: Any,
    now: datetime,
) -> None:
    issue(BonusTemplateFactory.create(operator=operator, match=True), player, is_offer=True)

    [armed] = deposit("100.00").armed

    assert (armed.status, armed.next_attempt_at) == (IssuanceStatus.PENDING, now)
    assert platform.orders == []
    assert issuing.retry_due_issuances(clock=lambda: now, limit=10) == 1
    assert [order.amount for order in platform.orders] == [Decimal(100)]
    assert BonusGrant.objects.get().deposit_amount == Decimal(100)


def test_the_accounts_are_locked_after_the_offers(
    issue: Issue,
    operator: Operator,
    player: Player,
    deposit: Any,
    record_locks: Callable[..., Any],
) -> None:
    issue(BonusTemplateFactory.create(operator=operator, match=True), player, is_offer=True)

    with record_locks() as tables:
        deposit("100.00")

    assert tables == ["promos_userpromo", "bonuses_bonusissuance"]
