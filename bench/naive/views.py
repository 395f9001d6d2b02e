"""The contribution, the obvious way."""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.naive.models import Contribution, ContributionRequest, Instance, Player, Pot, PotAmount
from bench.naive.serializers import ContributeSerializer, ContributionRequestSerializer

PLACES = Decimal("0.00000001")


class ContributionView(APIView):
    """Contribute to a jackpot, and to those it is linked to."""

    def post(self, request: Request, pk: int) -> Response:
        key = request.headers.get("Idempotency-Key")
        if not key:
            raise ValidationError({"Idempotency-Key": "required"})
        serializer = ContributeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data

        with transaction.atomic():
            known = ContributionRequest.objects.filter(key=key).first()
            if known is None:
                instance = get_object_or_404(Instance, pk=pk)
                player = get_object_or_404(Player, reference=wanted["player_id"])
                known = ContributionRequest.objects.create(
                    key=key,
                    instance=instance,
                    player=player,
                    base_wager=wanted["base_wager"],
                    currency=wanted["currency"],
                )
                legs = [(instance, "main")]
                legs += [(link.target, "linked") for link in instance.links.all()]
                # In one order for everybody, so that no two requests wait for each other.
                locked = {
                    pot.pk: pot
                    for pot in Pot.objects.select_for_update()
                    .filter(instance__in=[leg for leg, _role in legs])
                    .order_by("pk")
                }
                for leg, role in legs:
                    _contribute(known, leg, role, player, wanted, locked)
        return Response(ContributionRequestSerializer(known).data, status=status.HTTP_201_CREATED)


def _contribute(
    request: ContributionRequest,
    instance: Instance,
    role: str,
    player: Player,
    wanted: dict[str, Any],
    locked: dict[int, Pot],
) -> None:
    error = _refusal(instance, player)
    if error and role == "main":
        raise ValidationError({"code": error})
    amount = (wanted["base_wager"] * instance.percent / 100).quantize(PLACES)
    contribution = Contribution.objects.create(
        request=request,
        instance=instance,
        player=player,
        role=role,
        status="failed" if error else "accepted",
        error=error,
        amount=Decimal(0) if error else amount,
    )
    if error:
        return
    for pot in [pot for pot in locked.values() if pot.instance_id == instance.pk]:
        part = (amount * pot.share).quantize(PLACES)
        pot.value += part
        pot.save(update_fields=["value"])
        PotAmount.objects.create(
            contribution=contribution, pot=pot, amount=part, value_after=pot.value
        )


def _refusal(instance: Instance, player: Player) -> str:
    now = timezone.now()
    if instance.status != "active":
        return "INSTANCE_NOT_ACTIVE"
    if (instance.opens_at and now < instance.opens_at) or (
        instance.closes_at and now >= instance.closes_at
    ):
        return "OUTSIDE_SCHEDULE"
    if instance.opt_in_required and not instance.opt_ins.filter(player=player).exists():
        return "OPT_IN_REQUIRED"
    return "PLAYER_BLOCKED" if player.is_blocked else ""
