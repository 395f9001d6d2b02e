"""What folds and readings cost: by what is new, however much there is."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actors import Actor
from jackpots.models import Instance
from jackpots.selectors import link_health, read_meters
from jackpots.services import folding
from operators.models import Operator
from tests.concurrency.sabotage import execute, triggers_off
from tests.factories.jackpots import InstanceFactory
from tests.jackpots.conftest import let_the_horizon_pass

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 30_000

# Rows like the one that there is, in its transaction: old, and folded.
_MULTIPLY = """
    INSERT INTO jackpots_contribution
    SELECT (jsonb_populate_record(contribution, jsonb_build_object(
        'id', gen_random_uuid(), 'request_id', gen_random_uuid(), 'number', -copy,
        'xid', contribution.xid::text))).*
    FROM jackpots_contribution AS contribution, generate_series(1, %s) AS copy
"""

# The obvious question, which the planner answers by reading the table from end to end.
_OBVIOUS = """
    SELECT id FROM jackpots_instance AS instance WHERE instance.needs_fold OR EXISTS (
        SELECT FROM jackpots_contribution AS contribution
        WHERE contribution.instance_id = instance.id AND contribution.xid >= instance.folded_to)
"""


@pytest.fixture
def instance(
    operator: Operator, contribute: Callable[..., Any], actor: Actor, now: datetime
) -> Instance:
    """An instance with many folded contributions, and no new one."""
    instance = InstanceFactory.create(operator=operator, progressive=True)
    contribute(instance)
    let_the_horizon_pass()
    folding.fold_contributions(actor=actor, now=now, limit=10)
    with triggers_off():
        execute(_MULTIPLY, [ROWS])
    execute("VACUUM ANALYZE jackpots_contribution")
    return instance


def test_looking_for_what_is_due_reads_no_table_from_end_to_end(
    instance: Instance, actor: Actor, now: datetime
) -> None:
    with CaptureQueriesContext(connection) as queries:
        folded_count = folding.fold_contributions(actor=actor, now=now, limit=10)

    assert folded_count == 0
    assert len(queries) == 1
    assert not reads_all(queries[0]["sql"])


def test_folding_reads_no_table_from_end_to_end(
    instance: Instance, contribute: Callable[..., Any], actor: Actor, now: datetime
) -> None:
    Instance.objects.filter(pk=instance.pk).update(needs_fold=True)
    contribute(instance)
    let_the_horizon_pass()

    with CaptureQueriesContext(connection) as queries:
        folded_count = folding.fold_contributions(actor=actor, now=now, limit=10)

    assert folded_count == 1
    asked = [query["sql"] for query in queries if "FROM jackpots_contribution" in query["sql"]]
    assert len(asked) == 2
    assert [sql for sql in asked if reads_all(sql)] == []


def test_reading_meters_and_links_reads_no_table_from_end_to_end(
    instance: Instance, now: datetime
) -> None:
    with CaptureQueriesContext(connection) as queries:
        read_meters(instance_ids=[instance.pk])
        link_health(instance=instance, now=now)

    assert [query["sql"] for query in queries if reads_all(query["sql"])] == []


def test_the_obvious_question_would_read_the_table(instance: Instance) -> None:
    assert reads_all(_OBVIOUS)


def reads_all(sql: str) -> bool:
    """Tell whether PostgreSQL would answer the statement from the whole of the contributions."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    return "Seq Scan on jackpots_contribution" in plan
