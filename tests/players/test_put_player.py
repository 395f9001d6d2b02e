"""registration.put_player and PUT /v1/players/{player_id}"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection

from core.actors import Actor
from core.models import AuditEntry
from operators.models import Operator
from players import errors
from players.models import Player
from players.services import registration
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db

PROFILE = {
    "country": "MT",
    "kyc_level": 2,
    "vip_level": 3,
    "affiliate_code": "SUMMER",
    "tags": ["new", "vip"],
    "is_blocked": True,
}


@pytest.fixture
def put(operator: Operator, actor: Actor, now: datetime):
    """Return a function that puts the player "anna" of ``operator``."""

    def put(*, currency: str = "EUR", reference: str = "anna", **profile: Any):
        return registration.put_player(
            operator=operator,
            reference=reference,
            currency=currency,
            profile=profile,
            actor=actor,
            now=now,
        )

    return put


def stored() -> Player:
    return Player.objects.get(reference="anna")


def entries() -> list[tuple[str, dict, dict]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "before", "after"))


def test_registers_a_player_with_everything_said(put, operator: Operator, now: datetime) -> None:
    registered = put(**PROFILE)

    player = stored()
    assert registered.is_new is True
    assert registered.player == player
    assert player.operator == operator
    assert {name: getattr(player, name) for name in PROFILE} == PROFILE
    assert (player.currency, player.created_at, player.currency_locked_at) == ("EUR", now, None)


def test_a_new_player_starts_empty(put) -> None:
    put()

    player = stored()
    assert (player.country, player.affiliate_code, player.tags) == ("", "", [])
    assert (player.kyc_level, player.vip_level, player.deposit_count) == (0, 0, 0)
    assert (player.is_blocked, player.self_excluded_until) == (False, None)
    assert (player.total_deposit_usd, player.total_wager_usd) == (0, 0)


def test_registration_leaves_a_trail(put, actor: Actor) -> None:
    put(kyc_level=2)

    entry = AuditEntry.objects.get()
    assert entry.action == "player.registered"
    assert entry.after == {"player_id": "anna", "currency": "EUR", "kyc_level": 2}
    assert (entry.actor_kind, entry.actor_ref) == (actor.kind, actor.ref)
    assert entry.subject_id == str(stored().pk)


def test_an_update_keeps_what_it_leaves_out(put) -> None:
    put(**PROFILE)

    registered = put(kyc_level=4)

    player = stored()
    assert registered.is_new is False
    assert {name: getattr(player, name) for name in PROFILE} == {**PROFILE, "kyc_level": 4}


def test_an_update_is_audited_with_the_changed_fields_only(put) -> None:
    put(**PROFILE)

    put(**{**PROFILE, "kyc_level": 4, "tags": ["vip"]})

    assert entries()[1] == (
        "player.changed",
        {"kyc_level": 2, "tags": ["new", "vip"]},
        {"kyc_level": 4, "tags": ["vip"]},
    )


def test_an_update_can_empty_a_field(put) -> None:
    put(**PROFILE)

    put(country="", tags=[], is_blocked=False, affiliate_code="", vip_level=0)

    player = stored()
    assert (player.country, player.tags, player.is_blocked) == ("", [], False)
    assert (player.affiliate_code, player.vip_level, player.kyc_level) == ("", 0, 2)


def test_an_unchanged_update_leaves_no_trail(put) -> None:
    put(**PROFILE)

    put(**PROFILE)

    assert [action for action, _before, _after in entries()] == ["player.registered"]


def open_account(player: Player, kind: str, *, now: datetime) -> None:
    """Open an account of the player, as the ledger does before money moves."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wallets_account_id(%s, %s, 'EUR', %s, '', %s)",
            [player.operator_id, kind, player.pk, now],
        )


def test_the_currency_changes_while_there_is_no_wallet(put) -> None:
    put(currency="EUR")

    put(currency="JPY")

    assert stored().currency == "JPY"
    assert entries()[1] == ("player.changed", {"currency": "EUR"}, {"currency": "JPY"})


def test_refuses_another_currency_once_it_is_locked(put, operator: Operator, now: datetime) -> None:
    player = put(kyc_level=1).player
    open_account(player, "PLAYER_MAIN", now=now)

    with pytest.raises(errors.CurrencyLocked):
        put(currency="USD", kyc_level=9)

    assert (stored().currency, stored().kyc_level) == ("EUR", 1)
    assert len(entries()) == 1


def test_takes_the_same_currency_once_it_is_locked(put, operator: Operator, now: datetime) -> None:
    player = put().player
    open_account(player, "PLAYER_MAIN", now=now)

    put(currency="EUR", kyc_level=9)

    assert stored().kyc_level == 9


def test_the_currency_is_locked_at_the_first_instant(
    put, operator: Operator, now: datetime
) -> None:
    player = put().player
    later = now.replace(year=2027)

    open_account(player, "PLAYER_MAIN", now=now)
    open_account(player, "PLAYER_VAULT", now=later)

    assert (stored().currency, stored().currency_locked_at) == ("EUR", now)


def test_one_person_written_in_two_unicode_forms_is_one_player(put) -> None:
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"

    put(reference=decomposed)
    registered = put(reference=composed, kyc_level=1)

    assert registered.is_new is False
    assert list(Player.objects.values_list("reference", "kyc_level")) == [(composed, 1)]


