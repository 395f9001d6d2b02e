"""Signatures: what we sign verifies, and everything else is one refusal (S8, S10, B2)."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.errors import WebhookSignatureInvalid
from adapters.http import signing
from adapters.http.signing import SecretMalformed, decode_secret, make_secret, sign, verify

NOW = datetime(2026, 3, 29, 0, 59, 0, 900_000, tzinfo=UTC)
SENT = int(NOW.timestamp())
SECRET = make_secret()
BODY = b'{"event_id": "e-1"}'


def signed(**changes: Any) -> dict[str, str]:
    return sign(SECRET, "msg_1", SENT, BODY) | {
        name.replace("_", "-"): value for name, value in changes.items()
    }


def test_control_what_we_sign_verifies() -> None:
    verify([SECRET], signed(), BODY, NOW)


def test_the_specifications_own_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'

    headers = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_names_of_headers_come_in_any_case_and_others_are_no_matter() -> None:
    headers = {name.title(): value for name, value in signed().items()}

    verify([SECRET], {**headers, "Content-Type": "application/json"}, BODY, NOW)


@pytest.mark.parametrize("offset", [-300, 300])
def test_the_window_is_inclusive(offset: int) -> None:
    verify([SECRET], sign(SECRET, "msg_1", SENT + offset, BODY), BODY, NOW)


def test_a_body_that_is_not_utf_8_is_signed_like_any_other() -> None:
    body = b"\xff\xfe\x00"

    verify([SECRET], sign(SECRET, "msg_1", SENT, body), body, NOW)
    with pytest.raises(WebhookSignatureInvalid):
        verify([SECRET], signed(), body, NOW)


def resigned(message_id: str, timestamp: str) -> dict[str, str]:
    """Sign whatever it is, as a sender with the secret but without our scruples would."""
    content = b".".join((message_id.encode(), timestamp.encode(), BODY))
    digest = hmac.digest(decode_secret(SECRET), content, hashlib.sha256)
    return signed(
        webhook_id=message_id,
        webhook_timestamp=timestamp,
        webhook_signature="v1," + base64.b64encode(digest).decode(),
    )


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in signed().items() if key != name}


GOOD = signed()["webhook-signature"]

REFUSED: dict[str, Callable[[], dict[str, str]]] = {
    "no headers": dict,
    "no id": lambda: without("webhook-id"),
    "no timestamp": lambda: without("webhook-timestamp"),
    "no signature": lambda: without("webhook-signature"),
    "empty signature": lambda: signed(webhook_signature=""),
    "junk": lambda: signed(webhook_signature="junk"),
    "not base64": lambda: signed(webhook_signature="v1,abc"),
    "not ascii": lambda: signed(webhook_signature="v1,ÿ漢"),
    "half a surrogate": lambda: signed(webhook_signature="v1,\ud800"),
    "no version": lambda: signed(webhook_signature=GOOD.removeprefix("v1,")),
    "unknown version": lambda: signed(webhook_signature=GOOD.replace("v1,", "v2,")),
    "asymmetric version": lambda: signed(webhook_signature=GOOD.replace("v1,", "v1a,")),
    "one bit of it": lambda: signed(webhook_signature=GOOD[:-3] + "AA="),
    "cut short": lambda: signed(webhook_signature=GOOD[:-4]),
    "commas between": lambda: signed(webhook_signature=f"{GOOD},{GOOD}"),
    "1000 signatures, the last one right": lambda: signed(
        webhook_signature=" ".join(["v1,AAAA"] * 999 + [GOOD])
    ),
    "a doubled header": lambda: {**signed(), "Webhook-Id": "msg_1"},
    "joined ids": lambda: resigned("msg_1,msg_1", str(SENT)),
    "a dot in the id": lambda: resigned("msg.1", str(SENT)),
    "an empty id": lambda: resigned("", str(SENT)),
    "a space in the id": lambda: resigned("msg 1", str(SENT)),
    "a long id": lambda: resigned("m" * 256, str(SENT)),
    "another id": lambda: signed(webhook_id="msg_2"),
    "another timestamp": lambda: signed(webhook_timestamp=str(SENT + 1)),
    "too old": lambda: resigned("msg_1", str(SENT - 301)),
    "too new": lambda: resigned("msg_1", str(SENT + 301)),
    "a negative timestamp": lambda: resigned("msg_1", "-1"),
    "a fraction": lambda: resigned("msg_1", f"{SENT}.5"),
    "other digits": lambda: resigned("msg_1", "١٧٤٣٢١٠٠٠٠"),
    "an endless timestamp": lambda: resigned("msg_1", "1" * 5001),
    "no timestamp at all": lambda: resigned("msg_1", ""),
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED.keys())
def test_anything_wrong_is_one_refusal(headers: Callable[[], dict[str, str]]) -> None:
    with pytest.raises(WebhookSignatureInvalid) as refused:
        verify([SECRET], headers(), BODY, NOW)

    assert refused.value.detail == "The signature is missing, wrong, or too old."


@pytest.mark.parametrize(
    "body", [b"", BODY + b" ", BODY[:-1], BODY.replace(b" ", b""), BODY.replace(b"1", b"2")]
)
def test_another_body_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookSignatureInvalid):
        verify([SECRET], signed(), body, NOW)


def test_sixteen_signatures_are_looked_at() -> None:
    headers = signed(webhook_signature=" ".join(["v1,AAAA"] * 15 + [GOOD]))

    verify([SECRET], headers, BODY, NOW)


def test_no_more_work_is_done_than_for_sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    monkeypatch.setattr(
        signing.hmac, "compare_digest", lambda expected, sent: compared.append(sent) or False
    )

    for count in (16, 17, 1000):
        with pytest.raises(WebhookSignatureInvalid):
            verify([SECRET], signed(webhook_signature=" ".join([GOOD] * count)), BODY, NOW)

    assert len(compared) == 16


@pytest.mark.parametrize(
    "secrets",
    [[], [""], ["whsec_"], ["whsec_" + "A" * 28], ["whsec_!!!"], ["secret"], [make_secret()]],
    ids=["none", "empty", "no key", "short", "not base64", "no prefix", "another's"],
)
def test_a_secret_that_is_none_or_anothers_admits_nobody(secrets: list[str]) -> None:
    with pytest.raises(WebhookSignatureInvalid):
        verify(secrets, signed(), BODY, NOW)


def test_an_empty_key_admits_nobody_who_signs_with_it() -> None:
    content = b".".join((b"msg_1", str(SENT).encode(), BODY))
    forged = base64.b64encode(hmac.digest(b"", content, hashlib.sha256)).decode()

    with pytest.raises(WebhookSignatureInvalid):
        verify(["whsec_"], signed(webhook_signature=f"v1,{forged}"), BODY, NOW)


def test_two_live_secrets_both_verify() -> None:
    old, new = make_secret(), make_secret()

    for secret in (old, new):
        verify([new, old], sign(secret, "msg_1", SENT, BODY), BODY, NOW)
    with pytest.raises(WebhookSignatureInvalid):
        verify([new], sign(old, "msg_1", SENT, BODY), BODY, NOW)


def test_a_message_signed_with_both_satisfies_either() -> None:
    old, new = make_secret(), make_secret()
    headers = sign(new, "msg_1", SENT, BODY, also=[old])

    verify([old], headers, BODY, NOW)
    verify([new], headers, BODY, NOW)


def test_a_captured_message_dies_with_its_window() -> None:
    headers = signed()

    verify([SECRET], headers, BODY, NOW + timedelta(seconds=300))
    with pytest.raises(WebhookSignatureInvalid):
        verify([SECRET], headers, BODY, NOW + timedelta(seconds=301))


@pytest.mark.parametrize("size", [24, 32, 64])
def test_secrets_of_24_to_64_bytes_are_taken(size: int) -> None:
    secret = "whsec_" + base64.b64encode(bytes(range(size))).decode()

    assert decode_secret(secret) == bytes(range(size))


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        base64.b64encode(bytes(32)).decode(),
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_" + base64.b64encode(bytes(32)).decode().rstrip("="),
        "whsec_" + "é" * 44,
        "whsec_" + base64.b64encode(bytes(32)).decode() + "\n",
        "WHSEC_" + base64.b64encode(bytes(32)).decode(),
    ],
)
def test_other_secrets_are_refused(secret: str) -> None:
    with pytest.raises(SecretMalformed):
        decode_secret(secret)
