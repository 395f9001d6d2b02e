"""Reads of promos: one promo, one claim, and everything a claim is decided upon."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from core import money
from core.errors import NotFound
from games.models import Game
from operators.models import Operator
from players.rules import can_be_reference, canonical_reference
from promos.errors import PromoNotFound
from promos.models import (
    CodeBatch,
    Promo,
    PromoBatchCode,
    PromoGame,
    PromoQuerySet,
    PromoSettings,
    UserPromo,
    UserPromoQuerySet,
)
from promos.rules import can_be_code, canonical_code

CODES_PER_PAGE = 5_000

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
SELECT promo.*,
    single_use.id AS batch_code_id, single_use.code AS batch_code,
    single_use.disabled_at AS batch_disabled_at,
    EXISTS (
        SELECT FROM promos_userpromo WHERE batch_code_id = single_use.id
    ) AS batch_code_used,
    player.id AS player_pk, player.reference AS player_reference,
    player.currency AS player_currency, player.kyc_level, player.vip_level,
    player.affiliate_code, player.is_blocked, player.self_excluded_until,
    player.total_wager_usd, player.total_deposit_usd, player.deposit_count,
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

# A bonus of a deposit promo is known in US dollars. An instant one is converted at the rate
# that was in force at the claim, which may be missing. A clawback costs as much less as it
# is of the bonus: what was taken back whole has cost nothing, whatever was rounded.
_FIGURES = """
SELECT promo_id, count(*),
    coalesce(sum(given - coalesce(
        CASE WHEN bonus_amount > 0 THEN clawback_amount * given / bonus_amount
             ELSE clawback_amount / coalesce(rate, 1) END, 0)), 0),
    count(*) FILTER (WHERE bonus_amount > 0 AND given IS NULL)
FROM (
    SELECT claim.promo_id, claim.bonus_amount, claim.clawback_amount, claim.rate,
        CASE WHEN claim.bonus_usd_amount IS NOT NULL THEN claim.bonus_usd_amount
             WHEN claim.bonus_currency = 'USD' THEN claim.bonus_amount
             ELSE claim.bonus_amount * dollars.usd_rate END AS given
    FROM promos_userpromo AS claim
    LEFT JOIN LATERAL (
        SELECT usd_rate FROM operators_exchangerate AS rate
        WHERE rate.operator_id = claim.operator_id AND rate.currency = claim.bonus_currency
          AND rate.valid_from <= claim.claimed_at
        ORDER BY valid_from DESC, id DESC LIMIT 1
    ) AS dollars ON claim.bonus_usd_amount IS NULL AND claim.bonus_currency <> 'USD'
    WHERE claim.promo_id = ANY(%s)
) AS priced
GROUP BY promo_id
"""


@dataclass(frozen=True, slots=True)
class PromoFigures:
    """How often a promo was claimed, and what it cost: bonuses less clawbacks, in USD."""

    claim_count: int = 0
    cost_usd: Decimal = Decimal(0)
    #: Bonuses in a currency that had no rate; the cost is without them.
    unpriced_count: int = 0


@dataclass(frozen=True, slots=True)
class Claimant:
    """The player as the gates see them."""

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
    rows = Promo.objects.raw(
        _PLAN,
        {
            "operator_id": operator.pk,
            "promo_id": promo_id,
            "code_key": code_key,
            "player": reference if can_be_reference(reference) else "",
            "now": now,
        },
    )
    row: Any = rows[0]
    if row.player_pk is None:
        raise NotFound("There is no such player.")
    if row.pk is None:
        raise promo_not_found()
    return _plan_of(row, operator)


def _plan_of(row: Any, operator: Operator) -> ClaimPlan:
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
        promo=row,
        claimant=Claimant(
            id=row.player_pk,
            reference=row.player_reference,
            currency=row.player_currency,
            kyc_level=row.kyc_level,
            vip_level=row.vip_level,
            affiliate_code=row.affiliate_code,
            is_blocked=row.is_blocked,
            self_excluded_until=row.self_excluded_until,
            total_wager_usd=row.total_wager_usd,
            total_deposit_usd=row.total_deposit_usd,
            deposit_count=row.deposit_count,
        ),
        single_use=single_use,
        is_claimed_already=row.is_claimed_already,
        open_id=row.open_id,
        open_due_at=row.open_due_at,
        settings=settings,
        exchange=_exchange_of(row),
    )


def _exchange_of(row: Any) -> ExchangedAt | None:
    rates = {
        row.currency: (row.promo_usd_rate, row.promo_usd_rate_at),
        row.player_currency: (row.wallet_usd_rate, row.wallet_usd_rate_at),
    }
    if row.currency in ("", row.player_currency):
        return None
    dollar = (Decimal(1), None)
    source, source_at = dollar if row.currency == "USD" else rates[row.currency]
    wallet, wallet_at = dollar if row.player_currency == "USD" else rates[row.player_currency]
    if source is None or wallet is None:
        return None
    since = max(instant for instant in (source_at, wallet_at) if instant is not None)
    return ExchangedAt(rate=money.cross_rate(source, wallet), since=since)


def promo_not_found() -> PromoNotFound:
    """Return the refusal of a promo that is not there."""
    return PromoNotFound("There is no such promo.")


def get_promo(*, operator: Operator, promo_id: UUID) -> Promo:
    """
    Return the operator's promo with that id, archived or not.

    :raises PromoNotFound: if there is none.
    """
    promo = Promo.objects.for_operator(operator).filter(pk=promo_id).first()
    if promo is None:
        raise promo_not_found()
    return promo


def list_promos(*, operator: Operator) -> PromoQuerySet:
    """Return the operator's promos that are not archived."""
    return Promo.objects.for_operator(operator).filter(archived_at=None)


