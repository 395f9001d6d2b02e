"""Promos over HTTP: making, changing, listing games, archiving, settings."""

from decimal import Decimal
from typing import Any

import pytest

from core.models import AuditEntry
from operators.models import Operator
from promos.models import Promo, PromoGame, UserPromo
from tests.factories.games import GameFactory
from tests.factories.promos import (
    CodeBatchFactory,
    PromoBatchCodeFactory,
    PromoFactory,
    PromoGameFactory,
    UserPromoFactory,
)

pytestmark = pytest.mark.django_db

WELCOME = {
    "code": "WELCOME100",
    "type": "DEPOSIT",
    "title": "First deposit",
    "bonus_multiplier": "1.0",
    "max_bonus_usd_amount": "500.00",
    "min_deposit_usd_to_activate": "20.00",
    "wager_multiplier_to_complete": "30",
    "time_seconds_to_complete": 604800,
    "lock_withdraw_on_claim_hours": 0,
}
INSTANT = {"code": "TENNER", "type": "INSTANT", "amount": "10.00", "currency": "EUR"}


def pointers(response: Any) -> list[str]:
    assert response.status_code == 400, response.content
    assert response.json()["code"] == "INVALID_REQUEST"
    return sorted(error["pointer"] for error in response.json()["errors"])


def test_a_deposit_promo_is_made(client: Any) -> None:
    response = client.post("/v1/promos", WELCOME)

    assert response.status_code == 201, response.content
    promo = Promo.objects.get()
    body = response.json()
    created_at = body.pop("created_at")
    assert created_at.endswith("Z")
    assert body == {
        "id": str(promo.pk),
        **WELCOME,
        "bonus_multiplier": "1",
        "amount": None,
        "currency": None,
        "wager_usd_amount_to_complete": None,
        "auto_vault_on_claim": False,
        "claims_left": None,
        "starts_at": None,
        "expires_at": None,
        "affiliate_code_to_claim": None,
        "min_kyc_level_to_claim": None,
        "min_vip_level_to_claim": None,
        "min_total_wager_usd_to_claim": None,
        "min_total_deposit_usd_to_claim": None,
        "only_zero_deposits_to_claim": False,
        "is_active": True,
        "archived_at": None,
    }
    assert client.get(f"/v1/promos/{promo.pk}").json() == {**body, "created_at": created_at}
    assert AuditEntry.objects.get().action == "promo.created"


def test_an_instant_promo_is_made(client: Any) -> None:
    response = client.post("/v1/promos", INSTANT | {"claims_left": 5})

    assert response.status_code == 201, response.content
    assert (response.json()["amount"], response.json()["currency"]) == ("10.00", "EUR")
    assert Promo.objects.get().claims_cap == 5


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"wager_multiplier_to_complete": None}, ["wager_multiplier", "wager_usd_amount"]),
        ({"wager_usd_amount_to_complete": "9"}, ["wager_multiplier", "wager_usd_amount"]),
        ({"amount": "1.00"}, ["amount"]),
        ({"currency": "EUR"}, ["currency"]),
        ({"bonus_multiplier": None}, ["bonus_multiplier"]),
        ({"max_bonus_usd_amount": None}, ["max_bonus_usd_amount"]),
        ({"time_seconds_to_complete": None}, ["time_seconds_to_complete"]),
        ({"time_seconds_to_complete": 0}, ["time_seconds_to_complete"]),
        ({"bonus_multiplier": 1}, ["bonus_multiplier"]),
        ({"max_bonus_usd_amount": 500}, ["max_bonus_usd_amount"]),
        ({"max_bonus_usd_amount": "NaN"}, ["max_bonus_usd_amount"]),
        ({"max_bonus_usd_amount": "-1"}, ["max_bonus_usd_amount"]),
        ({"max_bonus_usd_amount": "1" * 20}, ["wager_multiplier_to_complete"]),
        ({"claims_left": -1}, ["claims_left"]),
        ({"claims_left": "5"}, ["claims_left"]),
        ({"code": ""}, ["code"]),
        ({"code": "TWO WORDS"}, ["code"]),
        ({"code": "x" * 65}, ["code"]),
        ({"type": "OTHER"}, ["type"]),
        ({"lock_withdraw_on_claim_hours": 10**9}, ["lock_withdraw_on_claim_hours"]),
        (
            {"starts_at": "2026-03-01T00:00:00Z", "expires_at": "2026-03-01T00:00:00Z"},
            ["expires_at"],
        ),
    ],
)
def test_terms_that_cannot_be_are_refused(
    change: dict[str, Any], wrong: list[str], client: Any
) -> None:
    found = pointers(client.post("/v1/promos", WELCOME | change))

    assert [pointer.removeprefix("/").removesuffix("_to_complete") for pointer in found] == [
        name.removesuffix("_to_complete") for name in wrong
    ]
    assert Promo.objects.exists() is False


