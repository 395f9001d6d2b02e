"""
One code sent by many requests at one instant lets one of them in.

The control takes the lock away: then all of them find the code unused.
"""

import threading
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.utils import timezone

from core import locks
from core.sealing import seal
from staff.services import second_factor
from tests.concurrency.sabotage import at_once
from tests.staff.conftest import SECRET, code_of

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 8


@pytest.fixture
def ada() -> User:
    user = User.objects.create_user("ada", is_staff=True)
    Authenticator.objects.create(
        user=user, type=Authenticator.Type.TOTP, data={"secret": seal(SECRET)}
    )
    return user


def spending(user: User) -> Any:
    code, now = code_of(), timezone.now()
    return lambda: second_factor.spend_code(user=user, code=code, now=now) is not None


def test_control_without_the_lock_a_code_is_taken_many_times(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_have_looked = threading.Barrier(COUNT)

    def look(queryset: Any) -> list[Any]:
        rows = list(queryset)
        all_have_looked.wait(timeout=60)
        return rows

    monkeypatch.setattr(locks, "lock_many", look)

    assert at_once([spending(ada)] * COUNT) == [True] * COUNT


def test_a_code_is_taken_by_one_of_many_requests(ada: User) -> None:
    taken = at_once([spending(ada)] * COUNT)

    assert sorted(taken) == [False] * (COUNT - 1) + [True]
