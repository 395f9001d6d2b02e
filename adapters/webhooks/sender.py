"""Sends one message to one endpoint: guarded, bounded, and never raising for what comes back."""

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from adapters.http import guard
from adapters.http.transport import AnswerTooLarge, Deadline, NoAnswer, exchange
from core.instants import format_instant
from core.models import OutboxMessage

#: How long a name is looked for while somebody waits for an address to be saved.
RESOLVE_S = 2.0

_QUERY = re.compile(r"[!\"$-~]{0,400}")
GONE = 410


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of an attempt; without a status code there was no answer, but an error."""

    duration_ms: int
    status_code: int | None = None
    error: str = ""
    body: bytes = b""

    @property
    def is_taken(self) -> bool:
        """Tell whether the receiver took the message."""
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def is_gone(self) -> bool:
        """Tell whether the receiver wants nothing more, ever."""
        return self.status_code == GONE


def checked_url(url: str) -> str:
    """
    Return the address of a receiver in the form in which it is stored.

    It is looked up here, but need not be found: it is looked up again at every attempt.

    :raises AddressRefused: if we do not connect to it.
    """
    base, path = _split(url)
    address = guard.check_address(base)
    with suppress(guard.NameNotResolved):
        guard.resolve_public(address.host, address.port, timeout_s=RESOLVE_S)
    return address.url + path


def body_of(message: OutboxMessage) -> bytes:
    """Return what is sent of a message: the same bytes at every attempt."""
    members: dict[str, Any] = {
        "type": message.topic,
        "timestamp": format_instant(message.created_at),
        "data": message.payload,
    }
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def send_message(*, url: str, signature: Mapping[str, str], body: bytes, deadline_s: float) -> Sent:
    """Send a message and return what came of it, whatever that is."""
    headers = {
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": "Windfall-Webhooks",
        **signature,
    }
    started_at = time.monotonic()
    try:
        base, path = _split(url)
        answer = exchange(
            "POST", base, path, headers=headers, body=body, deadline=Deadline(deadline_s)
        )
    except guard.AddressRefused as error:
        return Sent(_since(started_at), error=f"The address is refused. {error}")
    except AnswerTooLarge as error:
        return Sent(_since(started_at), error=str(error))
    except NoAnswer as error:
        # The words of whoever speaks to platforms; this is a receiver.
        said = str(error).replace("The platform", "It", 1)
        return Sent(_since(started_at), error=said)
    return Sent(
        _since(started_at),
        status_code=answer.status,
        error=_said(answer.status),
        body=answer.body,
    )


def _split(url: str) -> tuple[str, str]:
    """
    Return the part of an address that the guard judges, and what it would not let through.

    A receiver's address may end in a slash and carry a query; a platform's may not.

    :raises AddressRefused: if the query is not plain.
    """
    base, mark, query = url.partition("?")
    if not _QUERY.fullmatch(query):
        raise guard.AddressRefused("Its query must be plain printable ASCII, without a fragment.")
    slash = "/" if base.endswith("/") else ""
    return base, slash + mark + query


def _said(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"It answered {status}, and redirects are not followed."
    return f"It answered {status}."


def _since(started_at: float) -> int:
    return round((time.monotonic() - started_at) * 1000)
