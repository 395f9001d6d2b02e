"""Contributions on the wire: one body for both versions, and how a stored leg is shown."""

import json
import re
from collections.abc import Set
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from rest_framework import serializers

from core.api.serializers import (
    BodySerializer,
    CurrencyField,
    InstantField,
    MoneyField,
    ReferenceField,
    TextField,
    parsed,
)
from core.instants import format_instant
from core.money import currencies, format_digits
from jackpots import errors
from jackpots.enums import LEG_OUTCOMES, Outcome, Role
from jackpots.rules.identities import win_id
from jackpots.services.contributions import Wager

#: Every contribution keeps its own copy, so what is sent along stays small.
METADATA_BYTES_MAX = 4096

#: What a plain body has.
PLAIN_FIELDS = frozenset({"player_id", "base_wager", "currency", "gameround_id"})
# Printable ASCII is in NFC; a dot at the beginning might be a path.
_PLAIN_REFERENCE = re.compile(r"[ -\-0-~][ -.0-~]{0,63}").fullmatch
_PLAIN_TEXT = re.compile(r"[ -~]{1,128}").fullmatch
_PLAIN_AMOUNT = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,8})?").fullmatch


class ContributeSerializer(BodySerializer[None]):
    """A wager that contributes to a jackpot."""

    player_id = ReferenceField()
    base_wager = MoneyField(help_text="The bet; 0 takes part without money.")
    currency = CurrencyField(help_text="The wager's currency; another one is converted.")
    gameround_id = TextField(required=False, max_length=128)
    metadata = serializers.DictField(
        required=False,
        help_text=f"Kept as sent, for your reports; at most {METADATA_BYTES_MAX} bytes.",
    )

    def validate_metadata(self, metadata: dict[str, Any]) -> dict[str, Any]:
        if len(json.dumps(metadata).encode()) > METADATA_BYTES_MAX:
            raise serializers.ValidationError(f"It is larger than {METADATA_BYTES_MAX} bytes.")
        return metadata


def read_wager(data: Any) -> Wager:
    """
    Return the wager that a body describes.

    A plain body, as nearly all are, is taken at first sight; ContributeSerializer judges
    the others, and says what is wrong with them.

    :raises ParseError: if the body is not an object.
    :raises ValidationError: with one entry for each invalid field.
    """
    return plain_wager(data) or wager_of(parsed(ContributeSerializer, data))


def plain_wager(data: Any, *, members: Set[str] = PLAIN_FIELDS) -> Wager | None:
    """
    Return the wager of a body that ContributeSerializer would take just as it is, or None.

    A body may have no other ``members``; those beyond PLAIN_FIELDS are somebody else's.
    """
    if type(data) is not dict or not data.keys() <= members:
        return None
    player, amount = data.get("player_id"), data.get("base_wager")
    currency, round_id = data.get("currency"), data.get("gameround_id", "-")
    if (
        type(player) is str
        and _PLAIN_REFERENCE(player)
        and type(amount) is str
        and _PLAIN_AMOUNT(amount)
        and type(currency) is str
        and currency in currencies()
        and type(round_id) is str
        and _PLAIN_TEXT(round_id)
    ):
        return Wager(player, Decimal(amount), currency, data.get("gameround_id", ""))
    return None


def wager_of(body: dict[str, Any]) -> Wager:
    """Return the wager that a validated body describes."""
    return Wager(
        player_reference=body["player_id"],
        base_wager=body["base_wager"],
        currency=body["currency"],
        gameround_id=body.get("gameround_id", ""),
        metadata=body.get("metadata"),
    )


class PotAmountSerializer(serializers.Serializer[Any]):
    """What one pot got of a contribution."""

    name = serializers.CharField()
    amount = MoneyField()


class TicketsSerializer(serializers.Serializer[Any]):
    """Raffle tickets: by this contribution, and altogether."""

    earned = serializers.IntegerField()
    total = serializers.IntegerField()


