"""Who sits in the back office, and what the tests of its pages ask again and again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jackpots.models import Instance
from tests.bonuses.conftest import platform

__all__ = ["platform"]


@pytest.fixture
def superuser(db: Any) -> User:
    return User.objects.create_superuser("ada", password="ada")


@pytest.fixture
def office(superuser: User) -> Client:
    """A browser in which a superuser is signed in."""
    return signed_in(superuser)


@pytest.fixture
def staff_with(db: Any) -> Callable[..., Client]:
    """Return a function that signs in somebody who has exactly the permissions named."""

    def make(*permissions: str) -> Client:
        number = User.objects.count()
        user = User.objects.create_user(f"staff-{number}", password="x", is_staff=True)
        for permission in permissions:
            app_label, codename = permission.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app_label, codename=codename)
            )
        return signed_in(user)

    return make


@pytest.fixture
def changes_nothing() -> Callable[[], Any]:
    """Return a block that fails if a statement in it wrote anything."""

    @contextmanager
    def block() -> Iterator[None]:
        with CaptureQueriesContext(connection) as queries:
            yield
        writes = ("INSERT", "UPDATE", "DELETE")
        assert [query["sql"] for query in queries if query["sql"].lstrip().startswith(writes)] == []

    return block


def signed_in(user: User) -> Client:
    """Return a browser in which ``user`` is signed in."""
    client = Client()
    client.force_login(user)
    return client


def page_of(instance: Instance, name: str) -> str:
    """Return the address of a command's page, or of the row's own ("change")."""
    return reverse(f"admin:jackpots_instance_{name}", args=[instance.pk])


def decide(client: Client, path: str, reason: str, **given: Any) -> Any:
    """Look at the page of a decision, and decide upon what it shows."""
    shown = client.get(path).context["form"]["fingerprint"].value()
    return client.post(path, {"reason": reason, "fingerprint": shown, **given}, follow=True)


def confirm(client: Client, path: str, given: dict[str, Any]) -> Any:
    """Send a form, and once more with the change that it has shown."""
    shown = client.post(path, given).context["form"]["shown"].value()
    return client.post(path, {**given, "shown": shown}, follow=True)


def messages_of(response: Any) -> list[str]:
    """Return what the page that the response leads to says at its top."""
    return [str(message) for message in response.context["messages"]]
