"""The control calls under /sandbox/: look at the platform, move a bonus on, misbehave."""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from adapters.http.signing import SecretMalformed, decode_secret
from adapters.sandbox.answers import Answer, Refused, parse_object, take_integer, take_text
from adapters.sandbox.misbehaviour import Mode
from adapters.sandbox.platform import Platform, Request, ended
from adapters.sandbox.sender import Webhook
from adapters.sandbox.state import Bonus, BonusEnded, BonusNotCredited, BonusStatus

# Longer than the sender's attempts take when nobody listens; then it goes on without us.
ANSWER_WITHIN_S = 30.0
STEPS = 4
STEPS_MAX = 1000
MOVE_PATH = re.compile(r"/sandbox/bonuses/([^/]+)/([a-z]+)")
BONUS_PATH = re.compile(r"/sandbox/bonuses/([^/]+)")
EVENT_ID = re.compile(r"[A-Za-z0-9_:-]{1,255}")
ENDS = {
    "complete": BonusStatus.COMPLETED,
    "expire": BonusStatus.EXPIRED,
    "cancel": BonusStatus.CANCELLED,
    "forfeit": BonusStatus.FORFEITED,
}

HELP = {
    "GET /sandbox/": "this page",
    "GET /sandbox/bonuses": "every bonus",
    "GET /sandbox/bonuses/{id}": "one of them; by platform_bonus_id or grant_id",
    "POST /sandbox/bonuses/{id}/credit": "give it to the player",
    "POST /sandbox/bonuses/{id}/wager": '{"amount_subunit": 500, "weighted_subunit": 250}',
    "POST /sandbox/bonuses/{id}/complete": "the requirement is met",
    "POST /sandbox/bonuses/{id}/expire": "its time is over",
    "POST /sandbox/bonuses/{id}/cancel": '{"reason": "…"}',
    "POST /sandbox/bonuses/{id}/forfeit": '{"reason": "…"}',
    "POST /sandbox/bonuses/{id}/play": 'credit, wager, complete: {"steps": 4}',
    "GET /sandbox/payouts": "every win it paid to a player",
    "GET /sandbox/requests": "what was asked of /v1/…",
    "GET /sandbox/webhooks": "what was sent, and what the receiver said",
    "POST /sandbox/webhooks/send": '{"event": "bonus.…", "data": {}, "event_id": "…", "ts": "…"}',
    "POST /sandbox/webhooks/release": "send what is held",
    "POST /sandbox/misbehave": '{"mode": "…", "times": 1, "path": "/v1/bonuses/grant"}',
    "POST /sandbox/behave": "withdraw every order to misbehave",
    "POST /sandbox/configure": '{"windfall_url", "adapter_slug", "secret", "autoplay_s"}',
    "POST /sandbox/reset": "forget everything",
}


