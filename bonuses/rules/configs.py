"""
What the terms of a template may be: raw values in, clean ones and every mistake out.

Clean values are canonical: amounts as decimal strings with the decimals that their currency
has, percentages without trailing zeros. To clean a clean value changes nothing.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bonuses.enums import DEPOSIT_TYPES, BonusType, WageringBasis
from core import money
from core.money import EXACT, Currency
from games.enums import GameCategory
from games.models import SLUG_PATTERN

SPINS_MAX = 1_000_000
GAMES_MAX = 5_000
WINDOW_DAYS_MAX = 366
MATCH_PERCENT_MAX = 10_000
WEIGHT_MAX = 1_000
MULTIPLIER_MAX = 10_000
#: Of every amount that a template states, in its own currency. A trillion is more than any bonus,
#: and leaves room below money.AMOUNT_LIMIT for the rate to a wallet of a weak currency.
AMOUNT_MAX = Decimal(10) ** 12
#: A requirement stays below this; a unit of the currency may be worth a million of the wallet's.
REQUIREMENT_LIMIT = Decimal(10) ** 14
# Ten years: longer ones are typing errors.
TIME_LIMIT_HOURS_MAX = 10 * 366 * 24
#: What a template has whose maker says nothing of games: every stake counts in full.
EVERY_GAME_COUNTS: dict[str, Any] = {"default": 100}

#: What is wrong with an amount that no grant could store at some rate.
AMOUNT_TOO_LARGE = "too_large"

_DECIMAL = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,8})?")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong: where (JSON pointer), a word for it, and a sentence."""

    pointer: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class NumericTerms:
    """The terms beside config and game contribution, as the API names them."""

    wagering_requirement_multiplier: Decimal
    wagering_basis: str
    max_bet: Decimal | None
    max_win_cap: Decimal | None
    time_limit_hours: int | None
    max_grants_per_player: int | None


def clean_config(kind: BonusType, raw: Any) -> tuple[dict[str, Any], list[Mistake]]:
    """
    Return what ``raw`` says of a bonus of that type, and everything that is wrong with it.

    What is wrong is left out of the first. Whether the games exist is not looked at.
    """
    reading = _Reading()
    if raw is None:
        reading.refuse("/config", "required", "A template needs a config.")
        return {}, reading.mistakes
    if not isinstance(raw, dict):
        reading.refuse("/config", "invalid", "Send an object.")
        return {}, reading.mistakes
    readers = _MEMBERS[kind]
    for name in sorted(set(raw) - set(readers)):
        reading.refuse(
            _member("/config", name), "unknown", f"It does not belong to the type {kind.value}."
        )
    code = raw.get("currency")
    reading.currency = money.currencies().get(code) if isinstance(code, str) else None
    clean = {}
    for name, read in readers.items():
        pointer = f"/config/{name}"
        if raw.get(name) is None:
            reading.refuse(pointer, "required", f"The type {kind.value} needs it.")
            continue
        value = read(reading, pointer, raw[name])
        if value is not None:
            clean[name] = value
    return clean, reading.mistakes


def clean_game_contribution(raw: Any) -> tuple[dict[str, Any], list[Mistake]]:
    """
    Return what percentage of a stake counts on which games, and what is wrong with ``raw``.

    Its members are categories, ``default`` and ``games``, a map of slugs. A game need not
    be in the catalogue yet.
    """
    reading, pointer = _Reading(), "/game_contribution"
    if not isinstance(raw, dict):
        reading.refuse(pointer, "invalid", "Send an object.")
        return {}, reading.mistakes
    clean: dict[str, Any] = {}
    for name, value in raw.items():
        inner = _member(pointer, name)
        if name == "games":
            clean[name] = _weights_of_games(reading, inner, value)
        elif name in GameCategory.values or name == "default":
            clean[name] = reading.whole(inner, value, least=0, most=WEIGHT_MAX)
        else:
            reading.refuse(inner, "unknown", "It is no category of games.")
    return clean, reading.mistakes


