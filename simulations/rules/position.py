"""
Where a player starts: what the terms give, and what they ask for it.

Everything is worked out by the rules of bonuses and promos themselves.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bonuses.enums import DEPOSIT_TYPES, BonusType
from bonuses.rules.terms import Loss, compute_terms
from bonuses.rules.wagering import release_limit
from core import money
from core.errors import InvalidRequest
from core.money import AMOUNT_DECIMALS, EXACT, Currency
from promos import rules as promo_rules
from promos.enums import PromoType
from simulations.rules.scenario import BonusOffer, Offer, PromoOffer, Scenario

USD = "USD"
_ONE = Decimal(1)
_ZERO = Decimal(0)
# Terms have a start only because a grant has one: nothing here depends on when it is.
_ANY_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)
#: Larger amounts (in minor units, and in units of progress) do not fit what is calculated with.
MINOR_UNITS_MAX = 10**12
_PROGRESS_MAX = 10**18


@dataclass(frozen=True, slots=True)
class Position:
    """
    A player with a bonus, before the first bet. Amounts are minor units of ``currency``.

    ``main`` is what the main balance holds: with a claim of a promo that is the bonus too,
    which a grant has apart (``bonus``). ``required`` is what must be wagered, in units of
    progress, of which the bonus itself is ``bonus_progress``: ``multiple`` is how many times
    the bonus that is. ``release_limit`` is the most that a grant releases, ``own_money`` what
    of all this the player has brought.
    """

    currency: Currency
    is_claim: bool
    main: int
    bonus: int
    credited: int
    required: int
    requirement: Decimal
    requirement_currency: str
    bonus_progress: int
    multiple: Decimal | None
    release_limit: int | None
    max_bet: Decimal | None
    time_limit_s: int | None
    own_money: int


def position_of(*, offer: Offer, scenario: Scenario) -> Position:
    """
    Return where a player of ``scenario`` starts.

    :raises InvalidRequest: that names the field, if the scenario gives no bonus, or amounts
        that are too large to be simulated.
    """
    if isinstance(offer, BonusOffer):
        position = _of_bonus(offer, scenario)
    else:
        position = _of_promo(offer, scenario)
    if max(position.main, position.bonus) > MINOR_UNITS_MAX or position.required > _PROGRESS_MAX:
        raise InvalidRequest("The amounts are too large to be simulated.")
    return position


def minor_units(amount: Decimal, currency: Currency) -> int:
    """Return an amount that the currency can hold in whole minor units."""
    return int(amount.scaleb(currency.decimals, context=EXACT))


def progress_units(amount: Decimal) -> int:
    """Return what counts towards a requirement in units of 0.00000001."""
    return int(amount.scaleb(AMOUNT_DECIMALS, context=EXACT))


def amount_of(units: int, currency: Currency) -> Decimal:
    """Return whole minor units as an amount."""
    return Decimal(units).scaleb(-currency.decimals, context=EXACT)


def _of_bonus(offer: BonusOffer, scenario: Scenario) -> Position:
    currency = money.get_currency(offer.currency)
    is_match = offer.type in DEPOSIT_TYPES
    if is_match and scenario.deposit == 0:
        raise InvalidRequest.for_field("deposit", "The bonus matches a deposit: say how much.")
    loss = None
    if offer.type == BonusType.CASHBACK:
        least = Decimal(offer.config["min_loss"])
        if scenario.loss < least or scenario.loss == 0:
            text = money.format_amount(least, offer.currency)
            raise InvalidRequest.for_field(
                "loss", f"Cashback is paid from a loss of {text} {offer.currency} on."
            )
        days = timedelta(days=int(offer.config["window_days"]))
        loss = Loss(scenario.loss, since=_ANY_INSTANT - days, until=_ANY_INSTANT)
    terms = compute_terms(
        template=offer,
        wallet_currency=offer.currency,
        base_currency=offer.currency,
        usd_rates={offer.currency: _ONE},
        deposit_amount=scenario.deposit if is_match else None,
        loss=loss,
        now=_ANY_INSTANT,
    )
    if terms.bonus_amount == 0:
        raise InvalidRequest.for_field(
            "deposit" if is_match else "loss", "It is too little for any bonus."
        )
    limit = release_limit(
        bonus_amount=terms.bonus_amount, max_win_cap=terms.max_win_cap, currency=currency
    )
    own = EXACT.add(scenario.own_money, scenario.deposit if is_match else _ZERO)
    return Position(
        currency=currency,
        is_claim=False,
        main=minor_units(own, currency),
        bonus=minor_units(terms.bonus_amount, currency),
        credited=minor_units(terms.bonus_amount, currency),
        required=progress_units(terms.wagering_required),
        requirement=terms.wagering_required,
        requirement_currency=offer.currency,
        bonus_progress=progress_units(terms.bonus_amount),
        multiple=EXACT.divide(terms.wagering_required, terms.bonus_amount),
        release_limit=None if limit is None else minor_units(limit, currency),
        max_bet=terms.max_bet,
        time_limit_s=None if offer.time_limit_hours is None else offer.time_limit_hours * 3600,
        own_money=minor_units(own, currency),
    )


def _of_promo(offer: PromoOffer, scenario: Scenario) -> Position:
    currency = money.get_currency(scenario.currency)
    own_money = minor_units(scenario.own_money, currency)
    if offer.type == PromoType.INSTANT:
        assert offer.amount is not None, "an instant promo pays an amount"
        paid = promo_rules.wallet_amount_of(
            amount=offer.amount, rate=None, currency=scenario.currency
        )
        credited = minor_units(paid, currency)
        return Position(
            currency=currency,
            is_claim=True,
            main=own_money + credited,
            bonus=0,
            credited=credited,
            required=0,
            requirement=_ZERO,
            requirement_currency=scenario.currency,
            bonus_progress=0,
            multiple=_ZERO if credited else None,
            release_limit=None,
            max_bet=None,
            time_limit_s=None,
            own_money=own_money,
        )
    return _of_rollover(offer, scenario, currency)


def _of_rollover(offer: PromoOffer, scenario: Scenario, currency: Currency) -> Position:
    """Return what the deposit activates, as promos.services.activation works it out."""
    assert offer.bonus_multiplier is not None, "a deposit promo matches"
    assert offer.max_bonus_usd is not None, "a deposit promo has a cap"
    deposit_usd = money.convert(scenario.deposit, scenario.usd_rate)
    if scenario.deposit == 0 or deposit_usd < offer.min_deposit_usd:
        least = money.format_amount(offer.min_deposit_usd, USD)
        raise InvalidRequest.for_field(
            "deposit",
            f"A deposit of less than {least} USD cancels the claim. Say how much is deposited.",
        )
    rollover = promo_rules.rollover_of(
        deposit_usd=deposit_usd,
        bonus_multiplier=offer.bonus_multiplier,
        max_bonus_usd=offer.max_bonus_usd,
        wager_multiplier=offer.wager_multiplier,
        wager_usd=offer.wager_usd,
    )
    if rollover.is_capped:
        rate = None if currency.code == USD else money.cross_rate(_ONE, scenario.usd_rate)
        bonus = promo_rules.wallet_amount_of(
            amount=rollover.bonus_usd, rate=rate, currency=currency.code
        )
    else:
        matched = EXACT.multiply(scenario.deposit, offer.bonus_multiplier)
        bonus = money.round_down(matched, currency)
    own = minor_units(EXACT.add(scenario.own_money, scenario.deposit), currency)
    credited = minor_units(bonus, currency)
    return Position(
        currency=currency,
        is_claim=True,
        main=own + credited,
        bonus=0,
        credited=credited,
        required=progress_units(rollover.target_usd),
        requirement=rollover.target_usd,
        requirement_currency=USD,
        bonus_progress=progress_units(rollover.bonus_usd),
        multiple=(
            EXACT.divide(rollover.target_usd, rollover.bonus_usd) if rollover.bonus_usd else None
        ),
        release_limit=None,
        max_bet=None,
        time_limit_s=offer.time_seconds,
        own_money=own,
    )
