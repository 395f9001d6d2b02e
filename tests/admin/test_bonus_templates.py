"""Templates in the back office: made, changed, switched, and worked through while being typed."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bonuses.enums import BonusType
from bonuses.models import BonusGrant, BonusTemplate
from core.models import AuditEntry
from operators.models import Operator
from tests.admin.conftest import messages_of
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.games import GameFactory

pytestmark = pytest.mark.django_db

LIST = "admin:bonuses_bonustemplate_changelist"
PREVIEW = "admin:bonuses_bonustemplate_preview"
#: More than a template may state; older ones may have it.
BEYOND = "99999999999999999999.00"
CANNOT = "No example can be worked out. The amount is larger than can be stored."
CURRENCY = {"currency": "EUR"}
EURO_MATCH = {"match_percent": "100", "cap_amount": "200.00", "currency": "EUR"}
GIFTS: dict[str, dict[str, Any]] = {
    "free_spins": {"count": "20", "value_per_spin": "0.50", "eligible_games": "sums, more-sums"},
    "deposit_match": {"match_percent": "100", "cap_amount": "200.00"},
    "no_deposit": {"amount": "10"},
    "cashback": {"percent": "10", "window_days": "7", "min_loss": "20"},
    "reload": {"match_percent": "50", "cap_amount": "100"},
}
#: The worked example of the specification: 100 % of 100.00, capped at 200.00, 30 times both.
MATCH = {
    "name": "Welcome",
    "is_active": "on",
    **GIFTS["deposit_match"],
    **CURRENCY,
    "wagering_requirement_multiplier": "30",
    "wagering_basis": "bonus_plus_deposit",
    "weight_slots": "100",
    "weight_table": "5",
    "weight_default": "0",
    "max_bet": "5",
    "max_win_cap": "1000",
    "time_limit_hours": "168",
    "max_grants_per_player": "1",
}
IN_NUMBERS = [
    "Deposit 100.00 EUR → bonus 100.00 EUR → wager 6,000.00 EUR within 7 days.",
    "Deposit 400.00 EUR → bonus 200.00 EUR (the cap) → wager 18,000.00 EUR within 7 days.",
    (
        "Stakes that takes: Slots 6,000.00 EUR (100 %); Table 120,000.00 EUR (5 %); "
        "any other game does not count."
    ),
    "A stake above 5.00 EUR forfeits the bonus.",
    "However much is won with it, 1,100.00 EUR is released at most.",
]


def page_of(template: BonusTemplate, name: str = "change") -> str:
    return reverse(f"admin:bonuses_bonustemplate_{name}", args=[template.pk])


def add_page(bonus_type: str) -> str:
    return reverse("admin:bonuses_bonustemplate_add") + f"?type={bonus_type}"


def preview_of(client: Client, given: dict[str, Any], bonus_type: str = "deposit_match") -> Any:
    return client.post(f"{reverse(PREVIEW)}?type={bonus_type}", given)


def errors_of(response: Any) -> list[str]:
    return list(response.context["form"].errors)


def test_a_template_is_made_and_explained_in_numbers(
    office: Client, superuser: Any, operator: Operator
) -> None:
    given = {**MATCH, "operator": operator.pk, "weight_games": "sums: 50\nmore-sums = 0 %"}

    response = office.post(add_page("deposit_match"), given, follow=True)

    template = BonusTemplate.objects.get()
    assert response.redirect_chain == [(page_of(template), 302)]
    assert messages_of(response) == ["Welcome was created."]
    assert template.config == {
        "match_percent": "100",
        "cap_amount": "200.00",
        "currency": "EUR",
    }
    assert template.game_contribution == {
        "slots": 100,
        "table": 5,
        "default": 0,
        "games": {"sums": 50, "more-sums": 0},
    }
    assert (template.max_bet, template.max_win_cap) == (Decimal(5), Decimal(1000))
    assert (template.time_limit_hours, template.max_grants_per_player) == (168, 1)
    shown = response.content.decode()
    assert IN_NUMBERS[0] in shown
    assert "30 × the bonus and the deposit" in shown
    assert "sums: 50 %" in shown
    entry = AuditEntry.objects.get(action="bonus.template.created")
    assert (entry.actor_kind, entry.actor_ref) == ("staff", str(superuser.pk))


@pytest.mark.parametrize("bonus_type", BonusType.values)
def test_every_type_has_the_fields_of_its_own_and_can_be_made(
    bonus_type: str, office: Client, operator: Operator
) -> None:
    fields = set(office.get(add_page(bonus_type)).context["form"].fields)
    others = {name for gift in GIFTS.values() for name in gift} - set(GIFTS[bonus_type])
    given = {"name": "It", **CURRENCY, **GIFTS[bonus_type], "wagering_requirement_multiplier": "0"}

    office.post(add_page(bonus_type), {**given, "operator": operator.pk})

    assert not fields & others
    assert ("wagering_basis" in fields) == (bonus_type in ("deposit_match", "reload"))
    template = BonusTemplate.objects.get()
    assert (template.type, set(template.config)) == (
        bonus_type,
        {*GIFTS[bonus_type], "currency"},
    )


@pytest.mark.parametrize(
    ("bonus_type", "changes", "wrong"),
    [
        ("deposit_match", {"cap_amount": "abc"}, "cap_amount"),
        ("deposit_match", {"cap_amount": "0.001"}, "cap_amount"),
        ("deposit_match", {"match_percent": "0"}, "match_percent"),
        ("deposit_match", {"currency": ""}, "currency"),
        ("deposit_match", {"wagering_requirement_multiplier": "10001"}, None),
        ("deposit_match", {"max_bet": "0"}, "max_bet"),
        ("deposit_match", {"max_win_cap": "0.001"}, "max_win_cap"),
        ("deposit_match", {"time_limit_hours": "0"}, "time_limit_hours"),
        ("deposit_match", {"max_grants_per_player": "-1"}, "max_grants_per_player"),
        ("deposit_match", {"weight_slots": "1001"}, "weight_slots"),
        ("deposit_match", {"weight_games": "sums"}, "weight_games"),
        ("deposit_match", {"weight_games": "sums: 1\nsums: 2"}, "weight_games"),
        ("deposit_match", {"weight_games": "NO SLUG: 2"}, "weight_games"),
        ("free_spins", {"eligible_games": "NO SLUG!"}, "eligible_games"),
        ("free_spins", {"count": "0"}, "count"),
        ("cashback", {"percent": "101"}, "percent"),
        ("cashback", {"window_days": "367"}, "window_days"),
    ],
)
def test_terms_that_cannot_be_are_marked_at_their_field_and_nothing_is_made(
    bonus_type: str,
    changes: dict[str, str],
    wrong: str | None,
    office: Client,
    operator: Operator,
) -> None:
    given = {**MATCH, **GIFTS[bonus_type], "operator": operator.pk, **changes}

    response = office.post(add_page(bonus_type), given)

    assert response.status_code in (200, 400, 422)
    assert errors_of(response) == [wrong or next(iter(changes))]
    assert "Nothing was changed." in response.content.decode()
    assert BonusTemplate.objects.exists() is False


def test_what_is_typed_is_worked_through_by_the_server_and_nothing_is_written(
    office: Client, changes_nothing: Any
) -> None:
    with changes_nothing():
        response = preview_of(office, MATCH)

    assert response.json() == {"examples": IN_NUMBERS}


@pytest.mark.parametrize(
    ("bonus_type", "given", "first"),
    [
        ("free_spins", {}, "20 spins of 0.50 EUR → bonus 10.00 EUR → wager 300.00 EUR."),
        ("no_deposit", {}, "Bonus 10.00 EUR → wager 300.00 EUR."),
        ("cashback", {}, "Lost 100.00 EUR → bonus 10.00 EUR → wager 300.00 EUR."),
        ("reload", {}, "Deposit 100.00 EUR → bonus 50.00 EUR → wager 1,500.00 EUR."),
        (
            "no_deposit",
            {"amount": "1000", "currency": "JPY", "time_limit_hours": "5"},
            "Bonus 1,000 JPY → wager 30,000 JPY within 5 hours.",
        ),
        (
            "no_deposit",
            {"wagering_requirement_multiplier": "0"},
            "Bonus 10.00 EUR → nothing to wager.",
        ),
    ],
)
def test_every_type_has_an_example(
    bonus_type: str, given: dict[str, str], first: str, office: Client
) -> None:
    typed = {**CURRENCY, **GIFTS[bonus_type], "wagering_requirement_multiplier": "30", **given}

    examples = preview_of(office, typed, bonus_type).json()["examples"]

    assert examples[0] == first


@pytest.mark.parametrize(
    ("config", "terms"),
    [
        ({"match_percent": "100", "cap_amount": BEYOND, "currency": "EUR"}, {}),
        ({"match_percent": "0.00000001", "cap_amount": "1000000000000", "currency": "EUR"}, {}),
        (EURO_MATCH, {"wagering_multiplier": Decimal(99999999999999999999)}),
        (EURO_MATCH, {"max_win_cap": Decimal(BEYOND), "max_bet": Decimal(BEYOND)}),
    ],
    ids=["cap", "percent", "multiplier", "bounds"],
)
@pytest.mark.parametrize("page", ["change", "edit", "issue"])
def test_pages_of_a_template_with_amounts_beyond_all_bounds_can_be_seen(
    page: str, config: dict[str, str], terms: dict[str, Any], office: Client, operator: Operator
) -> None:
    template = BonusTemplateFactory.create(operator=operator, match=True, config=config, **terms)

    response = office.get(page_of(template, page))

    assert response.status_code == 200
    if page != "issue":
        assert (CANNOT in response.content.decode()) == ("max_win_cap" not in terms)


def test_what_is_typed_is_said_to_have_no_example_if_no_number_can_hold_it(office: Client) -> None:
    typed = {**MATCH, "match_percent": "0.00000001", "cap_amount": "1000000000000"}
    typed |= {"wagering_requirement_multiplier": "1"}

    response = preview_of(office, typed)

    assert response.json() == {"examples": [CANNOT]}
    assert preview_of(office, {**MATCH, "cap_amount": BEYOND}).json() == {"examples": []}


@pytest.mark.parametrize(
    "changes",
    [
        {"wagering_requirement_multiplier": ""},
        {"cap_amount": ""},
        {"currency": "XXX"},
        {"match_percent": "1e9"},
        {"cap_amount": "9" * 20},
        {"weight_games": "?"},
    ],
)
def test_what_lacks_or_contradicts_something_has_no_example(
    changes: dict[str, str], office: Client
) -> None:
    response = preview_of(office, {**MATCH, **changes})

    assert response.status_code == 200
    assert response.json() == {"examples": []}


def test_a_preview_is_for_staff_who_may_make_or_change_templates(
    staff_with: Any, office: Client
) -> None:
    for permission in ("add", "change"):
        client = staff_with(f"bonuses.{permission}_bonustemplate")
        assert preview_of(client, MATCH).status_code == 200

    assert preview_of(staff_with("bonuses.view_bonustemplate"), MATCH).status_code == 403
    assert preview_of(Client(), MATCH).status_code == 302
    assert office.get(f"{reverse(PREVIEW)}?type=cashback").status_code == 405
    assert preview_of(office, MATCH, "nothing").status_code == 400


def test_a_preview_is_asked_for_by_this_site_only(superuser: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(superuser)

    assert preview_of(strict, MATCH).status_code == 403


def test_a_change_is_for_later_grants(office: Client, operator: Operator) -> None:
    template = BonusTemplateFactory.create(
        operator=operator, match=True, game_contribution={"slots": 100, "table": 5, "default": 0}
    )
    grant = BonusGrantFactory.create(asked_template=template)
    before = BonusGrant.objects.filter(pk=grant.pk).values().get()
    form = office.get(page_of(template, "edit")).context["form"]
    typed = {name: form[name].value() for name in form.fields}
    given = {name: "" if value is None else value for name, value in typed.items()}

    response = office.post(
        page_of(template, "edit"), {**given, "wagering_requirement_multiplier": "35"}, follow=True
    )

    assert messages_of(response) == [f"{template.name} was changed."]
    changed = BonusTemplate.objects.get()
    assert changed.wagering_multiplier == 35
    assert (changed.config, changed.game_contribution) == (
        template.config,
        template.game_contribution,
    )
    assert BonusGrant.objects.filter(pk=grant.pk).values().get() == before
    entry = AuditEntry.objects.get(action="bonus.template.changed")
    assert list(entry.after) == ["wagering_requirement_multiplier"]


def test_a_template_is_switched_off_and_on_for_a_reason(office: Client, operator: Operator) -> None:
    template = BonusTemplateFactory.create(operator=operator)

    off = office.post(page_of(template, "deactivate"), {"reason": "Too dear"}, follow=True)
    assert BonusTemplate.objects.get().is_active is False
    office.post(page_of(template, "activate"), {"reason": "Cheap again"})

    assert messages_of(off) == [f"{template.name} was switched off."]
    assert BonusTemplate.objects.get().is_active is True
    reasons = AuditEntry.objects.order_by("pk").values_list("reason", flat=True)
    assert list(reasons) == ["Too dear", "Cheap again"]


def test_games_that_the_catalogue_does_not_have_are_told(
    office: Client, operator: Operator
) -> None:
    GameFactory.create(operator=operator, slug="sums")
    template = BonusTemplateFactory.create(
        operator=operator,
        spins=True,
        config={
            **GIFTS["free_spins"],
            **CURRENCY,
            "count": 20,
            "eligible_games": ["sums", "more-sums"],
        },
    )

    page = office.get(page_of(template)).content.decode()

    assert "<div>sums</div>" in page
    assert "more-sums, not in the catalogue" in page


def test_the_list_says_what_each_gives_and_how_often_it_was_given(
    office: Client, operator: Operator
) -> None:
    template = BonusTemplateFactory.create(operator=operator, match=True)
    BonusGrantFactory.create(asked_template=template)
    BonusGrantFactory.create(asked_template=template, status="cancelled")

    page = office.get(reverse(LIST)).content.decode()

    assert "100 % of the deposit, up to 200.00 EUR" in page
    assert "2 (1 active)" in page


@pytest.mark.parametrize("term", ["Welcome", "elcom", "{pk}"])
def test_a_template_is_found(term: str, office: Client, operator: Operator) -> None:
    template = BonusTemplateFactory.create(operator=operator, name="Welcome")
    BonusTemplateFactory.create(operator=operator)

    found = office.get(reverse(LIST), {"q": term.format(pk=template.pk)}).context["cl"].result_list

    assert [row.pk for row in found] == [template.pk]