def check_terms(
    *, kind: BonusType, config: Mapping[str, Any], terms: NumericTerms
) -> list[Mistake]:
    """Return what is wrong with the terms beside a clean config, and with all of them together."""
    reading = _Reading()
    reading.currency = money.currencies().get(config.get("currency", ""))
    if terms.wagering_basis not in WageringBasis.values:
        reading.refuse("/wagering_basis", "invalid", "Send bonus or bonus_plus_deposit.")
    elif terms.wagering_basis != WageringBasis.BONUS and kind not in DEPOSIT_TYPES:
        reading.refuse("/wagering_basis", "invalid", f"The type {kind.value} has no deposit.")
    multiplier = reading.number(
        "/wagering_requirement_multiplier",
        terms.wagering_requirement_multiplier,
        up_to=MULTIPLIER_MAX,
    )
    for name in ("max_bet", "max_win_cap"):
        limit = getattr(terms, name)
        if limit is not None:
            reading.amount(f"/{name}", limit, above_zero=True)
    if terms.time_limit_hours is not None:
        reading.whole(
            "/time_limit_hours", terms.time_limit_hours, least=1, most=TIME_LIMIT_HOURS_MAX
        )
    if terms.max_grants_per_player is not None:
        reading.whole("/max_grants_per_player", terms.max_grants_per_player, least=1)
    if multiplier is not None:
        _check_largest_bonus(reading, kind, config, multiplier)
    return reading.mistakes


def currency_of(config: Mapping[str, Any]) -> str:
    """Return the currency of a clean config."""
    return str(config["currency"])


