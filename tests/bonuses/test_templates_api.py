"""Bonus templates over HTTP: made, listed, read; what is refused, and as what."""

from typing import Any

import pytest

from bonuses.enums import BonusType
from bonuses.models import BonusTemplate
from bonuses.services.templates import MISTAKES_TOLD_MAX
from core.models import AuditEntry
from operators.enums import Scope
from operators.models import Operator
from tests.bonuses.test_template_configs import VALID, short
from tests.core.test_fields import NO_AMOUNTS
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.games import GameFactory

pytestmark = pytest.mark.django_db

PATH = "/v1/bonus-templates"
MATCH: dict[str, Any] = {
    "name": "Welcome",
    "type": "deposit_match",
    "config": {"match_percent": "100", "cap_amount": "200.00", "currency": "EUR"},
    "wagering_requirement_multiplier": "30",
    "wagering_basis": "bonus_plus_deposit",
    "game_contribution": {
        "slots": 100,
        "table": 10,
        "live": 5,
        "default": 0,
        "games": {"sums": 50},
    },
    "max_bet": "5.00",
    "max_win_cap": "1000.00",
    "time_limit_hours": 168,
    "max_grants_per_player": 1,
    "is_active": True,
}


BEYOND = "99999999999999999999.00"


@pytest.fixture(autouse=True)
def games(operator: Operator) -> None:
    for slug in VALID[BonusType.FREE_SPINS]["eligible_games"]:
        GameFactory.create(operator=operator, slug=slug)


def refused(response: Any, status: int, code: str) -> list[tuple[str, str]]:
    assert (response.status_code, response.json()["code"]) == (status, code), response.content
    assert BonusTemplate.objects.exists() is False
    assert AuditEntry.objects.exists() is False
    return sorted((error["pointer"], error["code"]) for error in response.json()["errors"])


def as_config(response: Any) -> list[tuple[str, str]]:
    return refused(response, 422, "BONUS_CONFIG_INVALID")


def as_request(response: Any) -> list[tuple[str, str]]:
    return refused(response, 400, "INVALID_REQUEST")


def test_a_template_is_made_and_read(client: Any, operator: Operator) -> None:
    response = client.post(PATH, MATCH)

    assert response.status_code == 201, response.content
    template = BonusTemplate.objects.get()
    assert (template.operator, template.currency) == (operator, "EUR")
    body = response.json()
    assert body == {"id": str(template.pk), **MATCH, "created_at": body["created_at"]}
    assert body["created_at"].endswith("Z")
    read = client.get(f"{PATH}/{template.pk}")
    assert (read.status_code, read.json()) == (200, response.json())
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject_id) == ("bonus.template.created", str(template.pk))
    assert entry.after["type"] == "deposit_match"
    assert entry.after["config"] == MATCH["config"]
    assert entry.after["wagering_requirement_multiplier"] == "30"


@pytest.mark.parametrize("kind", BonusType)
def test_what_may_be_left_out_is_told(kind: BonusType, client: Any) -> None:
    least = {
        "name": "Least",
        "type": kind.value,
        "config": VALID[kind],
        "wagering_requirement_multiplier": "0",
    }

    response = client.post(PATH, least)

    assert response.status_code == 201, response.content
    body = response.json()
    assert {**body, "id": None, "created_at": None} == {
        "id": None,
        **least,
        "wagering_basis": "bonus",
        "game_contribution": {"default": 100},
        "max_bet": None,
        "max_win_cap": None,
        "time_limit_hours": None,
        "max_grants_per_player": None,
        "is_active": True,
        "created_at": None,
    }


def test_numbers_are_told_in_one_form(client: Any) -> None:
    config = {"match_percent": "50.50", "cap_amount": "007", "currency": "EUR"}

    body = client.post(
        PATH,
        MATCH | {"config": config, "wagering_requirement_multiplier": "30.0", "max_bet": "5"},
    ).json()

    assert body["config"] == {"match_percent": "50.5", "cap_amount": "7.00", "currency": "EUR"}
    assert (body["wagering_requirement_multiplier"], body["max_bet"]) == ("30", "5.00")


# Refused as config: 422


