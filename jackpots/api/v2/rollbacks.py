"""Rollbacks over HTTP: take a contribution back, or all of its request."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.idempotency import HEADER, respond_once
from core.api.problem_schema import problems
from core.api.serializers import BodySerializer, CurrencyField, InstantField, MoneyField, parsed
from core.api.views import WindfallView
from core.instants import format_instant
from core.money import format_amount
from jackpots.api.serializers import PotAmountSerializer
from jackpots.enums import Role, RollbackScope
from jackpots.models import Contribution, Instance
from jackpots.services.rollbacks import reverse_contribution, rollback_contribution
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class RollbackContributionSerializer(BodySerializer[None]):
    """What to take back."""

    scope = serializers.ChoiceField(
        choices=RollbackScope.choices,
        default=RollbackScope.LEG,
        help_text="`request`: every accepted leg of the contribution's request.",
    )


class RefundSerializer(serializers.Serializer[Any]):
    """What a player got back who had paid for the contribution."""

    amount = MoneyField()
    currency = CurrencyField()


class TicketsTakenBackSerializer(serializers.Serializer[Any]):
    """Raffle tickets: how many fell, and how many the player had left."""

    taken_back = serializers.IntegerField()
    total = serializers.IntegerField()


class RolledBackLegSerializer(serializers.Serializer[Any]):
    """A leg that was taken back."""

    contribution_id = serializers.UUIDField()
    instance_id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=Role.choices)
    status = serializers.ChoiceField(choices=["rolled_back"])
    amount = MoneyField()
    currency = CurrencyField()
    pots = PotAmountSerializer(many=True)
    refund = RefundSerializer(allow_null=True)
    tickets = TicketsTakenBackSerializer(allow_null=True)
    rolled_back_at = InstantField()


class RollbackSerializer(serializers.Serializer[Any]):
    """The legs of one request that were taken back, the main one first."""

    request_id = serializers.UUIDField()
    contributions = RolledBackLegSerializer(many=True)


class ContributionRollbackView(WindfallView):
    """Take a contribution back."""

    scopes: ClassVar = {"POST": Scope.PLAY}

    @extend_schema(
        operation_id="jackpot_contributions_rollback",
        request=RollbackContributionSerializer,
        parameters=[
            OpenApiParameter(
                HEADER,
                location="header",
                description="Not needed: a contribution is rolled back once.",
            )
        ],
        responses={200: RollbackSerializer, **problems(400, 404, 409, 422)},
    )
    def post(self, request: Request, contribution_id: UUID) -> Response:
        """
        Take back one leg, or with `{"scope": "request"}` all accepted legs of its request.

        The meters no longer have it, the player's tickets fall, and what a player paid is
        paid back. Where the pot has been won since, its part stays with the winner and is
        the house's loss. Again, the answer is the same. A leg that had failed cannot be
        rolled back: 409 `CONTRIBUTION_NOT_ACCEPTED`.
        """
        operator, now = calling_operator(request), timezone.now()
        body = parsed(RollbackContributionSerializer, request.data)

        def take_back(service: Callable[..., list[Contribution]]) -> dict[str, Any]:
            reversals = service(
                operator=operator,
                contribution_id=contribution_id,
                scope=RollbackScope(body["scope"]),
                actor=calling_actor(request),
                now=now,
            )
            return _represent(reversals)

        if HEADER not in request.headers:
            return Response(take_back(rollback_contribution))
        return respond_once(
            request,
            operator=operator,
            now=now,
            command=lambda: (200, take_back(reverse_contribution)),
        )


def _represent(reversals: list[Contribution]) -> dict[str, Any]:
    prefetch_related_objects([reversal.instance for reversal in reversals], "pots")
    assert reversals[0].reverses is not None, "a reversal reverses"
    return {
        "request_id": str(reversals[0].reverses.request_id),
        "contributions": [_represent_leg(reversal) for reversal in reversals],
    }


def _represent_leg(reversal: Contribution) -> dict[str, Any]:
    leg = reversal.reverses
    assert leg is not None, "a reversal reverses"
    return {
        "contribution_id": str(leg.pk),
        "instance_id": str(leg.instance_id),
        "role": leg.role,
        "status": "rolled_back",
        "amount": format_amount(leg.amount, leg.currency),
        "currency": leg.currency,
        "pots": represent_parts(leg, instance=reversal.instance),
        "refund": represent_debit(leg),
        "tickets": None
        if reversal.tickets_earned is None
        else {"taken_back": -reversal.tickets_earned, "total": reversal.tickets_total},
        "rolled_back_at": format_instant(reversal.created_at),
    }


def represent_parts(leg: Contribution, *, instance: Instance) -> list[dict[str, str]]:
    """Return what each pot of ``instance`` got of a leg; a leg that failed gave nothing."""
    return [
        {"name": pot.name, "amount": format_amount(part, leg.currency)}
        for pot, part in zip(instance.pots.all(), leg.pot_amounts, strict=False)
    ]


def represent_debit(leg: Contribution) -> dict[str, str] | None:
    """Return what the player paid for a leg, or None."""
    if not leg.debit_amount:
        return None
    return {
        "amount": format_amount(leg.debit_amount, leg.debit_currency),
        "currency": leg.debit_currency,
    }
