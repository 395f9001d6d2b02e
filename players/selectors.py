"""Reads of players and segments."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from core.errors import NotFound
from operators.models import Operator
from players.models import Player, PlayerQuerySet, Segment, SegmentMember
from players.rules import BOUNDED_FIELDS


def get_player(*, operator: Operator, reference: str) -> Player:
    """
    Return the operator's player with that id, in whichever Unicode form it is written.

    :raises NotFound: if there is none.
    """
    player = Player.objects.for_operator(operator).with_reference(reference).first()
    if player is None:
        raise NotFound("There is no such player.")
    return player


def get_segment(*, operator: Operator, segment_id: UUID) -> Segment:
    """
    Return the operator's segment with that id.

    :raises NotFound: if there is none.
    """
    segment = Segment.objects.for_operator(operator).filter(pk=segment_id).first()
    if segment is None:
        raise NotFound("There is no such segment.")
    return segment


def list_segment_players(*, segment: Segment) -> PlayerQuerySet:
    """Return the players who belong to ``segment`` at this instant."""
    players = Player.objects.filter(operator_id=segment.operator_id)
    if segment.rules is None:
        members = SegmentMember.objects.filter(segment=segment)
        return players.filter(pk__in=members.values("player_id"))
    return players.filter(_matching(segment.rules))


def count_segment_players(*, segment: Segment) -> int:
    """Return how many players belong to ``segment`` at this instant."""
    if segment.is_listed:
        return SegmentMember.objects.filter(segment=segment).count()
    return list_segment_players(segment=segment).count()


def count_segments_up_to(*, segments: Sequence[Segment], at_most: int) -> dict[UUID, int]:
    """Return how many players each segment has now, in one statement; at most one more."""
    if not segments:
        return {}
    parts: list[str] = []
    params: list[Any] = []
    for segment in segments:
        bounded = list_segment_players(segment=segment).order_by().values("pk")[: at_most + 1]
        sql, values = bounded.query.sql_with_params()
        parts.append(f"SELECT %s::uuid, count(*) FROM ({sql}) AS counted")  # noqa: S608
        params += [segment.pk, *values]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        return dict(cursor.fetchall())


def _matching(wanted: Mapping[str, Any]) -> Q:
    found = Q()
    for field in BOUNDED_FIELDS:
        if (least := wanted.get(f"min_{field}")) is not None:
            found &= Q(**{f"{field}__gte": least})
        if (most := wanted.get(f"max_{field}")) is not None:
            found &= Q(**{f"{field}__lte": most})
    if "countries" in wanted:
        found &= Q(country__in=wanted["countries"])
    if "tags_any" in wanted:
        found &= Q(tags__overlap=wanted["tags_any"])
    if "tags_all" in wanted:
        found &= Q(tags__contains=wanted["tags_all"])
    if "affiliate_code" in wanted:
        found &= Q(affiliate_code=wanted["affiliate_code"])
    return found
