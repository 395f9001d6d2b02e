"""
Standard Webhooks signatures, both ways: made for what we send, checked on what we receive.

The signature is the HMAC-SHA256 of ``id.timestamp.body`` over the raw bytes of the body.
Written by hand because the specification's library knows neither an injected clock nor
several secrets, and answers a malformed header with whatever exception it met.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets as random_secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.errors import WebhookSignatureInvalid

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"

#: How far the sender's clock and ours may be apart, either way.
WINDOW_S = 300
#: A sender that rotates sends two; more than this is an attempt to make us work.
SIGNATURES_MAX = 16
SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 64

_PREFIX = "whsec_"
_VERSION = "v1"
# No dot: it separates what is signed. No comma: it joins headers that came twice.
_MESSAGE_ID = re.compile(r"[!-+\-/-~]{1,255}")
_TIMESTAMP = re.compile(r"[0-9]{1,11}")


class SecretMalformed(ValueError):
    """The text is not ``whsec_`` and the base64 of 24 to 64 bytes."""


def make_secret() -> str:
    """Return a fresh secret of 32 random bytes."""
    return _PREFIX + base64.b64encode(random_secrets.token_bytes(32)).decode("ascii")


def decode_secret(secret: str) -> bytes:
    """
    Return the key that a secret stands for.

    :raises SecretMalformed: if it is not of the Standard Webhooks form, or too short or long.
    """
    if not secret.startswith(_PREFIX):
        raise SecretMalformed(f"A secret begins with {_PREFIX}.")
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SecretMalformed(f"After {_PREFIX} comes base64.") from None
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise SecretMalformed(
            f"A secret has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes, before base64."
        )
    return key


def sign(
    secret: str, message_id: str, timestamp: int, body: bytes, *, also: Sequence[str] = ()
) -> dict[str, str]:
    """
    Return the three headers of a message that is sent at ``timestamp`` (Unix seconds).

    ``also`` lists older secrets that are still valid: each adds a signature, so that a
    receiver who has not changed over yet accepts the message too.

    :raises SecretMalformed: if a secret is.
    """
    assert _MESSAGE_ID.fullmatch(message_id), "a message id without dots, commas or spaces"
    signatures = (_signature(each, message_id, str(timestamp), body) for each in (secret, *also))
    return {
        ID_HEADER: message_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(f"{_VERSION},{signature}" for signature in signatures),
    }


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """
    Return if one of ``secrets`` signed the message within WINDOW_S of ``now``.

    The names of headers may come in any case. Signatures of versions that we do not know
    are passed over. What exactly was wrong is not said: it would help nobody but a forger.

    :raises WebhookSignatureInvalid: if anything is missing, doubled, malformed, old or wrong.
    """
    found = _own_headers(headers)
    message_id, timestamp = found[ID_HEADER], found[TIMESTAMP_HEADER]
    if not _MESSAGE_ID.fullmatch(message_id) or not _TIMESTAMP.fullmatch(timestamp):
        raise _invalid()
    if abs(int(now.timestamp()) - int(timestamp)) > WINDOW_S:
        raise _invalid()
    sent = found[SIGNATURE_HEADER].split(" ", SIGNATURES_MAX)
    if len(sent) > SIGNATURES_MAX:
        raise _invalid()
    candidates = [
        signature.encode("utf-8", "replace")
        for version, _comma, signature in (each.partition(",") for each in sent)
        if version == _VERSION
    ]
    # All of them are compared, whichever matches: the time taken says nothing.
    matches = [
        hmac.compare_digest(expected, candidate)
        for expected in _expected(secrets, message_id, timestamp, body)
        for candidate in candidates
    ]
    if not any(matches):
        raise _invalid()


def _own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        lowered = name.lower()
        if lowered not in (ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER):
            continue
        if lowered in found:
            raise _invalid()
        found[lowered] = value
    if len(found) < 3:
        raise _invalid()
    return found


def _expected(secrets: Sequence[str], message_id: str, timestamp: str, body: bytes) -> list[bytes]:
    try:
        return [_signature(each, message_id, timestamp, body).encode("ascii") for each in secrets]
    except SecretMalformed:
        # An empty secret is a key that everybody knows.
        raise _invalid() from None


def _signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    signed = b".".join((message_id.encode("ascii"), timestamp.encode("ascii"), body))
    return base64.b64encode(hmac.digest(decode_secret(secret), signed, hashlib.sha256)).decode()


def _invalid() -> WebhookSignatureInvalid:
    return WebhookSignatureInvalid("The signature is missing, wrong, or too old.")
