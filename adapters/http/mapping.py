"""
The words of the platform contract (API.md, the platform adapter): the only place that knows them.

Whatever a platform says is a claim by a stranger. It is checked against the shape that the
contract gives, cut to the length that we keep, and otherwise counted as no answer at all.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any, NoReturn
from urllib.parse import quote
from uuid import UUID

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ParseError

from adapters.http.transport import Answer
from bonuses.enums import GrantStatus
from bonuses.ports import BonusOrder, PlatformBonus, PlatformUnavailable, PlatformView
from core.api.parsers import parse_json
from core.errors import CurrencyUnknown
from core.instants import format_instant
from core.money import (
    AMOUNT_LIMIT,
    EXACT,
    format_amount,
    format_decimal,
    get_currency,
    quantize,
)
from jackpots.ports import PaidOut, PayoutOrder

GRANT_PATH = "/v1/bonuses/grant"
CANCEL_PATH = "/v1/bonuses/cancel"
DUPLICATE_GRANT = "DUPLICATE_GRANT"
PAYOUT_PATH = "/v1/jackpots/payouts"
DUPLICATE_PAYOUT = "DUPLICATE_PAYOUT"

#: A platform's own words for a bonus that is on; the others are ours.
ACTIVE_STATUSES = ("credited", "pending")
STATUSES = frozenset([*GrantStatus.values, *ACTIVE_STATUSES])

ID_LENGTH_MAX = 200
CODE_LENGTH_MAX = 64
TEXT_LENGTH_MAX = 500
_CURRENCY_LENGTH_MAX = 8


def bonus_path(platform_bonus_id: str) -> str:
    """Return the path of one bonus; whatever the id holds, it stays one part of the path."""
    assert is_platform_id(platform_bonus_id), "an id that came from nowhere"
    return f"/v1/bonuses/{quote(platform_bonus_id, safe='')}"


def is_platform_id(value: Any) -> bool:
    """Tell whether ``value`` can be a platform's id: short, printable, and no dots alone."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= ID_LENGTH_MAX
        and value.isprintable()
        and value.strip(".") != ""
    )


def grant_body(order: BonusOrder) -> dict[str, Any]:
    """Return the body that asks for a bonus."""
    expires_at = None if order.expires_at is None else format_instant(order.expires_at)
    return {
        "grant_id": str(order.grant_id),
        "player_external_id": order.player_reference,
        "template": {
            "type": str(order.bonus_type),
            "amount_subunit": to_subunit(order.amount, order.currency),
            "currency": order.currency,
            "wagering": {
                "multiplier": format_decimal(order.wagering_multiplier),
                "basis": str(order.wagering_basis),
                # Stakes are whole units: one is above the exact limit iff above this.
                "max_bet_subunit": (
                    None if order.max_bet is None else _whole_units(order.max_bet, order.currency)
                ),
            },
            "expires_at": expires_at,
            "config": dict(order.config),
        },
        "granted_by": dict(order.granted_by),
    }


def cancel_body(*, grant_id: UUID, platform_bonus_id: str, reason: str) -> dict[str, Any]:
    """Return the body that asks for a bonus to be cancelled."""
    return {
        "grant_id": str(grant_id),
        "platform_bonus_id": platform_bonus_id,
        "reason": reason,
    }


def payout_body(order: PayoutOrder) -> dict[str, Any]:
    """Return the body that asks for a win to be paid."""
    return {
        "payout_id": str(order.payout_id),
        "player_external_id": order.player_reference,
        "amount": format_amount(order.amount, order.currency),
        "amount_subunit": to_subunit(order.amount, order.currency),
        "currency": order.currency,
        "instance_id": str(order.instance_id),
        "pot": order.pot,
        "cause": order.cause,
    }


def to_subunit(amount: Decimal, currency: str) -> int:
    """Return an amount that a player can hold in minor units: 10.00 EUR is 1000."""
    units = EXACT.divide(amount, get_currency(currency).minor_unit)
    assert units == units.to_integral_value(), f"{amount} {currency} is not in minor units"
    return int(units)


