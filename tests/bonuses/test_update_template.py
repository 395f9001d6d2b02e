"""Changing a template: checked as a whole, kept in the trail, and for later grants only."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from bonuses.errors import BonusConfigInvalid
from bonuses.models import BonusGrant, BonusTemplate
from bonuses.services.templates import update_template
from core.actors import Actor
from core.errors import DomainError, InvalidRequest, NotFound
from core.models import AuditEntry
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

BEYOND = Decimal("99999999999999999999.00")
EURO_MATCH = {"match_percent": "100", "cap_amount": "200.00", "currency": "EUR"}


class Editor:
    """Changes templates, each in the name of its own operator unless another is given."""

    def __init__(self, actor: Actor, now: datetime) -> None:
        self.actor, self.now = actor, now

    def change(self, template: BonusTemplate, operator: Any = None, **changes: Any) -> Any:
        return update_template(
            operator=operator or template.operator,
            template_id=template.pk,
            changes=changes,
            actor=self.actor,
            now=self.now,
        )

    def refused(self, template: BonusTemplate, refusal: type[DomainError], **changes: Any) -> Any:
        """Expect a refusal that changes nothing; return the fields that it names."""
        before = stored(template)
        with pytest.raises(refusal) as refused:
            self.change(template, **changes)
        assert stored(template) == before
        assert AuditEntry.objects.exists() is False
        return [error["pointer"] for error in refused.value.members["errors"]]


@pytest.fixture
def editor(actor: Actor, now: datetime) -> Editor:
    return Editor(actor, now)


@pytest.fixture
def match() -> BonusTemplate:
    return BonusTemplateFactory.create(match=True, max_bet=Decimal("5.50"))


def stored(template: BonusTemplate) -> dict[str, Any]:
    return BonusTemplate.objects.filter(pk=template.pk).values().get()


def test_what_is_named_changes_and_the_rest_stays(match: BonusTemplate, editor: Editor) -> None:
    before = stored(match)

    editor.change(match, name="Autumn", max_bet=None, time_limit_hours=24)

    assert stored(match) == {**before, "name": "Autumn", "max_bet": None, "time_limit_hours": 24}
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_ref) == ("bonus.template.changed", editor.actor.ref)
    assert entry.before == {"name": match.name, "max_bet": "5.5", "time_limit_hours": 168}
    assert entry.after == {"name": "Autumn", "max_bet": None, "time_limit_hours": 24}


def test_a_reason_is_kept_in_the_trail(match: BonusTemplate, actor: Actor, now: datetime) -> None:
    update_template(
        operator=match.operator,
        template_id=match.pk,
        changes={"is_active": False},
        reason="Too dear.",
        actor=actor,
        now=now,
    )

    assert AuditEntry.objects.get().reason == "Too dear."


def test_every_term_can_change(match: BonusTemplate, editor: Editor) -> None:
    editor.change(
        match,
        name="Yen",
        config={"match_percent": "50", "cap_amount": "20000", "currency": "JPY"},
        wagering_requirement_multiplier=Decimal("0.5"),
        wagering_basis="bonus",
        game_contribution={"slots": 1},
        max_bet=Decimal(500),
        max_win_cap=Decimal(9000),
        time_limit_hours=1,
        max_grants_per_player=2,
        is_active=False,
    )

    assert stored(match) == {
        "id": match.pk,
        "operator_id": match.operator_id,
        "type": "deposit_match",
        "created_at": match.created_at,
        "name": "Yen",
        "config": {"match_percent": "50", "cap_amount": "20000", "currency": "JPY"},
        "currency": "JPY",
        "wagering_multiplier": Decimal("0.5"),
        "wagering_basis": "bonus",
        "game_contribution": {"slots": 1},
        "max_bet": 500,
        "max_win_cap": 9000,
        "time_limit_hours": 1,
        "max_grants_per_player": 2,
        "is_active": False,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"is_active": True},
        {"max_bet": Decimal("5.5"), "wagering_requirement_multiplier": Decimal("30.0")},
        {"config": {**EURO_MATCH, "cap_amount": "200"}},
        {"game_contribution": {"games": {}, "default": 0, "live": 5, "table": 5, "slots": 100}},
    ],
)
def test_a_change_of_nothing_leaves_no_trace(
    changes: dict[str, Any], match: BonusTemplate, editor: Editor
) -> None:
    before = stored(match)

    editor.change(match, **changes)

    assert stored(match) == before
    assert AuditEntry.objects.exists() is False


def test_a_template_is_switched_off_and_on(match: BonusTemplate, editor: Editor) -> None:
    assert editor.change(match, is_active=False).is_active is False
    assert editor.change(match, is_active=True).is_active is True
    assert AuditEntry.objects.count() == 2


def test_a_config_is_replaced_as_a_whole(match: BonusTemplate, editor: Editor) -> None:
    found = editor.refused(match, BonusConfigInvalid, config={"cap_amount": "300.00"})

    assert found == ["/config/match_percent", "/config/currency"]


def test_a_config_cannot_be_taken_away(match: BonusTemplate, editor: Editor) -> None:
    assert editor.refused(match, BonusConfigInvalid, config=None) == ["/config"]


def test_another_types_config_does_not_fit(match: BonusTemplate, editor: Editor) -> None:
    found = editor.refused(match, BonusConfigInvalid, config={"amount": "10.00", "currency": "EUR"})

    assert found == ["/config/amount", "/config/match_percent", "/config/cap_amount"]


def test_a_new_currency_must_suit_the_amounts_that_stay(
    match: BonusTemplate, editor: Editor
) -> None:
    yen = {"match_percent": "100", "cap_amount": "20000", "currency": "JPY"}

    assert editor.refused(match, InvalidRequest, config=yen) == ["/max_bet"]
    assert editor.change(match, config=yen, max_bet=Decimal(900)).currency == "JPY"


def test_a_multiplier_must_suit_the_config_that_stays(editor: Editor) -> None:
    template = BonusTemplateFactory.create(config={"amount": "1" + "0" * 11, "currency": "EUR"})

    found = editor.refused(
        template, BonusConfigInvalid, wagering_requirement_multiplier=Decimal(1000)
    )

    assert found == ["/config/amount"]


def test_terms_that_would_be_refused_today_can_be_renamed_and_switched_off(editor: Editor) -> None:
    template = BonusTemplateFactory.create(max_win_cap=BEYOND)

    changed = editor.change(template, name="Old", is_active=False)

    assert (changed.name, changed.is_active, changed.max_win_cap) == ("Old", False, BEYOND)
    assert stored(template)["is_active"] is False
    assert editor.change(template, max_win_cap=None).max_win_cap is None


def test_terms_that_would_be_refused_today_are_not_changed_but_mended(editor: Editor) -> None:
    template = BonusTemplateFactory.create(max_win_cap=BEYOND)

    assert editor.refused(template, BonusConfigInvalid, max_bet=Decimal(5)) == ["/max_win_cap"]


def test_the_deposit_cannot_count_without_one(editor: Editor) -> None:
    template = BonusTemplateFactory.create()

    found = editor.refused(template, BonusConfigInvalid, wagering_basis="bonus_plus_deposit")

    assert found == ["/wagering_basis"]


def test_every_mistake_is_told_at_once(match: BonusTemplate, editor: Editor) -> None:
    found = editor.refused(
        match,
        InvalidRequest,
        config={**EURO_MATCH, "cap_amount": "0"},
        game_contribution={"slots": 1001},
        max_win_cap=Decimal("0.001"),
    )

    assert found == ["/config/cap_amount", "/game_contribution/slots", "/max_win_cap"]


def test_a_running_grant_keeps_its_terms(editor: Editor) -> None:
    grant = BonusGrantFactory.create()
    before = BonusGrant.objects.filter(pk=grant.pk).values().get()

    editor.change(
        grant.template,
        config={"amount": "99.00", "currency": "EUR"},
        wagering_requirement_multiplier=Decimal(1),
        game_contribution={"default": 1},
        max_bet=Decimal(1),
        max_win_cap=Decimal(1),
        time_limit_hours=1,
        is_active=False,
    )

    assert BonusGrant.objects.filter(pk=grant.pk).values().get() == before


def test_anothers_template_does_not_exist(match: BonusTemplate, editor: Editor) -> None:
    before = stored(match)

    with pytest.raises(NotFound):
        editor.change(match, OperatorFactory.create(), name="Mine")

    assert stored(match) == before


def test_it_locks_the_template_alone(
    match: BonusTemplate,
    editor: Editor,
    record_locks: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    with record_locks() as tables:
        editor.change(match, name="Autumn")

    assert tables == ["bonuses_bonustemplate"]


# Over HTTP


def test_terms_are_patched(client: Any, operator: Any) -> None:
    template = BonusTemplateFactory.create(operator=operator, max_win_cap=Decimal(9))
    path = f"/v1/bonus-templates/{template.pk}"

    response = client.patch(path, {"max_bet": "2.50", "max_win_cap": None, "is_active": False})

    assert response.status_code == 200, response.content
    body = response.json()
    assert (body["max_bet"], body["max_win_cap"], body["is_active"]) == ("2.50", None, False)
    assert client.get(path).json() == body


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"type": "cashback"}, 400, "/type"),
        ({"currency": "USD"}, 400, "/currency"),
        ({"name": None}, 400, "/name"),
        ({"max_bet": 5}, 400, "/max_bet"),
        ({"config": {"amount": 5, "currency": "EUR"}}, 422, "/config/amount"),
        ({"wagering_basis": "bonus_plus_deposit"}, 422, "/wagering_basis"),
        ({"max_bet": "1000000000000.01"}, 422, "/max_bet"),
        ({"max_win_cap": "1000000000000.01"}, 422, "/max_win_cap"),
    ],
)
def test_what_cannot_be_patched_is_named(
    body: dict[str, Any], status: int, pointer: str, client: Any, operator: Any
) -> None:
    template = BonusTemplateFactory.create(operator=operator)
    before = stored(template)

    response = client.patch(f"/v1/bonus-templates/{template.pk}", body)

    assert response.status_code == status, response.content
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert stored(template) == before
