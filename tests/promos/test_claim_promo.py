"""Claiming: every gate, what is there to claim, and how many at once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.errors import DomainError, NotFound
from core.models import AuditEntry
from operators.models import Operator
from players.models import Player
from promos.errors import (
    PromoCodeIsActive,
    PromoNotFound,
)
from promos.models import Promo, UserPromo
from promos.services import claims
from promos.services.claims import ClaimTarget
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import PromoFactory
from tests.factories.wallets import held_by
from tests.promos.conftest import DAY, TICK, Life
from wallets.models import Transfer

pytestmark = pytest.mark.django_db

LEAST = Decimal("0.00000001")

#: gate → (terms of the promo, player who fails it by the least, player who just passes)
GATES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "KYC_LEVEL_TOO_LOW": ({"min_kyc_level_to_claim": 2}, {"kyc_level": 1}, {"kyc_level": 2}),
    "VIP_LEVEL_TOO_LOW": ({"min_vip_level_to_claim": 3}, {"vip_level": 2}, {"vip_level": 3}),
    "TOTAL_WAGER_TOO_LOW": (
        {"min_total_wager_usd_to_claim": Decimal(100)},
        {"total_wager_usd": 100 - LEAST},
        {"total_wager_usd": Decimal(100)},
    ),
    "TOTAL_DEPOSIT_TOO_LOW": (
        {"min_total_deposit_usd_to_claim": Decimal(100)},
        {"total_deposit_usd": 100 - LEAST},
        {"total_deposit_usd": Decimal(100)},
    ),
    "AFFILIATE_MISMATCH": (
        {"affiliate_code_to_claim": "ACME"},
        {"affiliate_code": ""},
        {"affiliate_code": "ACME"},
    ),
    "NOT_FIRST_DEPOSIT": (
        {"only_zero_deposits_to_claim": True},
        {"deposit_count": 1},
        {"deposit_count": 0},
    ),
}


def reasons(life: Life, code: str) -> list[str]:
    refusals = claims.validate_claim(
        operator=life.operator,
        target=ClaimTarget(code=code),
        player_reference=life.player.reference,
        now=life.now,
    )
    return [refusal.code for refusal in refusals]


def assert_refused(life: Life, promo: Promo, code: str) -> None:
    before = Promo.objects.filter(pk=promo.pk).values().get()

    with pytest.raises(DomainError) as refusal:
        life.claim(promo)

    assert refusal.value.code == code
    assert UserPromo.objects.filter(promo=promo).exists() is False
    assert Promo.objects.filter(pk=promo.pk).values().get() == before
    assert Transfer.objects.exists() is False
    assert AuditEntry.objects.exists() is False


def with_(player: Player, **values: Any) -> None:
    Player.objects.filter(pk=player.pk).update(**values)


# Gates


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_refuses_by_the_least(gate: str, life: Life, operator: Operator) -> None:
    terms, fails, _passes = GATES[gate]
    promo = PromoFactory.create(operator=operator, claims_left=5, **terms)
    with_(life.player, **fails)

    assert reasons(life, promo.code) == [gate]
    assert_refused(life, promo, gate)


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_is_inclusive(gate: str, life: Life, operator: Operator) -> None:
    terms, _fails, passes = GATES[gate]
    promo = PromoFactory.create(operator=operator, claims_left=5, **terms)
    with_(life.player, **passes)

    assert reasons(life, promo.code) == []
    assert life.claim(promo).status == "CLAIMED"
    assert Promo.objects.get(pk=promo.pk).claims_left == 4


@pytest.mark.parametrize(
    ("later", "code"), [(-TICK, "PROMO_NOT_STARTED"), (0 * DAY, ""), (DAY - TICK, ""),
                        (DAY, "PROMO_EXPIRED")]
)  # fmt: skip
def test_a_promo_is_claimed_from_its_start_until_before_its_end(
    later: timedelta, code: str, life: Life, operator: Operator
) -> None:
    promo = PromoFactory.create(operator=operator, starts_at=life.now, expires_at=life.now + DAY)
    life.now += later

    if code:
        assert_refused(life, promo, code)
    else:
        assert life.claim(promo).status == "CLAIMED"


def test_a_promo_that_is_switched_off_is_refused(life: Life, operator: Operator) -> None:
    assert_refused(life, PromoFactory.create(operator=operator, is_active=False), "PROMO_INACTIVE")


def test_a_self_excluded_player_is_refused(life: Life, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)
    with_(life.player, self_excluded_until=life.now + TICK)

    assert_refused(life, promo, "PLAYER_SELF_EXCLUDED")
    life.now += TICK
    assert life.claim(promo).status == "CLAIMED"


def test_a_blocked_player_is_refused(life: Life, operator: Operator) -> None:
    with_(life.player, is_blocked=True)

    assert_refused(life, PromoFactory.create(operator=operator), "PLAYER_BLOCKED")


def test_validate_names_every_reason(life: Life, operator: Operator) -> None:
    promo = PromoFactory.create(
        operator=operator,
        code="ALL",
        is_active=False,
        expires_at=life.now,
        claims_left=0,
        **{name: value for terms, _, _ in GATES.values() for name, value in terms.items()},
    )
    life.claim(PromoFactory.create(operator=operator))
    with_(
        life.player,
        is_blocked=True,
        self_excluded_until=life.now + DAY,
        **{name: value for _, fails, _ in GATES.values() for name, value in fails.items()},
    )

    assert reasons(life, promo.code) == [
        "PROMO_INACTIVE",
        "PROMO_EXPIRED",
        "PROMO_CLAIMS_EXHAUSTED",
        "PROMO_CODE_IS_ACTIVE",
        "PLAYER_SELF_EXCLUDED",
        "PLAYER_BLOCKED",
        *GATES,
    ]


def test_validate_does_not_know_what_does_not_exist(life: Life) -> None:
    assert reasons(life, "NOTHING") == ["PROMO_NOT_FOUND"]
    assert reasons(life, "with\x00nul") == ["PROMO_NOT_FOUND"]


# What is there


def test_an_archived_promo_is_as_good_as_absent(life: Life, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator, archived_at=life.now)

    with pytest.raises(PromoNotFound):
        life.claim(promo)
    with pytest.raises(PromoNotFound):
        life.claim(code=promo.code)


def test_another_operators_promo_is_as_good_as_absent(life: Life) -> None:
    foreign = PromoFactory.create(operator=OperatorFactory.create())

    with pytest.raises(PromoNotFound):
        life.claim(foreign)
    with pytest.raises(PromoNotFound):
        life.claim(code=foreign.code)


def test_another_operators_player_is_as_good_as_absent(life: Life, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)
    life.player = PlayerFactory.create(reference="stranger")

    with pytest.raises(NotFound):
        life.claim(promo)


@pytest.mark.parametrize("written", ["straße", "STRASSE", " Strasse ", "STRAßE"])
def test_a_code_is_found_in_whichever_case(written: str, life: Life, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator, code="Straße")

    user_promo = life.claim(code=written)

    assert (user_promo.promo_id, user_promo.code) == (promo.pk, "Straße")


# How many at once


def test_a_second_promo_waits_until_the_first_has_ended(life: Life, operator: Operator) -> None:
    first = life.claim(PromoFactory.create(operator=operator))
    second = PromoFactory.create(operator=operator, claims_left=1)

    with pytest.raises(PromoCodeIsActive):
        life.claim(second)
    assert Promo.objects.get(pk=second.pk).claims_left == 1
    life.cancel(first)

    assert life.claim(second).status == "CLAIMED"


def test_an_instant_promo_may_be_claimed_beside_another(life: Life, operator: Operator) -> None:
    life.claim(PromoFactory.create(operator=operator))

    instant = life.claim(PromoFactory.create(operator=operator, instant=True, currency="USD"))

    assert instant.status == "COMPLETED"
    assert held_by(life.player) == 10


def test_claims_left_is_not_given_back_on_cancel(life: Life, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator, claims_left=3)

    life.cancel(life.claim(promo))

    assert Promo.objects.get(pk=promo.pk).claims_left == 2
