"""Promos made, changed, listed with games, counted, and ended through the back office."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import AuditEntry
from operators.models import Operator
from promos.enums import UserPromoStatus
from promos.models import Promo
from promos.selectors import read_promo_figures
from tests.admin.conftest import messages_of
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import (
    PromoFactory,
    PromoGameFactory,
    UserPromoFactory,
)

pytestmark = pytest.mark.django_db

LIST = "admin:promos_promo_changelist"
WELCOME = {
    "code": "WELCOME100",
    "title": "Welcome",
    "is_active": "on",
    "bonus_multiplier": "1",
    "max_bonus_usd_amount": "500",
    "min_deposit_usd_to_activate": "20",
    "wager_multiplier_to_complete": "30",
    "days_to_complete": "7",
}
IN_NUMBERS = [
    "Deposit 100.00 USD → bonus 100.00 USD → wager 3,000.00 USD within 7 days.",
    "Deposit 1,000.00 USD → bonus 500.00 USD (the cap) → wager 15,000.00 USD within 7 days.",
    "The first deposit decides: 20.00 USD or more activates, less cancels the claim.",
]


def page_of(row: Any, name: str = "change") -> str:
    return reverse(f"admin:promos_{row._meta.model_name}_{name}", args=[row.pk])


def add_page(promo_type: str) -> str:
    return reverse("admin:promos_promo_add") + f"?type={promo_type}"


def errors_of(response: Any) -> dict[str, Any]:
    return {name: list(errors) for name, errors in response.context["form"].errors.items()}


def test_a_deposit_promo_is_made_and_explained_in_numbers(
    office: Client, superuser: Any, operator: Operator
) -> None:
    response = office.post(
        add_page("DEPOSIT"), {**WELCOME, "operator": operator.pk, "claims_left": "7"}, follow=True
    )

    promo = Promo.objects.get()
    assert response.redirect_chain == [(page_of(promo), 302)]
    assert messages_of(response) == [f"WELCOME100 was created. {IN_NUMBERS[0]}"]
    assert (promo.type, promo.claims_left, promo.claims_cap) == ("DEPOSIT", 7, 7)
    assert promo.time_seconds_to_complete == 604_800
    shown = response.content.decode()
    assert [sentence for sentence in IN_NUMBERS if sentence not in shown] == []
    entry = AuditEntry.objects.get(action="promo.created")
    assert (entry.actor_kind, entry.actor_ref) == ("staff", str(superuser.pk))


def test_an_instant_promo_is_made(office: Client, operator: Operator) -> None:
    office.post(
        add_page("INSTANT"),
        {"code": "FREE10", "is_active": "on", "operator": operator.pk, "amount": "10"}
        | {"currency": "EUR"},
    )

    promo = Promo.objects.get()
    assert (promo.type, promo.amount, promo.currency) == ("INSTANT", Decimal(10), "EUR")


@pytest.mark.parametrize(
    ("promo_type", "there", "not_there"),
    [
        ("INSTANT", "amount", "bonus_multiplier"),
        ("INSTANT", "currency", "days_to_complete"),
        ("DEPOSIT", "max_bonus_usd_amount", "amount"),
        ("DEPOSIT", "wager_usd_amount_to_complete", "currency"),
    ],
)
def test_a_form_has_the_fields_of_its_type_only(
    promo_type: str, there: str, not_there: str, office: Client
) -> None:
    fields = office.get(add_page(promo_type)).context["form"].fields

    assert there in fields
    assert not_there not in fields


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"wager_multiplier_to_complete": ""}, ["wager_multiplier_to_complete"]),
        ({"wager_usd_amount_to_complete": "1500"}, ["wager_usd_amount_to_complete"]),
        ({"code": "two words"}, ["code"]),
        ({"bonus_multiplier": "1e3"}, ["bonus_multiplier"]),
        ({"bonus_multiplier": "-1"}, ["bonus_multiplier"]),
        ({"starts_at": "2026-03-02T00:00", "expires_at": "2026-03-01T00:00"}, ["expires_at"]),
        ({"days_to_complete": "0"}, ["days_to_complete"]),
    ],
)
def test_terms_that_cannot_be_are_marked_and_nothing_is_made(
    changes: dict[str, str],
    wrong: list[str],
    office: Client,
    operator: Operator,
) -> None:
    response = office.post(add_page("DEPOSIT"), {**WELCOME, "operator": operator.pk, **changes})

    assert list(errors_of(response)) == wrong
    assert "Nothing was changed." in response.content.decode()
    assert Promo.objects.exists() is False


def test_a_refused_form_recomputes_its_example(office: Client, operator: Operator) -> None:
    PromoFactory.create(operator=operator, code="WELCOME100")
    given = {**WELCOME, "operator": operator.pk, "bonus_multiplier": "0.5"}

    response = office.post(add_page("DEPOSIT"), given)

    assert response.status_code == 409
    assert errors_of(response) == {"__all__": ["Another promo has this code."]}
    assert response.context["examples"][0] == (
        "Deposit 100.00 USD → bonus 50.00 USD → wager 1,500.00 USD within 7 days."
    )
    assert Promo.objects.count() == 1


def test_terms_are_changed_and_claims_left_is_not_among_them(
    office: Client, operator: Operator
) -> None:
    promo = PromoFactory.create(operator=operator, code="OLD", claims_left=5)

    form = office.get(page_of(promo, "edit")).context["form"]
    response = office.post(
        page_of(promo, "edit"), {**WELCOME, "wager_multiplier_to_complete": "20"}, follow=True
    )

    assert "claims_left" not in form.fields
    assert form["days_to_complete"].value() == "7"
    changed = Promo.objects.get()
    assert (changed.code, changed.wager_multiplier_to_complete) == ("WELCOME100", Decimal(20))
    assert changed.claims_left == 5
    assert messages_of(response)[0].startswith("WELCOME100 was changed. Deposit 100.00 USD")


def test_games_are_replaced_as_a_whole(office: Client, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)
    PromoGameFactory.create(promo=promo)
    GameFactory.create(operator=operator, slug="slot")
    GameFactory.create(operator=operator, slug="table")

    response = office.post(
        page_of(promo, "games"),
        {
            "games-TOTAL_FORMS": "2",
            "games-INITIAL_FORMS": "0",
            "games-0-game": "slot",
            "games-0-wager_multiplier": "1",
            "games-0-max_bet_amount": "5",
            "games-1-game": "table",
            "games-1-wager_multiplier": "0.1",
        },
        follow=True,
    )

    assert messages_of(response) == [f"{promo.code} has 2 games."]
    version = Promo.objects.get(pk=promo.pk).games_version
    rows = promo.games.filter(version=version).order_by("pk")
    assert list(rows.values_list("game__slug", "wager_multiplier", "max_bet_amount")) == [
        ("slot", Decimal(1), Decimal(5)),
        ("table", Decimal("0.1"), None),
    ]


def test_a_game_that_is_listed_twice_is_marked_at_its_row(
    office: Client, operator: Operator
) -> None:
    promo = PromoFactory.create(operator=operator)
    GameFactory.create(operator=operator, slug="slot")
    given = {"games-TOTAL_FORMS": "2", "games-INITIAL_FORMS": "0"}
    for row in (0, 1):
        given |= {f"games-{row}-game": "slot", f"games-{row}-wager_multiplier": "1"}

    response = office.post(page_of(promo, "games"), given)

    assert response.status_code == 400
    rows = response.context["form"].rows.forms
    assert [dict(row.errors) for row in rows] == [{}, {"game": ["The game is listed twice."]}]
    assert promo.games.count() == 0


def test_games_of_another_operator_are_not_offered(office: Client, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)
    GameFactory.create(slug="theirs")

    form = office.get(page_of(promo, "games")).context["form"]

    assert form.rows.empty_form.fields["game"].choices == [("", "Choose a game")]


@pytest.mark.parametrize(("delta", "left"), [("3", 8), ("-5", 0)])
def test_claims_left_changes_by_a_difference(
    delta: str, left: int, office: Client, operator: Operator
) -> None:
    promo = PromoFactory.create(operator=operator, claims_left=5)

    response = office.post(
        page_of(promo, "claims-left"), {"delta": delta, "reason": "Because"}, follow=True
    )

    assert messages_of(response) == [f"{promo.code} has {left} claims left."]
    stored = Promo.objects.get()
    assert (stored.claims_left, stored.claims_cap) == (left, left)
    assert AuditEntry.objects.get(action="promo.claims_adjusted").reason == "Because"


@pytest.mark.parametrize(
    ("delta", "status", "error"),
    [("0", 200, "That changes nothing."), ("-6", 400, "Only 5 claims are left.")],
)
def test_a_difference_that_cannot_be_moves_nothing(
    delta: str, status: int, error: str, office: Client, operator: Operator
) -> None:
    promo = PromoFactory.create(operator=operator, claims_left=5)

    response = office.post(page_of(promo, "claims-left"), {"delta": delta, "reason": "Because"})

    assert (response.status_code, errors_of(response)) == (status, {"delta": [error]})
    assert Promo.objects.get().claims_left == 5
    assert AuditEntry.objects.exists() is False


@pytest.mark.parametrize(("is_used", "what"), [(False, "deleted"), (True, "archived")])
def test_a_promo_ends_with_a_reason(
    is_used: bool, what: str, office: Client, operator: Operator
) -> None:
    promo = PromoFactory.create(operator=operator)
    if is_used:
        UserPromoFactory.create(promo=promo)

    response = office.post(page_of(promo, "archive"), {"reason": "Too dear"}, follow=True)

    assert response.status_code == 200
    assert messages_of(response) == [f"{promo.code} was {what}."]
    assert Promo.objects.exclude(archived_at=None).count() == is_used
    assert Promo.objects.count() == is_used
    entries = AuditEntry.objects.filter(subject_id=str(promo.pk)).order_by("pk")
    assert entries.get(action=f"promo.{what}").actor_kind == "staff"
    assert entries.exclude(reason="").get().reason == "Too dear"


@pytest.mark.parametrize("page", ["edit", "games", "claims-left", "archive", "make-batch"])
def test_an_archived_promo_is_open_to_nothing(
    page: str, office: Client, operator: Operator, now: datetime
) -> None:
    promo = PromoFactory.create(operator=operator, claims_left=1, archived_at=now)

    shown = office.get(page_of(promo)).content.decode()

    assert f'href="{page_of(promo, page)}"' not in shown
    assert "archived" in office.get(page_of(promo, page)).context["obstacle"]


def test_the_cost_is_bonuses_less_clawbacks_at_their_own_rates(
    operator: Operator, now: datetime
) -> None:
    ExchangeRateFactory.create(operator=operator)
    promo = PromoFactory.create(operator=operator)
    gift = PromoFactory.create(operator=operator, instant=True)
    unclaimed = PromoFactory.create(operator=operator)
    # 80 euros are 100 dollars: one runs, one was taken back by a quarter, one never began.
    UserPromoFactory.create(promo=promo, status=UserPromoStatus.ACTIVE)
    UserPromoFactory.create(
        promo=promo,
        status=UserPromoStatus.CANCELLED,
        bonus_amount=Decimal(80),
        bonus_usd_amount=Decimal(100),
        target_usd_amount=Decimal(3000),
        activated_at=now,
        clawback_amount=Decimal(20),
    )
    UserPromoFactory.create(promo=promo)
    # Ten euros at 1.25 dollars, and ten pounds that nobody has a rate for.
    for currency in ("EUR", "GBP"):
        UserPromoFactory.create(
            promo=gift,
            player=PlayerFactory.create(operator=operator, currency=currency),
            status=UserPromoStatus.COMPLETED,
            bonus_amount=Decimal(10),
            bonus_usd_amount=None,
            target_usd_amount=None,
            target_multiplier=None,
            wagered_usd_amount=Decimal(0),
            activated_at=None,
        )

    with CaptureQueriesContext(connection) as queries:
        figures = read_promo_figures(promo_ids=[promo.pk, gift.pk, unclaimed.pk])

    assert len(queries) == 1
    assert (figures[promo.pk].claim_count, figures[promo.pk].cost_usd) == (3, Decimal(175))
    assert (figures[gift.pk].claim_count, figures[gift.pk].cost_usd) == (2, Decimal("12.5"))
    assert figures[gift.pk].unpriced_count == 1
    assert (figures[unclaimed.pk].claim_count, figures[unclaimed.pk].cost_usd) == (0, Decimal(0))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "live"}, ["LIVE"]),
        ({"type__exact": "INSTANT"}, ["OFF"]),
        ({"state": "active"}, ["LIVE"]),
        ({"state": "off"}, ["OFF"]),
        ({"state": "expired"}, ["OVER"]),
        ({"state": "used"}, ["USED"]),
        ({"state": "archived"}, ["GONE"]),
    ],
)
def test_the_list_is_narrowed(
    query: dict[str, str], found: list[str], office: Client, operator: Operator, now: datetime
) -> None:
    PromoFactory.create(operator=operator, code="LIVE")
    PromoFactory.create(operator=operator, code="OFF", instant=True, is_active=False)
    PromoFactory.create(operator=operator, code="OVER", expires_at=now - timedelta(days=1))
    PromoFactory.create(operator=operator, code="USED", claims_left=0)
    PromoFactory.create(operator=operator, code="GONE", archived_at=now)

    rows = office.get(reverse(LIST), query).context["cl"].result_list

    assert [row.code for row in rows] == found
