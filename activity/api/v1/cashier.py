"""Deposits, withdrawals, tips and the vault over HTTP."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from activity.api.v1.serializers import (
    CashSerializer,
    MadeDepositSerializer,
    MovedSerializer,
    TipSerializer,
    VaultMoveSerializer,
    represent_deposit,
    represent_inflow,
    represent_outflow,
)
from activity.services import deposits, outflows
from core.api.idempotency import respond_once
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class DepositView(WindfallView):
    """Money that a player brings."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="deposits_make",
        request=CashSerializer,
        responses={201: MadeDepositSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, player_id: str) -> Response:
        """
        Credit the player's main balance.

        The first deposit after a promo was claimed decides: it activates the promo, or
        cancels it when it is below the promo's floor. `promo` is the promo that was open,
        as the deposit left it. `bonuses` are the offers that waited for such a deposit: our
        own are granted by now, a platform's within seconds.
        """
        body = parsed(CashSerializer, request.data)
        operator, actor, now = calling_operator(request), calling_actor(request), timezone.now()

        def command() -> tuple[int, Any]:
            made = deposits.make_deposit(
                operator=operator, player_reference=player_id, actor=actor, now=now, **body
            )
            return 201, represent_deposit(made)

        return respond_once(request, operator=operator, now=now, command=command)


class WithdrawalView(WindfallView):
    """Money that a player takes out."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="withdrawals_make",
        request=CashSerializer,
        responses={201: MovedSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, player_id: str) -> Response:
        """
        Debit the player's main balance.

        Refused while a promo is active (`PROMO_CODE_IS_ACTIVE`) and while a lock runs
        (`WITHDRAWALS_BLOCKED`, with `until`). Self-excluded players may withdraw.
        """
        body = parsed(CashSerializer, request.data)
        operator, actor, now = calling_operator(request), calling_actor(request), timezone.now()

        def command() -> tuple[int, Any]:
            transfer = outflows.withdraw_money(
                operator=operator, player_reference=player_id, actor=actor, now=now, **body
            )
            return 201, represent_outflow(transfer)

        return respond_once(request, operator=operator, now=now, command=command)


class TipView(WindfallView):
    """Money that a player gives to another."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="tips_send",
        request=TipSerializer,
        responses={201: MovedSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, player_id: str) -> Response:
        """Move money from the player's main balance to another player's."""
        body = parsed(TipSerializer, request.data)
        operator, actor, now = calling_operator(request), calling_actor(request), timezone.now()

        def command() -> tuple[int, Any]:
            transfer = outflows.tip_player(
                operator=operator,
                player_reference=player_id,
                to_player_reference=body["to_player_id"],
                amount=body["amount"],
                currency=body["currency"],
                actor=actor,
                now=now,
            )
            return 201, represent_outflow(transfer)

        return respond_once(request, operator=operator, now=now, command=command)


class VaultDepositView(WindfallView):
    """Money that a player puts away."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="vault_deposits_make",
        request=VaultMoveSerializer,
        responses={201: MovedSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, player_id: str) -> Response:
        """Move money from the player's main balance to the vault."""
        body = parsed(VaultMoveSerializer, request.data)
        operator, actor, now = calling_operator(request), calling_actor(request), timezone.now()

        def command() -> tuple[int, Any]:
            transfer = outflows.fill_vault(
                operator=operator, player_reference=player_id, actor=actor, now=now, **body
            )
            return 201, represent_outflow(transfer)

        return respond_once(request, operator=operator, now=now, command=command)


class VaultWithdrawalView(WindfallView):
    """Money that a player takes up again."""

    scopes: ClassVar = {"POST": Scope.PLAY}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="vault_withdrawals_make",
        request=VaultMoveSerializer,
        responses={201: MovedSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, player_id: str) -> Response:
        """Move money from the player's vault to the main balance."""
        body = parsed(VaultMoveSerializer, request.data)
        operator, actor, now = calling_operator(request), calling_actor(request), timezone.now()

        def command() -> tuple[int, Any]:
            transfer = outflows.empty_vault(
                operator=operator, player_reference=player_id, actor=actor, now=now, **body
            )
            return 201, represent_inflow(transfer)

        return respond_once(request, operator=operator, now=now, command=command)
