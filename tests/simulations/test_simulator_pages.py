"""The simulator in the back office: a question in the address, the answer on the page."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from operators.models import Operator
from simulations.models import TermsLimits
from tests.admin.conftest import changes_nothing, office, staff_with, superuser
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.games import GameFactory
from tests.factories.promos import PromoFactory, PromoGameFactory
from tests.factories.simulations import TermsLimitsFactory

__all__ = ["changes_nothing", "office", "staff_with", "superuser"]

pytestmark = pytest.mark.django_db

PATH = "/admin/simulations/termslimits/simulate/"
FEW = {"players": "100", "run": "1", "volatility": "none"}
GIFT = {
    "kind": "no_deposit",
    "amount": "10.00",
    "currency": "EUR",
    "wagering_requirement_multiplier": "2",
    "weight_default": "100",
}


def text_of(response: Any) -> str:
    """Return what the page says, without its tags."""
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def drawn(response: Any) -> Any:
    found = re.search(
        r'<script id="simulated" type="application/json">(.*?)</script>',
        response.content.decode(),
        re.DOTALL,
    )
    assert found is not None, "no charts"
    return json.loads(found[1])


def test_the_address_is_the_one_of_the_sidebar() -> None:
    assert reverse("admin:simulations_termslimits_simulate") == PATH


def test_it_begins_with_a_choice_of_terms(office: Client) -> None:
    page = office.get(PATH).content.decode()

    for kind in ("deposit_match", "no_deposit", "free_spins", "cashback", "reload", "DEPOSIT"):
        assert f'href="?kind={kind}"' in page


@pytest.mark.parametrize(
    "kind",
    ["deposit_match", "no_deposit", "free_spins", "cashback", "reload", "DEPOSIT", "INSTANT"],
)
def test_every_kind_of_terms_has_its_form(kind: str, office: Client) -> None:
    page = text_of(office.get(PATH, {"kind": kind}))

    assert "What is simulated" in page
    assert "On average" not in page


def test_typed_terms_are_simulated(office: Client, operator: Operator) -> None:
    response = office.get(PATH, {**GIFT, **FEW, "operator": operator.slug, "stakes": "1.00"})

    page = text_of(response)
    assert "The terms look like a loss. A player costs 9.20 EUR on average" in page
    assert "Cost of a player 9.20 EUR ± 0.00 EUR" in page
    assert "To wager: 20.00 EUR, 2 × the bonus." in page
    assert drawn(response)["completions"][-1] == {
        "x": 0.05,
        "y": 100.0,
        "name": "Within 0 h",
        "share": "100.0 %",
    }


def test_warnings_come_first(office: Client, operator: Operator) -> None:
    TermsLimitsFactory.create(operator=operator, wagering_multiple_max=1)

    page = text_of(office.get(PATH, {**GIFT, **FEW, "operator": operator.slug}))

    assert page.index("Great Britain: the bonus may have to be wagered") < page.index("On average")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"amount": ""}, "This field is required."),
        ({"amount": "0"}, "It must be above 0."),
        ({"amount": "10.001"}, "EUR has 2 decimals."),
        ({"weight_default": "9999"}, "It must not be above 1000."),
        ({"stakes": "a lot"}, "Type lines such as 0.50: 3, or just 0.50."),
        ({"stakes": "0"}, "Type lines such as 0.50: 3"),
        ({"stakes": "0.001"}, "EUR has 2 decimals; a stake has more."),
        ({"games": "slots: 0"}, "must be above 0"),
        ({"games": "slots: 1, 101"}, "must not be above 100 %"),
        ({"games": "slots: 1, 96, wild"}, "Type lines such as slots: 80"),
        ({"games": "nowhere: 1"}, "There is no such game."),
        ({"rtp": "101"}, "It must not be above 100."),
        ({"players": "99"}, "greater than or equal to 100"),
        ({"operator": ""}, "This field is required."),
        ({"operator": "nobody"}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_is_marked_and_nothing_is_simulated(
    change: dict[str, str], said: str, office: Client, operator: Operator
) -> None:
    response = office.get(PATH, {**GIFT, **FEW, "operator": operator.slug, **change})

    page = text_of(response)
    assert "Nothing was simulated." in page
    assert said in page
    assert "On average" not in page


def test_a_template_is_simulated_at_once_with_what_is_usual(
    office: Client, operator: Operator, monkeypatch: Any
) -> None:
    monkeypatch.setattr("simulations.rules.defaults.PLAYERS", 100)
    template = BonusTemplateFactory.create(operator=operator, match=True, is_active=False)

    response = office.get(PATH, {"operator": operator.slug, "template": str(template.pk)})

    page = text_of(response)
    assert "Bonus 200.00 EUR, beside 200.00 EUR of the player&#x27;s own." in page
    assert "12,000.00 EUR, 60 × the bonus within 7 days." in page
    # What was assumed stands in the form, ready to be changed.
    form = response.context["form"]
    assert form["deposit"].value() == "200.00"
    assert form["stakes"].value() == "2.00: 1"
    assert form["games"].value() == "slots: 1"


def test_a_template_is_simulated_as_somebody_says(office: Client, operator: Operator) -> None:
    template = BonusTemplateFactory.create(operator=operator)
    named = {"operator": operator.slug, "template": str(template.pk)}

    page = text_of(
        office.get(
            PATH,
            {**named, **FEW, "stakes": "0.50: 3\n1", "games": "slots: 3\ntable: 1, 99.5 %, low"},
        )
    )

    assert "100 players" in page


def test_a_promo_is_simulated_on_its_games(office: Client, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)
    game = GameFactory.create(operator=operator, slug="slot")
    PromoGameFactory.create(promo=promo, game=game)
    named = {"operator": operator.slug, "promo": str(promo.pk)}

    page = text_of(office.get(PATH, {**named, **FEW, "deposit": "20", "stakes": "1"}))

    assert "To wager: 600.00 USD, 30 × the bonus within 7 days." in page


def test_a_refusal_of_what_is_usual_is_told(office: Client, operator: Operator) -> None:
    promo = PromoFactory.create(
        operator=operator, bonus_multiplier=0, min_deposit_usd_to_activate=0, fixed=True
    )
    named = {"operator": operator.slug, "promo": str(promo.pk)}

    page = text_of(office.get(PATH, {**named, "deposit": "0", **FEW}))

    assert "Nothing was simulated." in page


@pytest.mark.parametrize("name", ["template", "promo"])
@pytest.mark.parametrize("row_id", ["x", "019a0000-0000-7000-8000-000000000000"])
def test_terms_that_are_not_there_are_no_page(
    name: str, row_id: str, office: Client, operator: Operator
) -> None:
    response = office.get(PATH, {"operator": operator.slug, name: row_id})

    assert response.status_code == 404
    assert office.get(PATH, {"operator": "nobody", name: row_id}).status_code == 404


def test_a_template_under_another_operators_name_is_no_page(
    office: Client, operator: Operator
) -> None:
    template = BonusTemplateFactory.create()

    response = office.get(PATH, {"operator": operator.slug, "template": str(template.pk)})

    assert response.status_code == 404


def test_the_same_terms_can_be_tried_otherwise(office: Client, operator: Operator) -> None:
    template = BonusTemplateFactory.create(operator=operator, match=True, max_bet=5)
    response = office.get(PATH, {"operator": operator.slug, "template": str(template.pk), **FEW})

    typed = dict(parse_qsl(urlsplit(response.context["free_url"]).query))
    again = office.get(PATH, {**typed, "run": "1"})

    assert typed["match_percent"] == "100"
    assert (typed["max_bet"], typed["time_limit_hours"]) == ("5", "168")
    assert again.context["form"].errors == {}
    assert again.context["result"] == response.context["result"]


def test_a_promo_can_be_tried_otherwise(office: Client, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)
    game = GameFactory.create(operator=operator, slug="slot")
    PromoGameFactory.create(promo=promo, game=game, max_bet_amount=5)
    response = office.get(PATH, {"operator": operator.slug, "promo": str(promo.pk), **FEW})

    typed = dict(parse_qsl(urlsplit(response.context["free_url"]).query))
    again = office.get(PATH, {**typed, "run": "1"})

    assert typed["listed"] == "slot: 1, 5"
    assert again.context["form"].errors == {}
    assert again.context["result"] == response.context["result"]


# Who may


def test_only_who_may_simulate_sees_it(staff_with: Any) -> None:
    assert staff_with("simulations.view_termslimits").get(PATH).status_code == 403
    assert staff_with("simulations.simulate").get(PATH).status_code == 200
    assert Client().get(PATH).status_code == 302


@pytest.mark.parametrize(
    ("name", "permission"),
    [("template", "bonuses.view_bonustemplate"), ("promo", "promos.view_promo")],
)
def test_stored_terms_are_for_those_who_may_look_at_them(
    name: str, permission: str, staff_with: Any, operator: Operator
) -> None:
    factory = BonusTemplateFactory if name == "template" else PromoFactory
    named = {"operator": operator.slug, name: str(factory.create(operator=operator).pk), **FEW}

    assert staff_with("simulations.simulate").get(PATH, named).status_code == 403
    assert staff_with("simulations.simulate", permission).get(PATH, named).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_read_and_nothing_else(method: str, office: Client) -> None:
    assert getattr(office, method)(PATH).status_code == 405


def test_it_writes_nothing(office: Client, operator: Operator, changes_nothing: Any) -> None:
    with changes_nothing():
        office.get(PATH, {**GIFT, **FEW, "operator": operator.slug})


def test_what_is_typed_is_escaped(office: Client, operator: Operator) -> None:
    nasty = "<script>alert(1)</script>"
    TermsLimitsFactory.create(operator=operator, label=nasty, wagering_multiple_max=1)

    response = office.get(PATH, {**GIFT, **FEW, "operator": operator.slug, "games": nasty})
    again = office.get(PATH, {**GIFT, **FEW, "operator": operator.slug})

    assert nasty not in response.content.decode()
    assert nasty not in again.content.decode()
    assert "&lt;script&gt;" in again.content.decode()


# Where terms are published


@pytest.mark.parametrize("name", ["template", "promo"])
def test_the_page_of_terms_warns_and_leads_here(
    name: str, office: Client, operator: Operator
) -> None:
    TermsLimitsFactory.create(operator=operator)
    factory = BonusTemplateFactory if name == "template" else PromoFactory
    row = factory.create(operator=operator)

    page = office.get(
        reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    )

    assert "Great Britain: the bonus may have to be wagered 10 times at most" in text_of(page)
    assert f"{PATH}?operator={operator.slug}&amp;{name}={row.pk}" in page.content.decode()


def test_who_may_not_simulate_is_not_led_here(staff_with: Any, operator: Operator) -> None:
    template = BonusTemplateFactory.create(operator=operator)
    url = reverse("admin:bonuses_bonustemplate_change", args=[template.pk])

    page = staff_with("bonuses.view_bonustemplate").get(url).content.decode()

    assert "Before it is published" not in page


@pytest.mark.parametrize(
    ("url_name", "kind"),
    [("bonuses_bonustemplate_add", "no_deposit"), ("promos_promo_add", "DEPOSIT")],
)
def test_the_form_of_terms_leads_here(url_name: str, kind: str, office: Client) -> None:
    page = office.get(reverse(f"admin:{url_name}"), {"type": kind}).content.decode()

    assert f'href="{PATH}?kind={kind}"' in page


def test_the_form_of_terms_in_force_leads_to_them(office: Client, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)

    page = office.get(reverse("admin:promos_promo_edit", args=[promo.pk])).content.decode()

    assert f"{PATH}?operator={operator.slug}&amp;promo={promo.pk}" in page


# The limits themselves


def test_limits_are_added_changed_and_removed_through_their_pages(
    office: Client, operator: Operator
) -> None:
    given = {"operator": operator.pk, "label": "Great Britain", "reason": "The regulator"}
    added = office.post(
        reverse("admin:simulations_termslimits_add"),
        {**given, "wagering_multiple_max": "10"},
        follow=True,
    )
    row = TermsLimits.objects.get()
    edit = reverse("admin:simulations_termslimits_edit", args=[row.pk])
    changed = office.post(
        edit, {"wagering_multiple_max": "7.5", "reason": "It changed"}, follow=True
    )
    remove = reverse("admin:simulations_termslimits_remove", args=[row.pk])
    removed = office.post(remove, {"reason": "We left"}, follow=True)

    assert "Great Britain was added: 10 ×." in text_of(added)
    assert "Great Britain: 7.5 ×." in text_of(changed)
    assert "The limits for Great Britain were removed." in text_of(removed)
    assert not TermsLimits.objects.exists()


def test_limits_that_are_there_are_refused_beside_the_form(
    office: Client, operator: Operator
) -> None:
    TermsLimitsFactory.create(operator=operator)

    response = office.post(
        reverse("admin:simulations_termslimits_add"),
        {
            "operator": operator.pk,
            "label": "Great Britain",
            "wagering_multiple_max": "9",
            "reason": "Again",
        },
    )

    assert response.status_code == 409
    assert "There are limits for Great Britain already" in response.content.decode()
