"""Reads of promos: one promo, one claim, and everything a claim is decided upon."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from core import money
from core.errors import NotFound
from games.models import Game
from operators.models import Operator
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

CODES_PER_PAGE = 5_000

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
