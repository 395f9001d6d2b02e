"""A platform that is down is left alone by all processes at once, and tried again (F30)."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache

from adapters.http.breaker import Breaker, CircuitOpen, NoBreaker
from bonuses.ports import PlatformBonusUnknown, PlatformRejected, PlatformUnavailable
from tests.adapters.fake_platform import FakePlatform
from tests.adapters.orders import adapter_of, order

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _thresholds(settings: Any) -> None:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.ADAPTER_BREAKER_FAILURES = 3
    settings.ADAPTER_BREAKER_OPEN_S = 60.0


@pytest.fixture
def slug() -> str:
    return f"fake-{uuid4()}"


@pytest.fixture
def platform() -> Iterator[FakePlatform]:
    with FakePlatform() as running:
        yield running


def is_open(breaker: Breaker) -> bool:
    try:
        breaker.admit()
    except CircuitOpen:
        return True
    return False


def let_its_time_pass(slug: str) -> None:
    """Do what the expiry of the open circuit does; one test below waits for it."""
    assert cache.delete(f"adapters:breaker:{slug}:open")


def fail(adapter: Any, times: int) -> None:
    for _time in range(times):
        with pytest.raises(PlatformUnavailable):
            adapter.grant_bonus(order())


def test_after_so_many_failures_nobody_asks_any_more(platform: FakePlatform, slug: str) -> None:
    platform.mode, platform.status = "refuse", 503
    adapter = adapter_of(platform, slug=slug, breaker=Breaker(slug))

    fail(adapter, 5)

    assert len(platform.requests) == 3


def test_control_without_a_breaker_everybody_asks(platform: FakePlatform) -> None:
    platform.mode, platform.status = "refuse", 503

    fail(adapter_of(platform, breaker=NoBreaker()), 5)

    assert len(platform.requests) == 5


@pytest.mark.parametrize("mode", ["hang", "reset", "drip headers"])
def test_silence_counts(platform: FakePlatform, slug: str, mode: str) -> None:
    platform.mode = mode
    adapter = adapter_of(platform, slug=slug, breaker=Breaker(slug), deadline_s=0.2)

    fail(adapter, 3)

    assert is_open(Breaker(slug))


@pytest.mark.parametrize(
    ("mode", "status"),
    [("refuse", 400), ("refuse", 409), ("refuse", 429), ("html", 200), ("redirect", 307)],
)
def test_an_answer_however_odd_does_not(
    platform: FakePlatform, slug: str, mode: str, status: int
) -> None:
    platform.mode, platform.status = mode, status
    adapter = adapter_of(platform, slug=slug, breaker=Breaker(slug))

    for _time in range(6):
        with pytest.raises((PlatformRejected, PlatformUnavailable)):
            adapter.grant_bonus(order())

    assert len(platform.requests) == 6


def test_one_answer_between_begins_the_count_anew(slug: str) -> None:
    breaker = Breaker(slug)
    for _time in range(2):
        breaker.note_silence()

    breaker.note_answer()
    for _time in range(2):
        breaker.note_silence()

    assert not is_open(breaker)


def test_then_one_caller_tries_and_its_success_lets_all_in(
    platform: FakePlatform, slug: str
) -> None:
    breaker = Breaker(slug)
    for _time in range(3):
        breaker.note_silence()
    assert is_open(breaker)
    let_its_time_pass(slug)

    assert not is_open(breaker)
    assert is_open(breaker), "a second one waits for what the first finds"
    adapter_of(platform, slug=slug, breaker=NoBreaker()).grant_bonus(order())
    breaker.note_answer()

    assert not is_open(breaker)
    assert not is_open(breaker)


def test_its_failure_opens_the_circuit_again_at_once(slug: str) -> None:
    breaker = Breaker(slug)
    for _time in range(3):
        breaker.note_silence()
    let_its_time_pass(slug)
    assert not is_open(breaker)

    breaker.note_silence()

    assert is_open(breaker)
    let_its_time_pass(slug)
    assert not is_open(breaker)


def test_an_open_circuit_ends_by_itself_when_its_time_is_up(slug: str, settings: Any) -> None:
    settings.ADAPTER_BREAKER_OPEN_S = 0.5
    breaker = Breaker(slug)
    for _time in range(3):
        breaker.note_silence()

    deadline = time.monotonic() + 20
    while is_open(breaker):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_platform_that_comes_back_is_used_again(platform: FakePlatform, slug: str) -> None:
    adapter = adapter_of(platform, slug=slug, breaker=Breaker(slug))
    platform.mode, platform.status = "refuse", 500
    fail(adapter, 4)
    platform.mode = "ok"
    fail(adapter, 1)
    let_its_time_pass(slug)

    for _time in range(3):
        adapter.grant_bonus(order())

    assert len(platform.requests) == 6


def test_the_platforms_of_others_are_not_concerned(slug: str) -> None:
    for _time in range(3):
        Breaker(slug).note_silence()

    assert not is_open(Breaker(f"{slug}-2"))


def test_without_the_cache_calls_go_through(
    platform: FakePlatform, slug: str, settings: Any
) -> None:
    down = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": down}
    adapter = adapter_of(platform, slug=slug, breaker=Breaker(slug))

    assert adapter.grant_bonus(order()).platform_bonus_id == "pb/1"
    with pytest.raises(PlatformBonusUnknown):
        adapter.get_bonus(platform_bonus_id="none", currency="EUR")


_IN_ANOTHER_PROCESS = """
import sys, django
django.setup()
from django.conf import settings
from adapters.http.breaker import Breaker, CircuitOpen
settings.CACHES["default"]["KEY_PREFIX"] = sys.argv[2]
settings.ADAPTER_BREAKER_FAILURES = 3
settings.ADAPTER_BREAKER_OPEN_S = 30
breaker = Breaker(sys.argv[1])
for _time in range(int(sys.argv[3])):
    breaker.note_silence()
try:
    breaker.admit()
    print("closed")
except CircuitOpen:
    print("open")
"""


def in_another_process(slug: str, failures: int) -> str:
    prefix = cache.key_prefix
    done = subprocess.run(
        [sys.executable, "-c", _IN_ANOTHER_PROCESS, slug, prefix, str(failures)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_processes_count_together_and_all_obey(slug: str) -> None:
    assert in_another_process(slug, 1) == "closed"
    assert in_another_process(slug, 1) == "closed"
    assert not is_open(Breaker(slug))

    assert in_another_process(slug, 1) == "open"

    assert is_open(Breaker(slug))
    assert in_another_process(slug, 0) == "open"
