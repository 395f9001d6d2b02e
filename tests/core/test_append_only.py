"""Rows that are the truth are never changed: the database refuses, whoever asks."""

from datetime import datetime

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, transaction

from core import audit
from core.actors import Actor
from core.models import AuditEntry, IdempotencyRecord
from operators.models import Operator

#: Tables that nobody may ever stop guarding.
ALWAYS = {
    "core_auditentry",
    "core_idempotencyrecord",
    "operators_exchangerate",
    "wallets_transfer",
    "jackpots_contribution",
}


def guarded_tables() -> list[str]:
    """Return the table of every model that declares itself append-only."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if any(
            trigger.name.endswith("is_append_only")
            for trigger in getattr(model._meta, "triggers", ())
        )
    )


@pytest.fixture
def rows(operator: Operator, actor: Actor, now: datetime) -> None:
    """One audit entry and one answered key."""
    with transaction.atomic():
        audit.record_action(
            operator=operator, actor=actor, action="test.acted", subject=operator, now=now
        )
    IdempotencyRecord.objects.create(
        operator_id=operator.pk, key="k", fingerprint="f", answer="answer", created_at=now
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditentry SET reason = 'I was never here'",
        "DELETE FROM core_auditentry",
        "UPDATE core_idempotencyrecord SET answer = 'another'",
        "DELETE FROM core_idempotencyrecord",
    ],
)
def test_the_kernels_rows_cannot_be_changed(statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="Cannot update or delete rows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert AuditEntry.objects.get().reason == ""
    assert IdempotencyRecord.objects.get().answer == "answer"


@pytest.mark.django_db
@pytest.mark.usefixtures("rows")
def test_an_update_of_nothing_is_no_harm() -> None:
    assert AuditEntry.objects.filter(pk=-1).update(reason="nobody") == 0


@pytest.mark.django_db
def test_control_the_trigger_is_what_refuses(operator: Operator, rows: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditentry DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM core_auditentry")

    assert AuditEntry.objects.exists() is False


def test_the_books_are_among_the_guarded() -> None:
    assert set(guarded_tables()) >= ALWAYS


@pytest.mark.django_db
@pytest.mark.parametrize("table", guarded_tables())
def test_the_database_guards_what_the_model_declares(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT event_manipulation
            FROM information_schema.triggers
            WHERE event_object_table = %s AND action_timing = 'BEFORE'
            """,
            [table],
        )
        guarded = {event for (event,) in cursor.fetchall()}

    assert guarded >= {"UPDATE", "DELETE"}
