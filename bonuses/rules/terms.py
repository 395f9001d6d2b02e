"""
What a grant will be: amounts, rates and requirement, worked out once and then locked.

Amounts of a template are in its own currency and are converted to the player's at the cross
rate of two rates in US dollars. What a player gets is rounded half-even to the 8 decimals
that are stored, and then down to what the wallet's currency can hold. So are the bounds (max_bet
and max_win_cap), but one that is above zero stays at least a minor unit: otherwise it would
forbid what its template allows.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Protocol, get_type_hints

from bonuses.enums import BonusType, WageringBasis
from core import money
from core.money import AMOUNT_LIMIT, EXACT, Currency

_HUNDRED = Decimal(100)


class TemplateTerms(Protocol):
    """What a template says; a bonuses.models.BonusTemplate is one."""

    @property
    def type(self) -> str: ...
    @property
    def config(self) -> Any: ...
    @property
    def currency(self) -> str: ...
    @property
    def wagering_multiplier(self) -> Decimal: ...
    @property
    def wagering_basis(self) -> str: ...
    @property
    def game_contribution(self) -> Any: ...
    @property
    def max_bet(self) -> Decimal | None: ...
    @property
    def max_win_cap(self) -> Decimal | None: ...
    @property
    def time_limit_hours(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Loss:
    """What a player lost with real money in [since, until), in the wallet's currency."""

    amount: Decimal
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """
    The terms of one grant, as BonusGrant stores them.

    Amounts are in ``bonus_currency`` but for ``bonus_amount_base`` (in
    ``base_currency_code``) and ``original_amount`` (in ``original_currency``).
    """

    type: str
    config: dict[str, Any]
    wagering_multiplier: Decimal
    wagering_basis: str
    game_contribution: dict[str, Any]
    eligible_games: list[str] | None
    max_bet: Decimal | None
    max_win_cap: Decimal | None
    bonus_amount: Decimal
    bonus_currency: str
    deposit_amount: Decimal | None
    original_amount: Decimal | None
    original_currency: str | None
    rate: Decimal | None
    bonus_amount_base: Decimal
    base_currency_code: str
    fx_rate_locked: Decimal
    fx_locked_at: datetime
    loss_from: datetime | None
    loss_until: datetime | None
    wagering_required: Decimal
    expires_at: datetime | None

    def to_json(self) -> dict[str, Any]:
        """Return the terms as JSON has them: numbers and instants as text."""
        return {name: _as_json(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Terms":
        """Return the terms that to_json() wrote."""
        hints = get_type_hints(cls)
        return cls(
            **{
                field.name: _from_json(stored[field.name], hints[field.name])
                for field in fields(cls)
            }
        )


def compute_terms(
    *,
    template: TemplateTerms,
    wallet_currency: str,
    base_currency: str,
    usd_rates: Mapping[str, Decimal],
    deposit_amount: Decimal | None,
    loss: Loss | None,
    now: datetime,
) -> Terms:
    """
    Return the terms of a grant that is issued at ``now``.

    ``usd_rates`` has US dollars for one unit of the template's, the wallet's and the base
    currency. A deposit is what a deposit type matches, a loss what cashback pays back from.
    """
    rate = money.cross_rate(usd_rates[template.currency], usd_rates[wallet_currency])
    is_converted = template.currency != wallet_currency
    wallet = money.get_currency(wallet_currency)

    def converted(amount: Decimal) -> Decimal:
        return money.convert(amount, rate) if is_converted else amount

    exact, original = _gift(template, converted, deposit_amount=deposit_amount, loss=loss)
    bonus = money.round_down(money.round_half_even(exact), wallet)
    basis = bonus
    if template.wagering_basis == WageringBasis.BONUS_PLUS_DEPOSIT:
        assert deposit_amount is not None, "a basis with a deposit has one"
        basis = EXACT.add(bonus, deposit_amount)
    base_rate = money.cross_rate(usd_rates[wallet_currency], usd_rates[base_currency])
    hours = template.time_limit_hours
    is_stated = is_converted and original is not None
    return Terms(
        type=str(template.type),
        config=dict(template.config),
        wagering_multiplier=template.wagering_multiplier,
        wagering_basis=str(template.wagering_basis),
        game_contribution=dict(template.game_contribution),
        eligible_games=template.config.get("eligible_games"),
        max_bet=_bound(template.max_bet, rate, wallet),
        max_win_cap=_bound(template.max_win_cap, rate, wallet),
        bonus_amount=bonus,
        bonus_currency=wallet_currency,
        deposit_amount=deposit_amount,
        original_amount=original if is_stated else None,
        original_currency=template.currency if is_stated else None,
        rate=rate if is_stated else None,
        bonus_amount_base=base_amount_of(bonus, base_rate, base_currency),
        base_currency_code=base_currency,
        fx_rate_locked=base_rate,
        fx_locked_at=now,
        loss_from=None if loss is None else loss.since,
        loss_until=None if loss is None else loss.until,
        wagering_required=money.round_half_even(
            EXACT.multiply(template.wagering_multiplier, basis)
        ),
        expires_at=None if hours is None else now + timedelta(hours=hours),
    )


def _bound(amount: Decimal | None, rate: Decimal, wallet: Currency) -> Decimal | None:
    """Return a bound as the wallet's currency has it; None for one beyond all amounts there are."""
    if amount is None:
        return None
    exact = EXACT.multiply(amount, rate)
    if exact > AMOUNT_LIMIT - 1:
        return None
    # Stakes and winnings have the wallet's decimals: a bound with more says nothing more.
    bound = money.round_down(money.round_half_even(exact), wallet)
    return max(bound, wallet.minor_unit) if amount > 0 else bound


def base_amount_of(amount: Decimal, rate: Decimal, base_currency: str) -> Decimal:
    """Return ``amount`` at ``rate``, rounded half-even to the base currency's decimals."""
    return money.quantize(
        EXACT.multiply(amount, rate),
        decimals=money.get_currency(base_currency).decimals,
        rounding=ROUND_HALF_EVEN,
    )


def _gift(
    template: TemplateTerms,
    converted: Any,
    *,
    deposit_amount: Decimal | None,
    loss: Loss | None,
) -> tuple[Decimal, Decimal | None]:
    """Return the bonus before rounding, and what it is in the template's currency, if it is."""
    config = template.config
    match template.type:
        case BonusType.FREE_SPINS:
            stated = EXACT.multiply(Decimal(config["count"]), Decimal(config["value_per_spin"]))
            return converted(stated), stated
        case BonusType.NO_DEPOSIT:
            stated = Decimal(config["amount"])
            return converted(stated), stated
        case BonusType.DEPOSIT_MATCH | BonusType.RELOAD:
            assert deposit_amount is not None, "a match has a deposit"
            matched = _percent_of(deposit_amount, Decimal(config["match_percent"]))
            cap = Decimal(config["cap_amount"])
            if matched > converted(cap):
                return converted(cap), cap
            return matched, None
        case BonusType.CASHBACK:
            assert loss is not None, "cashback has a loss"
            return _percent_of(loss.amount, Decimal(config["percent"])), None
        case other:
            raise AssertionError(f"a bonus of type {other}")


def _percent_of(amount: Decimal, percent: Decimal) -> Decimal:
    return EXACT.divide(EXACT.multiply(amount, percent), _HUNDRED)


def _as_json(value: Any) -> Any:
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.isoformat()
        case _:
            return value


def _from_json(value: Any, hint: Any) -> Any:
    if value is None:
        return None
    if hint in (Decimal, Decimal | None):
        return Decimal(value)
    if hint in (datetime, datetime | None):
        return datetime.fromisoformat(value)
    return value
