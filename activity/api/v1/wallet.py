"""The wallet over HTTP."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from activity.api.v1.serializers import WalletSerializer
from bonuses.services.funding import list_held_bonuses
from core.api.problem_schema import problems
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_operator
from players.selectors import get_player
from promos.services.restrictions import list_restrictions
from wallets.selectors import get_balances


class WalletView(WindfallView):
    """What a player holds and may do."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(responses={200: WalletSerializer, **problems(404)})
    def get(self, request: Request, player_id: str) -> Response:
        """
        Return the player's balances, and what the player may not do at the moment.

        `bonus_balances` is the money of active bonuses, apart from the balances: it can be
        bet, and nothing else.
        """
        operator, now = calling_operator(request), timezone.now()
        player = get_player(operator=operator, reference=player_id)
        wallet = {
            "player_id": player.reference,
            "balances": get_balances(player=player),
            "bonus_balances": list_held_bonuses(player=player, now=now),
            "restrictions": list_restrictions(operator=operator, player=player, now=now),
        }
        return Response(WalletSerializer(wallet).data)
