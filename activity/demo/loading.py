"""
Builds the demo world through the services that everybody else uses.

Every step may be repeated, so a load that was interrupted is finished by the next one. An
entry of the audit trail says that the world is complete: it is then left alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from activity.demo.approvals import ask_for_a_clawback
from activity.demo.bonuses import live_through_bonuses, make_templates, run_campaign
from activity.demo.catalogue import GAMES, DemoJackpot, DemoState, demo_jackpots
from activity.demo.history import record_history
from activity.demo.jackpots import live_through_jackpots
from activity.demo.people import (
    SELF_EXCLUDED,
    USD_RATES,
    DemoPlayer,
    demo_players,
    funded_players,
)
from activity.demo.promos import live_through_promos, make_codes, open_promos
from activity.demo.staff import hire_staff
from activity.demo.steps import take_further_steps
from activity.errors import CashierReferenceTaken
from activity.services.deposits import make_deposit
from core import audit
from core.actors import Actor, ActorKind
from core.errors import NotFound
from core.models import AuditEntry
from games.services.catalogue import put_game
from jackpots.enums import InstanceStatus
from jackpots.selectors import get_instance
from jackpots.services.instances import activate_instance, create_instance, pause_instance
from jackpots.services.links import replace_links
from jackpots.services.opt_ins import opt_in_player
from operators.errors import ExchangeRateMissing
from operators.models import Operator
from operators.selectors import get_operator, get_usd_rate
from operators.services.credentials import create_operator
from operators.services.rates import set_exchange_rate
from players.services.registration import exclude_player, put_player

OPERATOR_SLUG = "demo"
OPERATOR_NAME = "Lucky Star Casino"
OPERATOR_TIME_ZONE = "Europe/Malta"

ACTOR = Actor(kind=ActorKind.COMMAND, ref="load_demo")
LOADED = "demo.world.loaded"
#: The world was there before it is loaded, so that there is something to look back on.
AGE = timedelta(days=7)
#: Every so manieth player has opted in where that is required.
OPTED_IN_EVERY = 3


@dataclass(frozen=True, slots=True)
class LoadedWorld:
    """The operator of the demo world, and its first API key if this call created it."""

    operator: Operator
    first_key: str | None


def load_world(*, now: datetime, report: Callable[[str], None]) -> LoadedWorld:
    """
    Load the demo world, or what is missing of it; a complete one is left as it is.

    ``report`` is told each step.
    """
    operator, first_key = _open_operator(now - AGE)
    if not _entries(operator, LOADED):
        # From the stored instant, so that a resumed load repeats the same commands.
        began_at = operator.created_at
        report("Setting exchange rates, players and games")
        _set_rates(operator, began_at)
        _register_players(operator, began_at)
        for slug, name, category, details in GAMES:
            put_game(
                operator=operator,
                slug=slug,
                name=name,
                category=category,
                details=details,
                actor=ACTOR,
                now=began_at,
            )
        report("Living through a week of promos")
        open_promos(operator=operator, actor=ACTOR, began_at=began_at)
        make_codes(operator=operator, actor=ACTOR, began_at=began_at)
        live_through_promos(operator=operator, actor=ACTOR, began_at=began_at)
        report("Living through a week of bonuses")
        make_templates(operator=operator, actor=ACTOR, began_at=began_at)
        live_through_bonuses(operator=operator, actor=ACTOR, began_at=began_at)
        run_campaign(operator=operator, actor=ACTOR, began_at=began_at)
        report("Opening jackpots")
        instance_ids = _open_jackpots(operator, began_at)
        report("Playing a day of contributions")
        record_history(operator=operator, instance_ids=instance_ids, until=began_at + AGE)
        live_through_jackpots(
            operator=operator, instance_ids=instance_ids, actor=ACTOR, until=began_at + AGE
        )
        hire_staff(actor=ACTOR, now=now)
        ask_for_a_clawback(operator=operator, now=now)
        take_further_steps(operator=operator, actor=ACTOR, now=began_at)
        _mark_as_loaded(operator, now)
    return LoadedWorld(operator=operator, first_key=first_key)


def _open_operator(began_at: datetime) -> tuple[Operator, str | None]:
    try:
        return get_operator(slug=OPERATOR_SLUG), None
    except NotFound:
        issued = create_operator(
            slug=OPERATOR_SLUG,
            name=OPERATOR_NAME,
            base_currency="USD",
            time_zone=OPERATOR_TIME_ZONE,
            actor=ACTOR,
            now=began_at,
        )
        return issued.api_key.operator, issued.secret


def _set_rates(operator: Operator, began_at: datetime) -> None:
    for currency, usd_rate in USD_RATES.items():
        try:
            get_usd_rate(operator=operator, currency=currency, now=began_at)
        except ExchangeRateMissing:
            set_exchange_rate(
                operator=operator,
                currency=currency,
                usd_rate=usd_rate,
                valid_from=None,
                actor=ACTOR,
                now=began_at,
            )


def _register_players(operator: Operator, began_at: datetime) -> None:
    for player in demo_players():
        put_player(
            operator=operator,
            reference=player.reference,
            currency=player.currency,
            profile=player.profile,
            actor=ACTOR,
            now=began_at,
        )
    for reference in SELF_EXCLUDED:
        exclude_player(
            operator=operator,
            reference=reference,
            until=began_at + timedelta(days=365),
            actor=ACTOR,
            now=began_at,
        )
    for player in funded_players():
        _fund_wallet(operator, player, began_at)


def _fund_wallet(operator: Operator, player: DemoPlayer, began_at: datetime) -> None:
    assert player.deposit is not None, f"{player.reference} has paid nothing in"
    try:
        with transaction.atomic(durable=True):
            make_deposit(
                operator=operator,
                player_reference=player.reference,
                amount=player.deposit,
                currency=player.currency,
                reference=f"demo:{player.reference}",
                actor=ACTOR,
                now=began_at,
            )
    except CashierReferenceTaken:
        # An interrupted load has funded this wallet.
        return


def _open_jackpots(operator: Operator, began_at: datetime) -> dict[str, UUID]:
    """Create, link and open the jackpots; return their ids by name."""
    jackpots = demo_jackpots(began_at, began_at + AGE)
    # The trail knows what an interrupted load has created.
    ids = {
        entry.after["name"]: UUID(entry.subject_id)
        for entry in _entries(operator, "jackpot.instance.created")
    }
    for jackpot in jackpots:
        if jackpot.terms.name not in ids:
            instance = create_instance(
                operator=operator, terms=jackpot.terms, actor=ACTOR, now=began_at
            )
            ids[jackpot.terms.name] = instance.pk
    for jackpot in jackpots:
        _link_and_open(operator, jackpot, ids, began_at)
    for player in demo_players()[2::OPTED_IN_EVERY]:
        if player.reference not in SELF_EXCLUDED and not player.profile["is_blocked"]:
            opt_in_player(
                operator=operator,
                instance_id=ids["Weekly (opt-in)"],
                player_reference=player.reference,
                actor=ACTOR,
                now=began_at,
            )
    return ids


def _link_and_open(
    operator: Operator, jackpot: DemoJackpot, ids: Mapping[str, UUID], began_at: datetime
) -> None:
    instance_id = ids[jackpot.terms.name]
    replace_links(
        operator=operator,
        instance_id=instance_id,
        target_ids=[ids[name] for name in jackpot.links],
        reason="",
        actor=ACTOR,
        now=began_at,
    )
    instance = get_instance(operator=operator, instance_id=instance_id)
    if jackpot.state != DemoState.DRAFT and instance.status == InstanceStatus.DRAFT:
        instance = activate_instance(
            operator=operator, instance_id=instance_id, reason="", actor=ACTOR, now=began_at
        )
    if jackpot.state == DemoState.PAUSED and not instance.is_paused:
        pause_instance(
            operator=operator,
            instance_id=instance_id,
            reason="Waiting for the new prize list",
            actor=ACTOR,
            now=began_at,
        )


@transaction.atomic(durable=True)
def _mark_as_loaded(operator: Operator, now: datetime) -> None:
    audit.record_action(operator=operator, actor=ACTOR, action=LOADED, subject=operator, now=now)


def _entries(operator: Operator, action: str) -> list[AuditEntry]:
    """Return what loads of the demo world have recorded of one action."""
    return list(
        AuditEntry.objects.for_operator(operator).filter(
            action=action, actor_kind=ACTOR.kind, actor_ref=ACTOR.ref
        )
    )