class LegErrorSerializer(serializers.Serializer[Any]):
    """Why one leg failed."""

    code = serializers.ChoiceField(choices=errors.REFUSAL_CODES)
    detail = serializers.CharField()


class ContributionSerializer(serializers.Serializer[Any]):
    """An accepted contribution to one instance. This shape never changes (API v1)."""

    contribution_id = serializers.UUIDField()
    instance_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=[Outcome.ACCEPTED])
    base_wager = MoneyField()
    amount = MoneyField()
    currency = CurrencyField()
    pots = PotAmountSerializer(many=True)
    tickets = TicketsSerializer(allow_null=True)
    wins = serializers.ListField(child=serializers.DictField())
    created_at = InstantField()


class LegSerializer(serializers.Serializer[Any]):
    """What became of a contribution to one instance."""

    instance_id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=Role.choices)
    status = serializers.ChoiceField(choices=[(item.value, item.label) for item in LEG_OUTCOMES])
    contribution_id = serializers.UUIDField(allow_null=True)
    amount = MoneyField()
    currency = CurrencyField()
    pots = PotAmountSerializer(many=True)
    tickets = TicketsSerializer(allow_null=True)
    wins = serializers.ListField(child=serializers.DictField())
    error = LegErrorSerializer(allow_null=True)


class SummarySerializer(serializers.Serializer[Any]):
    """How many legs were accepted, and how many failed."""

    accepted = serializers.IntegerField()
    failed = serializers.IntegerField()


class LinkedContributionSerializer(serializers.Serializer[Any]):
    """A contribution and the ones it led to: the main leg first, then links in their order."""

    request_id = serializers.UUIDField()
    results = LegSerializer(many=True)
    summary = SummarySerializer()


def represent_leg(leg: dict[str, Any]) -> dict[str, Any]:
    """Return a stored leg as LegSerializer describes it."""
    code = leg["error"]
    return {
        "instance_id": leg["instance_id"],
        "role": leg["role"],
        "status": Outcome.ACCEPTED if code is None else Outcome.FAILED,
        "contribution_id": leg["contribution_id"],
        "amount": _amount(leg["amount"], leg["currency"]),
        "currency": leg["currency"],
        "pots": [
            {"name": pot["name"], "amount": _amount(pot["amount"], leg["currency"])}
            for pot in leg["pots"]
        ],
        "tickets": None
        if leg["tickets"] is None
        else {"earned": leg["tickets"]["earned"], "total": leg["tickets"]["total"]},
        "wins": [_represent_hit(leg, position) for position in leg.get("hits", ())],
        "error": None if code is None else {"code": code, "detail": errors.refusal(code).detail},
    }


def _represent_hit(leg: dict[str, Any], position: int) -> dict[str, Any]:
    # The fold makes the win; what it will be called is known at once.
    return {
        "win_id": str(win_id(contribution_id=UUID(leg["contribution_id"]), pot_position=position)),
        "pot": leg["pots"][position]["name"],
        "status": "pending",
        "amount": None,
    }


def represent_contribution(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the stored answer of a v1 request as ContributionSerializer describes it."""
    leg = represent_leg(answer["results"][0])
    return {
        "contribution_id": leg["contribution_id"],
        "instance_id": leg["instance_id"],
        "status": leg["status"],
        "base_wager": _amount(answer["base_wager"], answer["currency"]),
        "amount": leg["amount"],
        "currency": leg["currency"],
        "pots": leg["pots"],
        "tickets": leg["tickets"],
        "wins": leg["wins"],
        "created_at": format_instant(datetime.fromisoformat(answer["created_at"])),
    }


def represent_linked_contribution(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the stored answer of a v2 request as LinkedContributionSerializer describes it."""
    results = [represent_leg(leg) for leg in answer["results"]]
    failed = sum(leg["error"] is not None for leg in results)
    return {
        "request_id": answer["request_id"],
        "results": results,
        "summary": {"accepted": len(results) - failed, "failed": failed},
    }


def _amount(text: str, currency: str) -> str:
    return format_digits(text, currency)
