"""The books of bonuses find every number that its rows do not bear out, and nothing else."""

from decimal import Decimal
from typing import Any

import pytest

from activity import books as activity_books
from bonuses import books
from bonuses.models import BetFunding, BonusGrant
from bonuses.services import payments
from core.books import check_names
from tests.bonuses.playing import NOW, Play, differences
from tests.concurrency.sabotage import execute
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    BonusIssuanceFactory,
    CampaignTargetFactory,
)
from tests.factories.operators import LONG_AGO
from tests.factories.wallets import house, main_of, posting
from wallets.enums import AccountKind, Tag
from wallets.services import transfers

pytestmark = pytest.mark.django_db

NOBODY = "00000000-0000-0000-0000-000000000000"


def post(play: Play, *postings: Any) -> None:
    transfers.post_transfers(operator=play.operator, postings=postings, now=play.now)


def without_triggers(sql: str, *params: Any) -> None:
    """Change rows as no service could, past the triggers that would refuse."""
    execute("SET LOCAL session_replication_role = replica")
    execute(sql, params)
    execute("SET LOCAL session_replication_role = origin")


def numbers(found: Any) -> list[tuple[Decimal, Decimal]]:
    return [(difference.recorded, difference.computed) for difference in found]


def test_every_check_is_registered() -> None:
    assert {name for name in check_names() if name.startswith("bonuses.")} == {
        "bonuses.accounts",
        "bonuses.budgets",
        "bonuses.campaign_grants",
        "bonuses.campaigns",
        "bonuses.clawbacks",
        "bonuses.completed",
        "bonuses.fundings",
        "bonuses.issuances",
        "bonuses.money",
        "bonuses.progress",
    }


def test_a_whole_life_balances() -> None:
    play = Play()
    play.has("5.00")
    play.granted("10.00", wagering_multiplier=Decimal(1), max_win_cap=Decimal(3))
    play.granted("10.00", max_bet=Decimal(12))
    third = play.granted("10.00")
    play.bet("6.00", "20.00", bet_id="r-1")
    play.bet("8.00", bet_id="r-2")
    play.bet("13.00", "1.00", bet_id="r-3")
    play.settle("r-2", "40.00")
    play.roll_back("r-3")
    play.end(third, "cancel")
    play.roll_back("r-1")

    assert differences() == []


def test_a_grant_without_its_credit_is_found() -> None:
    grant = BonusGrantFactory.create()

    [found] = list(books.check_money())

    assert found.subject == f"transfer bonus:{grant.pk}:credit"
    assert (found.recorded, found.computed) == (10, 0)


def test_a_platforms_grant_has_no_money_here() -> None:
    BonusGrantFactory.create(external=True)

    assert list(books.check_money()) == []


@pytest.mark.parametrize("move", ["credit", "release", "excess"])
def test_money_of_no_grant_is_found(move: str) -> None:
    play = Play()
    cost = house(AccountKind.BONUS_COST)
    reference = f"bonus:{NOBODY}:{move}"
    post(play, posting(cost, main_of(play.player), 5, tag=Tag.BONUS, reference=reference))

    assert numbers(books.check_money()) == [(0, 5)]


def test_a_release_that_did_not_happen_is_found() -> None:
    BonusGrantFactory.create(status="completed")

    # The credit is missing, and so is the release.
    assert sorted(numbers(books.check_money())) == [(10, 0), (10, 0)]


def test_a_clawback_of_an_active_grant_is_found() -> None:
    play = Play()
    grant = play.granted("10.00")
    payments.claw_back_bonus(operator=play.operator, grant=grant, amount=Decimal(1), now=NOW)

    assert numbers(books.check_clawbacks()) == [(0, 1)]


def test_what_is_left_in_the_account_of_an_ended_grant_is_found() -> None:
    play = Play()
    grant = play.granted("10.00")
    play.end(grant, "cancel")
    cost = house(AccountKind.BONUS_COST)
    post(play, posting(cost, payments.accounts_of(grant=grant).bonus, "0.01", tag=Tag.DEPOSIT))

    assert numbers(books.check_accounts()) == [(Decimal("0.01"), 0)]


def test_an_account_of_no_grant_is_found() -> None:
    play = Play()
    account = payments.accounts_of(
        grant=BonusGrant(pk=NOBODY, player=play.player, bonus_currency="EUR")
    ).bonus
    post(play, posting(house(AccountKind.BONUS_COST), account, "0.01", tag=Tag.DEPOSIT))

    assert numbers(books.check_accounts()) == [(Decimal("0.01"), 0)]


