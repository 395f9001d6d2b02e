"""The wallet over HTTP."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.views import WindfallView
from core.querysets import OperatorQuerySet
from operators.enums import Scope
from operators.requests import calling_operator
from players.selectors import get_player
from wallets.api.v1.serializers import TransactionSerializer, WalletSerializer
from wallets.models import TransferSide
from wallets.selectors import get_balances, list_player_transactions


class WalletView(WindfallView):
    """What a player holds and may do."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(responses={200: WalletSerializer, **problems(404)})
    def get(self, request: Request, player_id: str) -> Response:
        """Return the player's balances, and what the player may not do at the moment."""
        player = get_player(operator=calling_operator(request), reference=player_id)
        wallet = {
            "player_id": player.reference,
            "balances": get_balances(player=player),
            # Nothing below this app forbids a player anything; who does sits above it.
            "restrictions": [],
        }
        return Response(WalletSerializer(wallet).data)


@extend_schema_view(get=extend_schema(responses={200: TransactionSerializer, **problems(400, 404)}))
class TransactionListView(WindfallView, generics.ListAPIView[TransferSide]):
    """The movements of a player's main balance, newest first."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = TransactionSerializer
    pagination_class = NewestIdFirst
    filterset_fields: ClassVar = ["tag", "type"]
    queryset = TransferSide.objects.none()

    def get_queryset(self) -> OperatorQuerySet[TransferSide]:
        player = get_player(
            operator=calling_operator(self.request), reference=self.kwargs["player_id"]
        )
        return list_player_transactions(player=player)
