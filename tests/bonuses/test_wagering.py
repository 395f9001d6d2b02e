"""Which bets advance a grant, by how much, and in every currency to its last minor unit."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from bonuses.models import WagerEvent
from tests.bonuses.playing import Play, differences, stored
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.games import GameFactory

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)


@pytest.fixture
def play() -> Iterator[Play]:
    play = Play()
    yield play
    assert differences() == []


def test_five_percent_of_a_stake_on_a_table_counts(play: Play) -> None:
    play.has("100.00")
    grant = play.granted("10.00", game_contribution={"slots": 100, "table": 5})

    play.bet("100.00", "0", game=play.table)

    grant = stored(grant)
    assert (grant.wagering_progress, grant.total_wagered) == (5, 100)


def test_a_match_on_bonus_plus_deposit_needs_six_thousand() -> None:
    grant = BonusGrantFactory.create(asked_template=BonusTemplateFactory.create(match=True))

    assert (grant.bonus_amount, grant.deposit_amount) == (100, 100)
    assert grant.wagering_required == 6000


def test_the_game_counts_before_its_category(play: Play) -> None:
    play.has("100.00")
    special = GameFactory.create(operator=play.operator, slug="special")
    other = GameFactory.create(operator=play.operator, slug="other", category="live")
    grant = play.granted(
        "10.00", game_contribution={"slots": 100, "default": 1, "games": {"special": 50}}
    )

    for game in (special, play.slots, other):
        play.bet("10.00", "0", game=game)

    assert stored(grant).wagering_progress == 5 + 10 + Decimal("0.1")


def test_a_game_without_weight_is_noted_and_counts_nothing(play: Play) -> None:
    play.has("100.00")
    grant = play.granted("10.00", game_contribution={"slots": 100})

    play.bet("10.00", "0", game=play.table)

    assert WagerEvent.objects.get().weighted_amount == 0
    assert (stored(grant).wagering_progress, stored(grant).total_wagered) == (0, 10)


def test_the_whole_stake_counts_whoever_paid_it(play: Play) -> None:
    play.has("3.00")
    first, second = play.granted("10.00"), play.granted("10.00")

    play.bet("5.00", "0")

    assert [stored(grant).wagering_progress for grant in (first, second)] == [5, 5]


@pytest.mark.parametrize(("offset", "counts"), [(-TICK, False), (TICK * 0, True), (TICK, True)])
def test_a_bet_placed_before_the_grant_does_not_count(
    offset: timedelta, counts: bool, play: Play
) -> None:
    play.has("100.00")
    grant = play.granted("10.00")
    play.bet("10.00", bet_id="r-1", now=play.now + offset)

    play.settle("r-1", "0")

    assert stored(grant).wagering_progress == (10 if counts else 0)


def test_a_bet_counts_when_it_is_settled(play: Play) -> None:
    play.has("100.00")
    grant = play.granted("10.00")
    play.bet("10.00", bet_id="r-1")
    assert stored(grant).wagering_progress == 0

    play.settle("r-1", "3.00")
    play.settle("r-1", "3.00")

    assert stored(grant).wagering_progress == 10
    assert WagerEvent.objects.count() == 1


def test_a_grant_that_has_ended_is_not_advanced(play: Play) -> None:
    play.has("100.00")
    grant = play.granted("10.00")
    play.end(grant, "cancel")

    played = play.bet("10.00", "0")

    assert played.grants == []
    assert not WagerEvent.objects.exists()


@pytest.mark.parametrize(
    ("currency", "bonus", "unit"), [("JPY", "1000", "1"), ("BTC", "0.01000000", "0.00000001")]
)
def test_in_other_currencies_to_the_last_minor_unit(currency: str, bonus: str, unit: str) -> None:
    play, least = Play(currency), Decimal(unit)
    amount = Decimal(bonus)
    grant = play.granted(bonus, wagering_multiplier=Decimal(1), max_win_cap=amount, max_bet=amount)

    # One unit before the target, with a win of three bonuses; then the unit that is missing.
    play.bet(amount - least, amount * 3)
    assert stored(grant).status == "active"
    play.bet(least, "0")

    grant = stored(grant)
    assert (grant.status, grant.wagering_progress) == ("completed", amount)
    assert (grant.released_amount, grant.excess_amount) == (amount * 2, amount)
    assert play.main == amount * 2
    assert differences() == []


@pytest.mark.parametrize(("currency", "bonus", "unit"), [
    ("JPY", "1000", "1"), ("BTC", "0.01000000", "0.00000001"),
])  # fmt: skip
def test_one_minor_unit_above_the_maximum_forfeits(currency: str, bonus: str, unit: str) -> None:
    play = Play(currency)
    most = Decimal(bonus) / 2
    equal, above = play.granted(bonus, max_bet=most), None

    play.bet(most, "0")
    assert stored(equal).status == "active"
    above = play.granted(bonus, max_bet=most)
    play.bet(most + Decimal(unit), "0")

    assert [stored(grant).status for grant in (equal, above)] == ["forfeited", "forfeited"]
    assert differences() == []
