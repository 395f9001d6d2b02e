"""A win is paid by a platform that says so in the words of the contract, and by no other."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from adapters.http.breaker import NoBreaker
from adapters.http.client import HttpAdapter, LiveSecret
from jackpots.ports import PayoutRejected, PayoutUnavailable
from tests.adapters.fake_platform import FakePlatform
from tests.adapters.orders import adapter_of, payout
from tests.adapters.sandbox import Sandbox

PAYOUTS = "/v1/jackpots/payouts"
GOOD = {"platform_payout_id": "po-1"}
UNUSABLE: dict[str, Any] = {
    "an error inside a success": {**GOOD, "error": "NO"},
    "a list": [GOOD],
    "no JSON": b"{'platform_payout_id': 'po-1'}",
    "no id": {},
    "a null id": {"platform_payout_id": None},
    "a number as id": {"platform_payout_id": 7},
    "a long id": {"platform_payout_id": "p" * 201},
    "another payout": {**GOOD, "payout_id": "019a0000-0000-7000-8000-000000000000"},
    "another player": {**GOOD, "player_external_id": "player 8"},
    "another amount": {**GOOD, "amount_subunit": 1251},
    "an amount in words": {**GOOD, "amount_subunit": "1250"},
    "another currency": {**GOOD, "currency": "USD"},
}


@pytest.fixture
def platform(settings) -> Iterator[FakePlatform]:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    with FakePlatform() as running:
        yield running


@pytest.fixture
def adapter(sandbox_process: Sandbox, settings) -> HttpAdapter:
    """An adapter before the sandbox."""
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    return HttpAdapter(
        slug="sandbox",
        base_url=sandbox_process.base_url,
        secrets=(LiveSecret(sandbox_process.secret),),
        breaker=NoBreaker(),
        deadline_s=5.0,
    )


def test_it_is_asked_for_in_the_words_of_the_contract(platform: FakePlatform) -> None:
    order = payout()

    paid = adapter_of(platform).pay_out(order)

    [request] = platform.requests
    assert paid.platform_payout_id == "po/1"
    assert (request.method, request.path) == ("POST", PAYOUTS)
    assert request.header("Idempotency-Key") == str(order.payout_id)
    assert request.json == {
        "payout_id": str(order.payout_id),
        "player_external_id": "../../player 7",
        "amount": "12.50",
        "amount_subunit": 1250,
        "currency": "EUR",
        "instance_id": str(order.instance_id),
        "pot": "grand",
        "cause": "hit_rate",
    }


def test_an_answer_in_other_words_is_no_success(platform: FakePlatform) -> None:
    platform.mode, platform.status = "answer", 201
    for flaw, answer in UNUSABLE.items():
        platform.answer = answer
        with pytest.raises(PayoutUnavailable):
            pytest.fail(f"{flaw}: {adapter_of(platform).pay_out(payout())}")
    for status in (408, 425, 429, 500, 503, 307, 202):
        platform.status, platform.answer = status, GOOD
        with pytest.raises(PayoutUnavailable):
            adapter_of(platform).pay_out(payout())

    platform.status = 200
    platform.answer = lambda body: {**GOOD, **json.loads(body), "amount": "12.5", "more": 1}
    assert adapter_of(platform).pay_out(payout()).platform_payout_id == "po-1"


def test_a_4xx_is_a_refusal_but_for_a_duplicate(platform: FakePlatform) -> None:
    platform.mode, platform.status = "answer", 409
    platform.answer = {"code": "PLAYER_UNKNOWN", "message": "No such player."}
    with pytest.raises(PayoutRejected) as refused:
        adapter_of(platform).pay_out(payout())

    assert (refused.value.code, refused.value.detail) == ("PLAYER_UNKNOWN", "No such player.")
    platform.answer = {"code": "DUPLICATE_PAYOUT"}
    assert adapter_of(platform).pay_out(payout()).platform_payout_id == ""
    # That something else was paid under the id is no success.
    platform.answer = {"code": "DUPLICATE_PAYOUT", "amount_subunit": 1}
    with pytest.raises(PayoutUnavailable):
        adapter_of(platform).pay_out(payout())
    platform.status, platform.answer = 422, {"code": "DUPLICATE_PAYOUT"}
    with pytest.raises(PayoutRejected):
        adapter_of(platform).pay_out(payout())


def test_the_sandbox_pays_once_whatever_it_answers(
    sandbox_process: Sandbox, adapter: HttpAdapter
) -> None:
    order = payout(amount=Decimal("0.07"))
    for mode in ("lost", "garbage", "null_id", "other_id", "wrong_amount", "wrong_currency"):
        sandbox_process.reset()
        sandbox_process.misbehave(mode, path=PAYOUTS, times=1)
        with pytest.raises(PayoutUnavailable):
            adapter.pay_out(order)

        paid = adapter.pay_out(order)

        [row] = sandbox_process.payouts()
        assert row["platform_payout_id"] == paid.platform_payout_id
        assert (row["payout_id"], row["amount_subunit"]) == (str(order.payout_id), 7)
    sandbox_process.misbehave("reject", code="LIMIT", path=PAYOUTS, times=1)
    with pytest.raises(PayoutRejected, match="LIMIT"):
        adapter.pay_out(payout())
    assert sandbox_process.overview()["payouts"] == 1


def test_the_sandbox_refuses_what_the_contract_does_not_know(sandbox_process: Sandbox) -> None:
    body = {
        "payout_id": "one",
        "player_external_id": "ada",
        "amount": "12.50",
        "amount_subunit": 1250,
        "currency": "EUR",
        "instance_id": "i",
        "pot": "grand",
        "cause": "draw",
    }
    first = sandbox_process.call("POST", PAYOUTS, body)
    again = sandbox_process.call("POST", PAYOUTS, body)
    other = sandbox_process.call("POST", PAYOUTS, {**body, "amount_subunit": 1})
    nothing = sandbox_process.call("POST", PAYOUTS, {**body, "payout_id": "2", "currency": ""})
    headers = sandbox_process.headers({**body, "pot": "other"})
    unsigned = sandbox_process.ask("POST", PAYOUTS, body, headers=headers)
    headers = {**sandbox_process.headers(body), "Idempotency-Key": "two"}
    keyless = sandbox_process.ask("POST", PAYOUTS, body, headers=headers)

    answers = (again, other, nothing, unsigned, keyless)
    assert first[0] == 201
    assert [(status, answer["code"]) for status, answer in answers] == [
        (409, "DUPLICATE_PAYOUT"),
        (422, "IDEMPOTENCY_KEY_REUSED"),
        (422, "INVALID_REQUEST"),
        (401, "SIGNATURE_INVALID"),
        (400, "IDEMPOTENCY_KEY_INVALID"),
    ]
    assert again[1]["platform_payout_id"] == first[1]["platform_payout_id"]
    assert len(sandbox_process.payouts()) == 1