def from_subunit(units: int, currency: str) -> Decimal:
    """Return minor units as an amount: 1000 of EUR are 10.00."""
    return EXACT.multiply(Decimal(units), get_currency(currency).minor_unit)


def read_grant(answer: Answer, order: BonusOrder) -> PlatformBonus:
    """
    Return the bonus that the platform says it granted.

    :raises PlatformUnavailable: if it does not say so in the words of the contract.
    """
    if answer.status not in (200, 201):
        _unusable(f"status {answer.status}")
    body = _object(answer)
    _check_is_for(order, body)
    return PlatformBonus(
        platform_bonus_id=_platform_id(body),
        status=_status(body),
        **_stated_amount(body, order.currency),
    )


def read_duplicate(answer: Answer, order: BonusOrder) -> PlatformBonus | None:
    """
    Return the bonus that a DUPLICATE_GRANT names, or None if it names none.

    :raises PlatformUnavailable: if it names one of another grant.
    """
    body = _object(answer, may_fail=True)
    members = {**_error_members(body), **body}
    _check_is_for(order, members)
    if not is_platform_id(members.get("platform_bonus_id")):
        return None
    status = members.get("status")
    return PlatformBonus(
        platform_bonus_id=members["platform_bonus_id"],
        status=status if status in STATUSES else GrantStatus.ACTIVE,
        **_stated_amount(members, order.currency),
    )


def read_fetched(answer: Answer, order: BonusOrder) -> PlatformBonus:
    """
    Return the bonus that was fetched by its grant.

    :raises PlatformUnavailable: if it is not there, or not told in the words of the contract.
    """
    if answer.status != 200:
        _unusable(f"status {answer.status} for a bonus that it says it has")
    return read_grant(answer, order)


def read_payout(answer: Answer, order: PayoutOrder) -> PaidOut:
    """
    Return the payout that the platform says it made.

    :raises PlatformUnavailable: if it does not say so in the words of the contract, or says
        that it paid something else.
    """
    if answer.status not in (200, 201):
        _unusable(f"status {answer.status}")
    body = _object(answer)
    _check_is_payout(order, body)
    if not is_platform_id(body.get("platform_payout_id")):
        _unusable("no usable platform_payout_id")
    return PaidOut(platform_payout_id=body["platform_payout_id"])


def read_duplicate_payout(answer: Answer, order: PayoutOrder) -> PaidOut:
    """
    Return the payout that a DUPLICATE_PAYOUT tells of; it need not name it.

    :raises PlatformUnavailable: if it tells of something else.
    """
    body = _object(answer, may_fail=True)
    members = {**_error_members(body), **body}
    _check_is_payout(order, members)
    named = members.get("platform_payout_id")
    return PaidOut(platform_payout_id=str(named) if is_platform_id(named) else "")


def read_view(answer: Answer, *, platform_bonus_id: str | None, currency: str) -> PlatformView:
    """
    Return the bonus as the platform sees it; null where only the platform knows its name.

    :raises PlatformUnavailable: if the answer is not in the words of the contract.
    """
    if answer.status != 200:
        _unusable(f"status {answer.status}")
    body = _object(answer)
    named = _platform_id(body)
    if platform_bonus_id not in (None, named):
        _unusable("another bonus than was asked for")
    reason = body.get("reason")
    if reason is not None and not isinstance(reason, str):
        _unusable("a reason that is no text")
    return PlatformView(
        platform_bonus_id=named,
        status=_status(body),
        wagered_amount=_amount(body, "wagered_amount_subunit", currency),
        weighted_progress=_amount(body, "weighted_progress_subunit", currency),
        reason=_printable(reason or "", TEXT_LENGTH_MAX),
        at=_instant(body.get("ts")),
    )


def check_cancelled(answer: Answer) -> None:
    """
    Return if the platform says that it cancelled, or at least nothing else.

    :raises PlatformUnavailable: if it says something else.
    """
    if answer.status not in (200, 201, 202, 204):
        _unusable(f"status {answer.status}")
    if not answer.body:
        return
    status = _object(answer).get("status")
    if status not in (None, GrantStatus.CANCELLED):
        _unusable("another status than cancelled")


