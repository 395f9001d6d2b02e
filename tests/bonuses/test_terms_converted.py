"""Terms in another currency than the wallet's: what is converted, and how it is rounded."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.bonuses.test_terms import NOW, Template, cashback, gift, match, spins, terms_of


@pytest.mark.parametrize(
    ("template", "wallet", "bonus", "rate", "required"),
    [
        # 1.25 / 0.008: a euro is 156.25 yen. Down to whole yen, and the requirement from those.
        (gift("10.00"), "JPY", "1562", "156.25", "46860"),
        (spins(3, "0.33"), "JPY", "154", "156.25", "4620"),
        # 1.25 / 50000
        (gift("10.00"), "BTC", "0.00025", "0.000025", "0.0075"),
        (gift("0.01"), "BTC", "0.00000025", "0.000025", "0.0000075"),
        # 1.25 / 3.25 = 0.384615…: three decimals in Kuwait.
        (gift("10.00"), "KWD", "3.846", "0.384615384615384615", "115.38"),
        (gift("1500", "JPY"), "EUR", "9.60", "0.0064", "288"),
        (gift("0.00010000", "BTC"), "JPY", "625", "6250000", "18750"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_an_amount_is_converted_and_rounded_down_to_the_wallet(
    template: Template, wallet: str, bonus: str, rate: str, required: str
) -> None:
    terms = terms_of(template, wallet=wallet)

    assert (terms.bonus_amount, terms.bonus_currency) == (Decimal(bonus), wallet)
    assert (terms.rate, terms.original_currency) == (Decimal(rate), template.currency)
    assert terms.wagering_required == Decimal(required)


def test_the_original_amount_is_kept_beside_the_rate() -> None:
    assert terms_of(gift("10.00"), wallet="JPY").original_amount == Decimal("10.00")
    assert terms_of(spins(20, "0.15"), wallet="JPY").original_amount == Decimal("3.00")


def test_in_the_wallets_own_currency_nothing_is_converted() -> None:
    terms = terms_of(gift("10.00"))

    assert (terms.original_amount, terms.original_currency, terms.rate) == (None, None, None)


@pytest.mark.parametrize(
    ("deposit", "bonus", "original"),
    [
        # 200 EUR are 31,250 JPY.
        ("31249", "31249", None),
        ("31250", "31250", None),
        ("31251", "31250", Decimal("200.00")),
    ],
)
def test_a_cap_is_converted_and_a_match_is_of_the_deposit_itself(
    deposit: str, bonus: str, original: Decimal | None
) -> None:
    terms = terms_of(match(), wallet="JPY", deposit=deposit)

    assert terms.bonus_amount == Decimal(bonus)
    assert terms.original_amount == original
    assert (terms.rate is None) == (original is None)


def test_a_yen_match_loses_less_than_a_yen() -> None:
    terms = terms_of(match("50"), wallet="JPY", deposit="1001")

    assert terms.bonus_amount == 500


@pytest.mark.parametrize(
    ("deposit", "bonus"),
    [
        ("0.00000001", "0"),
        ("0.00000003", "0.00000002"),
        ("0.00000005", "0.00000002"),
        ("0.00000006", "0.00000003"),
    ],
)
def test_a_bitcoin_match_is_rounded_half_even_at_the_eighth_decimal(
    deposit: str, bonus: str
) -> None:
    terms = terms_of(match("50"), wallet="BTC", deposit=deposit)

    assert terms.bonus_amount == Decimal(bonus)


def test_limits_are_converted_too() -> None:
    limits = replace(gift("10.00"), max_bet=Decimal("5.00"), max_win_cap=Decimal("100.00"))

    own, yen = terms_of(limits), terms_of(limits, wallet="JPY")

    assert (own.max_bet, own.max_win_cap) == (5, 100)
    assert (yen.max_bet, yen.max_win_cap) == (Decimal(781), Decimal(15_625))
    assert (terms_of(gift("1.00")).max_bet, terms_of(gift("1.00")).max_win_cap) == (None, None)


@pytest.mark.parametrize(
    ("limit", "bound"), [("0", "0"), ("1", "0.01"), ("3", "0.01"), ("4", "0.02"), (None, None)]
)
def test_a_limit_that_is_less_than_there_is_becomes_the_least_there_is(
    limit: str | None, bound: str | None
) -> None:
    # A yen is 0.0064 euros; zero stays zero.
    amount = None if limit is None else Decimal(limit)
    limits = replace(gift("1500", "JPY"), max_bet=amount, max_win_cap=amount)

    terms = terms_of(limits, wallet="EUR")

    expected = None if bound is None else Decimal(bound)
    assert (terms.max_bet, terms.max_win_cap) == (expected, expected)


@pytest.mark.parametrize(
    ("limit", "bound"),
    [("15999999999999", "99999999999993750000"), ("16000000000000", None)],
)
def test_a_limit_beyond_any_amount_is_no_limit(limit: str, bound: str | None) -> None:
    # A bitcoin is 6,250,000 yen.
    limits = replace(gift("1.00", "BTC"), max_bet=Decimal(limit), max_win_cap=Decimal(limit))

    terms = terms_of(limits, wallet="JPY")

    expected = None if bound is None else Decimal(bound)
    assert (terms.max_bet, terms.max_win_cap) == (expected, expected)


@pytest.mark.parametrize(
    ("template", "given_amounts"),
    [
        (gift("0.00000001", "BTC"), {"wallet": "JPY"}),
        (match("1"), {"deposit": "0.99"}),
        (match("100", "0.01"), {"wallet": "BTC", "deposit": "0"}),
        (cashback(), {"lost": "0.09"}),
    ],
    ids=["gift", "match", "no deposit", "cashback"],
)
def test_a_bonus_below_the_least_there_is_is_nothing(
    template: Template, given_amounts: dict[str, Any]
) -> None:
    terms = terms_of(template, **given_amounts)

    assert (terms.bonus_amount, terms.wagering_required) == (0, 0)


# The base currency


@pytest.mark.parametrize(
    ("amount", "wallet", "base", "in_base", "rate"),
    [
        ("10.00", "EUR", "USD", "12.50", "1.25"),
        # Ties: 0.01 EUR × 1.25 is 0.0125 USD, 0.02 is 0.025 and 0.06 is 0.075.
        ("0.01", "EUR", "USD", "0.01", "1.25"),
        ("0.02", "EUR", "USD", "0.02", "1.25"),
        ("0.06", "EUR", "USD", "0.08", "1.25"),
        ("10.00", "EUR", "EUR", "10.00", "1"),
        ("10.00", "EUR", "JPY", "1562", "156.25"),
        ("1500", "JPY", "USD", "12.00", "0.008"),
        ("0.00000001", "BTC", "USD", "0.00", "50000"),
        ("0.00000030", "BTC", "USD", "0.02", "50000"),
    ],
)
def test_the_base_amount_is_rounded_half_even_to_the_base_currency(
    amount: str, wallet: str, base: str, in_base: str, rate: str
) -> None:
    terms = terms_of(gift(amount, wallet), wallet=wallet, base=base)

    assert (terms.bonus_amount_base, terms.base_currency_code) == (Decimal(in_base), base)
    assert (terms.fx_rate_locked, terms.fx_locked_at) == (Decimal(rate), NOW)


def test_the_base_amount_is_of_what_the_player_gets() -> None:
    # Of 1562 yen, not of the 1562.5 that they were before rounding.
    assert terms_of(gift("10.00"), wallet="JPY").bonus_amount_base == Decimal("12.50")
    assert terms_of(gift("100.00"), wallet="JPY", base="BTC").bonus_amount_base == Decimal("0.0025")
