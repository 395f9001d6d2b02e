"""What the terms beside a config may be: weights of games, bounds, and what fits together."""

from decimal import Decimal
from typing import Any

import pytest

from bonuses.enums import BonusType, WageringBasis
from bonuses.rules.configs import AMOUNT_MAX, NumericTerms, check_terms, clean_game_contribution
from games.enums import GameCategory
from tests.bonuses.test_template_configs import VALID, short

# The weights of games


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"default": 0},
        {"slots": 100, "table": 10, "live": 5, "default": 0, "games": {"sums": 50}},
        {**dict.fromkeys(GameCategory.values, 1000), "games": {}},
    ],
    ids=short,
)
def test_weights_are_taken_as_they_are(weights: Any) -> None:
    assert clean_game_contribution(weights) == (weights, [])


@pytest.mark.parametrize(
    ("weights", "wrong"),
    [
        (None, ["/game_contribution"]),
        ([], ["/game_contribution"]),
        ("slots", ["/game_contribution"]),
        ({"slot": 100}, ["/game_contribution/slot"]),
        ({"Slots": 100}, ["/game_contribution/Slots"]),
        ({"a/b": 1}, ["/game_contribution/a~1b"]),
        ({"slots": None}, ["/game_contribution/slots"]),
        ({"slots": "100"}, ["/game_contribution/slots"]),
        ({"slots": 99.5}, ["/game_contribution/slots"]),
        ({"slots": True}, ["/game_contribution/slots"]),
        ({"slots": -1}, ["/game_contribution/slots"]),
        ({"slots": 1001}, ["/game_contribution/slots"]),
        ({"default": {"slots": 1}}, ["/game_contribution/default"]),
        ({"games": []}, ["/game_contribution/games"]),
        ({"games": None}, ["/game_contribution/games"]),
        ({"games": {"SUMS": 5}}, ["/game_contribution/games/SUMS"]),
        ({"games": {"sums": "5"}}, ["/game_contribution/games/sums"]),
        (
            {"slots": -1, "bingo": 5, "games": {"sums": 1001, "fruit": 5}},
            [
                "/game_contribution/slots",
                "/game_contribution/bingo",
                "/game_contribution/games/sums",
            ],
        ),
    ],
    ids=short,
)
def test_weights_that_cannot_be_are_refused(weights: Any, wrong: list[str]) -> None:
    assert [mistake.pointer for mistake in clean_game_contribution(weights)[1]] == wrong


# The terms beside them


def mistakes_of(kind: BonusType = BonusType.DEPOSIT_MATCH, /, **changes: Any) -> list[str]:
    config = {**VALID[kind], **changes.pop("config", {})}
    terms: dict[str, Any] = {
        "wagering_requirement_multiplier": Decimal(30),
        "wagering_basis": "bonus",
        "max_bet": None,
        "max_win_cap": None,
        "time_limit_hours": None,
        "max_grants_per_player": None,
    }
    found = check_terms(kind=kind, config=config, terms=NumericTerms(**{**terms, **changes}))
    return [mistake.pointer.removeprefix("/") for mistake in found]


@pytest.mark.parametrize("kind", BonusType)
def test_only_a_bonus_for_a_deposit_counts_the_deposit(kind: BonusType) -> None:
    has_deposit = kind in (BonusType.DEPOSIT_MATCH, BonusType.RELOAD)

    assert mistakes_of(kind, wagering_basis=WageringBasis.BONUS) == []
    assert mistakes_of(kind, wagering_basis=WageringBasis.BONUS_PLUS_DEPOSIT) == (
        [] if has_deposit else ["wagering_basis"]
    )
    assert mistakes_of(kind, wagering_basis="deposit") == ["wagering_basis"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "wagering_requirement_multiplier",
            ["0", "0.00000001", "10000"],
            ["10000.00000001", "1e-9", "-1", "NaN", "Infinity", "1e30", "1E+400"],
        ),
        ("max_bet", ["0.01", "5.00"], ["0", "0.001", "-1", "NaN", "1e30", "1E+400"]),
        ("max_win_cap", ["0.01", "5.00"], ["0", "0.001", "-1", "NaN", "1e30", "1E+400"]),
    ],
)
def test_the_numbers_of_the_terms_keep_their_bounds(
    name: str, good: list[str], bad: list[str]
) -> None:
    assert [mistakes_of(**{name: Decimal(text)}) for text in good] == [[]] * len(good)
    assert [mistakes_of(**{name: Decimal(text)}) for text in bad] == [[name]] * len(bad)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("time_limit_hours", [1, 87_840], [0, -1, 87_841, 1.5, "1", True]),
        ("max_grants_per_player", [1, 2_147_483_647], [0, -1, 2_147_483_648, "1", True]),
    ],
)
def test_the_counts_of_the_terms_keep_their_bounds(
    name: str, good: list[Any], bad: list[Any]
) -> None:
    assert [mistakes_of(**{name: value}) for value in [None, *good]] == [[]] * (len(good) + 1)
    assert [mistakes_of(**{name: value}) for value in bad] == [[name]] * len(bad)


@pytest.mark.parametrize(
    ("kind", "change", "pointer"),
    [
        (BonusType.DEPOSIT_MATCH, {"cap_amount": "4" + "0" * 11}, "config/cap_amount"),
        (BonusType.RELOAD, {"cap_amount": "4" + "0" * 11}, "config/cap_amount"),
        (BonusType.NO_DEPOSIT, {"amount": "4" + "0" * 11}, "config/amount"),
        (BonusType.FREE_SPINS, {"value_per_spin": "2" + "0" * 10}, "config/count"),
    ],
)
def test_a_requirement_that_might_not_be_storable_is_refused_with_the_terms(
    kind: BonusType, change: dict[str, str], pointer: str
) -> None:
    assert mistakes_of(kind, config=change, wagering_requirement_multiplier=Decimal(249)) == []
    assert mistakes_of(kind, config=change, wagering_requirement_multiplier=Decimal(250)) == [
        pointer
    ]


@pytest.mark.parametrize("name", ["max_bet", "max_win_cap"])
@pytest.mark.parametrize("multiplier", ["0", "30"])
def test_a_bound_goes_to_the_most_that_a_template_may_state(name: str, multiplier: str) -> None:
    times = {"wagering_requirement_multiplier": Decimal(multiplier)}

    assert mistakes_of(**times, **{name: AMOUNT_MAX}) == []
    assert mistakes_of(**times, **{name: AMOUNT_MAX + Decimal("0.01")}) == [name]


def test_all_spins_together_go_to_the_most_that_a_template_may_state() -> None:
    def told(value: str) -> list[str]:
        return mistakes_of(
            BonusType.FREE_SPINS,
            config={"count": 1000, "value_per_spin": value},
            wagering_requirement_multiplier=Decimal(0),
        )

    assert told("1000000000.00") == []
    assert told("1000000000.01") == ["config/count"]


def test_every_mistake_of_the_terms_is_told_at_once() -> None:
    assert mistakes_of(
        BonusType.CASHBACK,
        wagering_requirement_multiplier=Decimal(10_001),
        wagering_basis="bonus_plus_deposit",
        max_bet=Decimal(0),
        max_win_cap=Decimal("0.001"),
        time_limit_hours=0,
        max_grants_per_player=0,
    ) == [
        "wagering_basis",
        "wagering_requirement_multiplier",
        "max_bet",
        "max_win_cap",
        "time_limit_hours",
        "max_grants_per_player",
    ]