def read_refusal(answer: Answer) -> tuple[str, str]:
    """Return the code and the detail of a 4xx; the status stands in for a code that is none."""
    body = _object(answer, may_fail=True)
    members = {**_error_members(body), **body}
    code = members.get("code")
    if not isinstance(code, str) or not code.strip() or not code.isascii():
        code = f"HTTP_{answer.status}"
    detail = next(
        (each for name in ("detail", "message") if isinstance(each := members.get(name), str)), ""
    )
    return _printable(code.strip(), CODE_LENGTH_MAX), _printable(detail, TEXT_LENGTH_MAX)


def _error_members(body: Mapping[str, Any]) -> dict[str, Any]:
    error = body.get("error")
    if isinstance(error, str):
        return {"code": error}
    return error if isinstance(error, dict) else {}


def _object(answer: Answer, *, may_fail: bool = False) -> dict[str, Any]:
    try:
        body = parse_json(answer.body)
    except (ParseError, ValueError):
        body = None
    if not isinstance(body, dict):
        if may_fail:
            return {}
        _unusable("a body that is no JSON object")
    if not may_fail and body.get("error"):
        _unusable("an error although the status says success")
    return body


def _check_is_for(order: BonusOrder, body: Mapping[str, Any]) -> None:
    """Refuse an answer that is about another grant or another player."""
    grant_id = body.get("grant_id")
    if grant_id is not None and str(grant_id).lower() != str(order.grant_id):
        _unusable("another grant than was asked for")
    player = body.get("player_external_id")
    if player is not None and player != order.player_reference:
        _unusable("another player than was asked for")


def _check_is_payout(order: PayoutOrder, body: Mapping[str, Any]) -> None:
    """Refuse an answer about another payout: whatever was ordered and is stated must agree."""
    for name, ordered in payout_body(order).items():
        stated = body.get(name)
        # An amount is stated in minor units; how its decimals are written says nothing.
        if name != "amount" and stated is not None and stated != ordered:
            _unusable(f"another {name} than was asked for")


def _platform_id(body: Mapping[str, Any]) -> str:
    value = body.get("platform_bonus_id")
    if not is_platform_id(value):
        _unusable("no usable platform_bonus_id")
    return str(value)


def _status(body: Mapping[str, Any]) -> str:
    status = body.get("status")
    if not isinstance(status, str) or status not in STATUSES:
        _unusable("a status that the contract does not know")
    return status


def _stated_amount(body: Mapping[str, Any], ordered_currency: str) -> dict[str, Any]:
    """Return amount and currency where the platform states them; the caller compares."""
    currency = body.get("currency")
    if currency is not None and not isinstance(currency, str):
        _unusable("a currency that is no text")
    try:
        amount = _amount(body, "amount_subunit", currency or ordered_currency)
    except CurrencyUnknown:
        # How many units one of it has, nobody knows. That it is another one says enough.
        amount = None
    return {
        "amount": amount,
        "currency": None if currency is None else _printable(currency, _CURRENCY_LENGTH_MAX),
    }


def _amount(body: Mapping[str, Any], name: str, currency: str) -> Decimal | None:
    units = body.get(name)
    if units is None:
        return None
    if type(units) is not int or units < 0:
        _unusable(f"a {name} that is no whole number")
    amount = from_subunit(units, currency)
    if amount >= AMOUNT_LIMIT:
        _unusable(f"a {name} out of range")
    return amount


def _instant(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        instant = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        _unusable("a ts that is no instant")
    return instant


def _whole_units(amount: Decimal, currency: str) -> int:
    known = get_currency(currency)
    return to_subunit(quantize(amount, decimals=known.decimals, rounding=ROUND_DOWN), currency)


def _printable(text: str, length_max: int) -> str:
    """Return at most ``length_max`` characters of ``text``, none of which does anything."""
    cut = text[:length_max]
    return "".join(each if each.isprintable() else " " for each in cut).strip()


def _unusable(what: str) -> NoReturn:
    raise PlatformUnavailable(f"The platform's answer cannot be used: {what}.")