@pytest.mark.parametrize(
    "field",
    [
        "bonus_multiplier",
        "max_bonus_usd_amount",
        "min_deposit_usd_to_activate",
        "wager_multiplier_to_complete",
        "wager_usd_amount_to_complete",
    ],
)
def test_an_instant_promo_has_none_of_a_deposit_promos_fields(field: str, client: Any) -> None:
    assert pointers(client.post("/v1/promos", INSTANT | {field: "1"})) == [f"/{field}"]


@pytest.mark.parametrize("field", ["amount", "currency"])
def test_an_instant_promo_needs_amount_and_currency(field: str, client: Any) -> None:
    body = {name: value for name, value in INSTANT.items() if name != field}

    assert pointers(client.post("/v1/promos", body)) == [f"/{field}"]


def test_an_amount_has_no_more_decimals_than_its_currency(client: Any) -> None:
    assert pointers(client.post("/v1/promos", INSTANT | {"amount": "10.001"})) == ["/amount"]


@pytest.mark.parametrize("code", ["summer", "SUMMER", "Summer"])
@pytest.mark.parametrize("is_archived", [False, True])
def test_a_code_in_use_is_taken(
    code: str, is_archived: bool, client: Any, operator: Operator, now: Any
) -> None:
    PromoFactory.create(operator=operator, code="SumMer", archived_at=now if is_archived else None)

    response = client.post("/v1/promos", WELCOME | {"code": code})

    assert (response.status_code, response.json()["code"]) == (409, "PROMO_CODE_TAKEN")
    assert Promo.objects.count() == 1


def test_a_single_use_code_is_taken_too(client: Any, operator: Operator) -> None:
    PromoBatchCodeFactory.create(batch__promo__operator=operator, code="VIP-1")

    response = client.post("/v1/promos", WELCOME | {"code": "vip-1"})

    assert (response.status_code, response.json()["code"]) == (409, "PROMO_CODE_TAKEN")


def test_another_operators_code_is_free(client: Any) -> None:
    PromoFactory.create(code="WELCOME100")

    assert client.post("/v1/promos", WELCOME).status_code == 201


# PATCH


def test_terms_are_changed_and_the_change_is_kept(client: Any, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)

    response = client.patch(
        f"/v1/promos/{promo.pk}", {"is_active": False, "max_bonus_usd_amount": "50.00"}
    )

    assert response.status_code == 200, response.content
    changed = Promo.objects.get()
    assert (changed.is_active, changed.max_bonus_usd_amount) == (False, 50)
    assert changed.revision == promo.revision + 1
    entry = AuditEntry.objects.get()
    assert entry.before == {"is_active": True, "max_bonus_usd_amount": "500"}
    assert entry.after == {"is_active": False, "max_bonus_usd_amount": "50"}


def test_a_change_of_nothing_leaves_no_trace(client: Any, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)

    assert client.patch(f"/v1/promos/{promo.pk}", {"is_active": True}).status_code == 200

    assert AuditEntry.objects.exists() is False
    assert Promo.objects.get().revision == promo.revision


def test_the_target_moves_from_one_field_to_the_other(client: Any, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)
    path = f"/v1/promos/{promo.pk}"

    assert len(pointers(client.patch(path, {"wager_usd_amount_to_complete": "1500"}))) == 2
    response = client.patch(
        path, {"wager_usd_amount_to_complete": "1500", "wager_multiplier_to_complete": None}
    )

    assert response.json()["wager_usd_amount_to_complete"] == "1500.00"


@pytest.mark.parametrize("left", [0, 3, None])
def test_claims_left_is_set_from_now_on(left: int | None, client: Any, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator, claims_left=9)
    UserPromoFactory.create_batch(2, promo=promo)

    response = client.patch(f"/v1/promos/{promo.pk}", {"claims_left": left})

    assert response.json()["claims_left"] == left
    assert Promo.objects.get().claims_cap == (None if left is None else left + 2)


def test_the_type_stays(client: Any, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)

    assert pointers(client.patch(f"/v1/promos/{promo.pk}", {"type": "INSTANT"})) == ["/type"]


