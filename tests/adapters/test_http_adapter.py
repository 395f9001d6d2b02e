"""The http adapter speaks the contract's words, signs them, and finds duplicates (F31, F34)."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.http.client import LiveSecret
from adapters.http.signing import make_secret, verify
from bonuses.ports import PlatformBonusUnknown, PlatformRejected, PlatformUnavailable
from tests.adapters.fake_platform import FakePlatform
from tests.adapters.orders import adapter_of, order


@pytest.fixture
def platform(settings) -> Iterator[FakePlatform]:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    with FakePlatform() as running:
        yield running


def answering(platform: FakePlatform, answer: Any, status: int = 201) -> None:
    platform.mode, platform.status, platform.answer = "answer", status, answer


def test_a_grant_is_asked_for_in_the_words_of_the_contract(platform: FakePlatform) -> None:
    wanted = order()

    granted = adapter_of(platform).grant_bonus(wanted)

    [request] = platform.requests
    assert (request.method, request.path) == ("POST", "/v1/bonuses/grant")
    assert request.json == {
        "grant_id": str(wanted.grant_id),
        "player_external_id": "../../player 7",
        "template": {
            "type": "no_deposit",
            "amount_subunit": 1000,
            "currency": "EUR",
            "wagering": {"multiplier": "30", "basis": "bonus", "max_bet_subunit": 500},
            "expires_at": "2026-04-01T00:00:00Z",
            "config": {"amount": "10.00", "currency": "EUR"},
        },
        "granted_by": {"kind": "api_key", "ref": "wf_abc"},
    }
    assert request.header("Idempotency-Key") == str(wanted.grant_id)
    assert request.header("Content-Type") == "application/json"
    assert request.header("Host") == f"127.0.0.1:{platform.port}"
    assert (granted.platform_bonus_id, granted.status) == ("pb/1", "pending")
    assert (granted.amount, granted.currency) == (None, None)


def test_a_cancellation_names_both_ids_and_the_reason(platform: FakePlatform) -> None:
    wanted, adapter = order(), adapter_of(platform)
    granted = adapter.grant_bonus(wanted)

    adapter.cancel_bonus(
        grant_id=wanted.grant_id, platform_bonus_id=granted.platform_bonus_id, reason="fraud"
    )

    request = platform.requests[-1]
    assert (request.method, request.path) == ("POST", "/v1/bonuses/cancel")
    assert request.json == {
        "grant_id": str(wanted.grant_id),
        "platform_bonus_id": "pb/1",
        "reason": "fraud",
    }
    assert request.header("Idempotency-Key") == str(wanted.grant_id)


def test_a_view_is_in_the_grants_currency(platform: FakePlatform) -> None:
    adapter = adapter_of(platform)
    granted = adapter.grant_bonus(order())

    seen = adapter.get_bonus(platform_bonus_id=granted.platform_bonus_id, currency="EUR")
    in_yen = adapter.get_bonus(platform_bonus_id=granted.platform_bonus_id, currency="JPY")

    request = platform.requests[-1]
    # One part of the path, whatever the id holds (S12).
    assert (request.method, request.path, request.body) == ("GET", "/v1/bonuses/pb%2F1", b"")
    assert (seen.wagered_amount, seen.weighted_progress) == (Decimal("12.34"), Decimal("6.17"))
    assert (in_yen.wagered_amount, in_yen.weighted_progress) == (Decimal(1234), Decimal(617))
    assert (seen.status, seen.reason) == ("pending", "")
    assert seen.at == datetime(2026, 3, 29, 0, 59, tzinfo=UTC)


def test_a_look_carries_the_grants_key_or_else_the_bonuss_name(platform: FakePlatform) -> None:
    wanted, adapter = order(), adapter_of(platform)
    granted = adapter.grant_bonus(wanted)

    for key in (wanted.grant_id, None):
        adapter.get_bonus(platform_bonus_id=granted.platform_bonus_id, currency="EUR", grant_id=key)

    assert platform.keys[1:] == [str(wanted.grant_id), "pb%2F1"]


def test_every_request_is_signed_a_get_over_the_empty_body(platform: FakePlatform) -> None:
    adapter = adapter_of(platform)
    with pytest.raises(PlatformBonusUnknown):
        adapter.get_bonus(platform_bonus_id="pb-0", currency="EUR")

    adapter.grant_bonus(order())

    for request in platform.requests:
        verify(platform.secrets, dict(request.headers), request.body, datetime.now(UTC))
    ids = [request.header("webhook-id") for request in platform.requests]
    assert len(set(ids)) == 2


def test_control_a_wrong_secret_is_refused_by_the_platform(platform: FakePlatform) -> None:
    adapter = adapter_of(platform, secrets=(LiveSecret(make_secret()),))

    with pytest.raises(PlatformRejected) as refused:
        adapter.grant_bonus(order())

    assert refused.value.code == "BAD_SIGNATURE"


def test_during_a_rotation_either_secret_is_enough_and_then_only_the_new_one(
    platform: FakePlatform,
) -> None:
    new, old = make_secret(), platform.secrets[0]
    overlapping = (LiveSecret(new), LiveSecret(old, until_s=time.time() + 60))
    over = (LiveSecret(new), LiveSecret(old, until_s=time.time() - 1))

    adapter_of(platform, secrets=overlapping).grant_bonus(order())
    with pytest.raises(PlatformRejected):
        adapter_of(platform, secrets=over).grant_bonus(order())
    platform.secrets = [new]
    adapter_of(platform, secrets=over).grant_bonus(order())


@pytest.mark.parametrize(
    ("max_bet", "subunit"), [("5.00", 500), ("5.009", 500), ("4.99999999", 499)]
)
def test_a_max_bet_below_the_minor_unit_forbids_the_same_stakes(
    platform: FakePlatform, max_bet: str, subunit: int
) -> None:
    adapter_of(platform).grant_bonus(order(max_bet=Decimal(max_bet)))

    assert platform.requests[0].json["template"]["wagering"]["max_bet_subunit"] == subunit


def test_what_was_left_open_is_null(platform: FakePlatform) -> None:
    adapter_of(platform).grant_bonus(order(max_bet=None, expires_at=None))

    template = platform.requests[0].json["template"]
    assert template["expires_at"] is None
    assert template["wagering"]["max_bet_subunit"] is None


@pytest.mark.parametrize(
    ("stated", "amount", "currency"),
    [
        ({"amount_subunit": 1000, "currency": "EUR"}, Decimal("10.00"), "EUR"),
        ({"amount_subunit": 999}, Decimal("9.99"), None),
        ({"amount_subunit": 1000, "currency": "JPY"}, Decimal(1000), "JPY"),
        ({"currency": "USD"}, None, "USD"),
        ({"amount_subunit": 1000, "currency": "GOLD COINS"}, None, "GOLD COI"),
    ],
)
def test_terms_that_the_platform_states_are_handed_on_to_be_compared(
    platform: FakePlatform, stated: dict[str, Any], amount: Decimal | None, currency: str | None
) -> None:
    answering(platform, {"platform_bonus_id": "pb-1", "status": "active", **stated})

    granted = adapter_of(platform).grant_bonus(order())

    assert (granted.amount, granted.currency) == (amount, currency)


@pytest.mark.parametrize(
    ("mode", "paths"),
    [
        ("duplicate", ["/v1/bonuses/grant"]),
        ("duplicate unnamed", ["/v1/bonuses/grant", "/v1/bonuses/{grant_id}"]),
    ],
)
def test_a_duplicate_is_the_bonus_that_is_there(
    platform: FakePlatform, mode: str, paths: list[str]
) -> None:
    wanted = order()
    adapter_of(platform).grant_bonus(wanted)
    platform.mode = mode

    granted = adapter_of(platform).grant_bonus(wanted)

    assert granted.platform_bonus_id == "pb/1"
    assert len(platform.bonuses) == 1
    assert [request.path for request in platform.requests[1:]] == [
        path.format(grant_id=wanted.grant_id) for path in paths
    ]
    assert set(platform.keys) == {str(wanted.grant_id)}


@pytest.mark.parametrize(
    "answer", [{"code": "DUPLICATE_GRANT", "platform_bonus_id": None}, {"error": "DUPLICATE_GRANT"}]
)
def test_a_duplicate_that_cannot_be_fetched_is_not_known_to_be_there(
    platform: FakePlatform, answer: Any
) -> None:
    # The same 409 answers the GET.
    answering(platform, answer, status=409)

    with pytest.raises(PlatformUnavailable):
        adapter_of(platform).grant_bonus(order())

    assert len(platform.requests) == 2


def test_a_duplicate_of_another_grant_is_no_success(platform: FakePlatform) -> None:
    answer = {"code": "DUPLICATE_GRANT", "platform_bonus_id": "pb-9", "grant_id": "another"}
    answering(platform, answer, status=409)

    with pytest.raises(PlatformUnavailable):
        adapter_of(platform).grant_bonus(order())


def test_after_a_timeout_the_same_key_finds_the_same_bonus(platform: FakePlatform) -> None:
    wanted = order()
    platform.mode = "grant then hang"
    with pytest.raises(PlatformUnavailable):
        adapter_of(platform, deadline_s=2.0).grant_bonus(wanted)

    platform.mode = "duplicate"
    granted = adapter_of(platform).grant_bonus(wanted)

    assert granted.platform_bonus_id == "pb/1"
    assert platform.keys == [str(wanted.grant_id)] * 2
    assert len(platform.bonuses) == 1


def test_nothing_shows_a_secret(platform: FakePlatform) -> None:
    adapter = adapter_of(platform)

    assert platform.secrets[0] not in repr(adapter)
    assert platform.secrets[0] not in repr(adapter.secrets[0])
    adapter.grant_bonus(order())
    assert platform.secrets[0] not in json.dumps(platform.requests[0].headers)
