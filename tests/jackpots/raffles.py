"""A raffle with players in it: what the tests of draws, runs and their checks start from."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import books
from core.actors import Actor
from core.idempotency import IdempotencyKey
from core.models import new_id
from jackpots.enums import EntryKind
from jackpots.models import Draw, Instance, PotEntry, Win
from jackpots.services import draws, instances
from jackpots.services.contributions import Wager, contribute
from operators.models import Operator
from players.models import Player
from tests.factories.jackpots import InstanceFactory, PrizeFactory
from tests.factories.players import PlayerFactory


@dataclass(frozen=True)
class Raffling:
    """Somebody who opens raffles of an operator, at an instant."""

    operator: Operator
    actor: Actor
    now: datetime

    def opened(self, *, prizes: Any = (), **terms: Any) -> Instance:
        """Return an active raffle: a ticket costs a euro, and 1 % of a wager is contributed."""
        draft = InstanceFactory.create(operator=self.operator, status="draft", **terms)
        for prize in prizes:
            PrizeFactory.create(instance=draft, **{"share": None, **prize})
        return instances.activate_instance(
            operator=self.operator,
            instance_id=draft.pk,
            reason="",
            actor=self.actor,
            now=self.now,
        )

    def contributed(self, raffle: Instance, **euros: Any) -> None:
        """Let each player contribute so many euros: one who is not there yet is made."""
        for reference, amount in euros.items():
            if not Player.objects.filter(operator=self.operator, reference=reference).exists():
                PlayerFactory.create(operator=self.operator, reference=reference)
            self.contribute(raffle, reference, Decimal(amount))

    def contribute(self, raffle: Instance, reference: str, amount: Decimal) -> dict[str, Any]:
        """Contribute as one player, and return the stored answer."""
        return contribute(
            operator=self.operator,
            instance_id=raffle.pk,
            wager=Wager(player_reference=reference, base_wager=amount * 100, currency="EUR"),
            follow_links=True,
            key=IdempotencyKey(value=str(new_id()), fingerprint="f"),
            now=self.now,
        ).answer

    def drawn(self, raffle: Instance, *, now: datetime | None = None) -> Draw:
        """Draw the raffle and return its draw."""
        draws.draw_instance(
            operator=self.operator,
            instance_id=raffle.pk,
            reason="",
            actor=self.actor,
            now=now or self.now,
        )
        return draw_of(raffle)

    def swept(self, now: datetime | None = None) -> int:
        """Do what the clock does for raffles."""
        return draws.finish_draws(actor=self.actor, now=now or self.now, limit=50)


def draw_of(raffle: Instance) -> Draw:
    return Draw.objects.select_related("instance").get(instance=raffle)


def again(raffle: Instance) -> Instance:
    """Read the raffle anew."""
    return Instance.objects.get(pk=raffle.pk)


def wins_of(raffle: Instance) -> list[tuple[str | None, str, Decimal]]:
    """Return the prize, the player and the amount of each win, in the order drawn."""
    wins = Win.objects.filter(instance=raffle).order_by("draw_position")
    return list(wins.values_list("prize__name", "player__reference", "amount"))


def entries_of(raffle: Instance) -> list[tuple[str, EntryKind, Decimal]]:
    """Return the pot, the kind and the amount of what came and went besides contributions."""
    entries = PotEntry.objects.filter(pot__instance=raffle).order_by("pk")
    return [(entry.pot.name, EntryKind(entry.kind), entry.amount) for entry in entries]


def books_balance() -> None:
    """Run every check; not in a snapshot, so that a test in a transaction may ask."""
    assert [found for check in books._checks.values() for found in check()] == []
