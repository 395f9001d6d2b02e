"""What players of the demo world did, act by act, through the services that everybody uses."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from activity.services.bets import place_bet
from activity.services.deposits import make_deposit
from activity.services.placing import NewBet
from core.actors import Actor
from core.errors import DomainError
from operators.models import Operator
from players.selectors import get_player


@dataclass(frozen=True, slots=True)
class Stage:
    """Where and when something is done, and in whose name."""

    operator: Operator
    actor: Actor
    now: datetime


Deed = Callable[[Stage, str], None]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a player did, so long after the world began."""

    after: timedelta
    reference: str
    do: Deed


def live_through(
    acts: Iterable[Act],
    *,
    operator: Operator,
    actor: Actor,
    began_at: datetime,
    done_before: tuple[type[DomainError], ...],
) -> None:
    """
    Let the acts happen, oldest first.

    What an interrupted load has done is refused with one of ``done_before``, and not done again.
    """
    for act in sorted(acts, key=lambda act: act.after):
        try:
            act.do(Stage(operator, actor, began_at + act.after), act.reference)
        except done_before:
            continue


def act_of(day: float, number: int, do: Deed) -> Act:
    """Return what the player of that number does on a day of the world."""
    return Act(timedelta(days=day), f"player-{number:03}", do)


def deposit(amount: str, *, what: str) -> Deed:
    """Return a deposit in the player's currency; ``what`` tells a player's deposits apart."""

    @transaction.atomic
    def do(stage: Stage, reference: str) -> None:
        player = get_player(operator=stage.operator, reference=reference)
        make_deposit(
            operator=stage.operator,
            player_reference=reference,
            amount=Decimal(amount),
            currency=player.currency,
            reference=f"demo:{reference}:{what}",
            actor=stage.actor,
            now=stage.now,
        )

    return do


def bet(bet_id: str, game: str, stake: str, payout: str) -> Deed:
    """Return a bet that is settled at once, in the player's currency."""

    @transaction.atomic
    def do(stage: Stage, reference: str) -> None:
        player = get_player(operator=stage.operator, reference=reference)
        place_bet(
            operator=stage.operator,
            player_reference=reference,
            new=NewBet(
                bet_id=bet_id,
                game_slug=game,
                stake=Decimal(stake),
                currency=player.currency,
                payout=Decimal(payout),
            ),
            actor=stage.actor,
            now=stage.now,
        )

    return do
