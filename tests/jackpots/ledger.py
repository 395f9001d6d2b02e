"""Writes contributions and rollbacks as rows, with the amounts and instants that a test wants."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from core.actors import Actor
from core.models import new_id
from core.money import split
from jackpots.enums import Outcome, Role
from jackpots.models import Contribution, Instance
from jackpots.services import folding
from operators.models import Operator
from players.models import Player
from tests.concurrency.sabotage import execute
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import let_the_horizon_pass


class Ledger:
    """The ledger of an operator's instances; each row is a transaction of its own."""

    def __init__(self, operator: Operator, actor: Actor) -> None:
        self.operator = operator
        self.actor = actor
        self.players: dict[str, Player] = {}

    def add(
        self,
        instance: Instance,
        player: str,
        amount: str | Decimal,
        *,
        hits: Sequence[int] = (),
        at: datetime | None = None,
        xid: int | None = None,
    ) -> Contribution:
        """
        Write an accepted contribution of ``amount``, split over the instance's pots.

        ``xid`` is the transaction that it says it was written by, if not by its own.
        """
        amount = Decimal(amount)
        shares = list(instance.pots.order_by("position").values_list("share", flat=True))
        return self._write(
            instance,
            player_id=self.player(player).pk,
            status=Outcome.ACCEPTED,
            amount=amount,
            pot_amounts=split(amount, shares),
            hits=list(hits),
            at=at,
            **({} if xid is None else {"xid": xid}),
        )

    def take_back(
        self, instance: Instance, original: Contribution, *, at: datetime | None = None
    ) -> Contribution:
        """Write the rollback of a contribution."""
        return self._write(
            instance,
            player_id=original.player_id,
            status=Outcome.REVERSAL,
            amount=original.amount,
            pot_amounts=[],
            hits=[],
            reverses_id=original.pk,
            at=at,
        )

    def fold(self, instance: Instance, *, now: datetime | None = None) -> int:
        """Fold all that has been written."""
        let_the_horizon_pass()
        return folding.fold_instance(
            instance_id=instance.pk, actor=self.actor, now=now or timezone.now()
        )

    def player(self, reference: str) -> Player:
        """Return the player of that name, the same one each time."""
        if reference not in self.players:
            self.players[reference] = PlayerFactory.create(
                operator=self.operator, reference=reference, currency="EUR"
            )
        return self.players[reference]

    def _write(self, instance: Instance, *, at: datetime | None, **columns: Any) -> Contribution:
        [[number]] = execute("SELECT nextval('jackpots_contribution_number')")
        contribution = Contribution(
            id=new_id(),
            number=number,
            operator=self.operator,
            request_id=new_id(),
            position=0,
            role=Role.MAIN,
            instance=instance,
            base_wager=columns["amount"] * 100,
            base_currency=instance.currency,
            rate=Decimal(1),
            currency=instance.currency,
            created_at=at or timezone.now(),
            **columns,
        )
        # Unless told otherwise, the database says which transaction it is.
        fields = [
            f for f in Contribution._meta.concrete_fields if f.name != "xid" or "xid" in columns
        ]
        names = ", ".join(f'"{field.column}"' for field in fields)
        values = ", ".join(["%s"] * len(fields))
        execute(
            f"INSERT INTO jackpots_contribution ({names}) VALUES ({values})",
            [field.get_prep_value(getattr(contribution, field.attname)) for field in fields],
        )
        return Contribution.objects.get(pk=contribution.pk)
