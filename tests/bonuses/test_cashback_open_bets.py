"""Cashback of bets that are not decided: a stake is no loss while its bet is open."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from activity.services.bets import roll_back_bet, settle_bet
from activity.services.outflows import withdraw_money
from bonuses.errors import BonusNotEligible
from bonuses.models import BonusGrant, BonusTemplate
from bonuses.services import previews
from bonuses.services.issuing import Issued
from core.actors import Actor
from operators.models import Operator
from players.models import Player
from tests.factories.activity import bet_by, deposit_by
from tests.factories.bonuses import BonusCampaignFactory, BonusTemplateFactory
from tests.factories.games import GameFactory
from wallets.errors import InsufficientFunds
from wallets.selectors import get_balances

pytestmark = pytest.mark.django_db

Issue = Callable[..., Issued]
Act = Callable[..., Any]
HOUR = timedelta(hours=1)


@pytest.fixture
def cashback(operator: Operator) -> BonusTemplate:
    """10 % of a week's losses, from 20 euros on, and nothing to wager."""
    return BonusTemplateFactory.create(
        operator=operator, cashback=True, wagering_multiplier=Decimal(0)
    )


@pytest.fixture
def staked(operator: Operator, player: Player, now: datetime) -> str:
    """All of a thousand euros, on a bet that is open; its id."""
    with transaction.atomic():
        deposit_by(player, 1000, now=now - 2 * HOUR)
        played = bet_by(player, GameFactory.create(operator=operator), 1000, now=now - HOUR)
    return played.bet.bet_id


@pytest.fixture
def act(operator: Operator, player: Player, actor: Actor) -> Act:
    """Return a function that calls a service of activity for the player."""

    def call(service: Any, **members: Any) -> Any:
        with transaction.atomic():
            return service(
                operator=operator, player_reference=player.reference, actor=actor, **members
            )

    return call


def main_of(player: Player) -> Decimal:
    [balance] = get_balances(player=player)
    return balance.main


def test_a_stake_that_is_given_back_has_paid_nothing(
    issue: Issue, cashback: BonusTemplate, player: Player, now: datetime, staked: str, act: Act
) -> None:
    with pytest.raises(BonusNotEligible):
        issue(cashback, player)
    act(roll_back_bet, bet_id=staked, now=now + HOUR)
    with pytest.raises(BonusNotEligible):
        issue(cashback, player, at=now + 2 * HOUR)

    assert main_of(player) == 1000
    with pytest.raises(InsufficientFunds):
        act(
            withdraw_money,
            amount=Decimal("1100.00"),
            currency="EUR",
            reference=None,
            now=now + 3 * HOUR,
        )
    assert not BonusGrant.objects.exists()


def test_a_stake_is_paid_back_once_its_bet_is_lost(
    issue: Issue, cashback: BonusTemplate, player: Player, now: datetime, staked: str, act: Act
) -> None:
    with pytest.raises(BonusNotEligible):
        issue(cashback, player)
    act(settle_bet, bet_id=staked, payout=Decimal(0), now=now)

    issue(cashback, player, at=now + HOUR)

    assert main_of(player) == 100


def test_it_counts_in_the_window_in_which_it_is_decided(
    issue: Issue,
    cashback: BonusTemplate,
    operator: Operator,
    player: Player,
    now: datetime,
    staked: str,
    act: Act,
) -> None:
    with transaction.atomic():
        deposit_by(player, 50, now=now - HOUR)
        bet_by(player, GameFactory.create(operator=operator), 50, payout=Decimal(0), now=now - HOUR)
    first = issue(cashback, player).issuance.locked_terms()
    act(settle_bet, bet_id=staked, payout=Decimal(300), now=now + HOUR)

    second = issue(cashback, player, at=now + 2 * HOUR).issuance.locked_terms()

    assert (first.bonus_amount, second.bonus_amount) == (5, 70)
    assert second.loss_from == first.loss_until


def test_a_campaigns_preview_counts_no_open_bet(
    operator: Operator, cashback: BonusTemplate, player: Player, staked: str, now: datetime
) -> None:
    campaign = BonusCampaignFactory.create(
        operator=operator, segment__players=[player], template=cashback
    )

    preview = previews.preview_campaign(operator=operator, campaign_id=campaign.pk, now=now)

    assert (preview.audience_size, preview.eligible_count) == (1, 0)
    assert preview.skips == {BonusNotEligible.code: 1}
