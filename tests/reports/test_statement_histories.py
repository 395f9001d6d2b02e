"""
Whatever befalls a pot, on whatever clocks: each day begins where the one before ended.

At every midnight the meters are read; the statement of the day, made much later, closes at
exactly that. And the closing as of now is what the meters show now, folded or not.
"""

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core import books
from jackpots.enums import DropType
from jackpots.models import Contribution, Instance, Win
from jackpots.reporting.statement import PotStatement, read_statements
from jackpots.selectors import read_meters
from jackpots.services import pots
from operators.models import Operator
from reports.rules.periods import Period
from tests.factories.operators import OperatorFactory
from tests.reports.conftest import at
from tests.reports.jackpots import History

pytestmark = pytest.mark.django_db(transaction=True)

JACKPOTS = [name for name in books.check_names() if name.startswith("jackpots.")]
START = at("2026-03-28 03:17")
LONG_BEFORE, LONG_AFTER = at("2026-01-01 00:00"), at("2027-01-01 00:00")
STEPS = 45
#: Midnight is at a full hour there, in the middle of one, and on the day that clocks change.
ZONES = ("Europe/Malta", "Asia/Kolkata", "Asia/Beirut")


@pytest.fixture(autouse=True)
def _middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a hidden amount lie in the middle of where it may."""
    monkeypatch.setattr(pots.secrets, "randbelow", lambda n: n // 2 - 1)


def held(instance: Instance) -> list[Decimal]:
    """Return what the pots hold by their meters and reserves."""
    found = read_meters(instance_ids=[instance.pk])[instance.pk]
    return [meter.value + meter.reserve for meter in found]


def told(instance: Instance, bounds: list[datetime]) -> list[list[PotStatement]]:
    """Return the statements of each pot."""
    by_pot: dict[int, list[PotStatement]] = {}
    for statement in read_statements(
        operator=instance.operator, instance_ids=[instance.pk], bounds=bounds
    ):
        by_pot.setdefault(statement.pot_id, []).append(statement)
    return list(by_pot.values())


class Life:
    """A jackpot that things befall at random, while its clock goes on."""

    def __init__(self, operator: Operator, seed: int) -> None:
        self.dice = random.Random(seed)
        self.history = History(operator)
        self.zone = operator.time_zone
        self.now = START
        half = Decimal("0.5")
        self.instance = self.history.progressive(
            opened_at=START,
            pots=[
                {"name": "amount", "share": half, "seed": Decimal(2), "trigger": Decimal(7),
                 "drop_type": DropType.MUST_HIT_BY_AMOUNT, "drop_amount": Decimal(12)},
                {"name": "hand", "share": half, "seed": Decimal(1), "ceiling": Decimal(3)},
            ],
        )  # fmt: skip
        self.history.approve_above("0", at=START)
        self.given: list[Contribution] = []
        #: What the pots held at the end of each day.
        self.at_midnight: dict[date, list[Decimal]] = {}

    def live(self) -> None:
        """Do one thing, some time later; a midnight on the way is noted."""
        until = self.now + timedelta(minutes=self.dice.randint(20, 300))
        midnight = Period(self.today, self.today, self.zone).until
        if until >= midnight:
            last = midnight - timedelta(microseconds=1)
            self.history.fold(self.instance, at=last)
            self.at_midnight[self.today] = held(self.instance)
            until = max(until, midnight)
        self.now = until
        whatever = ["add", "take back", "fold", "boost", "drop", "reject"]
        getattr(self, self.dice.choices(whatever, [12, 4, 3, 1, 1, 2])[0].replace(" ", "_"))()

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    def add(self) -> None:
        amount = Decimal(self.dice.randint(1, 400_000_000)).scaleb(-8)
        self.given.append(self.history.contribute(self.instance, amount, at=self.now))

    def take_back(self) -> None:
        if self.given:
            row = self.given.pop(self.dice.randrange(len(self.given)))
            self.history.take_back(self.instance, row, at=self.now)

    def fold(self) -> None:
        self.history.fold(self.instance, at=self.now)

    def boost(self) -> None:
        self.history.boost(self.instance, "1.5", at=self.now, pot=self.dice.randrange(2))

    def drop(self) -> None:
        self.history.drop(self.instance, at=self.now, pot="hand")

    def reject(self) -> None:
        waiting = Win.objects.filter(status="awaiting_approval", instance=self.instance)
        win = waiting.order_by("found_at").first()
        if win is not None:
            self.history.reject(win, at=self.now)


def test_days_chain_and_close_at_what_the_meters_showed() -> None:
    befallen: set[str] = set()
    for seed, zone in enumerate(ZONES):
        life = Life(OperatorFactory.create(time_zone=zone), seed)

        for _step in range(STEPS):
            life.live()
            now = [rows[-1].closing for rows in told(life.instance, [LONG_BEFORE, LONG_AFTER])]
            assert now == held(life.instance)

        life.fold()
        befallen |= check_days(life)
    # Each kind of move befell some pot, or this would show little.
    assert {"contributed", "rolled_back", "borne_by_house", "seeded", "boosted"} <= befallen
    assert {"won", "rejected", "from_reserve", "reserve"} <= befallen
    assert books.find_differences(names=JACKPOTS) == []


def check_days(life: Life) -> set[str]:
    """Compare the statements of the days with what was noted; return which lines have any."""
    days = list(life.at_midnight)
    assert len(days) > 3
    bounds = Period(days[0], days[-1], life.zone).bounds(by_day=True)
    by_pot = told(life.instance, bounds)
    for number, statements in enumerate(by_pot):
        assert [each.span for each in statements] == list(range(len(days)))
        closings = [each.closing for each in statements]
        assert closings == [life.at_midnight[day][number] for day in days]
        assert [each.opening for each in statements] == [0, *closings[:-1]]
    whole = told(life.instance, [bounds[0], bounds[-1]])
    for [one], statements in zip(whole, by_pot, strict=True):
        for line in ("contributed", "rolled_back", "borne_by_house", "seeded", "won", "rejected"):
            assert getattr(one, line) == sum(getattr(each, line) for each in statements), line
    everything = [one for [one] in told(life.instance, [LONG_BEFORE, LONG_AFTER])]
    return {name for name in PotStatement.__slots__ for one in everything if getattr(one, name)}