def test_progress_without_its_events_is_found() -> None:
    BonusGrantFactory.create(
        wagering_progress=Decimal("0.00000001"), total_wagered=Decimal("0.00000002")
    )

    assert sorted(numbers(books.check_progress())) == [
        (Decimal("0.00000001"), 0),
        (Decimal("0.00000002"), 0),
    ]


def test_a_completion_below_the_requirement_is_found() -> None:
    execute(
        "ALTER TABLE bonuses_bonusgrant"
        " DROP CONSTRAINT bonus_grant_completed_has_wagered_its_requirement"
    )
    BonusGrantFactory.create(status="completed", wagering_progress=Decimal(299))

    assert numbers(books.check_completed()) == [(299, 300)]


def test_a_funding_without_its_transfer_is_found() -> None:
    play = Play()
    grant = play.granted("10.00")
    BetFunding.objects.create(grant=grant, bet_ref="b", stake_amount=Decimal(3), funded_at=LONG_AGO)

    assert sorted(numbers(books.check_fundings())) == [(-3, 0), (3, 0)]
    assert numbers(activity_books.check_bonus_parts()) == [(0, 3)]


@pytest.mark.parametrize(
    "change",
    [
        "stake_amount = stake_amount + 0.01",
        "payout_share = payout_share + 0.01, paid_amount = paid_amount + 0.01",
        "paid_amount = paid_amount - 0.01",
        "paid_amount = paid_amount - 0.01, excess_amount = excess_amount + 0.01",
        "late_main_amount = 0.01",
        "late_excess_amount = -0.01",
        "rolled_back_at = now()",
    ],
)
def test_a_funding_that_says_something_else_is_found(change: str) -> None:
    play = Play()
    play.granted("10.00")
    play.bet("3.00", "4.00")
    assert differences() == []

    execute(f"UPDATE bonuses_betfunding SET {change}")

    assert list(books.check_fundings()) != []


@pytest.mark.parametrize("column", ["bonus_stake", "bonus_payout"])
def test_a_bet_that_says_something_else_than_its_fundings_is_found(column: str) -> None:
    play = Play()
    play.granted("10.00")
    play.bet("3.00", "4.00")

    without_triggers(f"UPDATE activity_bet SET {column} = {column} - 0.01")

    [found] = list(activity_books.check_bonus_parts())
    assert (found.subject.split()[0], found.recorded - found.computed) == (
        column,
        Decimal("-0.01"),
    )


def test_a_transfer_without_its_funding_is_found() -> None:
    play = Play()
    grant = play.granted("10.00")
    reference = f"bonus:{grant.pk}:stake:nothing"
    post(play, posting(payments.accounts_of(grant=grant).bonus, house(), 2, reference=reference))

    assert sorted(numbers(books.check_fundings())) == [(0, -2), (0, 2)]


def test_an_issuance_that_succeeded_has_its_grant() -> None:
    BonusIssuanceFactory.create(status="pending")
    assert list(books.check_issuances()) == []

    BonusIssuanceFactory.create(status="succeeded")

    assert numbers(books.check_issuances()) == [(1, 0)]


def test_an_issuance_that_did_not_succeed_has_none() -> None:
    BonusGrantFactory.create()
    assert list(books.check_issuances()) == []

    BonusGrantFactory.create(issuance__status="rejected")

    assert numbers(books.check_issuances()) == [(0, 1)]


def test_a_campaign_has_as_many_targets_as_its_audience() -> None:
    campaign = BonusCampaignFactory.create(status="issuing", audience_size=2, started_at=LONG_AGO)
    CampaignTargetFactory.create(campaign=campaign)

    assert numbers(books.check_campaigns()) == [(2, 1)]


def test_a_granted_target_has_an_issuance_to_that_player() -> None:
    campaign = BonusCampaignFactory.create(status="issuing", audience_size=2, started_at=LONG_AGO)
    own, stranger, used = (
        BonusIssuanceFactory.create(template=campaign.template) for _ in range(3)
    )
    for player, issuance in ((own.player, own), (stranger.player, used)):
        CampaignTargetFactory.create(
            campaign=campaign,
            player=player,
            issuance=issuance,
            status="granted",
            settled_at=LONG_AGO,
        )

    assert numbers(books.check_campaign_grants()) == [(1, 0)]
    assert list(books.check_campaigns()) == []