def test_every_wrong_member_of_a_config_is_named(client: Any) -> None:
    config = {"match_percent": 100, "cap_amount": "1.001", "currency": "EUR", "amount": "1"}

    assert as_config(client.post(PATH, MATCH | {"config": config})) == [
        ("/config/amount", "unknown"),
        ("/config/cap_amount", "too_precise"),
        ("/config/match_percent", "not_a_string"),
    ]


@pytest.mark.parametrize("value", NO_AMOUNTS[5:], ids=short)
def test_bad_money_in_a_config_is_a_bad_config(value: Any, client: Any) -> None:
    if isinstance(value, str) and "\x00" in value:
        # The body itself is refused before anybody reads it.
        value = value.replace("\x00", "\x01")
    config = {**MATCH["config"], "cap_amount": value}

    found = as_config(client.post(PATH, MATCH | {"config": config}))

    assert [pointer for pointer, _code in found] == ["/config/cap_amount"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"config": {**MATCH["config"], "cap_amount": BEYOND}}, "/config/cap_amount"),
        ({"max_bet": BEYOND}, "/max_bet"),
        ({"max_win_cap": BEYOND}, "/max_win_cap"),
    ],
)
def test_an_amount_that_no_grant_could_store_is_a_bad_config(
    change: dict[str, Any], pointer: str, client: Any
) -> None:
    assert as_config(client.post(PATH, MATCH | change)) == [(pointer, "too_large")]


@pytest.mark.parametrize("config", ["free", 7, [], True], ids=short)
def test_a_config_that_is_no_object_is_a_bad_config(config: Any, client: Any) -> None:
    assert as_config(client.post(PATH, MATCH | {"config": config})) == [("/config", "invalid")]


def test_a_missing_config_is_a_bad_config(client: Any) -> None:
    left_out = {name: value for name, value in MATCH.items() if name != "config"}

    assert as_config(client.post(PATH, left_out)) == [("/config", "required")]
    assert as_config(client.post(PATH, MATCH | {"config": None})) == [("/config", "required")]


def test_an_unknown_currency_in_a_config_is_a_bad_config(client: Any) -> None:
    config = {**MATCH["config"], "currency": "XXX"}

    assert as_config(client.post(PATH, MATCH | {"config": config})) == [
        ("/config/currency", "invalid")
    ]


@pytest.mark.parametrize("kind", ["free_spins", "no_deposit", "cashback"])
def test_a_deposit_counts_only_where_there_is_one(kind: str, client: Any) -> None:
    body = MATCH | {"type": kind, "config": VALID[BonusType(kind)]}

    assert as_config(client.post(PATH, body)) == [("/wagering_basis", "invalid")]


def test_eligible_games_may_be_the_platforms_and_unknown_to_us(client: Any) -> None:
    config = {**VALID[BonusType.FREE_SPINS], "eligible_games": ["only-the-platform-has-it"]}
    body = MATCH | {"type": "free_spins", "config": config, "wagering_basis": "bonus"}

    assert client.post(PATH, body).status_code == 201


# Refused as request: 400


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"name": 7}, "/name"),
        ({"name": "x" * 121}, "/name"),
        ({"type": "reward"}, "/type"),
        ({"type": None}, "/type"),
        ({"wagering_requirement_multiplier": 30}, "/wagering_requirement_multiplier"),
        ({"wagering_requirement_multiplier": None}, "/wagering_requirement_multiplier"),
        ({"wagering_requirement_multiplier": "-1"}, "/wagering_requirement_multiplier"),
        ({"wagering_requirement_multiplier": "10001"}, "/wagering_requirement_multiplier"),
        ({"wagering_basis": "deposit"}, "/wagering_basis"),
        ({"wagering_basis": None}, "/wagering_basis"),
        ({"game_contribution": None}, "/game_contribution"),
        ({"game_contribution": []}, "/game_contribution"),
        ({"game_contribution": {"bingo": 5}}, "/game_contribution/bingo"),
        ({"game_contribution": {"slots": "5"}}, "/game_contribution/slots"),
        ({"game_contribution": {"games": {"sums": -1}}}, "/game_contribution/games/sums"),
        ({"max_bet": 5}, "/max_bet"),
        ({"max_bet": "0"}, "/max_bet"),
        ({"max_bet": "5.001"}, "/max_bet"),
        ({"max_win_cap": "NaN"}, "/max_win_cap"),
        ({"max_win_cap": "0.00"}, "/max_win_cap"),
        ({"time_limit_hours": "168"}, "/time_limit_hours"),
        ({"time_limit_hours": 0}, "/time_limit_hours"),
        ({"time_limit_hours": 87_841}, "/time_limit_hours"),
        ({"max_grants_per_player": 0}, "/max_grants_per_player"),
        ({"max_grants_per_player": 1.0}, "/max_grants_per_player"),
        ({"is_active": "true"}, "/is_active"),
        ({"is_active": None}, "/is_active"),
        ({"operator_id": 1}, "/operator_id"),
        ({"id": "019a0000-0000-7000-8000-000000000000"}, "/id"),
        ({"currency": "EUR"}, "/currency"),
        ({"created_at": "2026-01-01T00:00:00Z"}, "/created_at"),
    ],
    ids=short,
)
def test_a_wrong_term_beside_the_config_is_a_bad_request(
    change: dict[str, Any], pointer: str, client: Any
) -> None:
    found = as_request(client.post(PATH, MATCH | change))

    assert [found_pointer for found_pointer, _code in found] == [pointer]


