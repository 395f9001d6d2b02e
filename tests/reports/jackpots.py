"""A pot with a history, at instants that a test chooses: through the services that make one."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from core.actors import Actor, ActorKind
from jackpots.enums import EntryKind
from jackpots.models import Contribution, Instance, Pot, PotEntry, Win
from jackpots.services.drops import drop_pot
from jackpots.services.settings import put_jackpot_settings
from jackpots.services.wins import reject_win
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.jackpots.conftest import let_the_horizon_pass
from tests.jackpots.ledger import Ledger

SOMEBODY = Actor(kind=ActorKind.STAFF, ref="7")
ANOTHER = Actor(kind=ActorKind.STAFF, ref="8")


class History:
    """What befalls the jackpots of an operator, one instant after the other."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.ledger = Ledger(operator, SOMEBODY)

    def progressive(self, *, opened_at: datetime, **terms: Any) -> Instance:
        """Return an active progressive; the seeds went in when it was opened."""
        instance: Instance = InstanceFactory.create(
            operator=self.operator,
            progressive=True,
            created_at=opened_at,
            activated_at=opened_at,
            **{**terms, "pots": [{**pot, "seed": Decimal(0)} for pot in terms["pots"]]},
        )
        # The factory's seeds are from long ago: these have their own instant.
        for pot, asked in zip(instance.pots.order_by("position"), terms["pots"], strict=True):
            pot.seed = pot.opening = Decimal(asked.get("seed", 0))
            pot.save(update_fields=["seed", "opening"])
            if pot.seed:
                self.enter(pot, EntryKind.SEED, pot.seed, at=opened_at)
        return instance

    def contribute(
        self, instance: Instance, amount: str | Decimal, *, at: datetime, player: str = "ada"
    ) -> Contribution:
        """Contribute an amount."""
        return self.ledger.add(instance, player, amount, at=at)

    def take_back(self, instance: Instance, given: Contribution, *, at: datetime) -> None:
        """Roll a contribution back."""
        self.ledger.take_back(instance, given, at=at)

    def fold(self, instance: Instance, *, at: datetime) -> None:
        """Fold all that there is."""
        self.ledger.fold(instance, now=at)

    def boost(
        self, instance: Instance, amount: str | Decimal, *, at: datetime, pot: int = 0
    ) -> None:
        """Put house money into a pot, as an applied boost does."""
        self.fold(instance, at=at)
        row = Pot.objects.get(instance=instance, position=pot)
        row.opening += Decimal(amount)
        row.save(update_fields=["opening"])
        self.enter(row, EntryKind.BOOST, Decimal(amount), at=at)

    def drop(self, instance: Instance, *, at: datetime, pot: str = "main") -> Win:
        """Let Ada win a pot."""
        self.ledger.player("ada")
        let_the_horizon_pass()
        with transaction.atomic():
            return drop_pot(
                operator=self.operator,
                instance_id=instance.pk,
                pot_name=pot,
                player_reference="ada",
                reason="",
                actor=SOMEBODY,
                now=at,
            )

    def approve_above(self, amount: str, *, at: datetime) -> None:
        """Let wins above the amount wait for a second person."""
        put_jackpot_settings(
            operator=self.operator, win_approval_above=Decimal(amount), actor=SOMEBODY, now=at
        )

    def reject(self, win: Win, *, at: datetime) -> None:
        """Refuse to pay a win."""
        with transaction.atomic():
            reject_win(operator=self.operator, win_id=win.pk, reason="Void.", actor=ANOTHER, now=at)

    def enter(self, pot: Pot, kind: EntryKind, amount: Decimal, *, at: datetime) -> None:
        """Write down that money came into a pot."""
        PotEntry.objects.create(
            operator=self.operator,
            pot=pot,
            cycle=pot.cycle,
            kind=kind,
            amount=amount,
            created_at=at,
        )
