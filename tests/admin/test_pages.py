"""Every page answers, with rows and without, and refuses whoever may not look."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from core.admin import BackofficeModelAdmin
from operators.models import Operator
from tests.admin.world import fill_world
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
PAGES = [
    (model, page) for model in MODELS for page in getattr(admin.site._registry[model], "pages", ())
]


def label(value: Any) -> str:
    return value._meta.label if isinstance(value, type) and issubclass(value, Model) else value.name


def url(model: type[Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def test_what_the_back_office_shows() -> None:
    assert [model._meta.label for model in MODELS] == [
        "activity.Bet",
        "adapters.AdapterConfig",
        "adapters.WebhookDelivery",
        "adapters.WebhookEndpoint",
        "adapters.WebhookMessage",
        "approvals.Approval",
        "approvals.ApprovalSettings",
        "auth.Group",
        "auth.User",
        "bonuses.BonusCampaign",
        "bonuses.BonusGrant",
        "bonuses.BonusIssuance",
        "bonuses.BonusTemplate",
        "bonuses.Discrepancy",
        "bonuses.PlatformEvent",
        "bonuses.ReconciliationRun",
        "core.AuditEntry",
        "core.BooksCheck",
        "games.Game",
        "jackpots.Boost",
        "jackpots.Contribution",
        "jackpots.ContributionRequest",
        "jackpots.Instance",
        "jackpots.JackpotSettings",
        "jackpots.OptIn",
        "jackpots.RollbackLoss",
        "jackpots.Win",
        "operators.ApiKey",
        "operators.ExchangeRate",
        "operators.Operator",
        "players.Player",
        "players.Segment",
        "promos.CodeBatch",
        "promos.Promo",
        "promos.UserPromo",
        "promos.WithdrawalLock",
        "simulations.TermsLimits",
        "wallets.Account",
        "wallets.Transfer",
    ]


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_list_answers_without_rows_and_says_what_to_do(
    model: type[Model], office: Client
) -> None:
    response = office.get(url(model, "changelist"))

    assert response.status_code == 200
    # There is always somebody, and the roles that the product brings.
    if model._meta.label not in ("auth.Group", "auth.User"):
        assert admin.site._registry[model].empty_text in response.content.decode().replace(
            "&#x27;", "'"
        )


def test_a_list_answers_with_rows(office: Client, operator: Operator, now: datetime) -> None:
    fill_world(operator, now, rows=2)

    for model in MODELS:
        assert office.get(url(model, "changelist")).status_code == 200, label(model)
        assert office.get(url(model, "changelist"), {"q": "nobody"}).status_code == 200
        assert office.get(url(model, "changelist"), {"p": "2"}).status_code in (200, 302)


def test_a_row_has_a_page(office: Client, operator: Operator, now: datetime) -> None:
    fill_world(operator, now, rows=1)

    for model in MODELS:
        rows = model._default_manager.all()
        assert rows, f"the world has no {label(model)}"
        for row in rows:
            assert office.get(url(model, "change", row.pk)).status_code == 200, label(model)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("approvals.ApprovalSettings", "Acme & Sons"),
        ("jackpots.Boost", "10 into {row.pot.name}"),
        ("jackpots.JackpotSettings", "Acme & Sons"),
        ("jackpots.OptIn", "{row.player.reference} in {row.instance.name}"),
        ("promos.UserPromo", "{row.code} of {row.player.reference}"),
    ],
)
def test_above_a_page_stands_whose_row_it_is_and_no_number(
    office: Client, now: datetime, name: str, says: str
) -> None:
    fill_world(OperatorFactory.create(name="Acme & Sons"), now, rows=1)
    model = apps.get_model(name)
    row = model._default_manager.all()[0]
    said = escape(says.format(row=row))

    page = office.get(url(model, "change", row.pk)).content.decode()

    assert re.findall(r"<title>\s*(.*?) \|", page) == [said]
    [*_, last] = re.findall(r"tracking-tight[^>]*>\s*(.*?)\s*</a>", page)
    assert last == said


def test_what_a_row_is_called_takes_no_statement(
    office: Client, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=1)

    for model in MODELS:
        model_admin = admin.site._registry[model]
        request = RequestFactory().get("/")
        request.user = User.objects.get(username="ada")
        for row in model_admin.get_queryset(request):
            with CaptureQueriesContext(connection) as queries:
                assert str(row)
            assert queries.captured_queries == [], label(model)


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_page_that_adds_answers_where_adding_is_allowed(
    model: type[Model], office: Client
) -> None:
    can_add = model._meta.label in (
        "adapters.AdapterConfig",
        "adapters.WebhookEndpoint",
        "approvals.ApprovalSettings",
        "auth.Group",
        "auth.User",
        "bonuses.BonusCampaign",
        "bonuses.BonusTemplate",
        "jackpots.Instance",
        "jackpots.JackpotSettings",
        "operators.ExchangeRate",
        "operators.Operator",
        "players.Segment",
        "promos.Promo",
        "simulations.TermsLimits",
    )

    assert office.get(url(model, "add")).status_code == (200 if can_add else 403)


def test_a_command_has_a_page_in_every_state_of_the_row(
    office: Client, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=1)

    for model, page in PAGES:
        name = page.url_name(model._meta).split("_", 2)[2]
        for row in model._default_manager.all():
            assert office.get(url(model, name, row.pk)).status_code == 200, (label(model), name)


def test_staff_without_permission_see_no_page(
    staff_with: Any, operator: Operator, now: datetime
) -> None:
    fill_world(operator, now, rows=1)
    nobody = staff_with()

    for model in MODELS:
        assert nobody.get(url(model, "changelist")).status_code == 403, label(model)
        assert nobody.get(url(model, "add")).status_code == 403, label(model)
        for row in model._default_manager.all():
            assert nobody.get(url(model, "change", row.pk)).status_code == 403, label(model)


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_strangers_are_led_to_the_sign_in_page(model: type[Model], db: Any) -> None:
    response = Client().get(url(model, "changelist"))

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_staff_without_a_role_are_told_so(staff_with: Any) -> None:
    response = staff_with().get("/admin/")

    assert response.status_code == 200
    assert "no role yet" in response.content.decode()


def test_every_page_but_those_of_staff_is_read_only_for_a_superuser_too(superuser: Any) -> None:
    request = type("Request", (), {"user": superuser, "GET": {}, "method": "GET"})()
    savers = [
        model._meta.label
        for model, page in admin.site._registry.items()
        if page.has_change_permission(request) or page.has_delete_permission(request)
    ]

    assert sorted(savers) == ["auth.Group", "auth.User"]
    assert [
        model._meta.label
        for model, page in admin.site._registry.items()
        if not isinstance(page, BackofficeModelAdmin)
    ] == []


def test_a_row_that_is_not_there_leads_home_with_a_message(office: Client) -> None:
    missing = "/admin/jackpots/instance/01a1fceb-fdac-715d-8ca4-51336434b2e0/"

    for path in (missing + "change/", missing + "pause/"):
        response = office.get(path, follow=True)
        assert response.redirect_chain == [("/admin/", 302)]
        assert "exist" in str(next(iter(response.context["messages"])))


def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_machines(
    office: Client,
) -> None:
    for_people = office.get("/admin/nothing/")
    for_machines = office.get("/v1/nothing")

    assert for_people.status_code == for_machines.status_code == 404
    assert for_people["Content-Type"] == "text/html; charset=utf-8"
    assert for_machines["Content-Type"] == "application/problem+json"


def test_the_address_without_its_slash_leads_to_the_back_office(office: Client) -> None:
    response = office.get("/admin")

    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_signing_in_leads_to_the_home_page(superuser: Any) -> None:
    response = Client().post("/accounts/login/", {"login": "ada", "password": "ada"})

    assert (response.status_code, response["Location"]) == (302, "/admin/")