def read_promo_figures(*, promo_ids: Sequence[UUID]) -> dict[UUID, PromoFigures]:
    """Return the figures of each promo, all in one statement and so of one instant."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, [list(promo_ids)])
        found = {
            promo_id: PromoFigures(claim_count, money.round_half_even(cost_usd), unpriced_count)
            for promo_id, claim_count, cost_usd, unpriced_count in cursor.fetchall()
        }
    return {promo_id: found.get(promo_id, PromoFigures()) for promo_id in promo_ids}


def list_promo_games(*, promo: Promo) -> QuerySet[PromoGame]:
    """Return the games list in force, in the order in which it was sent."""
    return promo.games.filter(version=promo.games_version).select_related("game").order_by("pk")


def get_game_terms(*, user_promo: UserPromo, game: Game) -> PromoGame | None:
    """Return what the claim's games list says of a game, asked once an instance; None: nothing."""
    known = user_promo.__dict__.setdefault("known_games", {})
    if game.pk not in known:
        terms = PromoGame.objects.filter(
            promo_id=user_promo.promo_id, version=user_promo.games_version, game_id=game.pk
        ).first()
        remember_game_terms(user_promo=user_promo, game_id=game.pk, terms=terms)
    found: PromoGame | None = known[game.pk]
    return found


def remember_game_terms(*, user_promo: UserPromo, game_id: int, terms: PromoGame | None) -> None:
    """Let an instance know what its claim's games list says of a game, for get_game_terms()."""
    user_promo.__dict__.setdefault("known_games", {})[game_id] = terms


def list_user_promos(*, operator: Operator) -> UserPromoQuerySet:
    """Return the claims of the operator's players, with their players."""
    return UserPromo.objects.for_operator(operator).select_related("player")


def get_user_promo(*, operator: Operator, user_promo_id: UUID) -> UserPromo:
    """
    Return the operator's claim with that id.

    :raises NotFound: if there is none.
    """
    user_promo = list_user_promos(operator=operator).filter(pk=user_promo_id).first()
    if user_promo is None:
        raise NotFound("There is no such user promo.")
    return user_promo


def get_promo_settings(*, operator: Operator) -> PromoSettings:
    """Return how the operator runs promos; what nobody has set is as it comes."""
    found = PromoSettings.objects.filter(operator=operator).first()
    return PromoSettings(operator=operator) if found is None else found


def list_batches(*, operator: Operator) -> QuerySet[CodeBatch]:
    """Return the operator's batches of codes."""
    return CodeBatch.objects.for_operator(operator)


def get_batch(*, operator: Operator, batch_id: UUID) -> CodeBatch:
    """
    Return the operator's batch with that id, with ``claimed_count``.

    :raises NotFound: if there is none.
    """
    batch = CodeBatch.objects.for_operator(operator).filter(pk=batch_id).first()
    if batch is None:
        raise NotFound("There is no such batch.")
    return batch


def count_claimed_codes(*, batch: CodeBatch) -> int:
    """Return how many codes of the batch have been claimed."""
    counted = UserPromo.objects.filter(batch_code__batch=batch).aggregate(n=Count("pk"))
    claimed: int = counted["n"]
    return claimed


def iterate_codes(*, batch: CodeBatch) -> Iterator[PromoBatchCode]:
    """Yield every code of the batch with its claim, in pages, so that none is held in memory."""
    last = 0
    while True:
        page = list(
            PromoBatchCode.objects.filter(batch=batch, pk__gt=last)
            .select_related("user_promo__player")
            .order_by("pk")[:CODES_PER_PAGE]
        )
        yield from page
        if len(page) < CODES_PER_PAGE:
            return
        last = page[-1].pk
