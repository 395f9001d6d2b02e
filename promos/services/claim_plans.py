"""Reads everything that a claim is decided upon, of one snapshot and without a lock."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from core import money
from core.errors import NotFound
from core.prepared import prepared_cursor
from core.rows import RowOf
from operators.models import Operator
from players.rules import can_be_reference, canonical_reference
from promos.models import Promo, PromoSettings
from promos.rules import can_be_code, canonical_code
from promos.selectors import promo_not_found

_PROMO_ROW = RowOf(Promo, "promo")

# One statement, so one snapshot: the promo, the player, and what stands between them.
_PLAN = """
WITH asked AS (
    SELECT %(operator_id)s::bigint AS operator_id, %(promo_id)s::uuid AS promo_id,
           %(code_key)s::text AS code_key, %(player)s::text AS player, %(now)s::timestamptz AS now
), single_use AS (
    SELECT code.id, code.code, batch.promo_id, batch.disabled_at
    FROM asked
    JOIN promos_promobatchcode AS code USING (operator_id, code_key)
    JOIN promos_codebatch AS batch ON batch.id = code.batch_id
)
SELECT {promo},
    player.id, player.reference, player.currency, player.kyc_level, player.vip_level,
    player.affiliate_code, player.is_blocked, player.self_excluded_until,
    player.total_wager_usd, player.total_deposit_usd, player.deposit_count,
    single_use.id AS batch_code_id, single_use.code AS batch_code,
    single_use.disabled_at AS batch_disabled_at,
    EXISTS (
        SELECT FROM promos_userpromo WHERE batch_code_id = single_use.id
    ) AS batch_code_used,
    EXISTS (
        SELECT FROM promos_userpromo WHERE promo_id = promo.id AND player_id = player.id
    ) AS is_claimed_already,
    opened.id AS open_id, opened.due_at AS open_due_at,
    settings.activation_window_days, settings.restrict_bets_while_claimed,
    promo_rate.usd_rate AS promo_usd_rate, promo_rate.valid_from AS promo_usd_rate_at,
    wallet_rate.usd_rate AS wallet_usd_rate, wallet_rate.valid_from AS wallet_usd_rate_at
FROM asked
LEFT JOIN single_use ON asked.promo_id IS NULL
LEFT JOIN promos_promo AS promo ON promo.operator_id = asked.operator_id
    AND promo.archived_at IS NULL
    AND (promo.id = asked.promo_id OR promo.code_key = asked.code_key
         OR promo.id = single_use.promo_id)
LEFT JOIN players_player AS player ON player.operator_id = asked.operator_id
    AND player.reference = asked.player
LEFT JOIN promos_userpromo AS opened ON opened.player_id = player.id
    AND opened.status IN ('CLAIMED', 'ACTIVE')
