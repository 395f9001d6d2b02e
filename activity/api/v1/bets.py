"""Bets over HTTP."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from activity.api.v1.serializers import (
    BetCheckSerializer,
    CheckBetSerializer,
    PlaceBetSerializer,
    PlayedBetSerializer,
    SettleBetSerializer,
    represent_played_bet,
)
from activity.services import bets, checks
from activity.services.placing import NewBet
from core.api.express import ExpressView
from core.api.idempotency import respond_once
from core.api.problem_schema import problems
from core.api.serializers import BodySerializer, ReferenceField, parsed, parsed_path
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class BetListView(ExpressView):
    """A stake on a game."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="bets_place",
        request=PlaceBetSerializer,
        responses={201: PlayedBetSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, player_id: str) -> Response:
        """
        Place a bet; with `payout`, settle it at once.

        The same `bet_id` with the same content is the same bet, whatever the key; with
        other content it is refused (`BET_ALREADY_EXISTS`). The main balance pays first, then
        the money of bonuses. Rollover and wagering advance when the bet is settled. `promo`
        is the player's open promo and `bonuses` the active bonuses of the internal adapter,
        as the bet left them. A stake above a bonus's maximum bet forfeits the bonus.
        """
        body = parsed(PlaceBetSerializer, request.data)
        new = NewBet(game_slug=body.pop("game"), **body)
        operator, actor, now = calling_operator(request), calling_actor(request), timezone.now()

        def command() -> tuple[int, Any]:
            played = bets.place_bet(
                operator=operator, player_reference=player_id, new=new, actor=actor, now=now
            )
            return 201, represent_played_bet(played)

        return respond_once(request, operator=operator, now=now, command=command)


class SettlementView(ExpressView):
    """The outcome of a bet."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="bets_settle",
        request=SettleBetSerializer,
        responses={200: PlayedBetSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, player_id: str, bet_id: str) -> Response:
        """
        Settle a placed bet with its payout, zero if it was lost.

        The same payout again changes nothing; another one is `BET_ALREADY_SETTLED`.
        """
        body = parsed(SettleBetSerializer, request.data)
        own_id = parsed_path("bet_id", ReferenceField(), bet_id)
        operator, actor, now = calling_operator(request), calling_actor(request), timezone.now()

        def command() -> tuple[int, Any]:
            played = bets.settle_bet(
                operator=operator,
                player_reference=player_id,
                bet_id=own_id,
                payout=body["payout"],
                actor=actor,
                now=now,
            )
            return 200, represent_played_bet(played)

        return respond_once(request, operator=operator, now=now, command=command)


class RollbackView(ExpressView):
    """A bet that has not been."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="bets_roll_back",
        request=None,
        responses={200: PlayedBetSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, player_id: str, bet_id: str) -> Response:
        """
        Give the stake back, take the payout back, and reverse progress still open.

        Rolling back again changes nothing. `INSUFFICIENT_FUNDS` if the player no longer
        has the payout.
        """
        parsed(BodySerializer, request.data)
        own_id = parsed_path("bet_id", ReferenceField(), bet_id)
        operator, actor, now = calling_operator(request), calling_actor(request), timezone.now()

        def command() -> tuple[int, Any]:
            played = bets.roll_back_bet(
                operator=operator,
                player_reference=player_id,
                bet_id=own_id,
                actor=actor,
                now=now,
            )
            return 200, represent_played_bet(played)

        return respond_once(request, operator=operator, now=now, command=command)


class BetCheckView(WindfallView):
    """Whether a bet would be taken."""

    scopes: ClassVar = {"POST": Scope.PLAY}

    @extend_schema(
        operation_id="bets_check",
        request=CheckBetSerializer,
        responses={200: BetCheckSerializer, **problems(400, 404)},
    )
    def post(self, request: Request, player_id: str) -> Response:
        """
        Say whether a bet would be taken now, with every reason why not; nothing moves.

        A stake that would forfeit a bonus is `allowed`, with the reason
        `BONUS_WOULD_BE_FORFEITED`.
        """
        body = parsed(CheckBetSerializer, request.data)
        reasons = checks.check_bet(
            operator=calling_operator(request),
            player_reference=player_id,
            game_slug=body["game"],
            stake=body["stake"],
            currency=body["currency"],
            now=timezone.now(),
        )
        is_allowed = all(reason.is_warning for reason in reasons)
        return Response(BetCheckSerializer({"allowed": is_allowed, "reasons": reasons}).data)
