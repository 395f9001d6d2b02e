"""Only what a live secret of the very adapter signed, minutes ago, leaves any trace (S8-S10)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from adapters.http import signing
from adapters.models import WebhookMessage
from adapters.services import inbox
from bonuses.models import BonusGrant, PlatformEvent
from core.sealing import seal
from tests.adapters.platforms import CLOCK, Platform, event_about, platform_of
from tests.bonuses.platform_events import stored
from tests.factories.bonuses import BonusGrantFactory

pytestmark = pytest.mark.django_db

Forge = Callable[[Platform, bytes], tuple[bytes, dict[str, str]]]


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(CLOCK, tick=False):
        yield


@pytest.fixture
def grant() -> BonusGrant:
    return BonusGrantFactory.create(external=True)


@pytest.fixture
def platform(grant: BonusGrant) -> Platform:
    return platform_of(grant)


def unsigned(response: Any) -> bool:
    return (response.status_code, response.json()["code"]) == (401, "WEBHOOK_SIGNATURE_INVALID")


def without(name: str) -> Forge:
    def forge(platform: Platform, body: bytes) -> tuple[bytes, dict[str, str]]:
        headers = platform.sign(body)
        del headers[name]
        return body, headers

    return forge


def with_header(name: str, change: Callable[[str], str]) -> Forge:
    def forge(platform: Platform, body: bytes) -> tuple[bytes, dict[str, str]]:
        headers = platform.sign(body)
        return body, {**headers, name: change(headers[name])}

    return forge


def at(seconds: int) -> Forge:
    def forge(platform: Platform, body: bytes) -> tuple[bytes, dict[str, str]]:
        return body, platform.sign(body, at=CLOCK + timedelta(seconds=seconds))

    return forge


def changed_body(change: Callable[[bytes], bytes]) -> Forge:
    def forge(platform: Platform, body: bytes) -> tuple[bytes, dict[str, str]]:
        return change(body), platform.sign(body)

    return forge


def with_a_key_everybody_knows(platform: Platform, body: bytes) -> tuple[bytes, dict[str, str]]:
    headers = platform.sign(body)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.digest(b"", signed, hashlib.sha256)).decode()
    return body, {**headers, "webhook-signature": f"v1,{mac}"}


def of_another_tenant(platform: Platform, body: bytes) -> tuple[bytes, dict[str, str]]:
    return body, platform.sign(body, secret=signing.make_secret())


def written_again(body: bytes) -> bytes:
    return json.dumps(json.loads(body), indent=1).encode()


FORGERIES: dict[str, Forge] = {
    "nothing is signed": lambda platform, body: (body, {}),
    "no id": without("webhook-id"),
    "no timestamp": without("webhook-timestamp"),
    "no signature": without("webhook-signature"),
    "an empty signature": with_header("webhook-signature", lambda _: ""),
    "junk as signature": with_header("webhook-signature", lambda _: "junk"),
    "base64 that is short": with_header("webhook-signature", lambda _: "v1,abc"),
    "text as signature": with_header("webhook-signature", lambda _: "v1,\u00e9"),
    "another id": with_header("webhook-id", lambda _: "msg_other"),
    "a dot in the id": with_header("webhook-id", lambda _: "msg.1"),
    "another timestamp": with_header("webhook-timestamp", lambda ts: str(int(ts) + 1)),
    "a timestamp that is text": with_header("webhook-timestamp", lambda _: "now"),
    "a timestamp below zero": with_header("webhook-timestamp", lambda ts: f"-{ts}"),
    "a huge timestamp": with_header("webhook-timestamp", lambda _: "9" * 5_001),
    "a version we do not know": with_header(
        "webhook-signature", lambda signature: signature.replace("v1,", "v2,")
    ),
    "no version": with_header("webhook-signature", lambda signature: signature[3:]),
    "a thousand signatures": with_header(
        "webhook-signature", lambda signature: f"{'v1,xxxx ' * 999}{signature}"
    ),
    "a second too old": at(-301),
    "a second too new": at(301),
    "a byte changed": changed_body(lambda body: body.replace(b"evt-", b"evt_", 1)),
    "a byte added": changed_body(lambda body: body + b" "),
    "JSON written again": changed_body(written_again),
    "an empty secret": with_a_key_everybody_knows,
    "another tenant's secret": of_another_tenant,
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forgery_is_refused_and_leaves_nothing(
    grant: BonusGrant, platform: Platform, forge: Forge
) -> None:
    honest = json.dumps(event_about(grant, "cancelled", reason="Canary.")).encode()
    body, headers = forge(platform, honest)

    response = platform.post(body, headers)

    assert unsigned(response)
    assert b"Canary" not in response.content
    assert not WebhookMessage.objects.exists()
    assert not PlatformEvent.objects.exists()
    assert stored(grant).is_active


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_control_within_the_window_it_is_taken(
    grant: BonusGrant, platform: Platform, seconds: int
) -> None:
    response = platform.send(event_about(grant), at=CLOCK + timedelta(seconds=seconds))

    assert response.status_code == 200


def test_control_without_the_check_a_forgery_is_believed(
    grant: BonusGrant, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox.signing, "verify", lambda *args: None)
    body = json.dumps(event_about(grant, "cancelled")).encode()

    response = platform.post(body, platform.sign(body, secret=signing.make_secret()))

    assert response.json()["new_status"] == "cancelled"


def test_every_forgery_gets_the_same_answer(grant: BonusGrant, platform: Platform) -> None:
    body = json.dumps(event_about(grant)).encode()

    answers = {platform.post(*forge(platform, body)).content for forge in FORGERIES.values()}

    assert len(answers) == 1


# Replays


def test_a_captured_message_has_one_effect(grant: BonusGrant, platform: Platform) -> None:
    body = json.dumps(event_about(grant)).encode()
    headers = platform.sign(body)

    answers = [platform.post(body, headers).json()["reason"] for _replay in range(3)]

    assert answers == [None, "duplicate", "duplicate"]


def test_a_captured_message_is_worthless_after_the_window(
    grant: BonusGrant, platform: Platform
) -> None:
    body = json.dumps(event_about(grant)).encode()
    headers = platform.sign(body)

    with time_machine.travel(CLOCK + timedelta(seconds=301), tick=False):
        assert unsigned(platform.post(body, headers))


def test_a_captured_message_is_worthless_to_another_adapter(
    grant: BonusGrant, platform: Platform
) -> None:
    same_operator = platform_of(grant, slug="second-casino")
    another = platform_of(BonusGrantFactory.create(external=True))
    body = json.dumps(event_about(grant)).encode()
    headers = platform.sign(body)

    assert unsigned(same_operator.post(body, headers))
    assert unsigned(another.post(body, headers))
    assert platform.post(body, headers).status_code == 200


def test_one_platform_cannot_speak_of_anothers_bonus(grant: BonusGrant, platform: Platform) -> None:
    same_operator = platform_of(grant, slug="second-casino")
    another = platform_of(BonusGrantFactory.create(external=True))

    for stranger in (same_operator, another):
        assert stranger.send(event_about(grant, "cancelled")).status_code == 404
    assert stored(grant).is_active


# Rotation


@pytest.fixture
def rotated(grant: BonusGrant) -> Platform:
    """A platform whose previous secret is good for another hour; see ``old``."""
    old = signing.make_secret()
    platform = platform_of(
        grant,
        previous_sealed_secret=seal(old),
        previous_valid_until=CLOCK + timedelta(hours=1),
    )
    platform.old = old
    return platform


def test_both_secrets_are_good_while_they_overlap(grant: BonusGrant, rotated: Platform) -> None:
    assert rotated.send(event_about(grant)).status_code == 200
    assert rotated.send(event_about(grant), secret=rotated.old).status_code == 200


def test_the_old_secret_ends_at_its_instant(grant: BonusGrant, rotated: Platform) -> None:
    end = CLOCK + timedelta(hours=1)

    with time_machine.travel(end, tick=False):
        assert unsigned(rotated.send(event_about(grant), secret=rotated.old, at=end))
        assert rotated.send(event_about(grant), at=end).status_code == 200


def test_a_sender_may_sign_with_both(grant: BonusGrant, rotated: Platform) -> None:
    body = json.dumps(event_about(grant)).encode()
    foreign = platform_signature(rotated, body, signing.make_secret())
    own = platform_signature(rotated, body, rotated.old)
    headers = {**own, "webhook-signature": " ".join(
        [foreign["webhook-signature"], own["webhook-signature"], "v9,whatever"]
    )}  # fmt: skip

    assert rotated.post(body, headers).status_code == 200


def platform_signature(platform: Platform, body: bytes, secret: str) -> dict[str, str]:
    return platform.sign(body, secret=secret, message_id="msg_1")


# The limit


def test_a_senders_flood_is_refused_and_others_are_not(
    grant: BonusGrant, platform: Platform, settings: Any
) -> None:
    settings.WEBHOOK_RATE_LIMIT_PER_MINUTE = 2
    other = platform_of(grant, slug="second-casino")

    statuses = [platform.send(event_about(grant)).status_code for _number in range(3)]

    assert statuses == [200, 200, 429]
    assert other.send(event_about(grant)).status_code == 404
    body = json.dumps(event_about(grant)).encode()
    from_elsewhere = APIClient(REMOTE_ADDR="203.0.113.7").generic(
        "POST", platform.path, body, headers=platform.sign(body)
    )
    assert from_elsewhere.status_code == 200


@pytest.mark.parametrize(
    ("proxies", "header", "statuses"),
    [
        # Behind a proxy of ours each sender has a count: the address that the proxy has added.
        (1, "203.0.113.{}", [200, 200, 200]),
        (1, "203.0.113.{}, 192.0.2.1", [200, 200, 429]),
        # Without one, the header is what a sender says of itself.
        (0, "203.0.113.{}", [200, 200, 429]),
    ],
)
def test_senders_behind_a_proxy_are_counted_apart(
    grant: BonusGrant,
    platform: Platform,
    settings: Any,
    proxies: int,
    header: str,
    statuses: list[int],
) -> None:
    settings.WEBHOOK_RATE_LIMIT_PER_MINUTE = 2
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    body = json.dumps(event_about(grant)).encode()

    answers = [
        platform.post(body, {**platform.sign(body), "x-forwarded-for": header.format(number)})
        for number in range(3)
    ]

    assert [answer.status_code for answer in answers] == statuses


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_no_other_method_is_taken(platform: Platform, method: str) -> None:
    assert APIClient().generic(method, platform.path).status_code == 405