LEFT JOIN promos_promosettings AS settings ON settings.operator_id = asked.operator_id
LEFT JOIN LATERAL (
    SELECT usd_rate, valid_from FROM operators_exchangerate AS rate
    WHERE rate.operator_id = asked.operator_id AND rate.currency = promo.currency
      AND rate.valid_from <= asked.now
    ORDER BY valid_from DESC, id DESC LIMIT 1
) AS promo_rate ON promo.currency <> player.currency
LEFT JOIN LATERAL (
    SELECT usd_rate, valid_from FROM operators_exchangerate AS rate
    WHERE rate.operator_id = asked.operator_id AND rate.currency = player.currency
      AND rate.valid_from <= asked.now
    ORDER BY valid_from DESC, id DESC LIMIT 1
) AS wallet_rate ON promo.currency <> player.currency
"""
_STATEMENT = _PLAN.format(promo=_PROMO_ROW.columns)


class _Between(NamedTuple):
    """
    What stands between promo and player, in the order in which the statement says it.

    Of a code or settings that are not there, all of it is None.
    """

    batch_code_id: int | None
    batch_code: str
    batch_disabled_at: datetime | None
    batch_code_used: bool
    is_claimed_already: bool
    open_id: UUID | None
    open_due_at: datetime | None
    activation_window_days: int | None
    restrict_bets_while_claimed: bool
    promo_usd_rate: Decimal | None
    promo_usd_rate_at: datetime | None
    wallet_usd_rate: Decimal | None
    wallet_usd_rate_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claimant:
    """The player as the gates see them, in the order in which the statement says it."""

    id: int
    reference: str
    currency: str
    kyc_level: int
    vip_level: int
    affiliate_code: str
    is_blocked: bool
    self_excluded_until: datetime | None
    total_wager_usd: Decimal
    total_deposit_usd: Decimal
    deposit_count: int


@dataclass(frozen=True, slots=True)
class SingleUseCode:
    """The code of a batch through which a promo is being claimed."""

    id: int
    code: str
    is_disabled: bool
    is_used: bool


@dataclass(frozen=True, slots=True)
class ExchangedAt:
    """Units of the wallet's currency for one of the promo's, and since when."""

    rate: Decimal
    since: datetime


@dataclass(frozen=True, slots=True)
class ClaimPlan:
    """Everything a claim is decided upon, of one snapshot."""

    promo: Promo
    claimant: Claimant
    single_use: SingleUseCode | None
    is_claimed_already: bool
    open_id: UUID | None
    open_due_at: datetime | None
    settings: PromoSettings
    #: Null when nothing is converted, and when a rate is missing.
    exchange: ExchangedAt | None

    @property
    def code(self) -> str:
        """Return the code as it is claimed."""
        return self.promo.code if self.single_use is None else self.single_use.code

    @property
    def activation_window(self) -> timedelta:
        """Return how long the claim may wait for its deposit."""
        return self.settings.activation_window


def read_claim_plan(
    *,
    operator: Operator,
    promo_id: UUID | None,
    code: str | None,
    player_reference: str,
    now: datetime,
) -> ClaimPlan:
    """
    Read what a claim is decided upon: by the promo's id, or by its code or a single-use one.

    :raises NotFound: if the operator has no such player.
    :raises PromoNotFound: if the operator has no such promo, or it is archived.
    """
    reference = canonical_reference(player_reference)
    code_key = canonical_code(code) if code is not None and can_be_code(code.strip()) else None
    cursor = prepared_cursor()
    cursor.execute(
        _STATEMENT,
        {
            "operator_id": operator.pk,
            "promo_id": promo_id,
            "code_key": code_key,
            "player": reference if can_be_reference(reference) else "",
            "now": now,
        },
    )
    values = iter(cursor.fetchone())
    promo = _PROMO_ROW.take_any(values)
    claimant = Claimant(*islice(values, len(fields(Claimant))))
    if claimant.id is None:
        raise NotFound("There is no such player.")
    if promo is None:
        raise promo_not_found()
    return _plan_of(promo, claimant, _Between(*values), operator)


def _plan_of(promo: Promo, claimant: Claimant, row: _Between, operator: Operator) -> ClaimPlan:
    settings = PromoSettings(operator_id=operator.pk)
    if row.activation_window_days is not None:
        settings.activation_window_days = row.activation_window_days
        settings.restrict_bets_while_claimed = row.restrict_bets_while_claimed
    single_use = None
    if row.batch_code_id is not None:
        single_use = SingleUseCode(
            id=row.batch_code_id,
            code=row.batch_code,
            is_disabled=row.batch_disabled_at is not None,
            is_used=row.batch_code_used,
        )
    return ClaimPlan(
        promo=promo,
        claimant=claimant,
        single_use=single_use,
        is_claimed_already=row.is_claimed_already,
        open_id=row.open_id,
        open_due_at=row.open_due_at,
        settings=settings,
        exchange=_exchange_of(promo, claimant.currency, row),
    )


def _exchange_of(promo: Promo, currency: str, row: _Between) -> ExchangedAt | None:
    rates = {
        promo.currency: (row.promo_usd_rate, row.promo_usd_rate_at),
        currency: (row.wallet_usd_rate, row.wallet_usd_rate_at),
    }
    if promo.currency in ("", currency):
        return None
    dollar = (Decimal(1), None)
    source, source_at = dollar if promo.currency == "USD" else rates[promo.currency]
    wallet, wallet_at = dollar if currency == "USD" else rates[currency]
    if source is None or wallet is None:
        return None
    since = max(instant for instant in (source_at, wallet_at) if instant is not None)
    return ExchangedAt(rate=money.cross_rate(source, wallet), since=since)
