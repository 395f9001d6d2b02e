"""Lists: a constant number of statements, nothing counted, nothing sorted without an index."""

from datetime import datetime
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.admin import LargeTableAdmin
from operators.models import Operator
from tests.admin.world import fill_world

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
LARGE = [model for model in MODELS if isinstance(admin.site._registry[model], LargeTableAdmin)]


def label(model: type[Model]) -> str:
    return model._meta.label


def statements(office: Client, path: str, **query: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        response = office.get(path, query)
    assert response.status_code == 200
    return [query["sql"] for query in queries]


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_the_number_of_statements_does_not_grow_with_the_rows(
    office: Client, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=3)
    with_few = {label(model): len(statements(office, list_of(model))) for model in MODELS}

    fill_world(operator, now, rows=27)
    with_many = {label(model): len(statements(office, list_of(model))) for model in MODELS}

    assert with_many == with_few


@pytest.mark.parametrize("query", [{}, {"q": "player-1"}, {"p": "2"}, {"_facets": "True"}])
def test_a_large_table_is_never_counted(
    query: dict[str, str], office: Client, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=1)

    for model in LARGE:
        table = f'FROM "{model._meta.db_table}"'
        assert [
            sql
            for sql in statements(office, list_of(model), **query)
            if "COUNT(" in sql.upper() and table in sql
        ] == [], label(model)


def test_the_largest_tables_are_known_as_large() -> None:
    assert {model._meta.label for model in LARGE} >= {
        "activity.Bet",
        "adapters.WebhookMessage",
        "bonuses.BonusGrant",
        "bonuses.BonusIssuance",
        "bonuses.PlatformEvent",
        "core.AuditEntry",
        "jackpots.Boost",
        "jackpots.Contribution",
        "jackpots.ContributionRequest",
        "jackpots.OptIn",
        "jackpots.RollbackLoss",
        "players.Player",
        "promos.UserPromo",
        "wallets.Account",
        "wallets.Transfer",
    }


@pytest.mark.parametrize("column", ["1", "-2", "3.-4"])
def test_a_large_table_is_sorted_by_its_key_whatever_the_address_says(
    column: str, office: Client, db: Any
) -> None:
    for model in LARGE:
        response = office.get(list_of(model), {"o": column})

        order = response.context["cl"].queryset.query.order_by
        assert tuple(order) == ("-pk",), label(model)
        assert list(response.context["cl"].get_ordering_field_columns()) in ([], [1], [2], [3, 4])


def test_pages_follow_each_other_without_a_count(
    office: Client, operator: Operator, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_world(operator, now, rows=3)
    monkeypatch.setattr(admin.site._registry[LARGE[0]], "list_per_page", 2)

    first = office.get(list_of(LARGE[0])).content.decode()
    last = office.get(list_of(LARGE[0]), {"p": "2"}).content.decode()

    assert 'href="?p=2">Older' in first
    assert 'aria-disabled="true">Newer' in first
    assert 'href="?p=1">Newer' in last
    assert 'aria-disabled="true">Older' in last


def test_nobody_leafs_through_a_large_table_for_ever(office: Client) -> None:
    response = office.get(list_of(LARGE[0]), {"p": "201"})

    assert (response.status_code, response["Location"]) == (302, f"{list_of(LARGE[0])}?e=1")


def test_a_search_finds_what_an_index_finds(
    office: Client, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=3)

    def found(model_label: str, term: str) -> list[Any]:
        model = next(model for model in MODELS if model._meta.label == model_label)
        return [row.pk for row in office.get(list_of(model), {"q": term}).context["cl"].result_list]

    models = {model._meta.label: model for model in MODELS}
    player = models["players.Player"]._default_manager.first()
    transfer = models["wallets.Transfer"]._default_manager.first()
    instance = models["jackpots.Instance"]._default_manager.first()
    accounts = models["wallets.Account"]._default_manager.filter(player=player)
    assert found("players.Player", player.reference) == [player.pk]
    assert found("players.Player", player.reference[:-1]) == []
    assert found("wallets.Account", player.reference) == [account.pk for account in accounts]
    assert found("wallets.Transfer", str(transfer.public_id)) == [transfer.pk]
    assert found("wallets.Transfer", transfer.reference) == [transfer.pk]
    assert len(found("wallets.Transfer", player.reference)) == 1
    assert len(found("jackpots.OptIn", player.reference)) == 1
    assert found("jackpots.Instance", str(instance.pk)) == [instance.pk]
    assert found("jackpots.Instance", instance.name) != []
    assert len(found("core.AuditEntry", str(instance.pk))) == 1
    assert found("core.AuditEntry", "nothing") == []


@pytest.mark.parametrize("term", ["\x01", "%", "'", "[", "9" * 500, "ü", "-1"])
def test_a_search_for_anything_is_answered(
    term: str, office: Client, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=1)

    for model in MODELS:
        assert office.get(list_of(model), {"q": term}).status_code in (200, 302), label(model)
