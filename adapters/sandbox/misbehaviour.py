"""What the platform can be told to do wrong, and for how long."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from adapters.sandbox.answers import JSON, Answer, Refused, take_integer, take_text
from adapters.sandbox.payouts import Payout
from adapters.sandbox.state import Bonus

HANG_S = 60.0
DRIP_INTERVAL_S = 1.0
HUGE_MEGABYTES = 64
OTHER_ID = "00000000-0000-4000-8000-000000000000"


class Mode(StrEnum):
    """One way to misbehave; the last five are about webhooks, the rest about answers."""

    REJECT = "reject"
    ERROR = "error"
    UNAVAILABLE = "unavailable"
    HANG = "hang"
    SLOW_DRIP = "slow_drip"
    GARBAGE = "garbage"
    HTML = "html"
    EMPTY = "empty"
    NULL_ID = "null_id"
    OTHER_ID = "other_id"
    WRONG_CURRENCY = "wrong_currency"
    WRONG_AMOUNT = "wrong_amount"
    ERROR_IN_200 = "error_in_200"
    LOST = "lost"
    HUGE = "huge"
    REDIRECT = "redirect"
    RESET = "reset"
    FORGET = "forget"
    ANSWER = "answer"
    DROP_WEBHOOKS = "drop_webhooks"
    DUPLICATE_WEBHOOKS = "duplicate_webhooks"
    OUT_OF_ORDER = "out_of_order"
    LATE = "late"
    BAD_SIGNATURE = "bad_signature"


WEBHOOK_MODES = (
    Mode.DROP_WEBHOOKS,
    Mode.DUPLICATE_WEBHOOKS,
    Mode.OUT_OF_ORDER,
    Mode.LATE,
    Mode.BAD_SIGNATURE,
)
#: Modes in which the platform does nothing of what it was asked, unless told otherwise.
UNDONE = (
    Mode.REJECT,
    Mode.ERROR,
    Mode.UNAVAILABLE,
    Mode.HANG,
    Mode.REDIRECT,
    Mode.RESET,
    Mode.FORGET,
    Mode.ANSWER,
)


@dataclass
class Misbehaviour:
    """
    One order to misbehave.

    ``times`` is how often it is still obeyed (null: until told to behave), ``path`` how the
    paths begin that it is for. ``is_done``: the platform does what it is asked, and only the
    answer is wrong. ``ended`` is set when the order is withdrawn.
    """

    mode: Mode
    times: int | None
    path: str
    is_done: bool
    options: Mapping[str, Any]
    ended: threading.Event = field(default_factory=threading.Event, repr=False)

    def as_overview(self) -> dict[str, Any]:
        """Return it for a person."""
        return {
            "mode": self.mode.value,
            "times": self.times,
            "path": self.path,
            "done": self.is_done,
            **self.options,
        }


class Misbehaviours:
    """The orders that stand, the oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Misbehaviour] = []

    def add(self, body: Mapping[str, Any]) -> Misbehaviour:
        """
        Take an order.

        :raises Refused: if there is no such mode, or a member of it is wrong.
        """
        try:
            mode = Mode(take_text(body, "mode"))
        except ValueError as error:
            known = ", ".join(Mode)
            raise Refused(422, "UNKNOWN_MODE", f"The modes are {known}.") from error
        members = ("mode", "times", "path", "done")
        misbehaviour = Misbehaviour(
            mode=mode,
            times=take_integer(body, "times") if body.get("times") is not None else None,
            path=take_text(body, "path", default="/"),
            is_done=bool(body.get("done", mode not in UNDONE)),
            options={name: value for name, value in body.items() if name not in members},
        )
        with self._lock:
            self._orders.append(misbehaviour)
        return misbehaviour

    def take_for_request(self, path: str) -> Misbehaviour | None:
        """Return the order that a request to ``path`` must obey, and count it."""
        with self._lock:
            return self._take(
                order
                for order in self._orders
                if order.mode not in WEBHOOK_MODES and path.startswith(order.path)
            )

    def take_for_webhook(self) -> Misbehaviour | None:
        """Return the order that the next webhook must obey, and count it."""
        with self._lock:
            return self._take(order for order in self._orders if order.mode in WEBHOOK_MODES)

    def all(self) -> list[Misbehaviour]:
        """Return the orders that stand."""
        with self._lock:
            return list(self._orders)

    def clear(self) -> None:
        """Withdraw every order; what hangs because of one ends."""
        with self._lock:
            orders, self._orders = self._orders, []
        for order in orders:
            order.ended.set()

    def _take(self, orders: Any) -> Misbehaviour | None:
        order: Misbehaviour | None = next(iter(orders), None)
        if order is not None and order.times is not None:
            order.times -= 1
            if order.times == 0:
                self._orders.remove(order)
        return order


