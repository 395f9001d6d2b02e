"""
The promos of an operator: made, changed, listed with games, archived.

Each change locks the promo and moves its revision, so a claim is wholly before it or is
decided anew after it. What has been claimed keeps the terms it was claimed with.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest, NotFound
from games.models import Game
from operators.models import Operator
from promos.enums import PromoType
from promos.errors import PromoArchived, PromoCodeTaken
from promos.models import Promo, PromoBatchCode, PromoGame, UserPromo
from promos.rules import can_be_code, canonical_code
from promos.selectors import list_promo_games, promo_not_found
from promos.services.terms import changed_terms, check_promo_terms, describe_promo_terms


@dataclass(frozen=True, slots=True)
class GameTerms:
    """A game of a promo's list, by its slug."""

    slug: str
    wager_multiplier: Decimal
    max_bet_amount: Decimal | None


@transaction.atomic(durable=True)
def create_promo(
    *,
    operator: Operator,
    promo_type: PromoType,
    terms: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> Promo:
    """
    Make a promo of ``terms`` (see TERM_FIELDS), with an empty list of games.

    :raises InvalidRequest: if the terms contradict themselves; it names every field.
    :raises PromoCodeTaken: if a promo, archived or not, or a single-use code has the code.
    """
    promo = Promo(operator=operator, type=promo_type, created_at=now)
    _set(promo, terms)
    promo.claims_cap = promo.claims_left
    check_promo_terms(promo=promo)
    _refuse_code_of_batch(promo)
    with _refusing_taken_code():
        promo.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="promo.created",
        subject=promo,
        after=describe_promo_terms(promo=promo),
        now=now,
    )
    return promo


