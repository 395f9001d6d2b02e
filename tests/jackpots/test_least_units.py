"""Contributions of the least unit, over links and rates: every unit is somewhere, and once."""

import os
import random
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.utils import timezone

from core.errors import DomainError
from core.idempotency import IdempotencyKey
from core.money import QUANTUM
from jackpots.models import Contribution, Instance
from jackpots.rules.contributions import split_over_pots
from jackpots.selectors import read_meters
from jackpots.services.batches import ITEMS_MAX, BatchItem, contribute_batch
from jackpots.services.contributions import Wager
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import link

#: Of a thousand contributions; LEAST_UNIT_BATCHES=1000 makes it a million, in some minutes.
BATCHES = int(os.environ.get("LEAST_UNIT_BATCHES", "4"))
SHARES = [Decimal("0.5"), Decimal("0.3"), Decimal("0.2")]


@pytest.fixture
def instances(operator: Operator) -> list[Instance]:
    """All that is wagered reaches one in euros and, by links, three in other currencies."""
    PlayerFactory.create(operator=operator, reference="ada")
    currencies = ["EUR", "USD", "JPY", "BTC"]
    for currency, usd_rate in zip(currencies, ("1.25", None, "0.0064", "64000"), strict=True):
        if usd_rate is not None:
            ExchangeRateFactory.create(operator=operator, currency=currency, usd_rate=usd_rate)
    pots = [{"name": f"pot {number}", "share": share} for number, share in enumerate(SHARES)]
    made = [
        InstanceFactory.create(
            operator=operator,
            progressive=True,
            currency=currency,
            contribution_percent=Decimal(100),
            pots=pots,
        )
        for currency in currencies
    ]
    link(*made)
    return made


@pytest.mark.django_db
def test_thousands_of_least_units_over_links_and_rates_add_up(instances: list[Instance]) -> None:
    main, *_linked = instances
    for batch in range(BATCHES):
        items = [
            BatchItem(
                IdempotencyKey(f"{batch}-{number}", "f" * 64), main.pk, Wager("ada", QUANTUM, "EUR")
            )
            for number in range(ITEMS_MAX)
        ]
        outcomes = contribute_batch(operator=main.operator, items=items, now=timezone.now())
        assert all(not isinstance(outcome, DomainError) for outcome in outcomes)

    count = BATCHES * ITEMS_MAX
    # One euro is 1.25 dollars, 195.3125 yen and 0.00001953125 bitcoin; half-even, once.
    units = [1, 1, 195, 0]
    meters = read_meters(instance_ids=[each.pk for each in instances])
    for instance, unit in zip(instances, units, strict=True):
        rows = Contribution.objects.filter(instance=instance)
        whole = QUANTUM * unit * count
        assert (rows.count(), rows.aggregate(Sum("amount"))["amount__sum"]) == (count, whole)
        assert sum(pot.value for pot in meters[instance.pk]) == whole
    # What one unit cannot be divided into goes to one pot; it is not lost, nor made twice.
    assert [pot.value for pot in meters[main.pk]] == [QUANTUM * count, 0, 0]


def test_a_hundred_thousand_splits_lose_and_make_nothing() -> None:
    pick = random.Random(20260329).randrange
    shared, split = 0, 0
    for _contribution in range(100_000):
        units = pick(8)
        shared += units
        split += int(sum(split_over_pots(QUANTUM * units, SHARES)) / QUANTUM)

    assert split == shared
