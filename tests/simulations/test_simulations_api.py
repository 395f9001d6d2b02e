"""POST /v1/simulations: terms in, figures out, and nothing is stored."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from operators.models import Operator
from simulations.rules import running
from simulations.rules.scenario import PLAYERS_MAX
from simulations.services import simulating
from tests.conftest import Client
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.games import GameFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.promos import PromoFactory, PromoGameFactory
from tests.factories.simulations import TermsLimitsFactory

pytestmark = pytest.mark.django_db

PATH = "/v1/simulations"
GIFT = {
    "type": "no_deposit",
    "config": {"amount": "10.00", "currency": "EUR"},
    "wagering_requirement_multiplier": "2",
}
MATCH = {
    "type": "DEPOSIT",
    "bonus_multiplier": "1",
    "max_bonus_usd_amount": "100.00",
    "wager_multiplier_to_complete": "2",
    "time_seconds_to_complete": 86400,
    "games": [{"game": "any-slot", "wager_multiplier": "0.5"}],
}
FEW = {"players": 100, "volatility": "none", "stakes": [{"stake": "1.00"}]}


def asked(client: Client, **body: Any) -> Any:
    return client.post(PATH, {**FEW, **body})


def pointers(response: Any) -> list[str]:
    assert response.status_code == 400, response.json()
    return [error["pointer"] for error in response.json()["errors"]]


def test_given_terms_are_answered_in_full(client: Client) -> None:
    response = asked(client, bonus=GIFT, gives_up_per_day="0")

    assert response.status_code == 200
    body = response.json()
    assert body.pop("final_balance")["quantiles"]["p50"] == "9.20"
    assert body.pop("completions")[-1] == {"hours": "0.05", "share": "1"}
    costs = body.pop("cost_by_multiple")
    assert costs[0] == {"multiple": "0", "cost": "10.00"}
    assert costs[24] == {"multiple": "2", "cost": "9.20"}
    assert body == {
        "currency": "EUR",
        "bonus_amount": "10.00",
        "own_money": "0.00",
        "wagering_required": "20.00",
        "wagering_required_currency": "EUR",
        "wagering_multiple": "2",
        "warnings": [
            {
                "code": "LOOKS_LIKE_A_LOSS",
                "detail": "A player costs 9.20 EUR on average, 92 % of the bonus. The house is "
                "ready to pay 50 %: 5.00 EUR.",
            }
        ],
        "players": 100,
        "bets": 2000,
        "cost": {
            "mean": "9.20",
            "standard_error": "0.00",
            "share_of_bonus": "0.92",
            "acceptable": "5.00",
            "booked": "10.00",
            "margin": "0.80",
            "quantiles": dict.fromkeys(["p05", "p25", "p50", "p75", "p95", "p99"], "9.20"),
        },
        "outcomes": {
            "completed": "1",
            "busted": "0",
            "expired": "0",
            "gave_up": "0",
            "forfeited": "0",
            "open": "0",
        },
        "completion_hours": dict.fromkeys(["p05", "p25", "p50", "p75", "p95", "p99"], "0.05"),
        "turnover": "20.00",
        "turnover_multiple": "2",
        "break_even_multiple": "12.5",
        "acceptable_only_unfinished": False,
        "scenario": {
            "deposit": "0.00",
            "own_money": "0.00",
            "loss": "0.00",
            "usd_rate": "1",
            "stakes": [{"stake": "1.00", "share": "1"}],
            "games": [
                {
                    "game": None,
                    "category": "slots",
                    "share": "1",
                    "rtp": "0.96",
                    "volatility": "none",
                }
            ],
            "bets_per_hour": 400,
            "hours_per_day": 2,
            "gives_up_per_day": "0",
            "horizon_days": 90,
            "acceptable_share": "0.5",
            "players": 100,
            "seed": 1,
        },
    }


def test_a_template_is_simulated_whether_it_is_switched_on_or_not(
    client: Client, operator: Operator
) -> None:
    template = BonusTemplateFactory.create(operator=operator, is_active=False)

    body = asked(client, template_id=str(template.pk)).json()

    assert (body["bonus_amount"], body["wagering_multiple"]) == ("10.00", "30")


def test_a_promo_is_simulated_on_its_games_in_the_wallets_currency(
    client: Client, operator: Operator
) -> None:
    ExchangeRateFactory.create(operator=operator)
    promo = PromoFactory.create(operator=operator, is_active=False)
    slot = GameFactory.create(operator=operator, slug="slot")
    PromoGameFactory.create(promo=promo, game=slot, max_bet_amount=Decimal(1))

    body = client.post(
        PATH, {"promo_id": str(promo.pk), "currency": "EUR", "deposit": "100", "players": 100}
    ).json()

    assert (body["bonus_amount"], body["wagering_required"]) == ("100.00", "3750.00")
    assert body["wagering_required_currency"] == "USD"
    assert body["scenario"]["usd_rate"] == "1.25"
    # A dollar is 0.80 euros: the largest plain stake that the list allows.
    assert body["scenario"]["stakes"] == [{"stake": "0.50", "share": "1"}]
    assert [game["game"] for game in body["scenario"]["games"]] == ["slot"]


def test_a_promo_can_be_given_with_games_that_are_in_no_catalogue(client: Client) -> None:
    body = asked(client, promo=MATCH, deposit="50.00", hours_per_day=24).json()

    assert body["turnover"] == "200.00"
    assert body["cost"]["mean"] == "42.00"


def test_the_same_body_has_the_same_answer(client: Client) -> None:
    body = {"bonus": GIFT, "volatility": "high", "players": 300, "seed": 4}

    first, second = asked(client, **body), asked(client, **body)
    other = asked(client, **{**body, "seed": 5})

    assert first.json() == second.json()
    assert first.json()["cost"] != other.json()["cost"]


def test_nothing_is_stored_and_no_key_is_needed(client: Client) -> None:
    asked(client, bonus=GIFT)

    with CaptureQueriesContext(connection) as queries:
        response = client.post(PATH, {**FEW, "bonus": GIFT}, headers={"Idempotency-Key": ""})

    assert response.status_code == 200
    assert [
        query["sql"] for query in queries if not query["sql"].lstrip().startswith("SELECT")
    ] == []


def test_limits_are_those_of_the_keys_operator(client: Client, operator: Operator) -> None:
    TermsLimitsFactory.create(operator=operator, wagering_multiple_max=1)
    TermsLimitsFactory.create(label="Of another operator", wagering_multiple_max=1)

    warnings = asked(client, bonus=GIFT, acceptable_share="1").json()["warnings"]

    assert [warning["code"] for warning in warnings] == ["WAGERING_ABOVE_LIMIT"]


@pytest.mark.parametrize("named", [(), ("bonus", "promo"), ("bonus", "template_id")])
def test_exactly_one_kind_of_terms_is_named(named: tuple[str, ...], client: Client) -> None:
    terms = {"bonus": GIFT, "promo": MATCH, "template_id": "019a0000-0000-7000-8000-000000000000"}

    response = asked(client, **{name: terms[name] for name in named})

    wrong = named or ("bonus", "promo", "promo_id", "template_id")
    assert sorted(pointers(response)) == sorted(f"/{name}" for name in wrong)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"bonus": {**GIFT, "config": {"currency": "EUR"}}}, "/bonus/config/amount"),
        (
            {"bonus": {**GIFT, "wagering_basis": "bonus_plus_deposit"}},
            "/bonus/wagering_basis",
        ),
        ({"bonus": {**GIFT, "game_contribution": {"bingo": 1}}}, "/bonus/game_contribution/bingo"),
        ({"bonus": {**GIFT, "name": "Ten"}}, "/bonus/name"),
        ({"promo": {**MATCH, "amount": "1"}}, "/promo/amount"),
        ({"promo": {**MATCH, "bonus_multiplier": None}}, "/promo/bonus_multiplier"),
        (
            {"promo": {**MATCH, "wager_usd_amount_to_complete": "1"}},
            "/promo/wager_multiplier_to_complete",
        ),
        ({"promo": {**MATCH, "min_deposit_usd_to_activate": "9"}, "deposit": "8"}, "/deposit"),
        ({"bonus": GIFT, "own_money": "0.001"}, "/own_money"),
        ({"bonus": GIFT, "own_money": 5}, "/own_money"),
        ({"bonus": GIFT, "currency": "USD"}, "/currency"),
        ({"bonus": GIFT, "stakes": []}, "/stakes"),
        ({"bonus": GIFT, "stakes": [{"stake": "0"}]}, "/stakes/0/stake"),
        ({"bonus": GIFT, "stakes": [{"stake": "0.001"}]}, "/stakes"),
        ({"bonus": GIFT, "stakes": [{"stake": "9999999"}]}, "/stakes"),
        ({"bonus": GIFT, "stakes": [{"stake": "1"}] * 11}, "/stakes"),
        ({"bonus": GIFT, "games": [{"share": "1"}]}, "/games/0/game"),
        ({"bonus": GIFT, "games": [{"game": "nowhere"}]}, "/games/0/game"),
        ({"bonus": GIFT, "games": [{"category": "bingo"}]}, "/games/0/category"),
        ({"bonus": GIFT, "games": [{"category": "slots", "share": "0"}]}, "/games/0/share"),
        ({"bonus": GIFT, "rtp": "1.01"}, "/rtp"),
        ({"bonus": GIFT, "volatility": "wild"}, "/volatility"),
        ({"bonus": GIFT, "players": PLAYERS_MAX + 1}, "/players"),
        ({"bonus": GIFT, "players": 99}, "/players"),
        ({"bonus": GIFT, "bets_per_hour": 0}, "/bets_per_hour"),
        ({"bonus": GIFT, "hours_per_day": 25}, "/hours_per_day"),
        ({"bonus": GIFT, "horizon_days": 367}, "/horizon_days"),
        ({"bonus": GIFT, "seed": 2**32}, "/seed"),
        ({"bonus": GIFT, "seed": True}, "/seed"),
        ({"bonus": GIFT, "luck": "1"}, "/luck"),
    ],
)
def test_what_cannot_be_is_named(body: Any, pointer: str, client: Client) -> None:
    assert pointer in pointers(asked(client, **body))


def test_a_game_of_another_operator_is_unknown(client: Client) -> None:
    GameFactory.create(slug="theirs")

    assert pointers(asked(client, bonus=GIFT, games=[{"game": "theirs"}])) == ["/games/0/game"]


@pytest.mark.parametrize(
    ("name", "code"),
    [("template_id", "BONUS_TEMPLATE_NOT_FOUND"), ("promo_id", "PROMO_NOT_FOUND")],
)
def test_terms_of_another_operator_are_absent(name: str, code: str, client: Client) -> None:
    factory = BonusTemplateFactory if name == "template_id" else PromoFactory
    theirs = str(factory.create().pk)

    for row_id in (theirs, "019a0000-0000-7000-8000-000000000000"):
        response = asked(client, **{name: row_id})
        assert (response.status_code, response.json()["code"]) == (404, code)


def test_a_currency_without_a_rate_is_refused(client: Client) -> None:
    response = asked(client, promo=MATCH, currency="EUR", deposit="50.00")

    assert (response.status_code, response.json()["code"]) == (409, "EXCHANGE_RATE_MISSING")


def test_who_waits_too_long_for_another_simulation_is_told_to_come_back(
    client: Client, monkeypatch: Any
) -> None:
    monkeypatch.setattr(simulating, "_WAIT_S", 0)

    with simulating._running:
        response = asked(client, bonus=GIFT)

    assert (response.status_code, response.json()["code"]) == (503, "RESOURCE_BUSY")
    assert response.headers["Retry-After"] == "2"
    assert asked(client, bonus=GIFT).status_code == 200


def test_the_largest_request_stays_within_its_work(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(running, "WORK_MAX", 200_000)
    monkeypatch.setattr(running, "TRIED_WORK_MAX", 200_000)
    terms = {**GIFT, "wagering_requirement_multiplier": "10000"}
    games = [{"category": "slots", "share": "1"}] * 50
    stakes = [{"stake": f"0.{cents:02d}"} for cents in range(1, 11)]

    response = client.post(
        PATH,
        {
            "bonus": terms,
            "players": PLAYERS_MAX,
            "games": games,
            "stakes": stakes,
            "own_money": "5.00",
            "volatility": "high",
            "horizon_days": 1,
        },
    )

    assert response.status_code == 200
    assert response.json()["players"] < PLAYERS_MAX
    assert "TOO_FEW_ROUNDS" in [warning["code"] for warning in response.json()["warnings"]]
