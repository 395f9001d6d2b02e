"""manage.py create_operator and credentials.create_operator"""

import json
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from rest_framework.test import APIClient

from core.actors import Actor
from core.errors import CurrencyUnknown
from core.models import AuditEntry
from operators.enums import Scope
from operators.errors import OperatorSlugTaken
from operators.models import ApiKey, Operator
from operators.services import credentials

pytestmark = pytest.mark.django_db


def create_operator(*arguments: str) -> dict[str, str]:
    printed = StringIO()
    call_command("create_operator", *arguments, stdout=printed)
    return json.loads(printed.getvalue())


def test_prints_one_json_object_with_the_slug_and_a_key() -> None:
    printed = create_operator("lucky-star")

    assert sorted(printed) == ["api_key", "operator"]
    assert printed["operator"] == "lucky-star"
    operator = Operator.objects.get()
    assert (operator.slug, operator.name, operator.base_currency) == (
        "lucky-star", "lucky-star", "USD"
    )  # fmt: skip


def test_takes_a_name_and_a_base_currency() -> None:
    create_operator("lucky-star", "--name", "Lucky Star", "--base-currency", "EUR")

    operator = Operator.objects.get()
    assert (operator.name, operator.base_currency) == ("Lucky Star", "EUR")


def test_the_key_opens_every_door() -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Api-Key {create_operator('lucky-star')['api_key']}")

    read = client.get("/v1/players")
    played = client.put("/v1/players/anna", {"currency": "EUR"})
    managed = client.put("/v1/games/sums", {"name": "Sums", "category": "slots"})

    assert (read.status_code, played.status_code, managed.status_code) == (200, 201, 201)
    assert ApiKey.objects.get().scopes == sorted(Scope.values)


def test_the_key_is_stored_nowhere() -> None:
    secret = create_operator("lucky-star")["api_key"]

    assert len(secret) > 40
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT "{table}"::text FROM "{table}"')
            rows = "\n".join(row for (row,) in cursor.fetchall())
            assert secret not in rows
            # The shown prefix is 6 of the 43 random characters; no more of it is anywhere.
            assert secret[3:13] not in rows


def test_two_keys_have_nothing_in_common() -> None:
    first, second = create_operator("a")["api_key"], create_operator("b")["api_key"]

    assert first[:3] == second[:3] == "wf_"
    assert first[3:9] != second[3:9]
    assert len({*ApiKey.objects.values_list("digest", flat=True)}) == 2


def test_a_taken_slug_is_refused() -> None:
    create_operator("lucky-star")

    with pytest.raises(CommandError, match="There is an operator 'lucky-star' already"):
        create_operator("lucky-star")

    assert (Operator.objects.count(), ApiKey.objects.count()) == (1, 1)


@pytest.mark.parametrize("slug", ["", "Lucky", "a b", "-a", "a-", "x" * 51, "a_b", "ü", "a\n"])
def test_what_cannot_be_a_slug_is_refused(slug: str) -> None:
    with pytest.raises(CommandError, match="cannot be a slug"):
        create_operator("--", slug)

    assert Operator.objects.exists() is False


def test_an_unknown_base_currency_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no currency 'EUX'"):
        create_operator("lucky-star", "--base-currency", "EUX")

    assert Operator.objects.exists() is False


def test_the_service_leaves_a_trail_without_the_secret(actor: Actor, now: datetime) -> None:
    issued = credentials.create_operator(
        slug="lucky-star", name="Lucky Star", base_currency="USD", actor=actor, now=now
    )

    created, key = AuditEntry.objects.order_by("pk")
    assert (created.action, key.action) == ("operator.created", "operator.api_key.issued")
    assert created.operator_id == key.operator_id == issued.api_key.operator_id
    assert key.after["prefix"] == issued.secret[:9]
    assert issued.secret not in str(key.after)


def test_the_service_refuses_by_name(actor: Actor, now: datetime) -> None:
    def create(slug: str, currency: str) -> None:
        credentials.create_operator(
            slug=slug, name="Lucky Star", base_currency=currency, actor=actor, now=now
        )

    create("lucky-star", "USD")

    with pytest.raises(OperatorSlugTaken):
        create("lucky-star", "USD")
    with pytest.raises(CurrencyUnknown):
        create("other-star", "usd")
    assert Operator.objects.count() == 1
