"""What one person of staff may do alone: up to the limit, in whichever currency, and no more."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from approvals.enums import Limit
from approvals.errors import ApprovalRequired
from approvals.models import ApprovalSettings
from approvals.services.limits import refuse_alone_above, refuse_live_terms_alone
from approvals.services.settings import put_approval_settings
from core.actors import Actor, ActorKind
from core.errors import InvalidRequest
from core.models import AuditEntry
from operators.models import Operator
from tests.factories.approvals import ApprovalSettingsFactory
from tests.factories.operators import ExchangeRateFactory, OperatorFactory

pytestmark = pytest.mark.django_db

DEFAULTS: dict[str, Any] = {
    "clawback_above": Decimal(500),
    "manual_grant_above": Decimal(500),
    "live_terms": True,
    "valid_hours": 72,
}


def refusal(
    operator: Operator,
    actor: Actor,
    now: datetime,
    *,
    amount: str,
    currency: str = "USD",
    limit: Limit = Limit.CLAWBACK,
) -> str:
    """Return why it takes a second person; empty if it does not."""
    try:
        refuse_alone_above(
            operator=operator,
            limit=limit,
            amount=Decimal(amount),
            currency=currency,
            actor=actor,
            now=now,
        )
    except ApprovalRequired as error:
        return error.detail
    return ""


@pytest.mark.parametrize("limit", list(Limit))
@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("0", ""),
        ("499.99", ""),
        ("500", ""),
        ("500.00000001", "500.00000001 USD is above 500.00 USD, so it takes a second person."),
        ("500.01", "500.01 USD is above 500.00 USD, so it takes a second person."),
    ],
)
def test_without_settings_the_default_holds_and_equal_is_not_above(
    limit: Limit, amount: str, said: str, operator: Operator, actor: Actor, now: datetime
) -> None:
    assert refusal(operator, actor, now, amount=amount, limit=limit) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("400", ""),
        ("400.01", "400.01 EUR is above 500.00 USD, so it takes a second person."),
    ],
)
def test_another_currency_is_converted(
    amount: str, said: str, operator: Operator, actor: Actor, now: datetime
) -> None:
    ExchangeRateFactory.create(operator=operator)

    assert refusal(operator, actor, now, amount=amount, currency="EUR") == said


def test_what_nobody_knows_the_worth_of_takes_a_second_person(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    said = refusal(operator, actor, now, amount="0.01", currency="EUR")

    assert said == "What 0.01 EUR is worth in USD is not known, so it takes a second person."
    assert refusal(operator, actor, now, amount="0", currency="EUR") == ""


def test_a_rate_that_is_not_in_force_yet_is_none(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    ExchangeRateFactory.create(operator=operator, valid_from=now.replace(year=now.year + 1))

    assert "is not known" in refusal(operator, actor, now, amount="1", currency="EUR")


def test_an_operator_sets_its_own_limits_and_nobody_elses(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    ApprovalSettingsFactory.create(operator=operator, clawback_above=Decimal(20))
    other = OperatorFactory.create()

    assert refusal(operator, actor, now, amount="20.00") == ""
    assert refusal(operator, actor, now, amount="20.01") != ""
    assert refusal(operator, actor, now, amount="20.01", limit=Limit.MANUAL_GRANT) == ""
    assert refusal(other, actor, now, amount="20.01") == ""


def test_without_a_limit_one_person_is_enough_whatever_it_is_worth(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    ApprovalSettingsFactory.create(operator=operator, clawback_above=None)

    assert refusal(operator, actor, now, amount="1000000", currency="EUR") == ""


@pytest.mark.parametrize("kind", [kind for kind in ActorKind if kind != ActorKind.STAFF])
def test_only_staff_need_a_second_person(
    kind: ActorKind, operator: Operator, now: datetime
) -> None:
    system = Actor(kind=kind, ref="7")

    assert refusal(operator, system, now, amount="501") == ""
    refuse_live_terms_alone(operator=operator, actor=system)


def test_live_terms_take_two_people_unless_the_operator_says_otherwise(
    operator: Operator, actor: Actor
) -> None:
    with pytest.raises(ApprovalRequired):
        refuse_live_terms_alone(operator=operator, actor=actor)

    ApprovalSettingsFactory.create(operator=operator, live_terms=False)
    refuse_live_terms_alone(operator=operator, actor=actor)


def test_limits_are_set_and_the_trail_says_what_changed(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    wanted = {**DEFAULTS, "clawback_above": Decimal("20.5"), "manual_grant_above": None}

    given = {"reason": "A smaller team", "actor": actor, "now": now}
    put_approval_settings(operator=operator, **wanted, **given)
    put_approval_settings(operator=operator, **wanted, **given)

    stored = ApprovalSettings.objects.get()
    assert (stored.operator, stored.clawback_above) == (operator, Decimal("20.5"))
    assert stored.manual_grant_above is None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_ref) == ("approval.settings_changed", "7")
    assert entry.reason == "A smaller team"
    assert entry.before == {"clawback_above": "500.00", "manual_grant_above": "500.00"}
    assert entry.after == {"clawback_above": "20.50", "manual_grant_above": None}


def test_setting_what_holds_anyway_leaves_no_trace(
    operator: Operator, actor: Actor, now: datetime
) -> None:
    put_approval_settings(operator=operator, **DEFAULTS, reason="None", actor=actor, now=now)

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("wrong", [{"valid_hours": 0}, {"valid_hours": 721}, {"reason": " "}])
def test_a_request_is_valid_for_an_hour_to_a_month_and_a_limit_changes_for_a_reason(
    wrong: dict[str, Any], operator: Operator, actor: Actor, now: datetime
) -> None:
    wanted = {**DEFAULTS, "clawback_above": None, "reason": "A smaller team", **wrong}

    with pytest.raises(InvalidRequest):
        put_approval_settings(operator=operator, **wanted, actor=actor, now=now)

    assert not ApprovalSettings.objects.exists()
