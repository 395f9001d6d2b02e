"""Games over HTTP."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import parsed, parsed_path
from core.api.views import WindfallView
from games import selectors
from games.api.v1.serializers import GameSerializer, PutGameSerializer, SlugField
from games.models import Game, GameQuerySet
from games.services import catalogue
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


@extend_schema_view(get=extend_schema(responses={200: GameSerializer(many=True), **problems(400)}))
class GameListView(WindfallView, generics.ListAPIView[Game]):
    """The operator's catalogue, newest first."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = GameSerializer
    pagination_class = NewestIdFirst
    filterset_fields: ClassVar = ["category", "provider", "is_house"]
    queryset = Game.objects.none()

    def get_queryset(self) -> GameQuerySet:
        return Game.objects.for_operator(calling_operator(self.request))


class GameView(WindfallView):
    """One game."""

    scopes: ClassVar = {"GET": Scope.READ, "PUT": Scope.MANAGE}

    @extend_schema(responses={200: GameSerializer, **problems(404)})
    def get(self, request: Request, slug: str) -> Response:
        """Return the game with that slug."""
        game = selectors.get_game(operator=calling_operator(request), slug=slug)
        return Response(GameSerializer(game).data)

    @extend_schema(
        request=PutGameSerializer,
        responses={201: GameSerializer, 200: GameSerializer, **problems(400)},
    )
    def put(self, request: Request, slug: str) -> Response:
        """
        Add the game to the catalogue (201), or bring its description up to date (200).

        `name` and `category` are always required. `provider` and `is_house` keep their value
        when they are left out; for a new game they start empty and false.
        """
        body = parsed(PutGameSerializer, request.data)
        name, category = body.pop("name"), body.pop("category")
        catalogued = catalogue.put_game(
            operator=calling_operator(request),
            slug=parsed_path("slug", SlugField(), slug),
            name=name,
            category=category,
            details=body,  # type: ignore[arg-type]
            actor=calling_actor(request),
            now=timezone.now(),
        )
        status = 201 if catalogued.is_new else 200
        return Response(GameSerializer(catalogued.game).data, status=status)
