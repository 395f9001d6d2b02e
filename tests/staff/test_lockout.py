"""Lockout: guessing stops after five failures from one place, and shuts nobody out elsewhere."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from tests.staff.conftest import ELSEWHERE, HOME, LOGIN, PASSWORD, actions, enter, is_signed_in

pytestmark = pytest.mark.django_db

LIMIT = 5


def fail(client: Client, times: int, username: str = "ada", **extra: Any) -> list[int]:
    return [
        client.post(LOGIN, {"login": username, "password": f"guess {n}"}, **extra).status_code
        for n in range(times)
    ]


def test_after_five_failures_the_right_password_is_refused_too(ada: User, browser: Client) -> None:
    assert fail(browser, LIMIT) == [200] * (LIMIT - 1) + [429]

    response = enter(browser)

    assert response.status_code == 429
    assert "possible again in 15 minutes" in response.content.decode()
    assert response["Retry-After"] == "900"
    assert not is_signed_in(browser)


def test_the_attacker_locks_only_themselves_out(ada: User, browser_at: Any) -> None:
    fail(browser_at(ELSEWHERE), LIMIT + 3)
    victim = browser_at(HOME)

    enter(victim)

    assert is_signed_in(victim)
    assert enter(browser_at(ELSEWHERE)).status_code == 429


def test_many_addresses_do_not_lock_the_victim_out(ada: User, browser_at: Any) -> None:
    for number in range(12):
        fail(browser_at(f"203.0.113.{number}"), LIMIT)
    victim = browser_at(HOME)

    enter(victim)

    assert is_signed_in(victim)


def test_a_name_that_nobody_has_is_locked_in_the_same_way(ada: User, browser_at: Any) -> None:
    known, unknown = browser_at(), browser_at()

    assert fail(known, LIMIT + 1) == fail(unknown, LIMIT + 1, "nobody")
    pages = [enter(client, name).content for client, name in ((known, "ada"), (unknown, "nobody"))]
    assert pages[0] == pages[1]


def test_another_browser_or_spelling_gives_no_more_attempts(ada: User, browser_at: Any) -> None:
    fail(browser_at(), 2)
    fail(browser_at(), 2, HTTP_USER_AGENT="Another")
    # Spaces are cut; another case is another name, which nobody has.
    assert fail(browser_at(), 1, " ada ") == [429]
    other = browser_at()
    assert enter(other, "Ada").status_code == 200
    assert not is_signed_in(other)


def test_it_ends_by_itself_and_trying_on_makes_it_no_longer(ada: User, browser_at: Any) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        fail(browser_at(), LIMIT)
    with time_machine.travel(start + timedelta(minutes=14), tick=False):
        assert enter(browser_at()).status_code == 429
    with time_machine.travel(start + timedelta(minutes=15, seconds=1), tick=False):
        browser = browser_at()
        assert enter(browser).status_code == 302
        assert is_signed_in(browser)


def test_signing_in_forgets_the_failures_before(ada: User, browser_at: Any) -> None:
    fail(browser_at(), LIMIT - 1)
    enter(browser_at())

    assert fail(browser_at(), LIMIT - 1) == [200] * (LIMIT - 1)


def test_many_forms_from_one_address_are_slowed_down(ada: User, browser: Client) -> None:
    statuses = [fail(browser, 1, f"name-{number}")[0] for number in range(31)]

    assert statuses == [200] * 30 + [429]
    assert "Wait a minute" in browser.post(LOGIN, {}).content.decode()


@pytest.mark.parametrize(
    ("proxies", "header", "is_locked"),
    [
        # Without proxies of ours, the header is what a client says of itself.
        (0, "203.0.113.{}", True),
        # With one, only what it has added counts: the last address.
        (1, "203.0.113.{}, 192.0.2.1", True),
        (1, "203.0.113.{}", False),
    ],
)
def test_what_a_client_says_of_its_address_is_not_believed(
    ada: User, browser: Client, settings: Any, proxies: int, header: str, is_locked: bool
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies

    statuses = [
        fail(browser, 1, HTTP_X_FORWARDED_FOR=header.format(number))[0] for number in range(LIMIT)
    ]

    assert (statuses[-1] == 429) is is_locked


def test_failures_and_the_lockout_are_written_down_once_each(ada: User, browser: Client) -> None:
    fail(browser, LIMIT + 4)

    assert actions() == ["staff.user.sign_in_failed"] * LIMIT + ["staff.user.locked_out"]
    entry = AuditEntry.objects.order_by("pk").last()
    assert entry is not None
    assert (entry.actor_ref, entry.subject_id) == ("nobody", str(ada.pk))
    assert entry.after == {"address": HOME, "step": "password"}


def test_no_password_is_kept_wherever_it_was_typed(ada: User, browser: Client) -> None:
    enter(browser, "ada", "canary-password")
    enter(browser, "canary-typed-as-name", "canary-password")

    kept = str(list(AuditEntry.objects.values()))
    attempts = list(AccessAttempt.objects.values())
    assert len(attempts) == 2
    assert "canary" not in kept
    assert "canary" not in str(attempts)
    assert PASSWORD not in kept


def test_the_command_lets_somebody_in_at_once(ada: User, browser: Client) -> None:
    fail(browser, LIMIT)

    call_command("unlock_staff", "ada", "--reason", "She called", verbosity=0)

    assert enter(browser).status_code == 302
    entry = AuditEntry.objects.get(action="staff.user.unlocked")
    assert (entry.actor_ref, entry.reason) == ("unlock_staff", "She called")


@pytest.mark.parametrize("command", ["unlock_staff", "reset_second_factor"])
def test_a_command_names_whom_it_does_not_know(db: Any, command: str) -> None:
    with pytest.raises(CommandError, match="Nobody is called 'nobody'"):
        call_command(command, "nobody", "--reason", "x")
