"""
Whatever happens to a pot, and whenever folds run: the same players win the same amounts.

A model that looks at one row of the ledger after the other says what must come out; folds
that see many at once must come to the same. Meters never pass their caps on the way.
"""

import random
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any

import pytest
from django.utils import timezone

from core import books
from core.actors import Actor
from jackpots.enums import DropType, EntryKind
from jackpots.models import Contribution, Instance, Pot, PotEntry, RollbackLoss, Win
from jackpots.selectors import read_meters
from jackpots.services import pots
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.jackpots.ledger import Ledger

pytestmark = pytest.mark.django_db(transaction=True)

JACKPOTS = [name for name in books.check_names() if name.startswith("jackpots.")]
PLAYERS = ("ada", "bob", "cyd")
SEEDS, STEPS = range(3), 40


@dataclass
class Model:
    """One pot, row by row. Triggers lie in the middle, as the patched chance says."""

    seed: Decimal
    cap: Decimal | None
    hides: bool
    reserve: Decimal = Decimal(0)
    wins: list[tuple[str, Decimal]] = field(default_factory=list)
    lost: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        from_reserve = min(self.reserve, self.seed)
        self.reserve -= from_reserve
        self.accrued = self.seed
        self.parts: dict[Any, Decimal] = {}
        self.trigger = (self.seed + self.cap) / 2 if self.hides and self.cap else None

    def add(self, key: Any, player: str, part: Decimal, *, is_hit: bool) -> None:
        self.parts[key] = part
        self.accrued += part
        if is_hit or (self.trigger is not None and self.accrued >= self.trigger):
            meter = self.accrued if self.cap is None else min(self.accrued, self.cap)
            amount = meter.quantize(Decimal("0.01"), rounding=ROUND_DOWN)
            self.wins.append((player, amount))
            self.reserve += self.accrued - amount
            self.begin()

    def take_back(self, key: Any, part: Decimal) -> None:
        if key in self.parts:
            self.accrued -= part
        else:
            self.lost += part

    def shows(self) -> tuple[Decimal, Decimal]:
        meter = self.accrued if self.cap is None else min(self.accrued, self.cap)
        return meter, self.reserve + self.accrued - meter


@pytest.fixture(autouse=True)
def _middle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pots.secrets, "randbelow", lambda n: n // 2 - 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_folds_come_to_what_the_ledger_says_row_by_row(
    seed: int, operator: Operator, actor: Actor
) -> None:
    dice = random.Random(seed)
    half, ceiling = Decimal("0.5"), Decimal(9)
    instance: Instance = InstanceFactory.create(
        operator=operator,
        progressive=True,
        pots=[
            {"name": "amount", "share": half, "seed": Decimal(2), "trigger": Decimal(7),
             "drop_type": DropType.MUST_HIT_BY_AMOUNT, "drop_amount": Decimal(12)},
            {"name": "chance", "share": half, "seed": Decimal(1), "ceiling": ceiling,
             "drop_type": DropType.HIT_RATE, "drop_probability": Decimal("0.1")},
        ],
    )  # fmt: skip
    by_amount = Model(Decimal(2), cap=Decimal(12), hides=True)
    by_chance = Model(Decimal(1), cap=ceiling, hides=False)
    models = (by_amount, by_chance)
    ledger = Ledger(operator, actor)
    rows: list[Contribution] = []

    def boost(position: int) -> None:
        # Where a boost lies in the ledger is where the folds had come to.
        ledger.fold(instance)
        pot = Pot.objects.get(instance=instance, position=position)
        pot.opening += 3
        pot.save(update_fields=["opening"])
        PotEntry.objects.create(operator=operator, pot=pot, cycle=pot.cycle,
            kind=EntryKind.BOOST, amount=3, created_at=timezone.now())  # fmt: skip
        models[position].accrued += 3

    for _step in range(STEPS):
        match dice.choices(["add", "take back", "fold", "boost"], [12, 4, 4, 1])[0]:
            case "add":
                hits = [1] if dice.random() < 0.15 else []
                amount = Decimal(dice.randint(1, 400_000_000)).scaleb(-8)
                row = ledger.add(instance, dice.choice(PLAYERS), amount, hits=hits)
                rows.append(row)
                for position, model in enumerate(models):
                    part = row.pot_amounts[position]
                    model.add(row.pk, row.player.reference, part, is_hit=position in hits)
            case "take back" if rows:
                row = rows.pop(dice.randrange(len(rows)))
                ledger.take_back(instance, row)
                for position, model in enumerate(models):
                    model.take_back(row.pk, row.pot_amounts[position])
            case "fold":
                ledger.fold(instance)
                assert shown(instance) == [model.shows() for model in models]
            case "boost":
                boost(dice.randrange(2))
        for (value, _reserve), cap in zip(shown(instance), (12, 9), strict=True):
            assert 0 <= value <= cap
    ledger.fold(instance)

    for position, model in enumerate(models):
        wins = Win.objects.filter(pot__instance=instance, pot__position=position).order_by("cycle")
        assert [(win.player.reference, win.amount) for win in wins] == model.wins
        losses = RollbackLoss.objects.filter(pot__instance=instance, pot__position=position)
        assert sum((loss.amount for loss in losses), Decimal(0)) == model.lost
    assert shown(instance) == [model.shows() for model in models]
    assert books.find_differences(names=JACKPOTS) == []
    assert sum(len(model.wins) for model in models) > 3


def shown(instance: Instance) -> list[tuple[Decimal, Decimal]]:
    found = read_meters(instance_ids=[instance.pk])[instance.pk]
    return [(meter.value, meter.reserve) for meter in found]
