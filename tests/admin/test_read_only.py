"""Money and the audit trail cannot be changed or deleted through any address of the back office."""

from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.core.serializers import serialize
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from operators.models import Operator
from tests.admin.world import fill_world

pytestmark = pytest.mark.django_db

EDITED_HERE = {"auth.Group", "auth.User"}
MODELS = [
    model
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label)
    if model._meta.label not in EDITED_HERE
]


def label(model: type[Model]) -> str:
    return model._meta.label


def url(model: type[Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def stored(model: type[Model]) -> str:
    return serialize("json", model._default_manager.order_by("pk"))


@pytest.fixture(autouse=True)
def _world(operator: Operator, now: datetime) -> None:
    fill_world(operator, now, rows=1)


def test_a_row_is_not_changed_through_its_page(office: Client) -> None:
    for model in MODELS:
        before = stored(model)

        for row in model._default_manager.all():
            given = {field.name: "1" for field in model._meta.fields}
            response = office.post(url(model, "change", row.pk), {**given, "_save": "Save"})
            assert response.status_code == 403, label(model)

        assert stored(model) == before


def test_a_row_is_not_deleted_through_its_page(office: Client) -> None:
    for model in MODELS:
        before = stored(model)

        for row in model._default_manager.all():
            assert office.get(url(model, "delete", row.pk)).status_code == 403, label(model)
            assert office.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403

        assert stored(model) == before


@pytest.mark.parametrize("action", ["delete_selected", "anything"])
def test_rows_are_not_touched_by_a_bulk_action(action: str, office: Client) -> None:
    for model in MODELS:
        before = stored(model)
        keys = [str(row.pk) for row in model._default_manager.all()]
        given = {
            "action": action,
            "_selected_action": keys,
            "select_across": "1",
            "index": "0",
            "post": "yes",
        }

        assert office.post(url(model, "changelist"), given).status_code in (200, 302, 403)

        assert stored(model) == before


def test_rows_are_not_edited_in_the_list(office: Client) -> None:
    for model in MODELS:
        before = stored(model)
        key = model._default_manager.first()
        assert key is not None
        given = {
            "form-TOTAL_FORMS": "1",
            "form-INITIAL_FORMS": "1",
            "form-0-id": str(key.pk),
            "form-0-amount": "1",
            "_save": "Save",
        }

        assert office.post(url(model, "changelist"), given).status_code in (200, 302, 403)

        assert stored(model) == before


def test_the_theme_offers_nothing_that_runs_on_a_get() -> None:
    for model in MODELS:
        page = admin.site._registry[model]

        assert page.actions is None
        assert not page.actions_detail
        assert not page.actions_list
        assert not page.actions_row
        assert not page.actions_submit_line


@pytest.mark.parametrize("name", ["user", "group"])
def test_staff_and_roles_are_never_deleted(name: str, office: Client) -> None:
    model = next(
        model for model in admin.site._registry if model._meta.label_lower == f"auth.{name}"
    )
    before = stored(model)

    for row in model._default_manager.all():
        assert office.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403

    assert stored(model) == before
