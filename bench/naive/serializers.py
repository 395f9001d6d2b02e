"""In and out."""

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from bench.naive.models import Contribution, ContributionRequest, PotAmount


class ContributeSerializer(serializers.Serializer[Any]):
    """What is sent."""

    player_id = serializers.CharField(max_length=64)
    base_wager = serializers.DecimalField(max_digits=28, decimal_places=8, min_value=Decimal(0))
    currency = serializers.CharField(max_length=8)
    gameround_id = serializers.CharField(max_length=128, required=False)
    metadata = serializers.JSONField(required=False)


class PotAmountSerializer(serializers.ModelSerializer[PotAmount]):
    """A part in a pot."""

    name = serializers.CharField(source="pot.name")

    class Meta:
        model = PotAmount
        fields = ("name", "amount")


class ContributionSerializer(serializers.ModelSerializer[Contribution]):
    """A leg."""

    contribution_id = serializers.IntegerField(source="pk")
    currency = serializers.CharField(source="instance.currency")
    pots = PotAmountSerializer(many=True)

    class Meta:
        model = Contribution
        fields = (
            "instance_id", "role", "status", "contribution_id", "amount", "currency", "pots",
            "error",
        )  # fmt: skip


class ContributionRequestSerializer(serializers.ModelSerializer[ContributionRequest]):
    """A request with its legs."""

    request_id = serializers.IntegerField(source="pk")
    results = ContributionSerializer(source="contributions", many=True)

    class Meta:
        model = ContributionRequest
        fields = ("request_id", "results", "created_at")
