"""Players and segments over HTTP."""

from typing import ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import ReferenceField, parsed, parsed_path
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator
from players import selectors
from players.api.v1.serializers import (
    CreateSegmentSerializer,
    ExcludePlayerSerializer,
    PlayerSerializer,
    PutPlayerSerializer,
    SegmentSerializer,
    SizedSegmentSerializer,
)
from players.models import Player, PlayerQuerySet, Segment, SegmentQuerySet
from players.services import registration, segments


@extend_schema_view(
    get=extend_schema(responses={200: PlayerSerializer(many=True), **problems(400)})
)
class PlayerListView(WindfallView, generics.ListAPIView[Player]):
    """The operator's players, newest first."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = PlayerSerializer
    pagination_class = NewestIdFirst
    filterset_fields: ClassVar = ["currency", "country", "is_blocked", "affiliate_code"]
    queryset = Player.objects.none()

    def get_queryset(self) -> PlayerQuerySet:
        return Player.objects.for_operator(calling_operator(self.request))


class PlayerView(WindfallView):
    """One player."""

    scopes: ClassVar = {"GET": Scope.READ, "PUT": Scope.PLAY}

    @extend_schema(responses={200: PlayerSerializer, **problems(404)})
    def get(self, request: Request, player_id: str) -> Response:
        """Return the player with that id."""
        player = selectors.get_player(operator=calling_operator(request), reference=player_id)
        return Response(PlayerSerializer(player).data)

    @extend_schema(
        request=PutPlayerSerializer,
        responses={201: PlayerSerializer, 200: PlayerSerializer, **problems(400, 409)},
    )
    def put(self, request: Request, player_id: str) -> Response:
        """
        Register the player (201), or bring what is known of them up to date (200).

        `currency` is always required. Members that are left out keep their value; for a new
        player they start empty, at level 0 and not blocked. The currency is fixed once the
        wallet has been opened: 409 `CURRENCY_LOCKED`.
        """
        body = parsed(PutPlayerSerializer, request.data)
        currency = body.pop("currency")
        registered = registration.put_player(
            operator=calling_operator(request),
            reference=parsed_path("player_id", ReferenceField(), player_id),
            currency=currency,
            profile=body,  # type: ignore[arg-type]
            actor=calling_actor(request),
            now=timezone.now(),
        )
        status = 201 if registered.is_new else 200
        return Response(PlayerSerializer(registered.player).data, status=status)


class SelfExclusionView(WindfallView):
    """A player's own wish not to play."""

    scopes: ClassVar = {"PUT": Scope.PLAY}

    @extend_schema(
        request=ExcludePlayerSerializer,
        responses={200: PlayerSerializer, **problems(400, 404, 409)},
    )
    def put(self, request: Request, player_id: str) -> Response:
        """
        Exclude the player from play until an instant, or for longer than before.

        An exclusion is never shortened or lifted: 409 `SELF_EXCLUSION_ONLY_GROWS`.
        """
        body = parsed(ExcludePlayerSerializer, request.data)
        player = registration.exclude_player(
            operator=calling_operator(request),
            reference=player_id,
            until=body["until"],
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(PlayerSerializer(player).data)


@extend_schema_view(
    get=extend_schema(responses={200: SegmentSerializer(many=True), **problems(400)})
)
class SegmentListView(WindfallView, generics.ListAPIView[Segment]):
    """The operator's groups of players, newest first."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.MANAGE}
    # A listed segment of tens of thousands of players is one body.
    serializer_class = SegmentSerializer
    pagination_class = NewestIdFirst
    queryset = Segment.objects.none()

    def get_queryset(self) -> SegmentQuerySet:
        return Segment.objects.for_operator(calling_operator(self.request))

    @extend_schema(
        request=CreateSegmentSerializer, responses={201: SizedSegmentSerializer, **problems(400)}
    )
    def post(self, request: Request) -> Response:
        """Create a segment: of the players listed, or of whoever matches the rules."""
        body = parsed(CreateSegmentSerializer, request.data)
        caller, actor, now = calling_operator(request), calling_actor(request), timezone.now()
        if "rules" in body:
            segment = segments.create_segment_by_rules(
                operator=caller, name=body["name"], rules=body["rules"], actor=actor, now=now
            )
        else:
            segment = segments.create_listed_segment(
                operator=caller,
                name=body["name"],
                player_references=body["player_ids"],
                actor=actor,
                now=now,
            )
        return Response(SizedSegmentSerializer(segment).data, status=201)


class SegmentView(WindfallView):
    """One group of players."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(responses={200: SizedSegmentSerializer, **problems(404)})
    def get(self, request: Request, segment_id: UUID) -> Response:
        """Return the segment, with its size at this instant."""
        segment = selectors.get_segment(operator=calling_operator(request), segment_id=segment_id)
        return Response(SizedSegmentSerializer(segment).data)
