"""
The players of the demo world.

Who they are follows from a seed, so that everybody meets the same ones: `load_demo`
registers them, and `play` lets them play without asking the server for a list.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from random import Random
from typing import Any

from activity.demo.catalogue import GAMES
from players.services.registration import PlayerProfile

SEED = 2026
PLAYERS_COUNT = 200
#: These have money in their wallets, so they can pay for player-funded jackpots.
FUNDED_COUNT = 40
#: The first players hold dollars and have no restriction: examples rely on them.
EXAMPLES_COUNT = 10
SELF_EXCLUDED = ("player-197", "player-198")
BLOCKED = ("player-199", "player-200")

#: US dollars for one unit.
USD_RATES = {
    "EUR": Decimal("1.08"),
    "GBP": Decimal("1.27"),
    "JPY": Decimal("0.0067"),
    "BTC": Decimal(64_000),
}

_SHARES = {"USD": 60, "EUR": 16, "GBP": 10, "JPY": 8, "BTC": 6}
_COUNTRIES = {
    "USD": ("CA", "NZ", "BR", "MX", "CL"),
    "EUR": ("DE", "FI", "IE", "MT", "AT"),
    "GBP": ("GB",),
    "JPY": ("JP",),
    "BTC": ("", "EE", "CR"),
}
_TAGS = ("newsletter", "mobile", "weekend", "high-roller", "returning")
_AFFILIATES = ("", "", "", "stargazer", "north-wind")
_WAGERS = {
    "USD": ("0.50", "1.00", "2.00", "5.00", "10.00", "20.00", "50.00"),
    "EUR": ("0.50", "1.00", "2.00", "5.00", "10.00", "25.00"),
    "GBP": ("0.50", "1.00", "2.50", "5.00", "10.00", "20.00"),
    "JPY": ("100", "200", "500", "1000", "3000"),
    "BTC": ("0.00001", "0.00005", "0.0001", "0.0005"),
}
_DEPOSITS = {
    "USD": ("100.00", "250.00", "1000.00"),
    "EUR": ("100.00", "200.00", "500.00"),
    "GBP": ("80.00", "150.00", "400.00"),
    "JPY": ("10000", "30000", "70000"),
    "BTC": ("0.002", "0.005", "0.01"),
}


@dataclass(frozen=True, slots=True)
class DemoPlayer:
    """One player: the operator's id, the wallet's currency, and what is known of them."""

    reference: str
    currency: str
    profile: PlayerProfile
    #: What the player has paid in; None for the players without money.
    deposit: Decimal | None


@cache
def demo_players() -> tuple[DemoPlayer, ...]:
    """Return all players, `player-001` first."""
    random = Random(SEED)  # noqa: S311 -- the same world everywhere is the point
    return tuple(_player(number, random) for number in range(1, PLAYERS_COUNT + 1))


def funded_players() -> tuple[DemoPlayer, ...]:
    """Return the players who have paid money in."""
    return tuple(player for player in demo_players() if player.deposit is not None)


def draw_wager(player: DemoPlayer, random: Random) -> dict[str, Any]:
    """Return a wager of the player, as the body of a contribution."""
    return {
        "player_id": player.reference,
        "base_wager": random.choice(_WAGERS[player.currency]),
        "currency": player.currency,
        "gameround_id": f"round-{random.randrange(10**9):09}",
    }


def draw_bet(player: DemoPlayer, random: Random) -> dict[str, Any]:
    """Return a bet of the player that is settled at once: lost, even, or doubled."""
    stake = random.choice(_WAGERS[player.currency])
    payout = Decimal(stake) * random.choice((0, 0, 1, 2))
    return {
        "game": random.choice(GAMES)[0],
        "stake": stake,
        "payout": f"{payout:f}",
        "currency": player.currency,
    }


def _player(number: int, random: Random) -> DemoPlayer:
    reference = f"player-{number:03}"
    is_example = number <= EXAMPLES_COUNT
    [currency] = random.choices(list(_SHARES), weights=list(_SHARES.values()))
    currency = "USD" if is_example else currency
    deposit = Decimal(random.choice(_DEPOSITS[currency]))
    return DemoPlayer(
        reference=reference,
        currency=currency,
        profile=PlayerProfile(
            country=random.choice(_COUNTRIES[currency]),
            kyc_level=random.choice((0, 1, 1, 2, 3)),
            vip_level=random.choice((0, 0, 0, 1, 1, 2, 3, 5)),
            affiliate_code=random.choice(_AFFILIATES),
            tags=sorted(random.sample(_TAGS, random.randrange(3))),
            is_blocked=reference in BLOCKED,
        ),
        deposit=deposit if number <= FUNDED_COUNT else None,
    )
