"""The audit report: every entry of the days, once, and nobody's name unless it may be seen."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core import audit
from core.actors import Actor, ActorKind
from core.models import AuditEntry
from operators.models import Operator
from reports.selectors import audit as selector
from tests.factories.operators import OperatorFactory
from tests.plans import conditions_by_index
from tests.reports.conftest import at

pytestmark = pytest.mark.django_db

Ask = Callable[..., list[dict[str, Any]]]


def enter(operator: Operator | None, now: datetime, **kw: Any) -> AuditEntry:
    """Write an entry about the operator itself."""
    with transaction.atomic():
        return audit.record_action(
            **{
                "operator": operator,
                "actor": Actor(kind=ActorKind.TASK, ref="fold_contributions"),
                "action": "jackpot.instance.paused",
                "subject": operator or Operator(pk=0),
                "now": now,
                **kw,
            }
        )


@pytest.fixture
def ada_paused(operator: Operator, superuser: User) -> AuditEntry:
    """Ada of the staff has paused something, for a reason, and named a player in it."""
    return enter(
        operator,
        at("2026-03-28 23:30"),
        actor=Actor(kind=ActorKind.STAFF, ref=str(superuser.pk)),
        before={"status": "active"},
        after={"status": "paused", "player_id": "player-7", "amount": "10.00"},
        reason="Player player-7 complained",
    )


def test_an_entry_is_told_whole_on_the_operators_clocks(ada_paused: AuditEntry, ask: Ask) -> None:
    [row] = ask("audit", "2026-03-29", personal=True)

    assert (row["id"], row["at"]) == (str(ada_paused.pk), ada_paused.created_at)
    assert (row["action"], row["subject_type"]) == ("jackpot.instance.paused", "operators.operator")
    assert (row["actor_kind"], row["actor"]) == ("Staff", "ada")
    assert row["reason"] == "Player player-7 complained"
    assert json.loads(row["before"]) == {"status": "active"}
    assert json.loads(row["after"]) == ada_paused.after
    assert ask("audit", "2026-03-28") == []


def test_whoever_may_not_see_personal_data_sees_none(
    ada_paused: AuditEntry, superuser: User, ask: Ask, operator: Operator
) -> None:
    enter(operator, at("2026-03-29 08:00"), after={"player_id": "player-7"})
    neighbour = OperatorFactory.create(time_zone="Europe/Malta")
    enter(neighbour, at("2026-03-29 08:00"), after={"player_id": "player-7"})

    first, second = ask("audit", "2026-03-29")
    [theirs] = ask("audit", "2026-03-29", other=neighbour)

    for text in ("ada", "player-7", "complained"):
        assert text not in str([first, second, theirs])
    shown = json.loads(first["after"])
    assert (shown["status"], shown["amount"]) == ("paused", "10.00")
    assert (first["actor"], first["reason"]) == (str(superuser.pk), "(not shown)")
    # One player has one mask, so that what happened to them can be followed; but not to another
    # operator.
    assert json.loads(second["after"])["player_id"] == shown["player_id"]
    assert shown["player_id"].startswith("masked:")
    assert json.loads(theirs["after"])["player_id"] != shown["player_id"]


def test_a_name_that_was_typed_at_the_sign_in_page_is_masked(operator: Operator, ask: Ask) -> None:
    enter(operator, at("2026-03-29 08:00"), actor=Actor(kind=ActorKind.STAFF, ref="ada.lovelace"))

    assert "lovelace" not in str(ask("audit", "2026-03-29"))
    assert "lovelace" in str(ask("audit", "2026-03-29", personal=True))


def test_what_belongs_to_no_operator_is_asked_for_by_itself(
    operator: Operator, ada_paused: AuditEntry, ask: Ask
) -> None:
    nobodys = enter(None, at("2026-03-29 08:00"), action="staff.user.added")
    neighbours = enter(OperatorFactory.create(), at("2026-03-29 08:00"))

    mine = [row["id"] for row in ask("audit", "2026-03-29")]
    of_none = [row["id"] for row in ask("audit", "2026-03-29", whose="none")]

    assert mine == [str(ada_paused.pk)]
    assert of_none == [str(nobodys.pk)]
    assert str(neighbours.pk) not in (*mine, *of_none)


def test_many_entries_of_few_instants_are_each_told_once_in_order(
    operator: Operator, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selector, "_ENTRIES_AT_ONCE", 3)
    began = at("2026-03-29 08:00")
    # Later numbers may have earlier instants: clocks of two processes differ.
    entries = [
        enter(operator, began + timedelta(seconds=second)) for second in (2, 0, 0, 0, 0, 1, 2)
    ]

    told = [row["id"] for row in ask("audit", "2026-03-29")]

    in_order = sorted(entries, key=lambda entry: (entry.created_at, entry.pk))
    assert told == [str(entry.pk) for entry in in_order]


def test_entries_are_read_in_pages_through_an_index(
    operator: Operator, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selector, "_ENTRIES_AT_ONCE", 4)
    for second in range(9):
        enter(operator, at("2026-03-29 08:00") + timedelta(seconds=second))

    with CaptureQueriesContext(connection) as queries:
        rows = ask("audit", "2026-03-29")

    assert len(rows) == 9
    assert len(queries) == 3, "two full pages, and the last"
    for query in queries:
        [condition] = conditions_by_index(query["sql"], indexes=("audit_by_time",))["audit_by_time"]
        assert "operator_id = " in condition
        assert "created_at < " in condition
