"""The platform: the contract's four calls, and everything that it remembers of them."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from adapters.errors import WebhookSignatureInvalid
from adapters.http.signing import verify
from adapters.sandbox.answers import Answer, Refused, parse_object, take_integer, take_text
from adapters.sandbox.misbehaviour import Misbehaviours
from adapters.sandbox.payouts import PaidDifferently, Payouts
from adapters.sandbox.sender import Destination, Sender, Webhook
from adapters.sandbox.state import Bonus, BonusEnded, Bonuses, BonusStatus, timestamp

REQUESTS_MAX = 20_000
BONUS_PATH = re.compile(r"/v1/bonuses/([^/]+)")


@dataclass(frozen=True)
class Request:
    """A request as it came; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class RecordedRequest:
    """What was asked of the contract's calls, and what came of it."""

    at: str
    method: str
    path: str
    idempotency_key: str | None
    signature: str
    headers: Mapping[str, str]
    body: str
    status: int | None = None
    misbehaviour: str | None = None


@dataclass
class Settings:
    """Whom the platform talks to; tests change it while it runs."""

    secret: str | None
    windfall_url: str
    adapter_slug: str
    autoplay_s: float | None = None

    def destination(self) -> Destination:
        """Return where this adapter's webhooks go."""
        base, slug = self.windfall_url.rstrip("/"), quote(self.adapter_slug, safe="")
        url = f"{base}/v1/adapters/{slug}/webhooks/bonus-events"
        return Destination(url=url, secret=self.secret)