@transaction.atomic(durable=True)
def update_promo(
    *,
    operator: Operator,
    promo_id: UUID,
    changes: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> Promo:
    """
    Change those terms of a promo that ``changes`` names; claims that run keep theirs.

    ``claims_left`` sets what is left from now on; adjust_claims_left changes it by a
    difference. A call that changes nothing leaves no trace.

    :raises PromoNotFound: if the operator has no such promo.
    :raises PromoArchived: if it has been archived.
    :raises InvalidRequest: if the resulting terms contradict themselves.
    :raises PromoCodeTaken: if another promo or a single-use code has the new code.
    :raises ResourceBusy: if the promo is in use; nothing was changed.
    """
    promo = _lock_promo(operator, promo_id)
    before = describe_promo_terms(promo=promo)
    claims_left = promo.claims_left
    _set(promo, changes)
    _set_cap(promo, was_left=claims_left)
    check_promo_terms(promo=promo)
    was, is_now = changed_terms(before=before, after=describe_promo_terms(promo=promo))
    if not is_now:
        return promo
    if canonical_code(str(before["code"])) != promo.code_key:
        _refuse_code_of_batch(promo)
    promo.revision += 1
    derived = [
        *(["code_key"] if "code" in is_now else []),
        *(["claims_cap"] if "claims_left" in is_now else []),
    ]
    with _refusing_taken_code():
        promo.save(update_fields=[*is_now, *derived, "revision"])
    _record(promo, "promo.changed", before=was, after=is_now, actor=actor, now=now)
    return promo


@transaction.atomic(durable=True)
def adjust_claims_left(
    *,
    operator: Operator,
    promo_id: UUID,
    delta: int,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Promo:
    """
    Add ``delta`` claims to those that are left, or take some away, down to none.

    A difference, so that it is right whatever is claimed meanwhile.

    :raises PromoNotFound: if the operator has no such promo.
    :raises PromoArchived: if it has been archived.
    :raises InvalidRequest: if the promo has no cap, or fewer claims left than are taken away.
    :raises ResourceBusy: if the promo is in use; nothing was changed.
    """
    promo = _lock_promo(operator, promo_id)
    if promo.claims_left is None or promo.claims_cap is None:
        raise InvalidRequest.for_field("delta", "The promo has no cap on its claims.")
    if promo.claims_left + delta < 0:
        raise InvalidRequest.for_field("delta", f"Only {promo.claims_left} claims are left.")
    before = promo.claims_left
    promo.claims_left += delta
    promo.claims_cap += delta
    promo.save(update_fields=["claims_left", "claims_cap"])
    _record(
        promo,
        "promo.claims_adjusted",
        before={"claims_left": before},
        after={"claims_left": promo.claims_left},
        reason=reason,
        actor=actor,
        now=now,
    )
    return promo


@transaction.atomic(durable=True)
def archive_or_delete_promo(
    *, operator: Operator, promo_id: UUID, actor: Actor, now: datetime, reason: str = ""
) -> None:
    """
    Delete a promo that nobody has claimed; archive one that somebody has. Again: no error.

    A promo with batches of codes is archived too. Claims of it run on.

    :raises PromoNotFound: if the operator has no such promo.
    :raises ResourceBusy: if the promo is in use; nothing was changed.
    """
    promo = _lock_promo(operator, promo_id, archived_too=True)
    if promo.archived_at is not None:
        return
    described = describe_promo_terms(promo=promo)
    is_used = UserPromo.objects.filter(promo=promo).exists() or promo.batches.exists()
    if is_used:
        promo.archived_at = now
        promo.revision += 1
        promo.save(update_fields=["archived_at", "revision"])
        _record(promo, "promo.archived", before={}, after={}, actor=actor, now=now, reason=reason)
        return
    _record(promo, "promo.deleted", before=described, after={}, actor=actor, now=now, reason=reason)
    promo.games.all().delete()
    promo.delete()


@transaction.atomic(durable=True)
def replace_games(
    *,
    operator: Operator,
    promo_id: UUID,
    games: Sequence[GameTerms],
    actor: Actor,
    now: datetime,
) -> list[PromoGame]:
    """
    Replace the promo's list of games; claims that run keep the list they were made with.

    The same list again leaves no trace.

    :raises PromoNotFound: if the operator has no such promo.
    :raises PromoArchived: if it has been archived.
    :raises InvalidRequest: if a game is named twice, or is not in the catalogue.
    :raises ResourceBusy: if the promo is in use; nothing was changed.
    """
    promo = _lock_promo(operator, promo_id)
    known = _games_of(operator, games)
    current = list(list_promo_games(promo=promo))
    was, will_be = [_told_row(row) for row in current], [_told_terms(terms) for terms in games]
    if was == will_be:
        return current
    promo.games_version += 1
    promo.revision += 1
    promo.save(update_fields=["games_version", "revision"])
    rows = PromoGame.objects.bulk_create(
        PromoGame(
            promo=promo,
            version=promo.games_version,
            game=known[terms.slug],
            wager_multiplier=terms.wager_multiplier,
            max_bet_amount=terms.max_bet_amount,
        )
        for terms in games
    )
    _record(
        promo,
        "promo.games_replaced",
        before={"games": was},
        after={"games": will_be},
        actor=actor,
        now=now,
    )
    return rows


def _lock_promo(operator: Operator, promo_id: UUID, *, archived_too: bool = False) -> Promo:
    try:
        promo = locks.lock_one(Promo.objects.for_operator(operator).filter(pk=promo_id))
    except NotFound:
        raise promo_not_found() from None
    if promo.archived_at is not None and not archived_too:
        raise PromoArchived("The promo has been archived.")
    promo.operator = operator
    return promo


def _set(promo: Promo, terms: Mapping[str, Any]) -> None:
    for field, value in terms.items():
        # Texts have no null of their own.
        is_text = field in ("title", "currency", "affiliate_code_to_claim")
        setattr(promo, field, "" if is_text and value is None else value)
    if not can_be_code(promo.code):
        raise InvalidRequest.for_field("code", "A code has 1 to 64 characters and no spaces.")
    promo.code_key = canonical_code(promo.code)
    if promo.type == PromoType.DEPOSIT and promo.min_deposit_usd_to_activate is None:
        promo.min_deposit_usd_to_activate = Decimal(0)


def _set_cap(promo: Promo, *, was_left: int | None) -> None:
    """Set the cap so that what is left is what it says, exactly: no claim runs meanwhile."""
    if promo.claims_left == was_left:
        return
    if promo.claims_left is None:
        promo.claims_cap = None
    else:
        claims = UserPromo.objects.filter(promo=promo).count()
        promo.claims_cap = promo.claims_left + claims


def _refuse_code_of_batch(promo: Promo) -> None:
    codes = PromoBatchCode.objects.for_operator(promo.operator).filter(code_key=promo.code_key)
    if codes.exists():
        raise PromoCodeTaken("A single-use code has this code.")


@contextmanager
def _refusing_taken_code() -> Iterator[None]:
    """Turn the database's refusal of a second promo of one code into ours."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "promo_code_is_unique" not in str(error):
            raise
        raise PromoCodeTaken("Another promo has this code.") from error


def _games_of(operator: Operator, games: Sequence[GameTerms]) -> dict[str, Game]:
    slugs = [terms.slug for terms in games]
    known = {game.slug: game for game in Game.objects.for_operator(operator).filter(slug__in=slugs)}
    for position, slug in enumerate(slugs):
        if slug not in known:
            raise InvalidRequest.for_field(f"games/{position}/game", "There is no such game.")
        if slug in slugs[:position]:
            raise InvalidRequest.for_field(f"games/{position}/game", "The game is listed twice.")
    return known


def _told_row(row: PromoGame) -> dict[str, Any]:
    return _told_terms(GameTerms(row.game.slug, row.wager_multiplier, row.max_bet_amount))


def _told_terms(terms: GameTerms) -> dict[str, Any]:
    most = terms.max_bet_amount
    return {
        "game": terms.slug,
        "wager_multiplier": f"{terms.wager_multiplier:.8f}",
        "max_bet_amount": None if most is None else f"{most:.8f}",
    }


def _record(
    promo: Promo,
    action: str,
    *,
    before: dict[str, Any],
    after: dict[str, Any],
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    audit.record_action(
        operator=promo.operator,
        actor=actor,
        action=action,
        subject=promo,
        before=before,
        after=after,
        reason=reason,
        now=now,
    )
