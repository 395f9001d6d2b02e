"""What a template's config may be: every member's limits, and every mistake told at once."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonuses.enums import BonusType
from bonuses.rules.configs import (
    AMOUNT_MAX,
    GAMES_MAX,
    clean_config,
    clean_game_contribution,
)
from core.money import currencies, format_amount
from tests.core.test_fields import NO_AMOUNTS

VALID: dict[BonusType, dict[str, Any]] = {
    BonusType.FREE_SPINS: {
        "count": 20,
        "value_per_spin": "0.10",
        "currency": "EUR",
        "eligible_games": ["sums", "fruit-7"],
    },
    BonusType.DEPOSIT_MATCH: {"match_percent": "100", "cap_amount": "200.00", "currency": "EUR"},
    BonusType.RELOAD: {"match_percent": "50", "cap_amount": "100.00", "currency": "EUR"},
    BonusType.NO_DEPOSIT: {"amount": "10.00", "currency": "EUR"},
    BonusType.CASHBACK: {
        "percent": "10",
        "window_days": 7,
        "min_loss": "20.00",
        "currency": "EUR",
    },
}
MONEY = [
    (BonusType.FREE_SPINS, "value_per_spin"),
    (BonusType.DEPOSIT_MATCH, "cap_amount"),
    (BonusType.RELOAD, "cap_amount"),
    (BonusType.NO_DEPOSIT, "amount"),
    (BonusType.CASHBACK, "min_loss"),
]
PERCENTS = [
    (BonusType.DEPOSIT_MATCH, "match_percent"),
    (BonusType.RELOAD, "match_percent"),
    (BonusType.CASHBACK, "percent"),
]
WHOLES = [(BonusType.FREE_SPINS, "count"), (BonusType.CASHBACK, "window_days")]
NO_WHOLES: list[Any] = ["1", "", 1.0, 1.5, True, False, -1, 0, [], [1], {}, 10**29, 2**31, "NaN"]
NO_CURRENCIES: list[Any] = ["", "eur", "EURO", "XXX", " EUR", "EUR\n", 978, True, [], ["EUR"], {}]
NO_SLUGS: list[Any] = ["", "-", "SUMS", "a b", "a/b", "x" * 65, "sums\n", 1, None, True, [], {}]


def said(kind: BonusType, raw: Any) -> set[tuple[str, str]]:
    """Return pointer and code of every mistake."""
    return {(mistake.pointer, mistake.code) for mistake in clean_config(kind, raw)[1]}


def wrong_fields(kind: BonusType, raw: Any) -> list[str]:
    return [mistake.pointer for mistake in clean_config(kind, raw)[1]]


def short(value: Any) -> str:
    return repr(value)[:24]


@pytest.mark.parametrize("kind", BonusType)
def test_a_good_config_is_taken_as_it_is(kind: BonusType) -> None:
    assert clean_config(kind, VALID[kind]) == (VALID[kind], [])


@pytest.mark.parametrize("raw", ["free", 7, True, [], [{}], 1.5], ids=short)
def test_a_config_is_an_object(raw: Any) -> None:
    assert said(BonusType.NO_DEPOSIT, raw) == {("/config", "invalid")}


def test_a_config_is_required() -> None:
    assert said(BonusType.NO_DEPOSIT, None) == {("/config", "required")}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, config in VALID.items() for name in config]
)
def test_each_member_of_a_type_is_required(kind: BonusType, name: str) -> None:
    left_out = {key: value for key, value in VALID[kind].items() if key != name}

    assert said(kind, left_out) == {(f"/config/{name}", "required")}
    assert said(kind, {**VALID[kind], name: None}) == {(f"/config/{name}", "required")}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind, config in VALID.items()
        for name in {name for other in VALID.values() for name in other} - set(config)
    ],
)
def test_a_member_of_another_type_is_refused(kind: BonusType, name: str) -> None:
    other = next(config[name] for config in VALID.values() if name in config)

    assert said(kind, {**VALID[kind], name: other}) == {(f"/config/{name}", "unknown")}


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("operator_id", "/config/operator_id"),
        ("a/b~c", "/config/a~1b~0c"),
        ("", "/config/"),
        ("x" * 100_000, "/config/" + "x" * 64),
    ],
    ids=short,
)
def test_an_unknown_member_is_refused(name: str, pointer: str) -> None:
    raw = {**VALID[BonusType.NO_DEPOSIT], name: 1}

    assert said(BonusType.NO_DEPOSIT, raw) == {(pointer, "unknown")}


@pytest.mark.parametrize(("kind", "name"), [*MONEY, *PERCENTS])
@pytest.mark.parametrize("value", NO_AMOUNTS, ids=short)
def test_what_is_no_amount_is_refused(kind: BonusType, name: str, value: Any) -> None:
    assert wrong_fields(kind, {**VALID[kind], name: value}) == [f"/config/{name}"]


@pytest.mark.parametrize(("kind", "name"), MONEY)
@pytest.mark.parametrize(
    ("currency", "good", "too_precise"),
    [
        ("JPY", "500", "500.5"),
        ("EUR", "0.01", "0.001"),
        ("BHD", "0.001", "0.0001"),
        ("USDT", "0.000001", "0.0000001"),
        ("BTC", "0.00000001", None),
    ],
)
def test_an_amount_has_no_more_decimals_than_its_currency(
    kind: BonusType, name: str, currency: str, good: str, too_precise: str | None
) -> None:
    config = {**VALID[kind], "currency": currency}

    assert clean_config(kind, {**config, name: good})[0][name] == good
    if too_precise is not None:
        assert said(kind, {**config, name: too_precise}) == {(f"/config/{name}", "too_precise")}


@pytest.mark.parametrize(("kind", "name"), MONEY[:-1])
@pytest.mark.parametrize("zero", ["0", "0.00", "000"])
def test_what_is_given_is_above_zero(kind: BonusType, name: str, zero: str) -> None:
    assert said(kind, {**VALID[kind], name: zero}) == {(f"/config/{name}", "too_small")}


@pytest.mark.parametrize(("kind", "name"), MONEY)
def test_an_amount_goes_to_its_most(kind: BonusType, name: str) -> None:
    most = f"{AMOUNT_MAX:f}"
    above = f"{AMOUNT_MAX:f}.01"

    assert said(kind, {**VALID[kind], name: most}) == set()
    assert said(kind, {**VALID[kind], name: above}) == {(f"/config/{name}", "too_large")}
    [mistake] = clean_config(kind, {**VALID[kind], name: above})[1]
    assert mistake.detail == "It must not be above 1,000,000,000,000."


def test_the_least_loss_may_be_zero() -> None:
    config = {**VALID[BonusType.CASHBACK], "min_loss": "0"}

    assert clean_config(BonusType.CASHBACK, config) == ({**config, "min_loss": "0.00"}, [])


@pytest.mark.parametrize(
    ("kind", "name", "most", "above"),
    [
        (BonusType.DEPOSIT_MATCH, "match_percent", "10000", "10000.00000001"),
        (BonusType.RELOAD, "match_percent", "10000", "10001"),
        (BonusType.CASHBACK, "percent", "100", "100.00000001"),
    ],
)
def test_a_percentage_is_above_zero_up_to_its_most(
    kind: BonusType, name: str, most: str, above: str
) -> None:
    assert clean_config(kind, {**VALID[kind], name: most})[0][name] == most
    assert clean_config(kind, {**VALID[kind], name: "0.00000001"})[0][name] == "0.00000001"
    assert said(kind, {**VALID[kind], name: above}) == {(f"/config/{name}", "too_large")}
    assert said(kind, {**VALID[kind], name: "0.0"}) == {(f"/config/{name}", "too_small")}


@pytest.mark.parametrize(("kind", "name"), WHOLES)
@pytest.mark.parametrize("value", NO_WHOLES, ids=short)
def test_a_count_is_a_whole_number_above_zero(kind: BonusType, name: str, value: Any) -> None:
    assert wrong_fields(kind, {**VALID[kind], name: value}) == [f"/config/{name}"]


@pytest.mark.parametrize(
    ("kind", "name", "most"),
    [(BonusType.FREE_SPINS, "count", 1_000_000), (BonusType.CASHBACK, "window_days", 366)],
)
def test_a_count_goes_to_its_most(kind: BonusType, name: str, most: int) -> None:
    assert clean_config(kind, {**VALID[kind], name: most})[0][name] == most
    assert clean_config(kind, {**VALID[kind], name: 1})[0][name] == 1
    assert said(kind, {**VALID[kind], name: most + 1}) == {(f"/config/{name}", "too_large")}


@pytest.mark.parametrize("kind", BonusType)
@pytest.mark.parametrize("value", NO_CURRENCIES, ids=short)
def test_a_currency_is_a_known_one(kind: BonusType, value: Any) -> None:
    assert said(kind, {**VALID[kind], "currency": value}) == {("/config/currency", "invalid")}


@pytest.mark.parametrize(
    "games",
    ["sums", 7, {}, {"sums": 1}, True, [], [f"game-{number}" for number in range(GAMES_MAX + 1)]],
    ids=short,
)
def test_eligible_games_are_a_list_with_something_in_it(games: Any) -> None:
    config = {**VALID[BonusType.FREE_SPINS], "eligible_games": games}

    assert wrong_fields(BonusType.FREE_SPINS, config) == ["/config/eligible_games"]


@pytest.mark.parametrize("slug", [*NO_SLUGS, "sums"], ids=short)
def test_each_eligible_game_is_a_slug_that_comes_once(slug: Any) -> None:
    config = {**VALID[BonusType.FREE_SPINS], "eligible_games": ["sums", "fruit-7", slug]}

    assert wrong_fields(BonusType.FREE_SPINS, config) == ["/config/eligible_games/2"]


def test_every_mistake_is_told_at_once() -> None:
    config = {
        "count": 0,
        "value_per_spin": 0.1,
        "eligible_games": ["sums", "SUMS", "sums"],
        "amount": "1",
    }

    assert said(BonusType.FREE_SPINS, config) == {
        ("/config/amount", "unknown"),
        ("/config/count", "too_small"),
        ("/config/value_per_spin", "not_a_string"),
        ("/config/currency", "required"),
        ("/config/eligible_games/1", "invalid"),
        ("/config/eligible_games/2", "invalid"),
    }


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ({"amount": "5", "currency": "EUR"}, {"amount": "5.00", "currency": "EUR"}),
        ({"amount": "007.1", "currency": "EUR"}, {"amount": "7.10", "currency": "EUR"}),
        ({"amount": "500.00", "currency": "JPY"}, {"amount": "500", "currency": "JPY"}),
        ({"amount": "0.1", "currency": "BTC"}, {"amount": "0.10000000", "currency": "BTC"}),
    ],
)
def test_an_amount_gets_the_decimals_of_its_currency(
    raw: dict[str, Any], clean: dict[str, Any]
) -> None:
    assert clean_config(BonusType.NO_DEPOSIT, raw) == (clean, [])


# Properties

CODES = sorted(currencies())
slugs = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True)
percents = st.decimals("0.00000001", "100", places=8).map(lambda value: f"{value:f}")


@st.composite
def configs(draw: Any) -> tuple[BonusType, dict[str, Any]]:
    """Draw a type and a config of it that is good, written in any way."""
    kind, currency = draw(st.sampled_from(BonusType)), draw(st.sampled_from(CODES))
    decimals = currencies()[currency].decimals
    unit = currencies()[currency].minor_unit
    units = draw(st.integers(1, 10**9))
    amount = f"{unit * units:.{draw(st.integers(decimals, 8))}f}"
    members: dict[str, Any] = {
        "count": draw(st.integers(1, 1_000_000)),
        "value_per_spin": amount,
        "eligible_games": draw(st.lists(slugs, min_size=1, max_size=5, unique=True)),
        "match_percent": draw(percents),
        "cap_amount": amount,
        "amount": amount,
        "percent": draw(percents),
        "window_days": draw(st.integers(1, 366)),
        "min_loss": amount,
        "currency": currency,
    }
    return kind, {name: members[name] for name in VALID[kind]}


@given(configs())
def test_a_good_config_keeps_its_values_and_cleaning_it_again_changes_nothing(
    drawn: tuple[BonusType, dict[str, Any]],
) -> None:
    kind, raw = drawn

    clean, mistakes = clean_config(kind, raw)

    assert mistakes == []
    assert clean_config(kind, json.loads(json.dumps(clean))) == (clean, [])
    for name, value in raw.items():
        is_decimal = isinstance(value, str) and name != "currency"
        assert (Decimal(clean[name]) == Decimal(value)) if is_decimal else clean[name] == value
    for money_kind, name in MONEY:
        if money_kind == kind:
            assert clean[name] == format_amount(Decimal(clean[name]), raw["currency"])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
names = st.sampled_from(sorted({name for config in VALID.values() for name in config}))


@given(st.sampled_from(BonusType), st.dictionaries(names, json_values), json_values)
def test_whatever_is_sent_is_read_or_refused(
    kind: BonusType, members: dict[str, Any], anything: Any
) -> None:
    for raw in (members, {**VALID[kind], **members}, anything):
        clean, mistakes = clean_config(kind, raw)
        weights, wrong_weights = clean_game_contribution(raw)

        assert mistakes or set(clean) == set(VALID[kind])
        assert wrong_weights or weights == raw
