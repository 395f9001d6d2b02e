"""What the database refuses of players, whoever writes."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from players.models import Player, SegmentMember
from tests.factories.players import PlayerFactory, SegmentFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "change",
    [
        "total_deposit_usd = 'NaN'",
        "total_deposit_usd = -0.00000001",
        "total_wager_usd = 'NaN'",
        "total_wager_usd = -1",
        "kyc_level = -1",
        "vip_level = -1",
        "deposit_count = -1",
        "reference = ''",
        "reference = 'other'",
    ],
)
def test_a_wrong_row_cannot_be_written(change: str) -> None:
    player = PlayerFactory.create(reference="anna", total_deposit_usd=Decimal(5))
    PlayerFactory.create(operator=player.operator, reference="other")

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE players_player SET {change} WHERE id = %s", [player.pk])

    stored = Player.objects.get(pk=player.pk)
    assert (stored.reference, stored.total_deposit_usd, stored.kyc_level) == ("anna", 5, 0)


def test_a_segment_lists_a_player_once() -> None:
    player = PlayerFactory.create()
    segment = SegmentFactory.create(operator=player.operator, players=[player])

    with pytest.raises(IntegrityError), transaction.atomic():
        SegmentMember.objects.create(segment=segment, player=player)

    assert SegmentMember.objects.count() == 1
