"""
The arithmetic of promos, and what a code can be. Plain values in, plain values out.

USD amounts are rounded half-even to the 8 decimals that are stored; what a player gets is
rounded down to what the wallet's currency can hold.
"""

import secrets
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from core import money
from core.money import EXACT
from promos.enums import PromoType, UserPromoStatus

CODE_LENGTH_MAX = 64
PATTERN_LENGTH_MAX = 40

# No 0 and 1, no I, L and O: on paper they look like one another.
DIGITS = "23456789"
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ"
#: What a placeholder of a batch's pattern stands for; any other character is itself.
PLACEHOLDERS = {"#": DIGITS, "@": LETTERS, "*": LETTERS + DIGITS}


# Bonus and target


@dataclass(frozen=True, slots=True)
class Rollover:
    """What activating a deposit promo gives, and what must be wagered for it, in USD."""

    bonus_usd: Decimal
    #: The bonus is the cap, not the match.
    is_capped: bool
    target_usd: Decimal
    #: Null when it cannot be derived from so small a deposit.
    multiplier: Decimal | None


def rollover_of(
    *,
    deposit_usd: Decimal,
    bonus_multiplier: Decimal,
    max_bonus_usd: Decimal,
    wager_multiplier: Decimal | None,
    wager_usd: Decimal | None,
) -> Rollover:
    """
    Return bonus and target of a deposit (seed 3.1).

    The bonus is the deposit times the multiplier, up to the cap. The target is the bonus,
    as capped, times the wager multiplier; or fixed, and then the multiplier is the target
    divided by the deposit, for show: the target is the truth.
    """
    assert (wager_multiplier is None) != (wager_usd is None), "exactly one wager condition"
    matched = EXACT.multiply(deposit_usd, bonus_multiplier)
    is_capped = matched > max_bonus_usd
    bonus = money.round_half_even(max_bonus_usd if is_capped else matched)
    if wager_multiplier is not None:
        target = money.round_half_even(EXACT.multiply(bonus, wager_multiplier))
        return Rollover(bonus, is_capped, target, wager_multiplier)
    assert wager_usd is not None, "exactly one wager condition"
    return Rollover(bonus, is_capped, wager_usd, _derived_multiplier(wager_usd, deposit_usd))


def _derived_multiplier(target_usd: Decimal, deposit_usd: Decimal) -> Decimal | None:
    if deposit_usd == 0:
        return None
    multiplier = EXACT.divide(target_usd, deposit_usd)
    return money.round_half_even(multiplier) if multiplier < money.AMOUNT_LIMIT - 1 else None


def wallet_amount_of(*, amount: Decimal, rate: Decimal | None, currency: str) -> Decimal:
    """
    Return an amount at a rate, rounded down to what a wallet in ``currency`` can hold.

    To the 8 decimals that are kept first, half-even: the rate is itself rounded, and 12 at
    ten twelfths is 10, not 9.99.
    """
    converted = amount if rate is None else money.convert(amount, rate)
    return money.round_down(converted, money.get_currency(currency))


def progress_of(*, stake_usd: Decimal, wager_multiplier: Decimal) -> Decimal:
    """Return how far a settled bet advances the rollover, in USD."""
    return money.round_half_even(EXACT.multiply(stake_usd, wager_multiplier))


def due_to_claw_back(
    *, bonus_amount: Decimal | None, wagered_usd: Decimal, target_usd: Decimal | None
) -> Decimal:
    """Return what an ending takes back, before looking at the balance: all, or nothing."""
    if bonus_amount is None or target_usd is None:
        return Decimal(0)
    # Strictly below: a target met exactly is met.
    return bonus_amount if wagered_usd < target_usd else Decimal(0)


def status_after_claim(
    *, has_activate_condition: bool, has_complete_condition: bool
) -> UserPromoStatus:
    """Return where a claim leads (seed 2.1): to wait, to roll over, or to its end at once."""
    if has_activate_condition:
        return UserPromoStatus.CLAIMED
    if has_complete_condition:
        return UserPromoStatus.ACTIVE
    return UserPromoStatus.COMPLETED


# The fields of the two types

INSTANT_FIELDS = ("amount", "currency")
DEPOSIT_FIELDS = (
    "bonus_multiplier",
    "max_bonus_usd_amount",
    "min_deposit_usd_to_activate",
    "wager_multiplier_to_complete",
    "wager_usd_amount_to_complete",
    "time_seconds_to_complete",
)
WAGER_FIELDS = ("wager_multiplier_to_complete", "wager_usd_amount_to_complete")


def fields_of_other_type(promo_type: PromoType) -> tuple[str, ...]:
    """Return the fields that a promo of this type must not have."""
    return DEPOSIT_FIELDS if promo_type == PromoType.INSTANT else INSTANT_FIELDS


def required_fields(promo_type: PromoType) -> tuple[str, ...]:
    """Return the fields without which a promo of this type cannot be."""
    if promo_type == PromoType.INSTANT:
        return INSTANT_FIELDS
    return tuple(field for field in DEPOSIT_FIELDS if field not in WAGER_FIELDS)


# Codes


def canonical_code(text: str) -> str:
    """Return the form in which equal codes are equal: NFC, case folded, no outer spaces."""
    folded = unicodedata.normalize("NFC", text).strip().casefold()
    return unicodedata.normalize("NFC", folded)


def can_be_code(text: str) -> bool:
    """Tell whether ``text`` can be a code; what cannot need not be looked for."""
    return (
        1 <= len(text) <= CODE_LENGTH_MAX
        and text.isprintable()
        and not any(character.isspace() for character in text)
    )


def code_space(pattern: str) -> int:
    """Return how many different codes a batch's pattern can make."""
    space = 1
    for character in pattern:
        space *= len(PLACEHOLDERS.get(character, character))
    return space


def code_at(pattern: str, index: int) -> str:
    """Return the code number ``index`` of a pattern: every number is another code."""
    characters: list[str] = []
    for character in pattern:
        index, choice = divmod(index, len(choices := PLACEHOLDERS.get(character, character)))
        characters.append(choices[choice])
    return "".join(characters)


def draw_codes(pattern: str, count: int) -> list[str]:
    """Return ``count`` different codes of a pattern, as nobody could guess them."""
    space = code_space(pattern)
    assert count <= space, f"{count} codes of {space}"
    if space <= 4 * count:
        return [
            code_at(pattern, index) for index in secrets.SystemRandom().sample(range(space), count)
        ]
    indexes: set[int] = set()
    while len(indexes) < count:
        indexes.add(secrets.randbelow(space))
    return [code_at(pattern, index) for index in indexes]