def test_a_code_is_changed_to_a_free_one_only(client: Any, operator: Operator) -> None:
    promo, other = PromoFactory.create_batch(2, operator=operator)

    taken = client.patch(f"/v1/promos/{promo.pk}", {"code": other.code.lower()})
    free = client.patch(f"/v1/promos/{promo.pk}", {"code": "Autumn"})

    assert (taken.status_code, taken.json()["code"]) == (409, "PROMO_CODE_TAKEN")
    assert free.json()["code"] == "Autumn"
    assert Promo.objects.get(pk=promo.pk).code_key == "autumn"


# DELETE


def test_a_promo_nobody_claimed_is_deleted(client: Any, operator: Operator) -> None:
    promo = PromoGameFactory.create(promo__operator=operator).promo

    assert client.delete(f"/v1/promos/{promo.pk}").status_code == 204

    assert client.get(f"/v1/promos/{promo.pk}").json()["code"] == "PROMO_NOT_FOUND"
    assert (Promo.objects.exists(), PromoGame.objects.exists()) == (False, False)
    assert AuditEntry.objects.get().action == "promo.deleted"


@pytest.mark.parametrize("used", [UserPromoFactory, CodeBatchFactory])
def test_a_promo_that_is_used_is_archived(used: Any, client: Any, operator: Operator) -> None:
    promo = used.create(promo__operator=operator).promo
    path = f"/v1/promos/{promo.pk}"

    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 204

    assert client.get(path).json()["archived_at"] is not None
    assert client.get("/v1/promos").json()["results"] == []
    assert client.patch(path, {"title": "x"}).json()["code"] == "PROMO_ARCHIVED"
    assert client.post(f"{path}/claim", {"player_id": "ada"}).status_code == 404
    assert AuditEntry.objects.get().action == "promo.archived"


# Games


def test_the_list_of_games_is_replaced(client: Any, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)
    slugs = [GameFactory.create(operator=operator).slug for _ in range(2)]
    path = f"/v1/promos/{promo.pk}/games"
    games = [
        {"game": slugs[1], "wager_multiplier": "0.1", "max_bet_amount": "5.00"},
        {"game": slugs[0], "wager_multiplier": "1", "max_bet_amount": None},
    ]

    response = client.put(path, {"games": games})

    assert (response.status_code, response.json()) == (200, {"games": games})
    assert client.get(path).json() == {"games": games}
    assert client.put(path, {"games": games}).json() == {"games": games}
    assert client.put(path, {"games": games[:1]}).json() == {"games": games[:1]}
    assert client.get(path).json() == {"games": games[:1]}
    assert AuditEntry.objects.filter(action="promo.games_replaced").count() == 2


def test_a_claim_keeps_the_list_it_was_made_with(client: Any, operator: Operator) -> None:
    listed = PromoGameFactory.create(promo__operator=operator)
    claim = UserPromoFactory.create(promo=listed.promo)

    client.put(f"/v1/promos/{listed.promo.pk}/games", {"games": []})

    assert UserPromo.objects.get(pk=claim.pk).games_version == listed.version
    assert PromoGame.objects.get() == listed
    assert Promo.objects.get().games_version == listed.version + 1


@pytest.mark.parametrize(
    ("games", "pointer"),
    [
        ([{"game": "absent"}], "/games/0/game"),
        ([{"game": "sums"}, {"game": "sums"}], "/games/1/game"),
        ([{"game": "foreign"}], "/games/0/game"),
        ([{"game": "sums", "wager_multiplier": "-1"}], "/games/0/wager_multiplier"),
        ([{"game": "sums", "max_bet_amount": 5}], "/games/0/max_bet_amount"),
    ],
)
def test_a_list_that_cannot_be_changes_nothing(
    games: list[Any], pointer: str, client: Any, operator: Operator
) -> None:
    GameFactory.create(operator=operator, slug="sums")
    GameFactory.create(slug="foreign")
    listed = PromoGameFactory.create(promo__operator=operator, wager_multiplier=Decimal("0.5"))

    found = pointers(client.put(f"/v1/promos/{listed.promo.pk}/games", {"games": games}))

    assert found == [pointer]
    assert PromoGame.objects.get() == listed
    assert Promo.objects.get().games_version == 1


# Settings


def test_settings_come_as_they_are_and_are_put(client: Any) -> None:
    path = "/v1/promo-settings"
    wanted = {"activation_window_days": 7, "restrict_bets_while_claimed": True}

    assert client.get(path).json() == {
        "activation_window_days": 30,
        "restrict_bets_while_claimed": False,
    }
    assert client.put(path, wanted).json() == wanted
    assert client.put(path, wanted).json() == wanted
    assert client.get(path).json() == wanted
    assert AuditEntry.objects.count() == 1
