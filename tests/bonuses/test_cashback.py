"""Cashback: what a player lost with real money within the window, paid back once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from activity.services.bets import roll_back_bet
from bonuses.enums import GrantStatus, IssuanceStatus
from bonuses.errors import AdapterRejected, AdapterUnavailable, BonusNotEligible
from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate
from bonuses.ports import PlatformRejected, PlatformUnavailable
from bonuses.rules.terms import Terms
from bonuses.selectors import find_paid_back_until
from bonuses.services import closing, issuing
from bonuses.services.issuing import Issued
from core.actors import Actor
from games.models import Game
from operators.models import Operator
from players.models import Player
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.activity import bet_by, deposit_by
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from wallets.selectors import get_balances

pytestmark = pytest.mark.django_db

Issue = Callable[..., Issued]
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
TICK = timedelta(microseconds=1)


@pytest.fixture
def cashback(operator: Operator) -> BonusTemplate:
    """10 % of a week's losses, from 20 euros on."""
    return BonusTemplateFactory.create(operator=operator, cashback=True)


class Table:
    """Where a player plays: bets of a player who has money enough, by the real services."""

    def __init__(self, player: Player, game: Game, now: datetime, actor: Actor) -> None:
        self.player, self.game, self.now, self.actor = player, game, now, actor

    def bet(self, stake: Any, payout: Any = 0, *, at: datetime | None = None) -> str:
        """Bet, settled at once; return the bet's id."""
        with transaction.atomic():
            played = bet_by(
                self.player,
                self.game,
                stake,
                payout=None if payout is None else Decimal(payout),
                now=at or self.now - HOUR,
            )
        return played.bet.bet_id

    def undo(self, bet_id: str, *, at: datetime | None = None) -> None:
        with transaction.atomic():
            roll_back_bet(
                operator=self.player.operator,
                player_reference=self.player.reference,
                bet_id=bet_id,
                actor=self.actor,
                now=at or self.now - HOUR / 2,
            )


@pytest.fixture
def table(operator: Operator, player: Player, now: datetime, actor: Actor) -> Table:
    with transaction.atomic():
        deposit_by(player, 1000, now=now - 4 * WEEK)
    return Table(player, GameFactory.create(operator=operator), now, actor)


def terms(issued: Issued) -> Terms:
    return issued.issuance.locked_terms()


def assert_nothing_is_paid(issue: Callable[[], Issued]) -> None:
    before = BonusIssuance.objects.count(), BonusGrant.objects.count()

    with pytest.raises(BonusNotEligible):
        issue()

    assert (BonusIssuance.objects.count(), BonusGrant.objects.count()) == before


# How much


def test_it_pays_the_percentage_of_bets_less_wins(
    issue: Issue, cashback: BonusTemplate, player: Player, table: Table, now: datetime
) -> None:
    table.bet("100.00")
    table.bet("50.00", "30.00")

    issued = issue(cashback, player)

    assert (terms(issued).bonus_amount, terms(issued).bonus_currency) == (Decimal("12.00"), "EUR")
    grant = BonusGrant.objects.get()
    assert (grant.loss_from, grant.loss_until) == (now - WEEK, now)


def test_wins_offset_losses(
    issue: Issue, cashback: BonusTemplate, player: Player, table: Table
) -> None:
    table.bet("100.00")
    table.bet("1.00", "100.00")

    assert_nothing_is_paid(lambda: issue(cashback, player))
    table.bet("19.00")
    assert terms(issue(cashback, player)).bonus_amount == 2


@pytest.mark.parametrize(("lost", "bonus"), [("19.99", None), ("20.00", "2.00")])
def test_it_takes_the_least_loss_and_no_less(
    lost: str, bonus: str | None, issue: Issue, cashback: BonusTemplate, table: Table
) -> None:
    table.bet(lost)

    if bonus is None:
        assert_nothing_is_paid(lambda: issue(cashback, table.player))
    else:
        assert terms(issue(cashback, table.player)).bonus_amount == Decimal(bonus)


@pytest.mark.parametrize(
    ("bets", "then"),
    [([], "0.51"), ([("10.00", "10.00")], "0.51"), ([("10.00", "15.00")], "0.01")],
)
def test_without_a_loss_nothing_is_paid_even_if_any_loss_would_do(
    bets: list[tuple[str, str]], then: str, issue: Issue, operator: Operator, table: Table
) -> None:
    any_loss = BonusTemplateFactory.create(
        operator=operator,
        type="cashback",
        config={"percent": "10", "window_days": 7, "min_loss": "0.00", "currency": "EUR"},
    )
    for stake, payout in bets:
        table.bet(stake, payout)

    assert_nothing_is_paid(lambda: issue(any_loss, table.player))
    table.bet("5.10")
    assert terms(issue(any_loss, table.player)).bonus_amount == Decimal(then)


