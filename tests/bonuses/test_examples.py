"""A template's worked example: the numbers that a grant of it would have."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bonuses.rules.examples import StakesNeeded, WorkedExample, work_example
from core.errors import InvalidRequest
from tests.bonuses.test_terms import NOW, Template, cashback, gift, match, spins

WEIGHTS = {"slots": 100, "table": 5, "default": 0, "games": {"sums": 50, "slots": 30}}


def example(template: Template, given: Any = None) -> WorkedExample:
    found = work_example(
        template=template, given=None if given is None else Decimal(given), now=NOW
    )
    assert found is not None
    return found


def test_the_worked_example_of_the_docs() -> None:
    template = replace(
        match(),
        wagering_basis="bonus_plus_deposit",
        game_contribution=WEIGHTS,
        max_win_cap=Decimal(500),
        time_limit_hours=168,
    )

    assert example(template, "100.00") == WorkedExample(
        currency="EUR",
        given=Decimal("100.00"),
        bonus=Decimal("100.00"),
        is_capped=False,
        requirement=Decimal(6000),
        stakes=(
            StakesNeeded("slots", 100, Decimal(6000)),
            StakesNeeded("table", 5, Decimal(120_000)),
            StakesNeeded("sums", 50, Decimal(12_000)),
            StakesNeeded("slots", 30, Decimal(20_000)),
            StakesNeeded("default", 0, None),
        ),
        expires_at=NOW + timedelta(days=7),
        most_released=Decimal(600),
    )


@pytest.mark.parametrize(
    ("deposit", "bonus", "is_capped"),
    [("199.99", "199.99", False), ("200.00", "200", False), ("200.01", "200", True)],
)
def test_a_cap_is_reached_above_it(deposit: str, bonus: str, is_capped: bool) -> None:
    found = example(match(), deposit)

    assert (found.bonus, found.is_capped) == (Decimal(bonus), is_capped)


@pytest.mark.parametrize(
    ("template", "given", "bonus", "used"),
    [
        (gift("10.00"), None, "10", None),
        (gift("10.00"), "5", "10", None),
        (spins(20, "0.15"), None, "3", None),
        (replace(match(), type="reload"), "50", "50", Decimal(50)),
        (cashback(), "20.00", "2", Decimal(20)),
    ],
    ids=["gift", "gift with a deposit", "spins", "reload", "cashback"],
)
def test_every_type_has_one(
    template: Template, given: Any, bonus: str, used: Decimal | None
) -> None:
    found = example(template, given)

    assert found.bonus == Decimal(bonus)
    assert found.given == used
    assert (found.is_capped, found.expires_at, found.most_released) == (False, None, None)


@pytest.mark.parametrize(
    ("template", "given"), [(cashback(), "19.99"), (match("1"), "0.99"), (match(), "0")]
)
def test_what_gives_nothing_has_none(template: Template, given: str) -> None:
    assert work_example(template=template, given=Decimal(given), now=NOW) is None


def test_stakes_are_rounded_up_to_what_can_be_staked() -> None:
    weights = {"slots": 7, "games": {}}

    yen = example(replace(gift("100", "JPY"), game_contribution=weights))
    euro = example(replace(gift("1.00"), game_contribution=weights))

    # 3000 × 100 / 7 = 42857.14…; 30 × 100 / 7 = 428.571…
    assert [line.stakes for line in yen.stakes] == [Decimal(42_858), None]
    assert [line.stakes for line in euro.stakes] == [Decimal("428.58"), None]


def test_nothing_to_wager_needs_no_stakes() -> None:
    found = example(replace(gift("1.00"), wagering_multiplier=Decimal(0)))

    assert found.requirement == 0
    assert {line.stakes for line in found.stakes} == {Decimal(0)}


def test_numbers_that_cannot_be_stored_are_refused() -> None:
    template = replace(match(), wagering_basis="bonus_plus_deposit")

    with pytest.raises(InvalidRequest):
        example(template, "9" * 19)