class Control:
    """Answers the calls under /sandbox/."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._calls: dict[tuple[str, str], Callable[[dict[str, Any]], Answer]] = {
            ("GET", "/sandbox/"): self._overview,
            ("GET", "/sandbox/bonuses"): self._bonuses,
            ("GET", "/sandbox/payouts"): self._payouts,
            ("GET", "/sandbox/requests"): self._requests,
            ("GET", "/sandbox/webhooks"): self._webhooks,
            ("POST", "/sandbox/webhooks/send"): self._send,
            ("POST", "/sandbox/webhooks/release"): self._release,
            ("POST", "/sandbox/misbehave"): self._misbehave,
            ("POST", "/sandbox/behave"): self._behave,
            ("POST", "/sandbox/configure"): self._configure,
            ("POST", "/sandbox/reset"): self._reset,
        }

    def answer(self, request: Request) -> Answer:
        """Do what a control call asks, and return the answer."""
        try:
            body = parse_object(request.body)
            call = self._calls.get((request.method, request.path))
            if call is not None:
                return call(body)
            if request.method == "GET" and (match := BONUS_PATH.fullmatch(request.path)):
                return Answer(200, self._platform.get(unquote(match[1])).as_overview())
            if request.method == "POST" and (match := MOVE_PATH.fullmatch(request.path)):
                return self._move(self._platform.get(unquote(match[1])), match[2], body)
            raise Refused(404, "NOT_FOUND", "There is no such call: GET /sandbox/ lists them.")
        except Refused as refused:
            return refused.answer

    def _overview(self, body: dict[str, Any]) -> Answer:
        platform, settings = self._platform, self._platform.settings
        bonuses = platform.bonuses.all()
        return Answer(
            200,
            {
                "what": "A casino platform to play with. It is for demos and tests only.",
                "windfall_url": settings.windfall_url,
                "adapter_slug": settings.adapter_slug,
                "is_signed": settings.secret is not None,
                "autoplay_s": settings.autoplay_s,
                "bonuses": {
                    status.value: count
                    for status in BonusStatus
                    if (count := sum(bonus.status is status for bonus in bonuses))
                },
                "payouts": len(platform.payouts.all()),
                "requests": len(platform.requests()),
                "webhooks": len(platform.sender.all()),
                "misbehaviours": [order.as_overview() for order in platform.misbehaviours.all()],
                "modes": [mode.value for mode in Mode],
                "calls": HELP,
            },
        )

    def _bonuses(self, body: dict[str, Any]) -> Answer:
        bonuses = [bonus.as_overview() for bonus in self._platform.bonuses.all()]
        return Answer(200, {"bonuses": bonuses})

    def _payouts(self, body: dict[str, Any]) -> Answer:
        payouts = [payout.as_overview() for payout in self._platform.payouts.all()]
        return Answer(200, {"payouts": payouts})

    def _requests(self, body: dict[str, Any]) -> Answer:
        requests = [asdict(request) for request in self._platform.requests()]
        return Answer(200, {"requests": requests})

    def _webhooks(self, body: dict[str, Any]) -> Answer:
        webhooks = [webhook.as_overview() for webhook in self._platform.sender.all()]
        return Answer(200, {"webhooks": webhooks})

    def _send(self, body: dict[str, Any]) -> Answer:
        event_id = take_text(body, "event_id", default=str(uuid4()))
        if not EVENT_ID.fullmatch(event_id):
            raise Refused(422, "INVALID_REQUEST", "event_id is letters, digits, _, : and -.")
        webhook = self._platform.sender.send(
            take_text(body, "event"),
            body.get("data", {}),
            event_id=event_id,
            ts=body.get("ts"),
        )
        return _heard([webhook])

    def _release(self, body: dict[str, Any]) -> Answer:
        return _heard(self._platform.sender.release())

    def _misbehave(self, body: dict[str, Any]) -> Answer:
        return Answer(200, self._platform.misbehaviours.add(body).as_overview())

    def _behave(self, body: dict[str, Any]) -> Answer:
        self._platform.misbehaviours.clear()
        return Answer(200, {"misbehaviours": []})

    def _configure(self, body: dict[str, Any]) -> Answer:
        settings = self._platform.settings
        for name in ("windfall_url", "adapter_slug"):
            if name in body:
                setattr(settings, name, take_text(body, name))
        if "secret" in body:
            settings.secret = _checked_secret(body["secret"])
        if "autoplay_s" in body:
            settings.autoplay_s = _checked_seconds(body["autoplay_s"])
        return self._overview(body)

    def _reset(self, body: dict[str, Any]) -> Answer:
        self._platform.clear()
        return Answer(200, {"reset": True})

    def _move(self, bonus: Bonus, verb: str, body: dict[str, Any]) -> Answer:
        try:
            match verb:
                case "credit":
                    changed, webhook = self._platform.credit(bonus)
                    return _heard([webhook], changed)
                case "wager":
                    amount = take_integer(body, "amount_subunit")
                    weighted = body.get("weighted_subunit", amount)
                    if not isinstance(weighted, int) or weighted < 0:
                        raise Refused(422, "INVALID_REQUEST", "weighted_subunit must be >= 0.")
                    changed, webhook = self._wager(bonus, amount, weighted)
                    return _heard([webhook], changed)
                case "play":
                    return self._play(bonus, body)
                case verb if verb in ENDS:
                    changed, webhook = self._end(bonus, verb, str(body.get("reason") or ""))
                    return _heard([webhook], changed)
        except BonusEnded:
            raise ended(self._platform.get(bonus.platform_bonus_id)) from None
        except BonusNotCredited:
            raise Refused(
                409, "BONUS_NOT_CREDITED", "The player does not have the bonus yet."
            ) from None
        raise Refused(404, "NOT_FOUND", "There is no such move: GET /sandbox/ lists them.")

    def _wager(self, bonus: Bonus, amount: int, weighted: int) -> tuple[Bonus, Webhook]:
        changed = self._platform.bonuses.wager(
            bonus.platform_bonus_id, amount=amount, weighted=weighted
        )
        return changed, self._platform.tell(
            "bonus.wagered",
            changed,
            wagered_amount_subunit=amount,
            weighted_progress_subunit=weighted,
        )

    def _end(self, bonus: Bonus, verb: str, reason: str) -> tuple[Bonus, Webhook]:
        status = ENDS[verb]
        if not reason and verb in ("cancel", "forfeit"):
            reason = f"{status.value} on the platform"
        changed = self._platform.bonuses.end(bonus.platform_bonus_id, status=status, reason=reason)
        members = {"reason": reason} if reason else {}
        return changed, self._platform.tell(f"bonus.{status.value}", changed, **members)

    def _play(self, bonus: Bonus, body: dict[str, Any]) -> Answer:
        steps = min(take_integer(body, "steps", default=STEPS), STEPS_MAX)
        requirement = body.get("requirement_subunit", bonus.requirement_subunit)
        if not isinstance(requirement, int):
            raise Refused(422, "INVALID_REQUEST", "requirement_subunit must be an integer.")
        webhooks = []
        if bonus.status is BonusStatus.PENDING:
            bonus, webhook = self._platform.credit(bonus)
            webhooks.append(webhook)
        for amount in _parts(requirement - bonus.weighted_progress_subunit, steps):
            bonus, webhook = self._wager(bonus, amount, amount)
            webhooks.append(webhook)
        bonus, webhook = self._end(bonus, "complete", "")
        return _heard([*webhooks, webhook], bonus)


def _parts(whole: int, steps: int) -> list[int]:
    """Return at most ``steps`` positive parts whose sum is ``whole``."""
    if whole <= 0:
        return []
    each, left = divmod(whole, steps)
    return [part for part in (each + (step < left) for step in range(steps)) if part]


def _checked_secret(secret: Any) -> str | None:
    if not secret:
        return None
    try:
        decode_secret(str(secret))
    except SecretMalformed as malformed:
        raise Refused(422, "INVALID_REQUEST", str(malformed)) from malformed
    return str(secret)


def _checked_seconds(seconds: Any) -> float | None:
    if seconds is None or (isinstance(seconds, int | float) and seconds >= 0):
        return seconds
    raise Refused(422, "INVALID_REQUEST", "autoplay_s is a number of seconds, or null.")


def _heard(webhooks: list[Webhook], bonus: Bonus | None = None) -> Answer:
    """Wait until every webhook has its answer, and return them."""
    for webhook in webhooks:
        webhook.is_settled.wait(ANSWER_WITHIN_S)
    answer: dict[str, Any] = {"webhooks": [webhook.as_overview() for webhook in webhooks]}
    return Answer(200, {"bonus": bonus.as_overview(), **answer} if bonus else answer)