@pytest.mark.parametrize(("lost", "is_enough"), [("19.99", False), ("20.00", True)])
def test_the_least_loss_is_compared_in_the_templates_currency(
    lost: str, is_enough: bool, issue: Issue, operator: Operator, table: Table
) -> None:
    # 25 dollars are 20 euros.
    dollars = BonusTemplateFactory.create(
        operator=operator,
        type="cashback",
        currency="USD",
        config={"percent": "10", "window_days": 7, "min_loss": "25.00", "currency": "USD"},
    )
    table.bet(lost)

    if is_enough:
        assert terms(issue(dollars, table.player)).bonus_amount == 2
    else:
        assert_nothing_is_paid(lambda: issue(dollars, table.player))


def test_a_player_in_yen_gets_whole_yen(
    issue: Issue, operator: Operator, now: datetime, actor: Actor, cashback: BonusTemplate
) -> None:
    ExchangeRateFactory.create(operator=operator)
    ExchangeRateFactory.create(operator=operator, currency="JPY", usd_rate=Decimal("0.008"))
    player = PlayerFactory.create(operator=operator, currency="JPY")
    with transaction.atomic():
        deposit_by(player, 10_000, now=now - WEEK)
    Table(player, GameFactory.create(operator=operator), now, actor).bet("3129")

    found = terms(issue(cashback, player))

    # 20 EUR are 3125 JPY.
    assert (found.bonus_amount, found.bonus_currency) == (Decimal(312), "JPY")
    assert found.bonus_amount_base == Decimal("2.50")


# Of which money


def test_a_bet_that_was_rolled_back_is_no_loss(
    issue: Issue, cashback: BonusTemplate, table: Table
) -> None:
    table.bet("30.00")
    table.undo(table.bet("500.00"))
    table.undo(table.bet("40.00", "25.00"))

    assert terms(issue(cashback, table.player)).bonus_amount == 3


def test_a_win_that_was_rolled_back_offsets_nothing(
    issue: Issue, cashback: BonusTemplate, table: Table
) -> None:
    table.bet("30.00")
    table.undo(table.bet("1.00", "29.00"))

    assert terms(issue(cashback, table.player)).bonus_amount == 3


def test_other_moves_of_money_are_no_losses(
    issue: Issue, cashback: BonusTemplate, table: Table, client: Any
) -> None:
    path = f"/v1/players/{table.player.reference}"
    PlayerFactory.create(operator=table.player.operator, reference="bob")
    euros = {"amount": "100.00", "currency": "EUR"}
    for move in ("withdrawals", "vault/deposits"):
        assert client.post(f"{path}/{move}", euros).status_code == 201
    assert client.post(f"{path}/tips", {**euros, "to_player_id": "bob"}).status_code == 201

    assert_nothing_is_paid(lambda: issue(cashback, table.player))


def test_another_players_losses_are_theirs(
    issue: Issue, cashback: BonusTemplate, operator: Operator, table: Table
) -> None:
    other = PlayerFactory.create(operator=operator, currency="EUR")
    table.bet("100.00")

    assert_nothing_is_paid(lambda: issue(cashback, other))


def test_bonus_money_that_is_lost_is_not_paid_back(
    issue: Issue,
    cashback: BonusTemplate,
    template: BonusTemplate,
    operator: Operator,
    player: Player,
    now: datetime,
    actor: Actor,
) -> None:
    with transaction.atomic():
        deposit_by(player, 15, now=now - 2 * HOUR)
    issue(template, player, at=now - 2 * HOUR)
    table = Table(player, GameFactory.create(operator=operator), now, actor)

    # 15 of real money first, then 10 of the bonus's.
    table.bet("25.00")

    assert [balance.main for balance in get_balances(player=player)] == [0]
    assert_nothing_is_paid(lambda: issue(cashback, player))


# Of which time


@pytest.mark.parametrize(("before", "is_in"), [(WEEK, True), (WEEK + TICK, False)])
def test_the_window_is_rolling_and_begins_with_its_first_instant(
    before: timedelta, is_in: bool, issue: Issue, cashback: BonusTemplate, table: Table
) -> None:
    table.bet("100.00", at=table.now - before)

    if is_in:
        assert terms(issue(cashback, table.player)).bonus_amount == 10
    else:
        assert_nothing_is_paid(lambda: issue(cashback, table.player))


