"""The sidebar marks where one is: one link, on every page that it leads to and below it."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from config.settings.unfold import UNFOLD
from operators.models import Operator
from tests.admin.world import fill_world

pytestmark = pytest.mark.django_db


def entries() -> Iterator[str]:
    for group in UNFOLD["SIDEBAR"]["navigation"]:
        yield from (str(item["link"]) for item in group["items"])


def marked(response: Any) -> list[str]:
    """Return where the links lead to that the page marks as the one shown."""
    assert response.status_code == 200
    return re.findall(r'<a href="([^"]*)" aria-current="page"', response.content.decode())


def test_every_page_of_the_sidebar_is_marked_and_no_other(office: Client) -> None:
    links = list(entries())

    assert {link: marked(office.get(link)) for link in links} == {link: [link] for link in links}


def test_every_page_below_a_list_belongs_to_the_list(
    office: Client, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=1)

    for model in admin.site._registry:
        prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        assert row is not None
        answers = [
            office.get(reverse(f"{prefix}_change", args=[row.pk])),
            # Not every list has such a page.
            office.get(reverse(f"{prefix}_add")),
        ]
        shown = [marked(answer) for answer in answers if answer.status_code != 403]
        assert shown == [[reverse(f"{prefix}_changelist")]] * len(shown), model


def test_what_is_simulated_belongs_to_the_simulator(office: Client) -> None:
    simulator = reverse("admin:simulations_termslimits_simulate")

    assert marked(office.get(simulator, {"kind": "DEPOSIT"})) == [simulator]
