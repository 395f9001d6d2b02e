"""What a grant will be: amounts of all five types, requirement, time; and what always holds."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonuses.rules.terms import Loss, Terms, base_amount_of, compute_terms
from core.errors import InvalidRequest
from core.money import get_currency, has_only_minor_units

NOW = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
WEEK_AGO = NOW - timedelta(days=7)
#: US dollars for one unit.
RATES = {
    "USD": Decimal(1),
    "EUR": Decimal("1.25"),
    "JPY": Decimal("0.008"),
    "BTC": Decimal(50_000),
    "KWD": Decimal("3.25"),
}


@dataclass(frozen=True)
class Template:
    """The terms of a template, as compute_terms reads them."""

    type: str
    config: dict[str, Any]
    wagering_multiplier: Decimal = Decimal(30)
    wagering_basis: str = "bonus"
    game_contribution: dict[str, Any] = field(default_factory=lambda: {"slots": 100})
    max_bet: Decimal | None = None
    max_win_cap: Decimal | None = None
    time_limit_hours: int | None = None

    @property
    def currency(self) -> str:
        return str(self.config["currency"])


def match(percent: str = "100", cap: str = "200.00", currency: str = "EUR") -> Template:
    config = {"match_percent": percent, "cap_amount": cap, "currency": currency}
    return Template("deposit_match", config)


def gift(amount: str, currency: str = "EUR") -> Template:
    return Template("no_deposit", {"amount": amount, "currency": currency})


def cashback(percent: str = "10", currency: str = "EUR") -> Template:
    config = {"percent": percent, "window_days": 7, "min_loss": "20.00", "currency": currency}
    return Template("cashback", config)


def spins(count: int, value: str, currency: str = "EUR") -> Template:
    config = {
        "count": count,
        "value_per_spin": value,
        "currency": currency,
        "eligible_games": ["sums", "fruit"],
    }
    return Template("free_spins", config)


def terms_of(
    template: Template,
    *,
    wallet: str = "EUR",
    base: str = "USD",
    deposit: Any = None,
    lost: Any = None,
    rates: dict[str, Decimal] = RATES,
) -> Terms:
    return compute_terms(
        template=template,
        wallet_currency=wallet,
        base_currency=base,
        usd_rates=rates,
        deposit_amount=None if deposit is None else Decimal(deposit),
        loss=None if lost is None else Loss(Decimal(lost), since=WEEK_AGO, until=NOW),
        now=NOW,
    )


# What each type gives


def test_free_spins_are_worth_their_count_times_their_value() -> None:
    terms = terms_of(spins(20, "0.15"))

    assert (terms.bonus_amount, terms.bonus_currency) == (Decimal("3.00"), "EUR")
    assert terms.eligible_games == ["sums", "fruit"]


def test_a_gift_is_its_amount() -> None:
    terms = terms_of(gift("10.00"))

    assert terms.bonus_amount == 10
    assert (terms.eligible_games, terms.deposit_amount, terms.loss_from) == (None, None, None)


@pytest.mark.parametrize("kind", ["deposit_match", "reload"])
@pytest.mark.parametrize(
    ("percent", "deposit", "bonus"),
    [
        ("100", "100.00", "100.00"),
        ("100", "199.99", "199.99"),
        ("100", "200.00", "200.00"),
        ("100", "200.01", "200.00"),
        ("100", "1000000", "200.00"),
        ("50", "100.00", "50.00"),
        ("12.5", "0.08", "0.01"),
        ("12.5", "0.07", "0.00"),
        ("33.33333333", "100.00", "33.33"),
        ("10000", "1.00", "100.00"),
        ("10000", "3.00", "200.00"),
    ],
)
def test_a_match_is_the_percentage_up_to_the_cap(
    kind: str, percent: str, deposit: str, bonus: str
) -> None:
    terms = terms_of(replace(match(percent), type=kind), deposit=deposit)

    assert terms.bonus_amount == Decimal(bonus)
    assert terms.deposit_amount == Decimal(deposit)


@pytest.mark.parametrize(
    ("percent", "lost", "bonus"),
    [
        ("10", "100.00", "10.00"),
        ("10", "99.99", "9.99"),
        ("100", "20.00", "20.00"),
        ("5", "0", "0"),
    ],
)
def test_cashback_is_the_percentage_of_the_loss(percent: str, lost: str, bonus: str) -> None:
    terms = terms_of(cashback(percent), lost=lost)

    assert terms.bonus_amount == Decimal(bonus)
    assert (terms.loss_from, terms.loss_until) == (WEEK_AGO, NOW)


# What has to be wagered


def test_the_worked_example_comes_to_6000() -> None:
    template = replace(match(), wagering_basis="bonus_plus_deposit")

    assert terms_of(template, deposit="100.00").wagering_required == Decimal("6000.00")


@pytest.mark.parametrize(
    ("basis", "deposit", "required"),
    [
        ("bonus", "100.00", "3000.00"),
        ("bonus", "500.00", "6000.00"),
        ("bonus_plus_deposit", "500.00", "21000.00"),
    ],
)
def test_the_requirement_is_the_multiple_of_the_basis(
    basis: str, deposit: str, required: str
) -> None:
    terms = terms_of(replace(match(), wagering_basis=basis), deposit=deposit)

    assert terms.wagering_required == Decimal(required)


@pytest.mark.parametrize(
    ("multiplier", "required"),
    [
        ("0", "0"),
        ("0.5", "5"),
        ("1.5", "15"),
        ("0.00000001", "0.0000001"),
        ("33.33333333", "333.3333333"),
    ],
)
def test_any_multiplier_is_applied_exactly(multiplier: str, required: str) -> None:
    terms = terms_of(replace(gift("10.00"), wagering_multiplier=Decimal(multiplier)))

    assert terms.wagering_required == Decimal(required)


@pytest.mark.parametrize(
    ("multiplier", "required"), [("0.5", "0"), ("1.5", "0.00000002"), ("2.5", "0.00000002")]
)
def test_a_requirement_is_rounded_half_even_to_what_is_stored(
    multiplier: str, required: str
) -> None:
    template = replace(gift("0.00000001", "BTC"), wagering_multiplier=Decimal(multiplier))

    assert terms_of(template, wallet="BTC").wagering_required == Decimal(required)


def test_a_requirement_beyond_any_amount_is_refused() -> None:
    template = replace(gift("9" * 18), wagering_multiplier=Decimal(10_000))

    with pytest.raises(InvalidRequest):
        terms_of(template)


# Time, and how terms are stored


@pytest.mark.parametrize("hours", [1, 24, 87_840])
def test_hours_are_hours_through_a_change_of_clocks(hours: int) -> None:
    terms = terms_of(replace(gift("1.00"), time_limit_hours=hours))

    assert terms.expires_at == NOW + timedelta(hours=hours)
    assert terms_of(gift("1.00")).expires_at is None


@pytest.mark.parametrize(
    ("template", "amounts"),
    [
        (spins(20, "0.15"), {"wallet": "JPY"}),
        (replace(gift("10.00"), max_bet=Decimal(5), time_limit_hours=24), {}),
        (replace(match(), wagering_basis="bonus_plus_deposit"), {"deposit": "100.00"}),
        (match(), {"wallet": "JPY", "deposit": "999999"}),
        (cashback(), {"lost": "123.45"}),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_stored_terms_come_back_as_they_were(template: Template, amounts: dict[str, Any]) -> None:
    terms = terms_of(template, **amounts)

    assert Terms.from_json(json.loads(json.dumps(terms.to_json()))) == terms


# Properties

wallets = st.sampled_from(sorted(RATES))
percents = st.decimals("0.00000001", "10000", places=8)
cents = st.integers(1, 10**12).map(lambda units: Decimal(units).scaleb(-2))


def units_of(currency: str, count: int) -> Decimal:
    return get_currency(currency).minor_unit * count


@given(wallets, wallets, percents, cents, st.integers(1, 10**9), st.integers(0, 10**9))
def test_a_match_grows_with_the_deposit_and_never_passes_cap_or_percentage(
    currency: str, wallet: str, percent: Decimal, cap: Decimal, first: int, more: int
) -> None:
    cap = max(units_of(currency, 1), cap.quantize(get_currency(currency).minor_unit))
    template = match(f"{percent:f}", f"{cap:f}", currency)
    small, large = units_of(wallet, first), units_of(wallet, first + more)

    less = terms_of(template, wallet=wallet, deposit=small)
    terms = terms_of(template, wallet=wallet, deposit=large)

    assert less.bonus_amount <= terms.bonus_amount
    assert has_only_minor_units(terms.bonus_amount, get_currency(wallet))
    assert 0 <= terms.bonus_amount <= large * percent / 100 + Decimal("0.00000001")
    assert terms.bonus_amount * RATES[wallet] <= cap * RATES[currency] * Decimal("1.000001") + (
        RATES[wallet] * Decimal("0.00000001")
    )
    if terms.original_amount is not None:
        assert terms.original_amount == cap


@given(wallets, wallets, wallets, st.integers(1, 10**9), st.decimals(0, 10_000, places=8))
def test_what_is_stored_can_be_computed_again_from_what_is_stored(
    currency: str, wallet: str, base: str, count: int, multiplier: Decimal
) -> None:
    amount = units_of(currency, count)
    template = replace(gift(f"{amount:f}", currency), wagering_multiplier=multiplier)

    terms = terms_of(template, wallet=wallet, base=base)

    unit = get_currency(wallet).minor_unit
    if terms.rate is not None:
        assert terms.original_amount is not None
        exact = terms.original_amount * terms.rate
        assert -Decimal("0.00000001") < exact - terms.bonus_amount < unit + Decimal("0.00000001")
    else:
        assert terms.bonus_amount == amount
    assert terms.bonus_amount_base == base_amount_of(terms.bonus_amount, terms.fx_rate_locked, base)
    assert abs(terms.wagering_required - multiplier * terms.bonus_amount) <= Decimal("0.00000001")
    assert Terms.from_json(json.loads(json.dumps(terms.to_json()))) == terms


@given(percents.filter(lambda percent: percent <= 100), st.integers(0, 10**12))
def test_cashback_never_pays_more_than_was_lost(percent: Decimal, lost: int) -> None:
    loss = units_of("EUR", lost)

    bonus = terms_of(cashback(f"{percent:f}"), lost=loss).bonus_amount

    assert 0 <= bonus <= loss
    assert loss * percent / 100 - bonus < Decimal("0.01")
