"""Limits of terms: one a market, each change in the audit trail, none of another operator."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core.actors import Actor
from core.errors import NotFound
from core.models import AuditEntry
from operators.models import Operator
from simulations.errors import TermsLimitsTaken
from simulations.models import TermsLimits
from simulations.rules.notices import Limit
from simulations.selectors import read_limits
from simulations.services import limits
from tests.factories.operators import OperatorFactory
from tests.factories.simulations import TermsLimitsFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(operator: Operator, actor: Actor, now: datetime) -> dict[str, Any]:
    return {"operator": operator, "reason": "The regulator says so", "actor": actor, "now": now}


def trail() -> list[tuple[str, Any, Any, str]]:
    entries = AuditEntry.objects.order_by("pk")
    return list(entries.values_list("action", "before", "after", "reason"))


def test_limits_are_added(said: dict[str, Any], operator: Operator) -> None:
    limits.add_terms_limits(label="Great Britain", wagering_multiple_max=Decimal(10), **said)

    assert read_limits(operator=operator) == [Limit("Great Britain", Decimal(10))]
    assert trail() == [
        (
            "simulation.limits.added",
            {},
            {"label": "Great Britain", "wagering_multiple_max": "10"},
            "The regulator says so",
        )
    ]


def test_a_market_has_its_limits_once(said: dict[str, Any], operator: Operator) -> None:
    TermsLimitsFactory.create(operator=operator)
    TermsLimitsFactory.create()

    with pytest.raises(TermsLimitsTaken):
        limits.add_terms_limits(label="Great Britain", wagering_multiple_max=Decimal(9), **said)

    assert read_limits(operator=operator) == [Limit("Great Britain", Decimal(10))]
    assert trail() == []


def test_limits_are_changed(said: dict[str, Any], operator: Operator) -> None:
    row = TermsLimitsFactory.create(operator=operator)

    limits.change_terms_limits(limits_id=row.pk, wagering_multiple_max=Decimal("7.5"), **said)

    assert read_limits(operator=operator) == [Limit("Great Britain", Decimal("7.5"))]
    [(action, before, after, _reason)] = trail()
    assert action == "simulation.limits.changed"
    assert before == {"label": "Great Britain", "wagering_multiple_max": "10"}
    assert after == {"label": "Great Britain", "wagering_multiple_max": "7.5"}


def test_a_change_that_changes_nothing_leaves_no_trace(
    said: dict[str, Any], operator: Operator
) -> None:
    row = TermsLimitsFactory.create(operator=operator)

    limits.change_terms_limits(limits_id=row.pk, wagering_multiple_max=Decimal(10), **said)

    assert trail() == []


def test_limits_are_removed_and_the_trail_keeps_them(
    said: dict[str, Any], operator: Operator
) -> None:
    row = TermsLimitsFactory.create(operator=operator)

    limits.remove_terms_limits(limits_id=row.pk, **said)

    assert read_limits(operator=operator) == []
    [(action, before, after, _reason)] = trail()
    assert (action, after) == ("simulation.limits.removed", {})
    assert before == {"label": "Great Britain", "wagering_multiple_max": "10"}


@pytest.mark.parametrize("move", ["change", "remove"])
def test_anothers_limits_are_as_good_as_absent(move: str, said: dict[str, Any]) -> None:
    row = TermsLimitsFactory.create(operator=OperatorFactory.create())
    terms = {"wagering_multiple_max": Decimal(99)} if move == "change" else {}

    with pytest.raises(NotFound):
        getattr(limits, f"{move}_terms_limits")(limits_id=row.pk, **terms, **said)

    assert TermsLimits.objects.get(pk=row.pk).wagering_multiple_max == 10
    assert trail() == []


@pytest.mark.parametrize("move", ["change", "remove"])
def test_only_the_limits_themselves_are_locked(
    move: str, said: dict[str, Any], operator: Operator, record_locks: Any
) -> None:
    row = TermsLimitsFactory.create(operator=operator)
    terms = {"wagering_multiple_max": Decimal(99)} if move == "change" else {}

    with record_locks() as tables:
        getattr(limits, f"{move}_terms_limits")(limits_id=row.pk, **terms, **said)

    assert tables == ["simulations_termslimits"]


@pytest.mark.parametrize("multiple", ["0", "-1"])
def test_a_multiple_is_above_zero(multiple: str, operator: Operator) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        TermsLimitsFactory.create(operator=operator, wagering_multiple_max=Decimal(multiple))