@dataclass
class Platform:
    """One casino platform, which serves one adapter."""

    settings: Settings
    kept_in: Path | None = None
    misbehaviours: Misbehaviours = field(default_factory=Misbehaviours)

    def __post_init__(self) -> None:
        self.bonuses = Bonuses(self.kept_in)
        self.payouts = Payouts()
        self.sender = Sender(self.misbehaviours, self.settings.destination)
        self._lock = threading.Lock()
        self._requests: list[RecordedRequest] = []

    def start(self) -> None:
        """Begin to send, and go on with what was kept."""
        self.sender.start()
        for bonus in self.bonuses.all():
            if bonus.status is BonusStatus.PENDING:
                self._credit_soon(bonus)

    def requests(self) -> list[RecordedRequest]:
        """Return what was asked so far, the first request first."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Be as on the first day: no bonuses, no payouts, no records, no misbehaviour."""
        self.misbehaviours.clear()
        self.sender.clear()
        self.bonuses.clear()
        self.payouts.clear()
        with self._lock:
            self._requests.clear()

    def record(self, request: Request) -> RecordedRequest:
        """Write down a request before anything comes of it."""
        recorded = RecordedRequest(
            at=timestamp(),
            method=request.method,
            path=request.path,
            idempotency_key=request.headers.get("idempotency-key"),
            signature=self._judge_signature(request),
            headers=dict(request.headers),
            body=request.body.decode(errors="replace"),
        )
        with self._lock:
            self._requests.append(recorded)
            del self._requests[:-REQUESTS_MAX]
        return recorded

    def answer(self, request: Request) -> Answer:
        """Do what a request of the contract asks, and return the answer."""
        try:
            if self._judge_signature(request) == "invalid":
                raise Refused(401, "SIGNATURE_INVALID", "The signature is wrong or too old.")
            return self._call_for(request)(request)
        except Refused as refused:
            return refused.answer

    def tell(self, event: str, bonus: Bonus, **members: Any) -> Webhook:
        """Send a webhook about ``bonus``."""
        ids = {"platform_bonus_id": bonus.platform_bonus_id, "grant_id": bonus.grant_id}
        return self.sender.send(event, {**ids, **members}, ts=bonus.ts)

    def credit(self, bonus: Bonus) -> tuple[Bonus, Webhook]:
        """Give the player the bonus, and say so."""
        credited = self.bonuses.credit(bonus.platform_bonus_id)
        return credited, self.tell("bonus.credited", credited)

    def _judge_signature(self, request: Request) -> str:
        if self.settings.secret is None:
            return "unchecked"
        try:
            verify([self.settings.secret], request.headers, request.body, datetime.now(UTC))
        except WebhookSignatureInvalid:
            return "invalid"
        return "valid"

    def _call_for(self, request: Request) -> Callable[[Request], Answer]:
        match request.method, request.path:
            case "POST", "/v1/bonuses/grant":
                return self._grant
            case "POST", "/v1/bonuses/cancel":
                return self._cancel
            case "POST", "/v1/jackpots/payouts":
                return self._pay_out
            case "GET", path if BONUS_PATH.fullmatch(path):
                return self._view
        raise Refused(404, "NOT_FOUND", "There is no such call.")

    def _grant(self, request: Request) -> Answer:
        body = parse_object(request.body)
        grant_id = _checked_id(request, body, "grant_id")
        template = body.get("template")
        if not isinstance(template, dict):
            raise Refused(422, "INVALID_REQUEST", "template must be an object.")
        take_text(template, "type")
        take_integer(template, "amount_subunit")
        take_text(template, "currency")
        bonus, is_new = self.bonuses.grant(
            grant_id=grant_id,
            player_external_id=take_text(body, "player_external_id"),
            template=template,
            by=body.get("granted_by"),
        )
        if not is_new:
            members = {"platform_bonus_id": bonus.platform_bonus_id}
            message = "A bonus was granted under this grant_id before."
            return Answer(409, {"code": "DUPLICATE_GRANT", "message": message, **members})
        self._credit_soon(bonus)
        granted = {"platform_bonus_id": bonus.platform_bonus_id, "status": bonus.status.value}
        return Answer(201, granted, about=bonus)

    def _cancel(self, request: Request) -> Answer:
        body = parse_object(request.body)
        grant_id = _checked_id(request, body, "grant_id")
        bonus = self.get(take_text(body, "platform_bonus_id", default=grant_id))
        if bonus.status is BonusStatus.CANCELLED:
            return Answer(200, bonus.as_view(), about=bonus)
        reason = take_text(body, "reason", default="cancelled")
        try:
            cancelled = self.bonuses.end(
                bonus.platform_bonus_id, status=BonusStatus.CANCELLED, reason=reason
            )
        except BonusEnded:
            raise ended(self.get(bonus.platform_bonus_id)) from None
        return Answer(200, cancelled.as_view(), about=cancelled)

    def _view(self, request: Request) -> Answer:
        match = BONUS_PATH.fullmatch(request.path)
        assert match is not None, "that is how the call was found"
        bonus = self.get(unquote(match[1]))
        return Answer(200, bonus.as_view(), about=bonus)

    def _pay_out(self, request: Request) -> Answer:
        body = parse_object(request.body)
        _checked_id(request, body, "payout_id")
        take_integer(body, "amount_subunit")
        for name in ("player_external_id", "amount", "currency", "instance_id", "pot", "cause"):
            take_text(body, name)
        try:
            payout, is_new = self.payouts.pay(terms=body)
        except PaidDifferently:
            message = "Something else was paid under this payout_id."
            raise Refused(422, "IDEMPOTENCY_KEY_REUSED", message) from None
        paid = {"platform_payout_id": payout.platform_payout_id}
        if not is_new:
            message = "The win was paid under this payout_id before."
            return Answer(409, {"code": "DUPLICATE_PAYOUT", "message": message, **paid})
        return Answer(201, paid, about=payout)

    def get(self, either_id: str) -> Bonus:
        """
        Return the bonus with this platform or grant id.

        :raises Refused: if there is none.
        """
        bonus = self.bonuses.find(either_id)
        if bonus is None:
            raise Refused(404, "BONUS_NOT_FOUND", "There is no such bonus.")
        return bonus

    def _credit_soon(self, bonus: Bonus) -> None:
        seconds = self.settings.autoplay_s
        if seconds is None:
            return

        def credit() -> None:
            current = self.bonuses.find(bonus.platform_bonus_id)
            if current is not None and current.status is BonusStatus.PENDING:
                self.credit(current)

        timer = threading.Timer(seconds, credit)
        timer.daemon = True
        timer.start()


def ended(bonus: Bonus) -> Refused:
    """Return the refusal to change a bonus that has ended."""
    return Refused(409, "BONUS_ENDED", f"The bonus is {bonus.status}.", state=bonus.status.value)


def _checked_id(request: Request, body: Mapping[str, Any], name: str) -> str:
    """Return the id under which a request asks, which is its Idempotency-Key too."""
    value = take_text(body, name)
    if request.headers.get("idempotency-key") != value:
        raise Refused(400, "IDEMPOTENCY_KEY_INVALID", f"The Idempotency-Key is not the {name}.")
    return value