def test_two_operators_may_know_a_player_by_the_same_id(put) -> None:
    foreign = PlayerFactory.create(reference="anna", currency="JPY")

    registered = put(currency="EUR")

    assert registered.is_new is True
    assert Player.objects.get(pk=foreign.pk).currency == "JPY"


def test_locks_the_player_only(put, record_locks) -> None:
    put()

    with record_locks() as tables:
        put(kyc_level=1)

    assert tables == ["players_player"]


def test_answers_201_and_then_200(client) -> None:
    first = client.put("/v1/players/anna", {"currency": "EUR", **PROFILE})
    again = client.put("/v1/players/anna", {"currency": "EUR"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert {**PROFILE, "currency": "EUR", "player_id": "anna"}.items() <= first.json().items()


def test_the_body_is_the_contract(client) -> None:
    body = client.put("/v1/players/anna", {"currency": "EUR"}).json()

    created_at = body.pop("created_at")
    assert body == {
        "player_id": "anna",
        "currency": "EUR",
        "country": "",
        "kyc_level": 0,
        "vip_level": 0,
        "affiliate_code": "",
        "tags": [],
        "is_blocked": False,
        "total_deposit_usd": "0.00",
        "total_wager_usd": "0.00",
        "deposit_count": 0,
        "self_excluded_until": None,
    }
    assert datetime.fromisoformat(created_at) == stored().created_at
    assert created_at.endswith("Z")


def test_a_tag_counts_once_and_keeps_its_place(client) -> None:
    response = client.put("/v1/players/anna", {"currency": "EUR", "tags": ["b", "a", "b"]})

    assert response.json()["tags"] == ["b", "a"]


def test_answers_409_when_the_currency_is_locked(client, operator: Operator, now) -> None:
    PlayerFactory.create(operator=operator, reference="anna", currency_locked_at=now)

    response = client.put("/v1/players/anna", {"currency": "USD"})

    assert (response.status_code, response.json()["code"]) == (409, "CURRENCY_LOCKED")
    assert stored().currency == "EUR"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("currency", None),
        ("currency", 978),
        ("country", "XX"),
        ("country", "mt"),
        ("country", "MLT"),
        ("country", None),
        ("kyc_level", -1),
        ("kyc_level", "1"),
        ("kyc_level", 1.0),
        ("kyc_level", True),
        ("kyc_level", 2_147_483_648),
        ("vip_level", None),
        ("vip_level", []),
        ("affiliate_code", "x" * 65),
        ("affiliate_code", "tab\there"),
        ("affiliate_code", 7),
        ("tags", "vip"),
        ("tags", {"vip": 1}),
        ("tags", [""]),
        ("tags", [1]),
        ("tags", ["x" * 41]),
        ("tags", [f"tag-{number}" for number in range(51)]),
        ("tags", ["\u202egnp.exe"]),
        ("is_blocked", "true"),
        ("is_blocked", 1),
        ("is_blocked", None),
        ("total_deposit_usd", "1000000.00"),
        ("self_excluded_until", None),
        ("player_id", "bert"),
        ("operator", 1),
        ("id", 1),
        ("currency_locked_at", None),
    ],
)
def test_refuses_what_a_member_cannot_be(client, member: str, value: Any) -> None:
    response = client.put("/v1/players/anna", {"currency": "EUR", member: value})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert response.json()["errors"][0]["pointer"].startswith(f"/{member}")
    assert Player.objects.exists() is False
    assert AuditEntry.objects.exists() is False


def test_refuses_an_unknown_currency(client) -> None:
    response = client.put("/v1/players/anna", {"currency": "EUX"})

    assert (response.status_code, response.json()["code"]) == (400, "CURRENCY_UNKNOWN")
    assert Player.objects.exists() is False


def test_the_currency_is_required_on_an_update_too(client, operator: Operator) -> None:
    PlayerFactory.create(operator=operator, reference="anna")

    response = client.put("/v1/players/anna", {"kyc_level": 1})

    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"pointer": "/currency", "code": "required", "detail": "This field is required."}
    ]
    assert stored().kyc_level == 0


@pytest.mark.parametrize(
    "path",
    ["x" * 65, "%00", "a%00b", "%0A", "%E2%80%AEanna", "%2E%2E"],
    ids=["65 long", "NUL", "NUL inside", "newline", "right-to-left", "dots"],
)
def test_refuses_what_cannot_be_an_id(client, path: str) -> None:
    response = client.put(f"/v1/players/{path}", {"currency": "EUR"})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert response.json()["errors"][0]["pointer"] == "/player_id"
    assert Player.objects.exists() is False


@pytest.mark.parametrize(
    "reference", ["x" * 64, "a b", "Zo\u00eb", "\u7389", "100%", "a?b#c", "a+b@example.com", "-1"]
)
def test_takes_any_printable_id(client, reference: str) -> None:
    path = f"/v1/players/{quote(reference)}"
    response = client.put(path, {"currency": "EUR"})

    assert response.status_code == 201
    assert response.json()["player_id"] == reference
    assert client.get(path).json() == response.json()
