"""Putting an adapter adds or changes it, keeps one default, and rotates secrets (S10)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from adapters.enums import AdapterKind
from adapters.errors import AdapterSlugTaken
from adapters.http.signing import make_secret
from adapters.models import AdapterConfig
from adapters.selectors import list_live_secrets
from adapters.services.configs import PutAdapter, put_adapter
from core.actors import Actor
from core.errors import InvalidRequest
from core.models import AuditEntry
from operators.models import Operator
from tests.factories.adapters import AdapterConfigFactory
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

ADDRESS = "https://93.184.216.34"


@pytest.fixture
def put(operator: Operator, actor: Actor, now: datetime) -> Any:
    """Put an adapter as ``operator``; a member that is None is left out."""

    def put_one(slug: str = "acme", kind: str = "http", **details: Any) -> PutAdapter:
        at = details.pop("now", now)
        who = details.pop("operator", operator)
        if kind == "http":
            details = {"base_url": ADDRESS, "secret": make_secret(), **details}
        return put_adapter(
            operator=who,
            slug=slug,
            kind=kind,
            details={name: value for name, value in details.items() if value is not None},  # type: ignore[typeddict-item]
            actor=actor,
            now=at,
        )

    return put_one


def defaults_of(operator: Operator) -> list[str]:
    found = AdapterConfig.objects.for_operator(operator).default()
    return [config.slug for config in found]


def stored() -> list[Any]:
    return list(AdapterConfig.objects.order_by("pk").values())


def test_an_operator_is_born_with_an_internal_default(operator: Operator) -> None:
    [config] = AdapterConfig.objects.for_operator(operator)

    assert (config.slug, config.kind) == (f"{operator.slug}-internal", "internal")
    assert config.is_default
    assert config.is_built_in
    assert not config.has_secret
    assert config.created_at == operator.created_at


def test_operators_written_by_raw_sql_are_born_so_too() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO operators_operator (slug, name, base_currency, created_at)"
            " VALUES ('raw', 'Raw', 'USD', now()), ('rawer', 'Rawer', 'USD', now())"
        )

    assert list(AdapterConfig.objects.order_by("pk").values_list("slug", flat=True)) == [
        "raw-internal",
        "rawer-internal",
    ]


def test_the_longest_slug_of_an_operator_leaves_room() -> None:
    operator = OperatorFactory.create(slug="o" * 50)

    assert defaults_of(operator) == ["o" * 50 + "-internal"]


def test_the_first_put_adds_and_the_second_changes(put: Any, operator: Operator) -> None:
    secret = make_secret()

    first = put(secret=secret)
    second = put(secret=None, base_url="https://93.184.216.35/api/")

    assert (first.is_new, second.is_new) == (True, False)
    config = AdapterConfig.objects.get(slug="acme")
    assert config.operator == operator
    assert config.base_url == "https://93.184.216.35/api"
    assert not config.is_default
    assert defaults_of(operator) == [f"{operator.slug}-internal"]


def test_a_put_that_changes_nothing_leaves_no_trace(put: Any, now: datetime) -> None:
    secret = make_secret()
    put(secret=secret)
    before, entries = stored(), AuditEntry.objects.count()

    put(secret=secret, now=now + timedelta(hours=1))
    put(secret=None, base_url=None, now=now + timedelta(hours=1))

    assert stored() == before
    assert AuditEntry.objects.count() == entries


def test_a_new_secret_leaves_the_old_one_valid_for_a_day(put: Any, now: datetime) -> None:
    old, new = make_secret(), make_secret()
    put(secret=old)

    config = put(secret=new).config

    def live(hours: float) -> list[str]:
        return list_live_secrets(config=config, now=now + timedelta(hours=hours))

    assert live(0) == [new, old]
    assert live(23.9999) == [new, old]
    assert live(24) == [new]


def test_only_two_secrets_live_at_once(put: Any, now: datetime) -> None:
    first, second, third = make_secret(), make_secret(), make_secret()
    put(secret=first)
    put(secret=second)

    config = put(secret=third, now=now + timedelta(hours=1)).config

    assert list_live_secrets(config=config, now=now) == [third, second]
    assert config.previous_valid_until == now + timedelta(hours=25)


def test_the_same_secret_again_does_not_push_the_old_one_out(put: Any, now: datetime) -> None:
    old, new = make_secret(), make_secret()
    put(secret=old)
    put(secret=new)

    config = put(secret=new, now=now + timedelta(hours=1)).config

    assert list_live_secrets(config=config, now=now + timedelta(hours=2)) == [new, old]


def test_a_secret_that_no_key_opens_is_replaced_and_not_kept(
    put: Any, now: datetime, settings: Any
) -> None:
    put()
    settings.SECRETS_KEYS = ["bm90LXRoZS1rZXktdGhhdC1zZWFsZWQtYW55dGhpbmc="]
    new = make_secret()

    config = put(secret=new).config

    assert list_live_secrets(config=config, now=now) == [new]
    assert config.previous_valid_until is None


def test_neither_rows_nor_audit_hold_a_secret_that_can_be_read(put: Any) -> None:
    old, new = make_secret(), make_secret()
    put(secret=old)
    put(secret=new)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(c::text, ' ') FROM adapters_adapterconfig c"
            " UNION ALL SELECT string_agg(a::text, ' ') FROM core_auditentry a"
        )
        everything = " ".join(text or "" for (text,) in cursor.fetchall())
    assert "acme" in everything
    for secret in (old, new):
        assert secret not in everything
        assert secret.removeprefix("whsec_") not in everything


def test_the_audit_trail_says_what_changed_and_why_not_what_the_secret_is(
    put: Any, operator: Operator
) -> None:
    put()
    put(is_default=True)

    entries = AuditEntry.objects.filter(operator_id=operator.pk).order_by("pk")
    [added, lost, won] = entries
    assert (added.action, added.after["secret"], added.before) == ("adapter.added", "given", {})
    assert added.after["base_url"] == ADDRESS
    assert (lost.action, lost.before, lost.after) == (
        "adapter.changed",
        {"is_default": True},
        {"is_default": False},
    )
    assert won.subject_id == str(AdapterConfig.objects.get(slug="acme").pk)
    assert won.after["is_default"] is True
    assert won.after["secret"] == "given"


def test_one_default_and_always_one(put: Any, operator: Operator) -> None:
    put("first", is_default=True)
    assert defaults_of(operator) == ["first"]

    put("second", is_default=True)
    assert defaults_of(operator) == ["second"]

    put("first", is_default=False)
    assert defaults_of(operator) == ["second"]

    put("second", is_default=False)
    assert defaults_of(operator) == [f"{operator.slug}-internal"]

    put("first", is_default=True)
    put(f"{operator.slug}-internal", kind="internal", is_default=True)
    assert defaults_of(operator) == [f"{operator.slug}-internal"]


def test_the_default_of_others_is_not_concerned(put: Any) -> None:
    stranger = OperatorFactory.create()

    put("first", is_default=True)

    assert defaults_of(stranger) == [f"{stranger.slug}-internal"]


def test_an_internal_adapter_may_be_added(put: Any) -> None:
    config = put("our-own", kind="internal").config

    assert config.is_internal
    assert not config.is_built_in


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a new one without an address": ({"base_url": None}, "base_url"),
    "a new one without a secret": ({"secret": None}, "secret"),
    "an empty secret": ({"secret": ""}, "secret"),
    "a short secret": ({"secret": "whsec_c2hvcnQ="}, "secret"),
    "a secret without its prefix": ({"secret": "c2VjcmV0" * 4}, "secret"),
    "a loopback address": ({"base_url": "http://127.0.0.1:8000"}, "base_url"),
    "a private address": ({"base_url": "https://10.0.0.1"}, "base_url"),
    "a user in the address": ({"base_url": "https://a@93.184.216.34"}, "base_url"),
    "a reserved slug": ({"slug": "nobodys-internal"}, "slug"),
    "an internal one with an address": ({"kind": "internal", "base_url": ADDRESS}, "base_url"),
    "an internal one with a secret": ({"kind": "internal", "secret": make_secret()}, "secret"),
}


@pytest.mark.parametrize(("details", "pointer"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused_by_field(
    put: Any, operator: Operator, details: dict[str, Any], pointer: str
) -> None:
    before = stored()

    with pytest.raises(InvalidRequest) as refused:
        put(**details)

    assert [error["pointer"] for error in refused.value.members["errors"]] == [f"/{pointer}"]
    assert stored() == before
    assert not AuditEntry.objects.exists()


def test_control_the_same_put_without_the_flaw_is_taken(put: Any) -> None:
    assert put().is_new


@pytest.mark.parametrize(
    ("slug", "kind", "details", "pointer"),
    [
        ("acme", "internal", {}, "kind"),
        ("{own}-internal", "http", {}, "kind"),
        ("{own}-internal", "internal", {"is_default": False}, "is_default"),
    ],
)
def test_what_is_there_cannot_become_anything(
    put: Any, operator: Operator, slug: str, kind: str, details: dict[str, Any], pointer: str
) -> None:
    put()
    before = stored()

    with pytest.raises(InvalidRequest) as refused:
        put(slug.format(own=operator.slug), kind=kind, **details)

    assert [error["pointer"] for error in refused.value.members["errors"]] == [f"/{pointer}"]
    assert stored() == before


@pytest.mark.parametrize("slug", ["theirs", "{other}-internal"])
def test_a_slug_of_another_operator_is_taken(put: Any, slug: str) -> None:
    theirs = AdapterConfigFactory.create(slug="theirs")
    before = stored()

    with pytest.raises(AdapterSlugTaken):
        put(slug.format(other=theirs.operator.slug))

    assert [row for row in stored() if row["operator_id"] == theirs.operator_id] == [
        row for row in before if row["operator_id"] == theirs.operator_id
    ]


def test_a_name_that_resolves_to_a_private_address_is_refused(
    put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda host, port, **_: [(0, 0, 0, "", ("10.0.0.1", port))]
    )

    with pytest.raises(InvalidRequest):
        put(base_url="https://platform.example.com")


def test_a_name_that_has_no_address_yet_is_taken(put: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any, **_kwargs: Any) -> Any:
        raise OSError("unknown")

    monkeypatch.setattr("socket.getaddrinfo", fail)

    assert put(base_url="https://platform.example.com").is_new


def test_the_rows_of_the_operator_are_locked(put: Any, record_locks: Any) -> None:
    with record_locks() as tables:
        put()

    assert tables == ["adapters_adapterconfig"]


WRONG_ROWS: dict[str, dict[str, Any]] = {
    "two defaults": {"is_default": True},
    "an odd slug": {"slug": "Acme"},
    "a line break": {"slug": "acme\n"},
    "http with the reserved suffix": {"slug": "acme-internal"},
    "http without an address": {"base_url": ""},
    "http without a secret": {"sealed_secret": ""},
    "internal with a secret": {"kind": AdapterKind.INTERNAL, "base_url": ""},
    "internal with an address": {"kind": AdapterKind.INTERNAL, "sealed_secret": ""},
    "a previous secret without end": {"previous_sealed_secret": "sealed"},
}


@pytest.mark.parametrize("wrong", WRONG_ROWS.values(), ids=WRONG_ROWS.keys())
def test_the_database_itself_refuses(operator: Operator, wrong: dict[str, Any]) -> None:
    AdapterConfigFactory.create(operator=operator)

    with pytest.raises(IntegrityError), transaction.atomic():
        AdapterConfigFactory.create(operator=operator, **wrong)
