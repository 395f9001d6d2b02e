"""Pots that drop by chance: as often as promised, told in the answer, kept in the row."""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from jackpots.models import Contribution
from jackpots.rules.hits import draw_hits
from jackpots.rules.identities import win_id
from jackpots.services import legs
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory

#: Of chi-square with three degrees of freedom: exceeded once in a thousand times.
CHI_SQUARE_LIMIT = 16.27
DRAWS = 20_000


def test_pots_are_hit_as_often_as_their_chances_say_and_independently() -> None:
    randbelow = random.Random(20260329).randrange
    chances = [Decimal("0.004"), Decimal("0.01")]
    # 25 units: chances of 0.1 and 0.25.
    seen = {(first, second): 0 for first in (0, 1) for second in (0, 1)}
    for _draw in range(DRAWS):
        hits = draw_hits(chances, wagered=Decimal(25), randbelow=randbelow)
        seen[(int(0 in hits), int(1 in hits))] += 1

    expected = {(0, 0): 0.675, (0, 1): 0.225, (1, 0): 0.075, (1, 1): 0.025}
    chi_square = sum(
        (seen[each] - share * DRAWS) ** 2 / (share * DRAWS) for each, share in expected.items()
    )
    assert chi_square < CHI_SQUARE_LIMIT


def test_control_a_chance_that_is_a_tenth_off_would_be_noticed() -> None:
    randbelow = random.Random(20260329).randrange
    hits = sum(
        bool(draw_hits([Decimal("0.011")], wagered=Decimal(25), randbelow=randbelow))
        for _draw in range(DRAWS)
    )

    expected = 0.25 * DRAWS
    chi_square = (hits - expected) ** 2 / expected + (expected - hits) ** 2 / (DRAWS - expected)
    assert chi_square > CHI_SQUARE_LIMIT


def test_certain_and_impossible_hits_are_so() -> None:
    chances = [Decimal("0.5"), None, Decimal("0.000000000000000001")]

    assert draw_hits(chances, wagered=Decimal(2), randbelow=lambda below: below - 1) == [0]
    assert draw_hits(chances, wagered=Decimal(0), randbelow=lambda below: 0) == []


@pytest.mark.parametrize("luck", [True, False])
def test_a_hit_is_told_and_kept_and_told_again(
    luck: bool, operator: Operator, contribute: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_chance = {"drop_type": "hit_rate", "drop_probability": Decimal("0.001")}
    instance = InstanceFactory.create(
        operator=operator,
        progressive=True,
        pots=[
            {"name": "Mini", "share": Decimal("0.7")},
            {"name": "Grand", "share": Decimal("0.3"), **by_chance},
        ],
    )
    monkeypatch.setattr(legs.secrets, "randbelow", lambda below: 0 if luck else below - 1)

    response = contribute(instance, key="once")

    stored = Contribution.objects.get()
    won = {
        "win_id": str(win_id(contribution_id=stored.pk, pot_position=1)),
        "pot": "Grand",
        "status": "pending",
        "amount": None,
    }
    assert stored.hits == ([1] if luck else [])
    assert response.json()["results"][0]["wins"] == ([won] if luck else [])
    assert contribute(instance, key="once").content == response.content