def disfigure(misbehaviour: Misbehaviour, answer: Answer | None, *, path: str) -> Answer | None:
    """
    Return the wrong answer that the order wants instead of ``answer``; None if the right one.

    Modes that act on the connection itself (hang, slow_drip, lost, huge, reset) keep it.
    """
    mode, options = misbehaviour.mode, misbehaviour.options
    if mode in _PROBLEMS:
        return _problem(options, *_PROBLEMS[mode])
    if mode in _WITH_OTHER_MEMBERS:
        return _with_other_members(mode, answer)
    match mode:
        case Mode.GARBAGE:
            status = answer.status if answer is not None else 200
            return Answer(status, b'{"platform_bonus_id": "sbx_\xff\x00')
        case Mode.HTML:
            page = b"<!doctype html><script>alert(1)</script><h1>It works!</h1>\n"
            return Answer(200, page, "text/html; charset=utf-8")
        case Mode.EMPTY:
            return Answer(204, b"")
        case Mode.ERROR_IN_200:
            code = options.get("code", "BONUS_REJECTED")
            return Answer(200, {"error": {"code": code, "message": "Not really 200."}})
        case Mode.REDIRECT:
            location = options.get("location", f"/v1/elsewhere{path}")
            return Answer(options.get("status", 307), b"", headers={"Location": str(location)})
        case Mode.ANSWER:
            return Answer(options.get("status", 200), options.get("body"))
    return None


_PROBLEMS = {
    Mode.REJECT: (422, "BONUS_REJECTED", "The platform does not want to."),
    Mode.ERROR: (500, "INTERNAL_ERROR", "The platform broke."),
    Mode.UNAVAILABLE: (503, "UNAVAILABLE", "The platform is down for a moment."),
    Mode.FORGET: (404, "BONUS_NOT_FOUND", "There is no such bonus."),
}
_WITH_OTHER_MEMBERS = (Mode.NULL_ID, Mode.OTHER_ID, Mode.WRONG_CURRENCY, Mode.WRONG_AMOUNT)


def _with_other_members(mode: Mode, answer: Answer | None) -> Answer | None:
    match answer.about if answer is not None else None:
        case Bonus() as bonus:
            platform_id, our_id = "platform_bonus_id", "grant_id"
            amount, currency = bonus.template["amount_subunit"], bonus.template["currency"]
        case Payout() as payout:
            platform_id, our_id = "platform_payout_id", "payout_id"
            amount, currency = payout.amount_subunit, payout.currency
        case _:
            return None
    assert answer is not None, "it is about something"
    match mode:
        case Mode.NULL_ID:
            wrong: dict[str, Any] = {platform_id: None}
        case Mode.OTHER_ID:
            wrong = {platform_id: "sbx_of_somebody_else", our_id: OTHER_ID}
        case Mode.WRONG_CURRENCY:
            other = "XTS" if currency != "XTS" else "XXX"
            wrong = {"amount_subunit": amount, "currency": other}
        case Mode.WRONG_AMOUNT:
            wrong = {"amount_subunit": amount + 1, "currency": currency}
        case _:
            raise AssertionError(f"{mode} does not change members")
    return Answer(answer.status, {**answer.body, **wrong}, about=answer.about)


def _problem(options: Mapping[str, Any], status: int, code: str, message: str) -> Answer:
    body = {
        "code": options.get("code", code),
        "message": options.get("message", message),
    }
    if options.get("nested"):
        return Answer(options.get("status", status), {"error": body}, JSON)
    return Answer(options.get("status", status), body, JSON)
