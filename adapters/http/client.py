"""A casino platform over HTTP (API.md, the platform adapter, outbound)."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from adapters.http import mapping
from adapters.http.breaker import Breaker, CircuitOpen, NoBreaker
from adapters.http.guard import AddressRefused
from adapters.http.signing import sign
from adapters.http.transport import Answer, AnswerTooLarge, Deadline, NoAnswer, exchange
from bonuses.ports import (
    BonusOrder,
    PlatformBonus,
    PlatformBonusUnknown,
    PlatformRejected,
    PlatformUnavailable,
    PlatformView,
)
from core.models import new_id
from jackpots.ports import PaidOut, PayoutOrder, PayoutRejected, PayoutUnavailable

#: Refusals that say "not now" rather than "no".
_NOT_NOW = frozenset([408, 425, 429])


@dataclass(frozen=True, slots=True)
class LiveSecret:
    """A secret that signs, until the instant (Unix seconds) at which it dies; or for good."""

    secret: str = field(repr=False)
    until_s: float | None = None


@dataclass(frozen=True, slots=True)
class HttpAdapter:
    """
    One operator's connection to one platform.

    Nothing is retried in here: the caller knows the issuance, and when to try again.
    ``secrets`` has the current one first; a message is signed with all that are alive. Without
    any, nothing is sent.
    """

    slug: str
    base_url: str
    secrets: tuple[LiveSecret, ...] = field(repr=False)
    breaker: Breaker | NoBreaker = field(repr=False)
    deadline_s: float

    @property
    def is_internal(self) -> bool:
        """Tell that there is a platform, and that it is the truth."""
        return False

    def grant_bonus(self, order: BonusOrder) -> PlatformBonus:
        """
        Grant a bonus; one that was granted before under the same id is fetched.

        :raises PlatformRejected: if the platform refused.
        :raises PlatformUnavailable: if it is not known whether it did.
        """
        deadline = Deadline(self.deadline_s)
        key = str(order.grant_id)
        answer = self._send("POST", mapping.GRANT_PATH, mapping.grant_body(order), key, deadline)
        if not _is_refusal(answer):
            return mapping.read_grant(answer, order)
        code, detail = mapping.read_refusal(answer)
        if answer.status != 409 or code != mapping.DUPLICATE_GRANT:
            raise PlatformRejected(code, detail)
        known = mapping.read_duplicate(answer, order)
        if known is not None:
            return known
        fetched = self._send("GET", mapping.bonus_path(key), None, key, deadline)
        return mapping.read_fetched(fetched, order)

    def cancel_bonus(self, *, grant_id: UUID, platform_bonus_id: str, reason: str) -> None:
        """
        Cancel a bonus.

        :raises PlatformRejected: if the platform refused.
        :raises PlatformUnavailable: if it is not known whether it did.
        """
        body = mapping.cancel_body(
            grant_id=grant_id, platform_bonus_id=platform_bonus_id, reason=reason
        )
        answer = self._send(
            "POST", mapping.CANCEL_PATH, body, str(grant_id), Deadline(self.deadline_s)
        )
        if _is_refusal(answer):
            raise PlatformRejected(*mapping.read_refusal(answer))
        mapping.check_cancelled(answer)

    def get_bonus(
        self, *, platform_bonus_id: str, currency: str, grant_id: UUID | None = None
    ) -> PlatformView:
        """
        Return a bonus as the platform sees it now.

        ``grant_id`` is the key that the request carries; without it, the bonus's own name is.
        It may be the name that is asked for as well: then the platform tells its own.

        :raises PlatformBonusUnknown: if the platform has no such bonus.
        :raises PlatformRejected: if the platform refused.
        :raises PlatformUnavailable: if it did not answer usably.
        """
        path = mapping.bonus_path(platform_bonus_id)
        key = path.rpartition("/")[2][:255] if grant_id is None else str(grant_id)
        answer = self._send("GET", path, None, key, Deadline(self.deadline_s))
        if answer.status == 404:
            raise PlatformBonusUnknown(f"The platform has no bonus {platform_bonus_id}.")
        if _is_refusal(answer):
            raise PlatformRejected(*mapping.read_refusal(answer))
        is_by_grant = grant_id is not None and platform_bonus_id == str(grant_id)
        named = None if is_by_grant else platform_bonus_id
        return mapping.read_view(answer, platform_bonus_id=named, currency=currency)

    def pay_out(self, order: PayoutOrder) -> PaidOut:
        """
        Pay a win; one that was paid before under the same id is not paid again.

        :raises PayoutRejected: if the platform refused.
        :raises PayoutUnavailable: if it is not known whether it paid.
        """
        body, deadline = mapping.payout_body(order), Deadline(self.deadline_s)
        try:
            answer = self._send("POST", mapping.PAYOUT_PATH, body, str(order.payout_id), deadline)
            if not _is_refusal(answer):
                return mapping.read_payout(answer, order)
            code, detail = mapping.read_refusal(answer)
            if answer.status == 409 and code == mapping.DUPLICATE_PAYOUT:
                return mapping.read_duplicate_payout(answer, order)
        except PlatformUnavailable as failure:
            raise PayoutUnavailable(failure.detail) from failure
        raise PayoutRejected(code, detail)

    def _send(
        self,
        method: str,
        path: str,
        members: Mapping[str, Any] | None,
        key: str,
        deadline: Deadline,
    ) -> Answer:
        """
        Send one signed request and return its answer: a success, or a refusal.

        :raises PlatformUnavailable: if there was none, or none that says either.
        """
        if not self.secrets:
            raise PlatformUnavailable("None of SECRETS_KEYS opens our secret: send it again.")
        body = b"" if members is None else json.dumps(members, separators=(",", ":")).encode()
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Idempotency-Key": key,
            "User-Agent": "Windfall",
            **self._signature(body),
        }
        if body:
            headers["Content-Type"] = "application/json"
        try:
            self.breaker.admit()
            answer = exchange(
                method, self.base_url, path, headers=headers, body=body, deadline=deadline
            )
        except CircuitOpen:
            raise PlatformUnavailable("The platform did not answer lately; not asked.") from None
        except AddressRefused as error:
            raise PlatformUnavailable(f"The platform's address is refused. {error}") from None
        except AnswerTooLarge as error:
            self.breaker.note_answer()
            raise PlatformUnavailable(str(error)) from None
        except NoAnswer as error:
            self.breaker.note_silence()
            raise PlatformUnavailable(str(error)) from error
        if answer.status >= 500:
            self.breaker.note_silence()
        else:
            self.breaker.note_answer()
        if answer.status >= 500 or answer.status in _NOT_NOW:
            raise PlatformUnavailable(f"The platform answered {answer.status}.")
        if 300 <= answer.status < 400:
            raise PlatformUnavailable("The platform redirects, and we do not follow.")
        return answer

    def _signature(self, body: bytes) -> dict[str, str]:
        # The one clock in here: when a message left is a fact about the wire, not a decision.
        sent_at = time.time()
        live = [each.secret for each in self.secrets if _is_live(each, sent_at)]
        return sign(live[0], f"msg_{new_id().hex}", int(sent_at), body, also=live[1:])


def _is_live(secret: LiveSecret, sent_at: float) -> bool:
    return secret.until_s is None or sent_at < secret.until_s


def _is_refusal(answer: Answer) -> bool:
    return 400 <= answer.status < 500
