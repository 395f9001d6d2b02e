"""
What befell the demo world's jackpots: a draw, a drop, and what waits for a second person.

Every step may be repeated: what has been done already says so, by its state or its key.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from activity.demo.catalogue import DRAWN_RAFFLE, MANUAL_JACKPOT, PROGRESSIVE
from activity.demo.people import demo_players
from core.actors import Actor
from core.api.idempotency import fingerprint
from core.idempotency import IdempotencyKey, answer_once
from jackpots.errors import InstanceNotActive, InstanceWrongState
from jackpots.selectors import get_instance
from jackpots.services.boosts import request_boost
from jackpots.services.contributions import Wager, contribute
from jackpots.services.draws import draw_instance
from jackpots.services.drops import drop_pot
from jackpots.services.folding import fold_instance
from jackpots.services.live_terms import change_live_terms
from jackpots.services.payouts import pay_due_wins
from jackpots.services.settings import put_jackpot_settings
from jackpots.services.terms import PotTerms, read_terms
from operators.models import Operator
from players.errors import PlayerBlocked, PlayerSelfExcluded

#: In the base currency. The anniversary's pot is above it, the raffle's prizes are not.
WIN_APPROVAL_ABOVE = Decimal(1000)
WINNER = "player-003"
#: How many a player stakes in the raffle: 50.00, 100.00 ... by turns.
STAKES = [Decimal(stake) for stake in (50, 100, 25, 200)]
WINS_MAX = 100


def live_through_jackpots(
    *, operator: Operator, instance_ids: Mapping[str, UUID], actor: Actor, until: datetime
) -> None:
    """Draw a raffle and drop a pot before ``until``, and leave decisions for staff to make."""
    put_jackpot_settings(
        operator=operator, win_approval_above=WIN_APPROVAL_ABOVE, actor=actor, now=until
    )
    _draw_raffle(operator, instance_ids[DRAWN_RAFFLE], actor, until - timedelta(hours=6))
    _drop_pot(operator, instance_ids[MANUAL_JACKPOT], actor, until - timedelta(hours=2))
    _ask_for_a_boost(operator, instance_ids[PROGRESSIVE], actor, until - timedelta(hours=1))
    _change_terms(operator, instance_ids[PROGRESSIVE], actor, until)
    for instance_id in instance_ids.values():
        fold_instance(instance_id=instance_id, actor=actor, now=until)
    pay_due_wins(clock=lambda: until, limit=WINS_MAX)


def _draw_raffle(operator: Operator, instance_id: UUID, actor: Actor, now: datetime) -> None:
    for number, player in enumerate(demo_players()):
        wager = Wager(
            player_reference=player.reference,
            base_wager=STAKES[number % len(STAKES)],
            currency="EUR",
        )
        try:
            contribute(
                operator=operator,
                instance_id=instance_id,
                wager=wager,
                follow_links=False,
                key=_key(f"demo-midweek-{player.reference}"),
                now=now - timedelta(hours=1),
            )
        except (InstanceNotActive, PlayerBlocked, PlayerSelfExcluded):
            # Not active any more, if an interrupted load has drawn it.
            continue
    try:
        draw_instance(
            operator=operator,
            instance_id=instance_id,
            reason="Wednesday, eight o'clock",
            actor=actor,
            now=now,
        )
    except InstanceWrongState:
        return


def _drop_pot(operator: Operator, instance_id: UUID, actor: Actor, now: datetime) -> None:
    def drop() -> str:
        win = drop_pot(
            operator=operator,
            instance_id=instance_id,
            pot_name="main",
            player_reference=WINNER,
            reason="Ten years with us",
            actor=actor,
            now=now,
        )
        return str(win.pk)

    answer_once(operator=operator, key=_key("demo-anniversary-drop"), now=now, command=drop)


def _ask_for_a_boost(operator: Operator, instance_id: UUID, actor: Actor, now: datetime) -> None:
    def ask() -> str:
        boost = request_boost(
            operator=operator,
            instance_id=instance_id,
            pot_name="Minor",
            amount=Decimal(250),
            reason="For the weekend",
            actor=actor,
            now=now,
        )
        return str(boost.pk)

    answer_once(operator=operator, key=_key("demo-weekend-boost"), now=now, command=ask)


@transaction.atomic(durable=True)
def _change_terms(operator: Operator, instance_id: UUID, actor: Actor, now: datetime) -> None:
    terms = read_terms(instance=get_instance(operator=operator, instance_id=instance_id))
    change_live_terms(
        operator=operator,
        instance_id=instance_id,
        pots=[_seeded_higher(pot) if pot.name == "Mini" else pot for pot in terms.pots],
        reason="A warmer start",
        actor=actor,
        now=now,
    )


def _seeded_higher(pot: PotTerms) -> PotTerms:
    return replace(pot, seed=Decimal(150))


def _key(value: str) -> IdempotencyKey:
    return IdempotencyKey(value=value, fingerprint=fingerprint("POST", "/demo", value))
