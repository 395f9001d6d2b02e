"""Draws over HTTP: what a raffle is drawn with, and the proof that it was drawn so."""

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import CurrencyField, DecimalStringField, InstantField, MoneyField
from core.api.views import WindfallView
from jackpots.models import Draw, Win
from jackpots.selectors import get_instance
from jackpots.services.draw_documents import describe_draw, describe_winner
from jackpots.services.proofs import prove_draw
from operators.enums import Scope
from operators.requests import calling_operator

_SHA_256 = "SHA-256, in hex."


class DrawWinnerSerializer(serializers.Serializer[Any]):
    """A prize that was drawn, and to whom it went."""

    position = serializers.IntegerField(help_text="In the order drawn, from 1.")
    prize = serializers.CharField()
    player_id = serializers.CharField()
    amount = MoneyField()
    counter = serializers.IntegerField(help_text="The number that was hashed for it.")


class DrawSerializer(serializers.Serializer[Any]):
    """The draw of a raffle: its commitment from the start, its seed once it is drawn."""

    id = serializers.UUIDField()
    instance_id = serializers.UUIDField()
    commitment = serializers.CharField(help_text="SHA-256 of the seed's text, in hex.")
    committed_at = InstantField()
    requested_at = InstantField(allow_null=True)
    drawn_at = InstantField(allow_null=True)
    seed = serializers.CharField(allow_null=True)
    entries_digest = serializers.CharField(allow_null=True, help_text=_SHA_256)
    entries_count = serializers.IntegerField(allow_null=True)
    tickets_total = serializers.IntegerField(allow_null=True)
    pot_amount = MoneyField(allow_null=True, help_text="All pots together, as they were drawn.")
    currency = CurrencyField()
    winners = DrawWinnerSerializer(many=True)


class DrawCheckSerializer(serializers.Serializer[Any]):
    """One thing that was recomputed, and whether it is as published."""

    check = serializers.CharField()
    ok = serializers.BooleanField()
    detail = serializers.CharField()


class DrawPrizeSerializer(serializers.Serializer[Any]):
    """A prize as it was drawn for, in the order of the draw."""

    name = serializers.CharField()
    amount = MoneyField(allow_null=True)
    share = DecimalStringField(allow_null=True)
    count = serializers.IntegerField()
    min_tickets = serializers.IntegerField()


class DrawEntrySerializer(serializers.Serializer[Any]):
    """A player and the tickets that they had."""

    player_id = serializers.CharField()
    tickets = serializers.IntegerField()


class DrawVerificationSerializer(serializers.Serializer[Any]):
    """A draw recomputed, and all that is needed to do it again (docs/draws.md)."""

    draw_id = serializers.UUIDField()
    instance_id = serializers.UUIDField()
    verified = serializers.BooleanField(help_text="Whether every check is ok.")
    checks = DrawCheckSerializer(many=True)
    algorithm = serializers.CharField()
    seed = serializers.CharField()
    commitment = serializers.CharField(help_text="SHA-256 of the seed's text, in hex.")
    entries_digest = serializers.CharField(help_text=_SHA_256)
    pot_amount = MoneyField()
    currency = CurrencyField()
    currency_decimals = serializers.IntegerField()
    prizes = DrawPrizeSerializer(many=True)
    entries = DrawEntrySerializer(many=True, help_text="In the order of the draw.")
    winners = DrawWinnerSerializer(many=True)


class DrawListView(WindfallView, generics.GenericAPIView[Draw]):
    """The draws of an instance: one for a raffle that has been active, else none."""

    scopes: ClassVar = {"GET": Scope.READ}
    serializer_class = DrawSerializer
    queryset = Draw.objects.none()
    pagination_class = NewestIdFirst

    @extend_schema(
        operation_id="jackpot_draws_list",
        responses={(200, "application/json"): DrawSerializer(many=True), **problems(400, 404)},
    )
    def get(self, request: Request, instance_id: UUID) -> Response:
        """List the draws of an instance, with their winners."""
        operator = calling_operator(request)
        instance = get_instance(operator=operator, instance_id=instance_id)
        found = Draw.objects.for_operator(operator).filter(instance=instance)
        page = self.paginate_queryset(found.select_related("instance")) or []
        return self.get_paginated_response(_represent(page))


class DrawVerificationView(WindfallView):
    """The proof of a draw."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(
        operation_id="jackpot_draws_verify",
        responses={200: DrawVerificationSerializer, **problems(404, 409)},
    )
    def get(self, request: Request, draw_id: UUID) -> HttpResponse:
        """
        Recompute a draw from what is stored, and show all that it rests on.

        Before the draw it is 409, since the seed is a secret until then. The answer is given
        again for an hour; while a big draw is recomputed for somebody, others get 503.
        `docs/verify_draw.py` checks this document without us.
        """
        operator = calling_operator(request)
        proof = prove_draw(operator=operator, draw_id=draw_id, now=timezone.now())
        return HttpResponse(proof.document, content_type="application/json")


def _represent(draws: Iterable[Draw]) -> list[dict[str, Any]]:
    shown = list(draws)
    winners: dict[UUID, list[dict[str, Any]]] = {draw.pk: [] for draw in shown}
    wins = Win.objects.filter(draw__in=shown).select_related("prize", "player")
    for win in wins.order_by("draw_position"):
        assert win.draw_id is not None, "it was found by its draw"
        winners[win.draw_id].append(describe_winner(win=win))
    return [{**describe_draw(draw=draw), "winners": winners[draw.pk]} for draw in shown]