def test_a_loss_at_the_instant_of_the_grant_is_the_next_ones(
    issue: Issue, cashback: BonusTemplate, table: Table, now: datetime
) -> None:
    table.bet("100.00", at=now - TICK)
    table.bet("50.00", at=now)

    assert terms(issue(cashback, table.player)).bonus_amount == 10
    assert terms(issue(cashback, table.player, at=now + TICK)).bonus_amount == 5


# Once


def test_a_loss_is_paid_back_once(
    issue: Issue, cashback: BonusTemplate, operator: Operator, table: Table, now: datetime
) -> None:
    another = BonusTemplateFactory.create(operator=operator, cashback=True)
    table.bet("100.00")

    assert terms(issue(cashback, table.player)).bonus_amount == 10
    assert_nothing_is_paid(lambda: issue(cashback, table.player, at=now + HOUR))
    assert_nothing_is_paid(lambda: issue(another, table.player, at=now + HOUR))


def test_only_what_was_lost_since_is_paid_back_next(
    issue: Issue, cashback: BonusTemplate, table: Table, now: datetime
) -> None:
    table.bet("100.00")
    issue(cashback, table.player)

    table.bet("40.00", at=now + HOUR)
    later = terms(issue(cashback, table.player, at=now + 2 * HOUR))

    assert later.bonus_amount == 4
    assert (later.loss_from, later.loss_until) == (now, now + 2 * HOUR)


def test_a_loss_that_is_being_paid_back_is_not_paid_twice(
    issue: Issue, platform: ScriptedPlatform, cashback: BonusTemplate, table: Table, now: datetime
) -> None:
    table.bet("100.00")
    platform.answers = [PlatformUnavailable("It did not answer.")]
    with pytest.raises(AdapterUnavailable):
        issue(cashback, table.player)

    assert_nothing_is_paid(lambda: issue(cashback, table.player, at=now + HOUR))
    assert issuing.retry_due_issuances(clock=lambda: now + HOUR, limit=10) == 1
    assert BonusGrant.objects.get().bonus_amount == 10


def test_a_cashback_whose_grant_is_written_while_it_is_looked_for_is_found(
    issue: Issue, platform: ScriptedPlatform, cashback: BonusTemplate, table: Table, now: datetime
) -> None:
    table.bet("100.00")
    platform.answers = [PlatformUnavailable("It did not answer.")]
    with pytest.raises(AdapterUnavailable):
        issue(cashback, table.player)
    settled: list[int] = []

    def settle_after_the_first_look(execute: Any, *query: Any) -> Any:
        result = execute(*query)
        if not settled:
            settled.append(0)
            settled[0] = issuing.retry_due_issuances(clock=lambda: now + HOUR, limit=10)
        return result

    with connection.execute_wrapper(settle_after_the_first_look):
        found = find_paid_back_until(player=table.player)

    assert settled == [1]
    assert found == now


def test_a_loss_whose_cashback_the_platform_refused_can_still_be_paid_back(
    issue: Issue, platform: ScriptedPlatform, cashback: BonusTemplate, table: Table
) -> None:
    table.bet("100.00")
    platform.answers = [PlatformRejected("NO")]
    with pytest.raises(AdapterRejected):
        issue(cashback, table.player)

    assert terms(issue(cashback, table.player)).bonus_amount == 10


@pytest.mark.parametrize(
    ("status", "is_paid_again"), [(GrantStatus.CANCELLED, True), (GrantStatus.FORFEITED, False)]
)
def test_a_cancelled_cashback_has_paid_nothing_back(
    status: GrantStatus,
    is_paid_again: bool,
    issue: Issue,
    cashback: BonusTemplate,
    table: Table,
    actor: Actor,
    now: datetime,
) -> None:
    table.bet("100.00")
    grant_id = issue(cashback, table.player).issuance.grant_id
    service = closing.cancel_grant if is_paid_again else closing.forfeit_grant
    with transaction.atomic():
        service(operator=table.player.operator, grant_id=grant_id, reason="x", actor=actor, now=now)

    assert BonusGrant.objects.get().status == status
    if is_paid_again:
        assert terms(issue(cashback, table.player, at=now + HOUR)).bonus_amount == 10
    else:
        assert_nothing_is_paid(lambda: issue(cashback, table.player, at=now + HOUR))


def test_a_refused_request_is_not_remembered(
    issue: Issue, cashback: BonusTemplate, table: Table
) -> None:
    assert_nothing_is_paid(lambda: issue(cashback, table.player, key="mine"))

    table.bet("100.00")

    issued = issue(cashback, table.player, key="mine")
    assert issued.issuance.status == IssuanceStatus.SUCCEEDED
    assert terms(issued).bonus_amount == 10
