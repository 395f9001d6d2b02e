"""Builds players and segments, without running the services under test."""

from typing import Any

import factory

from players.models import Player, Segment, SegmentMember
from tests.factories.operators import LONG_AGO, OperatorFactory


class PlayerFactory(factory.django.DjangoModelFactory[Player]):
    """A player who holds euros and has done nothing yet."""

    class Meta:
        model = Player

    operator = factory.SubFactory(OperatorFactory)
    reference = factory.Sequence(lambda number: f"player-{number}")
    currency = "EUR"
    created_at = LONG_AGO


class SegmentFactory(factory.django.DjangoModelFactory[Segment]):
    """A listed segment without members. Give ``rules`` for one with rules, or ``players``."""

    class Meta:
        model = Segment
        skip_postgeneration_save = True

    operator = factory.SubFactory(OperatorFactory)
    name = factory.Sequence(lambda number: f"Segment {number}")
    created_at = LONG_AGO

    @factory.post_generation
    def players(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        for player in extracted or ():
            assert player.operator_id == self.operator_id, "a player of another operator"
            SegmentMember.objects.create(segment=self, player=player)
