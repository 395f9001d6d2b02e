"""
The games and jackpots of the demo world.

Recurring raffles are given the end of their first run: the first end of a local day, week
or month after the world has been loaded. From then on the clock draws them.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from games.enums import GameCategory
from games.services.catalogue import GameDetails
from jackpots.enums import ContributionType, DropType, Funding, InstanceKind, Recurrence
from jackpots.rules.contributions import ContributionTerms
from jackpots.rules.recurrence import period_end
from jackpots.services.terms import DropTerms, InstanceTerms, PotTerms, PrizeTerms

#: (slug, name, category, the rest)
GAMES: tuple[tuple[str, str, GameCategory, GameDetails], ...] = (
    ("lucky-star", "Lucky Star", GameCategory.SLOTS, {"provider": "Northern Reels"}),
    ("book-of-tides", "Book of Tides", GameCategory.SLOTS, {"provider": "Northern Reels"}),
    ("fruit-parade", "Fruit Parade", GameCategory.SLOTS, {"provider": "Old Town Games"}),
    ("golden-harbour", "Golden Harbour", GameCategory.SLOTS, {"provider": "Old Town Games"}),
    ("european-roulette", "European Roulette", GameCategory.TABLE, {"provider": "Felt & Co"}),
    ("blackjack-classic", "Blackjack Classic", GameCategory.TABLE, {"provider": "Felt & Co"}),
    ("live-baccarat", "Live Baccarat", GameCategory.LIVE, {"provider": "Studio Nine"}),
    ("live-game-show", "Wheel of Evening", GameCategory.LIVE, {"provider": "Studio Nine"}),
    ("rocket-crash", "Rocket Crash", GameCategory.CRASH, {"provider": "Skyline"}),
    ("star-dice", "Star Dice", GameCategory.OTHER, {"is_house": True}),
    ("football", "Football", GameCategory.SPORTS, {"provider": "Pitchside"}),
    ("numbers-daily", "Numbers Daily", GameCategory.LOTTERY, {"provider": "Old Town Games"}),
)


class DemoState(Enum):
    """How a demo jackpot is left."""

    ACTIVE = "active"
    PAUSED = "paused"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class DemoJackpot:
    """A jackpot, the names of those it is linked to, and the state it is left in."""

    terms: InstanceTerms
    links: tuple[str, ...] = ()
    state: DemoState = DemoState.ACTIVE


#: Drawn before the world is looked at.
DRAWN_RAFFLE = "Midweek Raffle"
#: Its pot is won by whomever staff name.
MANUAL_JACKPOT = "Anniversary Drop"
PROGRESSIVE = "Lucky Star Progressive"
_TIMEZONE = "Europe/Malta"


def demo_jackpots(began_at: datetime, loaded_at: datetime) -> tuple[DemoJackpot, ...]:
    """Return the jackpots of a world that began, and is loaded, then; names are unique."""
    jackpots = (
        # Weekly and Monthly are linked to Daily.
        DemoJackpot(_daily("Daily"), links=("Weekly", "Monthly")),
        DemoJackpot(_weekly("Weekly")),
        DemoJackpot(_monthly("Monthly")),
        # Weekly is linked to Daily, and Monthly to Weekly: one hop each.
        DemoJackpot(_daily("Daily (chain)"), links=("Weekly (chain)",)),
        DemoJackpot(_weekly("Weekly (chain)"), links=("Monthly (chain)",)),
        DemoJackpot(_monthly("Monthly (chain)")),
        # Weekly needs an opt-in, Monthly does not.
        DemoJackpot(_daily("Daily (opt-in)"), links=("Weekly (opt-in)", "Monthly (opt-in)")),
        DemoJackpot(_weekly("Weekly (opt-in)", opt_in_required=True)),
        DemoJackpot(_monthly("Monthly (opt-in)")),
        DemoJackpot(_progressive(began_at)),
        DemoJackpot(_community()),
        DemoJackpot(_daily("Rush Hour"), links=("Weekly", "Monthly"), state=DemoState.PAUSED),
        DemoJackpot(_monthly("Summer Raffle"), state=DemoState.DRAFT),
        DemoJackpot(_midweek()),
        DemoJackpot(_anniversary()),
    )
    return tuple(_closing_after(jackpot, loaded_at) for jackpot in jackpots)


def _closing_after(jackpot: DemoJackpot, loaded_at: datetime) -> DemoJackpot:
    recurrence = jackpot.terms.recurrence
    if recurrence is None:
        return jackpot
    closes_at = period_end(loaded_at, recurrence, timezone=_TIMEZONE)
    return replace(jackpot, terms=replace(jackpot.terms, closes_at=closes_at))


def _percent(text: str) -> ContributionTerms:
    return ContributionTerms(type=ContributionType.PERCENT, amount=None, percent=Decimal(text))


def _main_pot(seed: str) -> tuple[PotTerms, ...]:
    return (PotTerms(name="main", share=Decimal(1), seed=Decimal(seed)),)


def _daily(name: str) -> InstanceTerms:
    return InstanceTerms(
        name=name,
        kind=InstanceKind.RAFFLE,
        currency="USD",
        contribution=_percent("1"),
        pots=_main_pot("500"),
        ticket_cost=Decimal("0.50"),
        prizes=(
            PrizeTerms(name="First", share=Decimal("0.6")),
            PrizeTerms(name="Runner-up", share=Decimal("0.08"), count=5, priority=1),
        ),
        recurrence=Recurrence.DAILY,
        timezone=_TIMEZONE,
    )


def _weekly(name: str, *, opt_in_required: bool = False) -> InstanceTerms:
    return InstanceTerms(
        name=name,
        kind=InstanceKind.RAFFLE,
        currency="USD",
        contribution=_percent("0.5"),
        opt_in_required=opt_in_required,
        pots=_main_pot("5000"),
        ticket_cost=Decimal("0.50"),
        prizes=(
            PrizeTerms(name="First", share=Decimal("0.5")),
            PrizeTerms(name="Second", share=Decimal("0.3"), priority=1),
            PrizeTerms(name="Third", share=Decimal("0.2"), priority=2, min_tickets=2),
        ),
        recurrence=Recurrence.WEEKLY,
        timezone=_TIMEZONE,
    )


def _monthly(name: str) -> InstanceTerms:
    return InstanceTerms(
        name=name,
        kind=InstanceKind.RAFFLE,
        currency="USD",
        contribution=_percent("0.25"),
        pots=_main_pot("25000"),
        ticket_cost=Decimal("0.25"),
        prizes=(
            PrizeTerms(name="Grand prize", share=Decimal("0.8")),
            PrizeTerms(name="Consolation", amount=Decimal("100.00"), count=10, priority=1),
        ),
        recurrence=Recurrence.MONTHLY,
        timezone=_TIMEZONE,
    )


def _progressive(began_at: datetime) -> InstanceTerms:
    return InstanceTerms(
        name=PROGRESSIVE,
        kind=InstanceKind.PROGRESSIVE,
        currency="USD",
        contribution=_percent("1.5"),
        pots=(
            PotTerms(
                name="Mini",
                share=Decimal("0.4"),
                seed=Decimal(100),
                ceiling=Decimal(1000),
                drop=DropTerms(type=DropType.MUST_HIT_BY_AMOUNT, amount=Decimal(1000)),
            ),
            PotTerms(
                name="Minor",
                share=Decimal("0.3"),
                seed=Decimal(500),
                ceiling=Decimal(5000),
                drop=DropTerms(type=DropType.MUST_HIT_BY_AMOUNT, amount=Decimal(5000)),
            ),
            PotTerms(
                name="Major",
                share=Decimal("0.2"),
                seed=Decimal(5000),
                ceiling=Decimal(50_000),
                drop=DropTerms(type=DropType.HIT_RATE, probability=Decimal("0.0000005")),
            ),
            PotTerms(
                name="Grand",
                share=Decimal("0.1"),
                seed=Decimal(100_000),
                ceiling=Decimal(1_000_000),
                drop=DropTerms(type=DropType.MUST_HIT_BY_TIME, at=began_at + timedelta(days=90)),
            ),
        ),
    )


def _community() -> InstanceTerms:
    return InstanceTerms(
        name="Community Raffle",
        kind=InstanceKind.RAFFLE,
        currency="EUR",
        contribution=ContributionTerms(
            type=ContributionType.FIXED, amount=Decimal("0.25"), percent=None
        ),
        funding=Funding.PLAYER,
        ticket_cost=Decimal("0.25"),
        prizes=(PrizeTerms(name="Everything", share=Decimal(1)),),
        recurrence=Recurrence.WEEKLY,
        timezone=_TIMEZONE,
    )


def _midweek() -> InstanceTerms:
    return InstanceTerms(
        name=DRAWN_RAFFLE,
        kind=InstanceKind.RAFFLE,
        currency="EUR",
        contribution=_percent("2"),
        pots=_main_pot("1000"),
        ticket_cost=Decimal("0.10"),
        prizes=(
            PrizeTerms(name="First", share=Decimal("0.5")),
            PrizeTerms(name="Second", share=Decimal("0.2"), priority=1),
            PrizeTerms(name="Loyalty", amount=Decimal(25), count=3, priority=2, min_tickets=5),
        ),
    )


def _anniversary() -> InstanceTerms:
    return InstanceTerms(
        name=MANUAL_JACKPOT,
        kind=InstanceKind.PROGRESSIVE,
        currency="EUR",
        contribution=_percent("0.5"),
        pots=_main_pot("2500"),
    )
