"""Builds games, without running the services under test."""

import factory

from games.enums import GameCategory
from games.models import Game
from tests.factories.operators import LONG_AGO, OperatorFactory


class GameFactory(factory.django.DjangoModelFactory[Game]):
    """A slot machine of a provider."""

    class Meta:
        model = Game

    operator = factory.SubFactory(OperatorFactory)
    slug = factory.Sequence(lambda number: f"game-{number}")
    name = factory.Sequence(lambda number: f"Game {number}")
    category = GameCategory.SLOTS
    provider = "Spinner"
    created_at = LONG_AGO
