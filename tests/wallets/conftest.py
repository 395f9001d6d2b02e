"""A player, and the ledger's own way of moving money."""

from collections.abc import Callable
from datetime import datetime

import pytest

from operators.models import Operator
from players.models import Player
from tests.factories.players import PlayerFactory
from wallets.models import Transfer
from wallets.services import transfers
from wallets.services.transfers import Posting

Post = Callable[..., list[Transfer]]


@pytest.fixture
def player(operator: Operator) -> Player:
    return PlayerFactory.create(operator=operator)


@pytest.fixture
def post(operator: Operator, now: datetime) -> Post:
    """Return a function that posts transfers of ``operator``."""

    def call(*postings: Posting) -> list[Transfer]:
        return transfers.post_transfers(operator=operator, postings=postings, now=now)

    return call
