"""The tables of payouts are what docs/simulator.md says: RTP and variance to the last digit."""

from decimal import Decimal

import numpy as np
import pytest

from simulations.enums import Volatility
from simulations.rules.odds import Odds, list_choices
from simulations.rules.payouts import FAIR_WINS, MULTIPLE_MAX, variance_of, wins_of
from simulations.rules.position import position_of
from simulations.rules.scenario import Stake
from tests.simulations.scenarios import match_offer, scenario

#: The mean square of each fair table.
SQUARES = {
    Volatility.LOW: Decimal("3.25"),
    Volatility.MEDIUM: Decimal("43.785"),
    Volatility.HIGH: Decimal("671.72"),
}


@pytest.mark.parametrize("volatility", FAIR_WINS)
def test_a_fair_table_pays_back_exactly_what_is_staked(volatility: Volatility) -> None:
    wins = FAIR_WINS[volatility]

    assert sum(multiple * probability for multiple, probability in wins) == 1
    assert sum(probability for _multiple, probability in wins) < 1
    assert max(multiple for multiple, _probability in wins) <= MULTIPLE_MAX


@pytest.mark.parametrize("volatility", Volatility)
@pytest.mark.parametrize("rtp", ["0", "0.5", "0.96", "1"])
def test_the_rtp_is_exact(volatility: Volatility, rtp: str) -> None:
    wins = wins_of(volatility=volatility, rtp=Decimal(rtp))

    assert sum(win.probability for win in wins) == 1
    assert sum(win.probability * win.multiple for win in wins) == Decimal(rtp)
    assert min(win.probability for win in wins) >= 0


@pytest.mark.parametrize(("volatility", "square"), SQUARES.items())
def test_the_variance_is_r_times_s_less_r_squared(volatility: Volatility, square: Decimal) -> None:
    rtp = Decimal("0.96")

    assert variance_of(volatility=volatility, rtp=rtp) == rtp * square - rtp * rtp


def test_without_volatility_there_is_no_variance() -> None:
    assert variance_of(volatility=Volatility.NONE, rtp=Decimal("0.96")) == 0


@pytest.mark.parametrize("volatility", [Volatility.NONE, Volatility.LOW])
def test_a_payout_between_two_cents_keeps_the_mean(volatility: Volatility) -> None:
    # 0.03 at an RTP of 0.97: neither 2.91 cents nor 1.5 cents can be paid.
    given = scenario(
        stakes=(Stake(Decimal("0.03"), Decimal(1)),), rtp=Decimal("0.97"), volatility=volatility
    )
    offer = match_offer()
    position = position_of(offer=offer, scenario=given)
    [choice] = list_choices(offer=offer, position=position, scenario=given)

    assert sum(probability for _payout, probability in choice.payouts) == pytest.approx(1)
    assert sum(payout * probability for payout, probability in choice.payouts) == pytest.approx(
        2.91
    )


def test_what_is_drawn_has_the_mean_and_the_spread_of_the_table() -> None:
    given = scenario(volatility=Volatility.MEDIUM)
    offer = match_offer()
    position = position_of(offer=offer, scenario=given)
    odds = Odds(list_choices(offer=offer, position=position, scenario=given))
    count = 2_000_000

    paid = odds.payout[odds.pick(np.random.default_rng(5), count)] / 100

    spread = float(variance_of(volatility=Volatility.MEDIUM, rtp=Decimal("0.96"))) ** 0.5
    assert abs(paid.mean() - 0.96) < 4 * spread / count**0.5
    assert paid.std() == pytest.approx(spread, rel=0.05)


def test_stakes_and_games_are_drawn_by_their_shares() -> None:
    given = scenario(
        stakes=(Stake(Decimal(1), Decimal(3)), Stake(Decimal(5), Decimal(1))),
        volatility=Volatility.NONE,
    )
    offer = match_offer()
    position = position_of(offer=offer, scenario=given)
    odds = Odds(list_choices(offer=offer, position=position, scenario=given))

    stakes = odds.stake[odds.pick(np.random.default_rng(5), 100_000)]

    assert (stakes == 100).mean() == pytest.approx(0.75, abs=0.01)
    assert set(stakes.tolist()) == {100, 500}