class _Reading:
    """Reads values and collects what is wrong; a value that is wrong is read as None."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.currency: Currency | None = None

    def refuse(self, pointer: str, code: str, detail: str) -> None:
        self.mistakes.append(Mistake(pointer, code, detail))

    def number(
        self, pointer: str, raw: Any, *, above_zero: bool = False, up_to: int | None = None
    ) -> Decimal | None:
        """Return a decimal from 0, sent as a string; one that is a Decimal already is bounded."""
        if not isinstance(raw, str | Decimal):
            self.refuse(pointer, "not_a_string", 'Send it as a decimal string such as "10.00".')
            return None
        if not _DECIMAL.fullmatch(f"{raw:f}" if isinstance(raw, Decimal) else raw):
            self.refuse(pointer, "malformed", 'Send plain digits such as "10.00".')
            return None
        value = Decimal(raw)
        if above_zero and value == 0:
            self.refuse(pointer, "too_small", "It must be above 0.")
        elif up_to is not None and value > up_to:
            self.refuse(pointer, "too_large", f"It must not be above {up_to}.")
        else:
            return value
        return None

    def amount(self, pointer: str, raw: Any, *, above_zero: bool) -> Decimal | None:
        """Return an amount of the currency; of an unknown currency, any decimals will do."""
        value = self.number(pointer, raw, above_zero=above_zero)
        if value is not None and value > AMOUNT_MAX:
            self.refuse(pointer, AMOUNT_TOO_LARGE, f"It must not be above {AMOUNT_MAX:,}.")
            return None
        if value is None or self.currency is None:
            return value
        if not money.has_only_minor_units(value, self.currency):
            detail = f"{self.currency.code} has {self.currency.decimals} decimals."
            self.refuse(pointer, "too_precise", detail)
            return None
        return value

    def whole(self, pointer: str, raw: Any, *, least: int, most: int = 2_147_483_647) -> int | None:
        if type(raw) is not int:
            self.refuse(pointer, "invalid", "Send a whole number.")
        elif raw < least:
            self.refuse(pointer, "too_small", f"It must be at least {least}.")
        elif raw > most:
            self.refuse(pointer, "too_large", f"It must not be above {most}.")
        else:
            return raw
        return None


_Reader = Callable[[_Reading, str, Any], Any]


def _currency(reading: _Reading, pointer: str, raw: Any) -> str | None:
    if isinstance(raw, str) and raw in money.currencies():
        return raw
    reading.refuse(pointer, "invalid", "Send a known currency code such as EUR.")
    return None


def _amount(*, above_zero: bool = True) -> _Reader:
    def read(reading: _Reading, pointer: str, raw: Any) -> str | None:
        value = reading.amount(pointer, raw, above_zero=above_zero)
        if value is None:
            return None
        code = reading.currency.code if reading.currency else None
        return money.format_amount(value, code) if code else money.format_decimal(value)

    return read


def _percent(*, up_to: int) -> _Reader:
    def read(reading: _Reading, pointer: str, raw: Any) -> str | None:
        value = reading.number(pointer, raw, above_zero=True, up_to=up_to)
        return None if value is None else money.format_decimal(value)

    return read


def _whole(*, most: int) -> _Reader:
    def read(reading: _Reading, pointer: str, raw: Any) -> int | None:
        return reading.whole(pointer, raw, least=1, most=most)

    return read


def _slugs(reading: _Reading, pointer: str, raw: Any) -> list[str | None] | None:
    if not isinstance(raw, list) or not 1 <= len(raw) <= GAMES_MAX:
        reading.refuse(pointer, "invalid", f"Send a list of 1 to {GAMES_MAX} slugs of games.")
        return None
    clean: list[str | None] = []
    seen: set[str] = set()
    for position, slug in enumerate(raw):
        is_good = _is_slug(slug) and slug not in seen
        if not is_good:
            problem = "The game is listed twice." if _is_slug(slug) else "It is no slug of a game."
            reading.refuse(f"{pointer}/{position}", "invalid", problem)
        clean.append(slug if is_good else None)
        seen.update([slug] if is_good else [])
    return clean


#: What each type needs (API.md): all of it, and nothing else.
_MEMBERS: dict[BonusType, dict[str, _Reader]] = {
    BonusType.FREE_SPINS: {
        "count": _whole(most=SPINS_MAX),
        "value_per_spin": _amount(),
        "currency": _currency,
        "eligible_games": _slugs,
    },
    BonusType.DEPOSIT_MATCH: {
        "match_percent": _percent(up_to=MATCH_PERCENT_MAX),
        "cap_amount": _amount(),
        "currency": _currency,
    },
    BonusType.NO_DEPOSIT: {"amount": _amount(), "currency": _currency},
    BonusType.CASHBACK: {
        "percent": _percent(up_to=100),
        "window_days": _whole(most=WINDOW_DAYS_MAX),
        "min_loss": _amount(above_zero=False),
        "currency": _currency,
    },
    BonusType.RELOAD: {
        "match_percent": _percent(up_to=MATCH_PERCENT_MAX),
        "cap_amount": _amount(),
        "currency": _currency,
    },
}


def _weights_of_games(reading: _Reading, pointer: str, raw: Any) -> dict[str, int | None] | None:
    if not isinstance(raw, dict) or len(raw) > GAMES_MAX:
        reading.refuse(pointer, "invalid", f"Send an object of at most {GAMES_MAX} slugs.")
        return None
    clean = {}
    for slug, weight in raw.items():
        inner = _member(pointer, slug)
        if not _is_slug(slug):
            reading.refuse(inner, "invalid", "It is no slug of a game.")
        clean[slug] = reading.whole(inner, weight, least=0, most=WEIGHT_MAX)
    return clean


def _check_largest_bonus(
    reading: _Reading, kind: BonusType, config: Mapping[str, Any], multiplier: Decimal
) -> None:
    """Refuse what a grant might not be able to store: not then, but when the terms are set."""
    match kind:
        case BonusType.FREE_SPINS if {"count", "value_per_spin"} <= set(config):
            pointer = "/config/count"
            largest = EXACT.multiply(Decimal(config["count"]), Decimal(config["value_per_spin"]))
            if largest > AMOUNT_MAX:
                detail = f"All spins together must not be worth more than {AMOUNT_MAX:,}."
                reading.refuse(pointer, AMOUNT_TOO_LARGE, detail)
                return
        case BonusType.NO_DEPOSIT if "amount" in config:
            pointer, largest = "/config/amount", Decimal(config["amount"])
        case BonusType.DEPOSIT_MATCH | BonusType.RELOAD if "cap_amount" in config:
            pointer, largest = "/config/cap_amount", Decimal(config["cap_amount"])
        case _:
            return
    if EXACT.multiply(largest, multiplier) >= REQUIREMENT_LIMIT:
        detail = f"Times the multiplier, it must stay below {REQUIREMENT_LIMIT:,}."
        reading.refuse(pointer, AMOUNT_TOO_LARGE, detail)


def _is_slug(raw: Any) -> bool:
    return isinstance(raw, str) and re.fullmatch(SLUG_PATTERN, raw) is not None


def _member(pointer: str, name: str) -> str:
    """Return the pointer of a member whose name somebody chose (RFC 6901)."""
    return f"{pointer}/" + name[:64].replace("~", "~0").replace("/", "~1")
