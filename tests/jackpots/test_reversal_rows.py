"""The database itself takes a reversal only of a row that there is, and of each one once."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from jackpots.models import Contribution
from tests.factories.jackpots import InstanceFactory, contribution_by
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db


def reverse(original: Contribution, reverses: UUID | None) -> None:
    """Write a reversal of the row with that id, as like ``original`` as it has to be."""
    values: dict[str, Any] = {"id": uuid4(), "request_id": uuid4(), "reverses_id": reverses}
    kept = "operator_id, position, role, instance_id, source_id, player_id, error_code, base_wager"
    kept += ", base_currency, rate, amount, currency, debit_currency, gameround_id, created_at"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO jackpots_contribution (id, request_id, reverses_id, status, {kept},"
            " pot_amounts) SELECT %(id)s, %(request_id)s, %(reverses_id)s, 'reversal',"
            f" {kept}, '{{}}' FROM jackpots_contribution WHERE id = %(original)s",
            {**values, "original": original.pk},
        )


def test_a_row_is_reversed_if_there_is_one_and_once() -> None:
    player = PlayerFactory.create()
    original = contribution_by(player, InstanceFactory.create(operator=player.operator), "1.00")

    with pytest.raises(IntegrityError, match="There is no contribution"):
        reverse(original, uuid4())
    with pytest.raises(IntegrityError, match="contribution_reversal_reverses"):
        reverse(original, None)
    reverse(original, original.pk)
    with pytest.raises(IntegrityError, match="contribution_is_reversed_once"):
        reverse(original, original.pk)
