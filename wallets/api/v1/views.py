"""The ledger over HTTP."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics

from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.views import WindfallView
from core.querysets import OperatorQuerySet
from operators.enums import Scope
from operators.requests import calling_operator
from players.selectors import get_player
from wallets.api.v1.serializers import TransactionSerializer
from wallets.models import TransferSide
from wallets.selectors import list_player_transactions


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
