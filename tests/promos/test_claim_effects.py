"""What a claim does: the credit and its conversion, the vault, copied terms, single-use codes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from core.actors import Actor
from core.errors import DomainError
from core.models import AuditEntry
from operators.errors import ExchangeRateMissing
from operators.models import Operator
from players.models import Player
from promos.errors import (
    PromoAlreadyClaimed,
    PromoClaimsExhausted,
    PromoInactive,
)
from promos.models import Promo, UserPromo, WithdrawalLock
from promos.services import catalogue, claims, settings
from promos.services.claims import ClaimTarget
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from tests.factories.promos import CodeBatchFactory, PromoBatchCodeFactory, PromoFactory
from tests.factories.wallets import deposit, held_by
from tests.promos.conftest import DAY, Life, stored
from wallets.enums import AccountKind
from wallets.models import Transfer

pytestmark = pytest.mark.django_db


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


# Instant


def test_an_instant_promo_pays_and_is_over(life: Life, operator: Operator) -> None:
    promo = PromoFactory.create(
        operator=operator, instant=True, amount=Decimal("12.50"), currency="USD"
    )

    user_promo = stored(life.claim(promo))

    assert (user_promo.status, user_promo.bonus_amount) == ("COMPLETED", Decimal("12.50"))
    assert (user_promo.claimed_at, user_promo.completed_at) == (life.now, life.now)
    assert (user_promo.activated_at, user_promo.due_at, user_promo.rate) == (None, None, None)
    transfer = Transfer.objects.get()
    assert (transfer.tag, transfer.amount, transfer.currency) == ("PROMO", Decimal("12.50"), "USD")
    assert transfer.debit_account.kind == AccountKind.PROMO_COST
    assert held_by(life.player) == Decimal("12.50")


@pytest.mark.parametrize(
    ("usd_rate", "amount", "paid"),
    [("1.25", "10.00", "8.00"), ("1.2", "12.00", "10.00"), ("3", "10.00", "3.33"),
     ("0.3", "30.00", "100.00"), ("7", "0.06", "0")],
)  # fmt: skip
def test_a_bonus_in_another_currency_is_converted_and_rounded_down(
    usd_rate: str, amount: str, paid: str, operator: Operator, actor: Actor, now: Any
) -> None:
    rate = ExchangeRateFactory.create(operator=operator, usd_rate=Decimal(usd_rate))
    life = Life(PlayerFactory.create(operator=operator, currency="EUR"), actor, now)
    promo = PromoFactory.create(
        operator=operator, instant=True, amount=Decimal(amount), currency="USD"
    )

    user_promo = stored(life.claim(promo))

    assert (user_promo.bonus_amount, user_promo.bonus_currency) == (Decimal(paid), "EUR")
    assert user_promo.rate == pytest.approx(1 / Decimal(usd_rate), abs=Decimal("1e-18"))
    assert user_promo.rate_at == rate.valid_from
    transfer = Transfer.objects.first()
    if Decimal(paid):
        assert (transfer.original_amount, transfer.original_currency) == (Decimal(amount), "USD")
        assert (transfer.rate, transfer.rate_at) == (user_promo.rate, rate.valid_from)
    else:
        assert transfer is None


def test_a_missing_rate_refuses(life: Life, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator, instant=True, currency="EUR", claims_left=1)

    assert reasons(life, promo.code) == [ExchangeRateMissing.code]
    assert_refused(life, promo, ExchangeRateMissing.code)


def test_a_match_in_euros_gives_what_was_deposited_to_the_cent(
    euro_player: Player, actor: Actor, now: Any, operator: Operator
) -> None:
    ExchangeRateFactory.create(
        operator=operator, usd_rate=Decimal("0.123456789123456789"), valid_from=now
    )
    life = Life(euro_player, actor, now)
    user_promo = life.claim(PromoFactory.create(operator=operator, min_deposit_usd_to_activate=1))

    life.deposit("100.00")

    claim = stored(user_promo)
    assert (claim.bonus_amount, claim.bonus_currency) == (100, "EUR")
    assert claim.bonus_usd_amount == Decimal("12.34567891")


def test_a_cap_is_in_dollars(
    euro_player: Player, actor: Actor, now: Any, operator: Operator
) -> None:
    life = Life(euro_player, actor, now)
    user_promo = life.claim(PromoFactory.create(operator=operator))

    life.deposit("1000.00")

    claim = stored(user_promo)
    assert (claim.bonus_amount, claim.bonus_usd_amount, claim.target_usd_amount) == (
        400,
        500,
        15_000,
    )


# Vault


@pytest.mark.parametrize(("instant", "vaulted"), [(True, 35), (False, 25)])
def test_auto_vault_moves_the_whole_main_balance_after_the_claims_own_effects(
    instant: bool, vaulted: int, life: Life, operator: Operator
) -> None:
    deposit(life.player, 25)
    terms = {"instant": True, "currency": "USD"} if instant else {}
    promo = PromoFactory.create(operator=operator, auto_vault_on_claim=True, **terms)

    life.claim(promo)

    assert held_by(life.player) == 0
    assert held_by(life.player, AccountKind.PLAYER_VAULT) == vaulted


def test_auto_vault_of_nothing_moves_nothing(life: Life, operator: Operator) -> None:
    life.claim(PromoFactory.create(operator=operator, auto_vault_on_claim=True))

    assert Transfer.objects.exists() is False


# Terms are copied


def test_changing_a_promo_changes_no_claim_that_runs(
    life: Life, operator: Operator, actor: Actor
) -> None:
    promo = PromoFactory.create(operator=operator)
    user_promo = life.claim(promo)

    catalogue.update_promo(
        operator=operator,
        promo_id=promo.pk,
        changes={"bonus_multiplier": Decimal(9), "wager_multiplier_to_complete": Decimal(1)},
        actor=actor,
        now=life.now,
    )
    life.deposit("100.00")

    claim = stored(user_promo)
    assert (claim.bonus_amount, claim.target_usd_amount) == (100, 3000)


def test_the_operators_settings_are_copied_too(
    life: Life, operator: Operator, actor: Actor
) -> None:
    settings.put_promo_settings(
        operator=operator,
        activation_window_days=2,
        restrict_bets_while_claimed=True,
        actor=actor,
        now=life.now,
    )

    user_promo = stored(life.claim(PromoFactory.create(operator=operator)))

    assert user_promo.due_at == life.now + 2 * DAY
    assert user_promo.restrict_bets_while_claimed is True


# Single-use codes


def test_a_single_use_code_is_claimed_once(life: Life, operator: Operator, actor: Actor) -> None:
    code = PromoBatchCodeFactory.create(batch__promo__operator=operator, code="VIP-7K")
    late = Life(PlayerFactory.create(operator=operator), actor, life.now)

    user_promo = stored(life.claim(code="vip-7k"))

    assert (user_promo.code, user_promo.batch_code_id) == ("VIP-7K", code.pk)
    assert user_promo.promo_id == code.batch.promo_id
    with pytest.raises(PromoClaimsExhausted):
        late.claim(code="VIP-7K")
    assert UserPromo.objects.count() == 1


def test_a_player_claims_a_promo_once_whatever_the_code(life: Life, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator)
    batch = CodeBatchFactory.create(promo=promo, made_count=2, finished_at=life.now)
    PromoBatchCodeFactory.create(batch=batch, code="VIP-A")
    PromoBatchCodeFactory.create(batch=batch, code="VIP-B")
    life.cancel(life.claim(code="VIP-A"))

    with pytest.raises(PromoAlreadyClaimed):
        life.claim(code="VIP-B")


def test_a_code_of_a_disabled_batch_is_refused(life: Life, operator: Operator) -> None:
    code = PromoBatchCodeFactory.create(
        batch__promo__operator=operator, batch__disabled_at=life.now
    )

    with pytest.raises(PromoInactive):
        life.claim(code=code.code)

    assert UserPromo.objects.exists() is False


def test_claiming_locks_nothing_of_anothers(
    life: Life, operator: Operator, record_locks: Callable[..., Any]
) -> None:
    promo = PromoFactory.create(operator=operator, lock_withdraw_on_claim_hours=1)

    with record_locks() as tables:
        life.claim(promo)

    assert tables == []
    assert WithdrawalLock.objects.get().player_id == life.player.pk