@pytest.mark.parametrize("name", ["name", "type", "wagering_requirement_multiplier"])
def test_what_must_be_said_is_asked_for(name: str, client: Any) -> None:
    left_out = {key: value for key, value in MATCH.items() if key != name}

    assert as_request(client.post(PATH, left_out)) == [(f"/{name}", "required")]


def test_mistakes_here_and_there_are_told_together(client: Any) -> None:
    body = MATCH | {"config": {}, "max_bet": "0", "game_contribution": {"slots": -1}}

    assert as_request(client.post(PATH, body)) == [
        ("/config/cap_amount", "required"),
        ("/config/currency", "required"),
        ("/config/match_percent", "required"),
        ("/game_contribution/slots", "too_small"),
        ("/max_bet", "too_small"),
    ]


def test_no_more_mistakes_are_told_than_anybody_reads(client: Any) -> None:
    config = {f"member-{number}": 1 for number in range(5_000)}

    found = as_config(client.post(PATH, MATCH | {"config": config}))

    assert len(found) == MISTAKES_TOLD_MAX


# Lists and tenants


def test_templates_are_listed_newest_first_and_filtered(client: Any, operator: Operator) -> None:
    off = BonusTemplateFactory.create(operator=operator, is_active=False)
    cashback = BonusTemplateFactory.create(operator=operator, cashback=True)
    BonusTemplateFactory.create()

    def listed(query: str = "") -> list[str]:
        return [row["id"] for row in client.get(f"{PATH}{query}").json()["results"]]

    assert listed() == [str(cashback.pk), str(off.pk)]
    assert listed("?type=cashback") == [str(cashback.pk)]
    assert listed("?is_active=false") == [str(off.pk)]
    assert listed("?type=no_deposit&is_active=true") == []
    assert client.get(f"{PATH}?type=reward").status_code == 400


@pytest.mark.parametrize("method", ["get", "patch"])
def test_anothers_template_is_as_good_as_absent(method: str, client: Any) -> None:
    theirs = BonusTemplateFactory.create()

    for template_id in (theirs.pk, "019a0000-0000-7000-8000-000000000000"):
        response = getattr(client, method)(f"{PATH}/{template_id}", {})

        assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


def test_reading_needs_read_and_writing_needs_manage(operator: Operator, client_of: Any) -> None:
    template = BonusTemplateFactory.create(operator=operator)
    reader = client_of(operator, scopes=[Scope.READ])
    manager = client_of(operator, scopes=[Scope.MANAGE])
    one = f"{PATH}/{template.pk}"

    assert [reader.get(path).status_code for path in (PATH, one)] == [200, 200]
    assert [manager.get(path).status_code for path in (PATH, one)] == [403, 403]
    assert (reader.post(PATH, MATCH).status_code, reader.patch(one, {}).status_code) == (403, 403)
    assert manager.post(PATH, MATCH).status_code == 201
    assert manager.patch(one, {"is_active": False}, format="json").status_code == 200
