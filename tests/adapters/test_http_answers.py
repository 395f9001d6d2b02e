"""What a platform answers otherwise is a refusal or no answer, never a success (F29–F33, S31)."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.http import transport
from bonuses.ports import PlatformRejected, PlatformUnavailable
from tests.adapters.fake_platform import FakePlatform
from tests.adapters.orders import adapter_of, order


@pytest.fixture
def platform(settings) -> Iterator[FakePlatform]:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    with FakePlatform() as running:
        yield running


def answering(platform: FakePlatform, answer: Any, status: int = 201) -> None:
    platform.mode, platform.status, platform.answer = "answer", status, answer


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451])
def test_a_4xx_is_a_refusal(platform: FakePlatform, status: int) -> None:
    platform.mode, platform.status = "refuse", status

    with pytest.raises(PlatformRejected) as refused:
        adapter_of(platform).grant_bonus(order())

    assert (refused.value.code, refused.value.detail) == ("PLAYER_UNKNOWN", "No such player.")
    assert len(platform.requests) == 1


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        ({"code": "LIMIT"}, "LIMIT", ""),
        ({"error": {"code": "LIMIT", "message": "No more."}}, "LIMIT", "No more."),
        ({"error": "LIMIT"}, "LIMIT", ""),
        ({"code": 7}, "HTTP_422", ""),
        ({"code": ""}, "HTTP_422", ""),
        ([], "HTTP_422", ""),
        (b"<html>no</html>", "HTTP_422", ""),
        (b"", "HTTP_422", ""),
        ({"code": "X" * 100}, "X" * 64, ""),
        ({"code": "A\nB", "detail": "<script>" + "y" * 10_000}, "A B", "<script>" + "y" * 492),
    ],
)
def test_the_code_is_at_the_top_or_under_error_and_is_cut(
    platform: FakePlatform, body: Any, code: str, detail: str
) -> None:
    answering(platform, body, status=422)

    with pytest.raises(PlatformRejected) as refused:
        adapter_of(platform).grant_bonus(order())

    assert (refused.value.code, refused.value.detail) == (code, detail)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599, 301, 302, 304])
def test_other_statuses_say_nothing_about_the_bonus(platform: FakePlatform, status: int) -> None:
    platform.mode, platform.status = "refuse", status

    with pytest.raises(PlatformUnavailable):
        adapter_of(platform).grant_bonus(order())

    assert len(platform.requests) == 1


@pytest.mark.parametrize(
    "mode",
    ["html", "nothing", "hang", "grant then hang", "drip", "drip headers", "reset", "truncated",
     "garbage", "huge", "bomb", "redirect"],
)  # fmt: skip
def test_an_answer_that_is_none_is_never_a_success(platform: FakePlatform, mode: str) -> None:
    platform.mode = mode
    started = time.monotonic()

    with pytest.raises(PlatformUnavailable):
        adapter_of(platform, deadline_s=2.0).grant_bonus(order())

    # One deadline for it all, however the platform spreads its bytes (F32); a hang is one of 30 s.
    assert time.monotonic() - started < 20
    assert [request.path for request in platform.requests] == ["/v1/bonuses/grant"]


def test_control_a_timeout_for_each_read_is_no_deadline(
    platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        transport._DeadlineStream,
        "read",
        lambda self, max_bytes, timeout=None: self._stream.read(max_bytes, timeout=0.5),
    )
    platform.mode, platform.pause_s = "drip", 0.05
    started = time.monotonic()

    adapter_of(platform, deadline_s=0.5).grant_bonus(order())

    assert time.monotonic() - started > 1


def test_control_a_slow_answer_within_the_deadline_is_a_success(platform: FakePlatform) -> None:
    platform.mode, platform.pause_s = "drip", 0.02

    granted = adapter_of(platform, deadline_s=20.0).grant_bonus(order())

    assert granted.platform_bonus_id == "pb/1"


GOOD = {"platform_bonus_id": "pb-1", "status": "active"}

UNUSABLE: dict[str, Any] = {
    "an error inside a success": {**GOOD, "error": {"code": "NO"}},
    "only an error": {"error": "NO"},
    "a list": [GOOD],
    "a text": "pb-1",
    "nothing": b"",
    "no JSON": b"{'platform_bonus_id': 'pb-1'}",
    "JSON cut short": b'{"platform_bonus_id": "pb-1", "status": "act',
    "not UTF-8": b'{"platform_bonus_id": "\xff", "status": "active"}',
    "a key twice": b'{"status": "active", "platform_bonus_id": "pb-1", "platform_bonus_id": "2"}',
    "a deep nest": b"[" * 50_000,
    "NaN": b'{"platform_bonus_id": "pb-1", "status": "active", "amount_subunit": NaN}',
    "a null id": {**GOOD, "platform_bonus_id": None},
    "no id": {"status": "active"},
    "an empty id": {**GOOD, "platform_bonus_id": ""},
    "a number as id": {**GOOD, "platform_bonus_id": 7},
    "a long id": {**GOOD, "platform_bonus_id": "p" * 201},
    "a line break in the id": {**GOOD, "platform_bonus_id": "pb\r\nX-Admin: 1"},
    "a NUL in the id": {**GOOD, "platform_bonus_id": "pb\x00"},
    "a path as id": {**GOOD, "platform_bonus_id": ".."},
    "no status": {"platform_bonus_id": "pb-1"},
    "an unknown status": {**GOOD, "status": "granted"},
    "another case": {**GOOD, "status": "Active"},
    "another grant": {**GOOD, "grant_id": "019a0000-0000-7000-8000-000000000000"},
    "another player": {**GOOD, "player_external_id": "player 8"},
    "a float amount": {**GOOD, "amount_subunit": 1000.0},
    "a text amount": {**GOOD, "amount_subunit": "1000"},
    "a true amount": {**GOOD, "amount_subunit": True},
    "a negative amount": {**GOOD, "amount_subunit": -1},
    "an endless amount": {**GOOD, "amount_subunit": 10**29},
    "a number as currency": {**GOOD, "currency": 978},
}


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("answer", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_success_in_other_words_is_none(platform: FakePlatform, answer: Any, status: int) -> None:
    answering(platform, answer, status=status)

    with pytest.raises(PlatformUnavailable) as failed:
        adapter_of(platform).grant_bonus(order())

    # What the platform said is not repeated: it may be anything.
    assert "pb-1" not in failed.value.detail


@pytest.mark.parametrize("status", [200, 201])
def test_control_the_same_answer_without_the_flaw_is_a_success(
    platform: FakePlatform, status: int
) -> None:
    wanted = order()
    answering(platform, {**GOOD, "grant_id": str(wanted.grant_id).upper()}, status=status)

    assert adapter_of(platform).grant_bonus(wanted).platform_bonus_id == "pb-1"


def test_a_platform_that_is_not_there_is_unavailable(platform: FakePlatform) -> None:
    nobody = replace(adapter_of(platform), base_url="http://127.0.0.1:1")

    with pytest.raises(PlatformUnavailable):
        nobody.grant_bonus(order())


@pytest.mark.parametrize(
    "answer",
    [
        {"platform_bonus_id": "pb-2", "status": "completed"},
        {"platform_bonus_id": "pb-1", "status": "won"},
        {"platform_bonus_id": "pb-1", "status": "completed", "reason": ["x"]},
        {"platform_bonus_id": "pb-1", "status": "completed", "ts": "yesterday"},
        {"platform_bonus_id": "pb-1", "status": "completed", "ts": "2026-03-29T00:59:00"},
        {"platform_bonus_id": "pb-1", "status": "completed", "ts": "2026-99-99T00:59:00Z"},
        {"platform_bonus_id": "pb-1", "status": "completed", "wagered_amount_subunit": "1"},
        {"status": "completed"},
        [],
    ],
)
def test_a_view_in_other_words_is_none(platform: FakePlatform, answer: Any) -> None:
    answering(platform, answer, status=200)

    with pytest.raises(PlatformUnavailable):
        adapter_of(platform).get_bonus(platform_bonus_id="pb-1", currency="EUR")


def test_a_views_reason_is_cut_and_made_printable(platform: FakePlatform) -> None:
    reason = "fraud\r\n\u202e" + "x" * 10_000
    answering(
        platform, {"platform_bonus_id": "pb-1", "status": "forfeited", "reason": reason}, status=200
    )

    seen = adapter_of(platform).get_bonus(platform_bonus_id="pb-1", currency="EUR")

    assert (seen.status, seen.at, seen.wagered_amount) == ("forfeited", None, None)
    assert seen.reason == "fraud   " + "x" * 492


@pytest.mark.parametrize(
    ("status", "answer", "is_done"),
    [
        (200, {"status": "cancelled"}, True),
        (200, {}, True),
        (204, b"", True),
        (200, {"status": "completed"}, False),
        (200, {"error": "NO"}, False),
        (200, b"<html>", False),
        (206, {}, False),
    ],
)
def test_a_cancellation_is_done_if_the_platform_says_nothing_else(
    platform: FakePlatform, status: int, answer: Any, is_done: bool
) -> None:
    answering(platform, answer, status=status)
    wanted = order()

    def cancel() -> None:
        adapter_of(platform).cancel_bonus(
            grant_id=wanted.grant_id, platform_bonus_id="pb-1", reason="x"
        )

    if is_done:
        cancel()
    else:
        with pytest.raises(PlatformUnavailable):
            cancel()


def test_a_refused_cancellation_is_a_refusal(platform: FakePlatform) -> None:
    platform.mode, platform.status = "refuse", 409

    with pytest.raises(PlatformRejected):
        adapter_of(platform).cancel_bonus(
            grant_id=order().grant_id, platform_bonus_id="pb-1", reason="x"
        )
