"""
The cycles of a pot: opened with its seed, ended by a win, begun again.

Whoever calls these holds the row of the pot's instance: it guards every column of its pots.
"""

import json
import secrets
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from core import money, sealing
from core.actors import Actor
from core.money import EXACT, format_amount
from jackpots.enums import DropType, EntryKind, Recurrence, WinCause
from jackpots.models import Instance, MeterHour, Pot, PotEntry, Win
from jackpots.rules import drops, identities
from jackpots.services.wins import record_win

_NONCE_BYTES = 16
#: What the end of a cycle changes.
_COLUMNS = (
    "seed",
    "ceiling",
    "drop_type",
    "drop_amount",
    "drop_at",
    "drop_anchor_at",
    "drop_probability",
    "opening",
    "folded",
    "reserve",
    "cycle",
    "cycle_from_xid",
    "cycle_from_number",
    "trigger_sealed",
    "commitment",
    "pending_terms",
)


@transaction.atomic(savepoint=False)
def open_pots(*, instance: Instance, now: datetime) -> list[Pot]:
    """
    Put the seeds into the pots of an instance that is being activated, and hide triggers.

    Joins the caller's transaction, who has locked the instance.
    """
    pots = list(instance.pots.order_by("position"))
    for pot in pots:
        pot.opening = pot.seed
        hide_trigger(instance=instance, pot=pot)
        pot.save(update_fields=["opening", "trigger_sealed", "commitment"])
        _enter(instance, pot, EntryKind.SEED, pot.seed, now=now)
        note_meter(pot=pot, now=now)
    return pots


@transaction.atomic(savepoint=False)
def end_cycle(
    *,
    instance: Instance,
    pot: Pot,
    position_xid: int,
    position_number: int,
    accrued: Decimal,
    player_id: int,
    cause: WinCause,
    contribution_id: UUID | None,
    initiated_by: Actor,
    now: datetime,
) -> Win:
    """
    Let a pot be won at a position of the ledger, and begin its next cycle there.

    ``accrued`` is all that the cycle holds at that position: the meter, rounded down, is
    won; the rest goes into the reserve. Terms that waited hold from now on. The seed comes
    from the reserve and then from the house. Nothing is folded into the new cycle yet.

    Joins the caller's transaction, who has locked the instance. Moves its revision.
    """
    payout = drops.pay_out(accrued, cap=pot.cap, currency=money.get_currency(instance.currency))
    trigger, nonce = reveal_trigger(sealed=pot.trigger_sealed)
    win_id = None
    if contribution_id is not None:
        win_id = identities.win_id(contribution_id=contribution_id, pot_position=pot.position)
    win = record_win(
        instance=instance,
        pot=pot,
        cycle=pot.cycle,
        cause=cause,
        player_id=player_id,
        amount=payout.amount,
        initiated_by=initiated_by,
        now=now,
        win_id=win_id,
        contribution_id=contribution_id,
        trigger=trigger,
        trigger_nonce=nonce,
    )
    apply_pending_terms(pot=pot)
    pot.reserve = EXACT.add(pot.reserve, payout.remainder)
    seeding = drops.seed_from(pot.reserve, seed=pot.seed)
    pot.reserve = EXACT.subtract(pot.reserve, seeding.from_reserve)
    pot.opening = pot.seed
    pot.folded = Decimal(0)
    pot.cycle += 1
    pot.cycle_from_xid = position_xid
    pot.cycle_from_number = position_number
    hide_trigger(instance=instance, pot=pot)
    pot.save(update_fields=_COLUMNS)
    _enter(instance, pot, EntryKind.RESERVE, seeding.from_reserve, now=now)
    _enter(instance, pot, EntryKind.SEED, seeding.from_house, now=now)
    note_meter(pot=pot, now=now)
    instance.revision += 1
    instance.save(update_fields=["revision"])
    return win


def apply_pending_terms(*, pot: Pot) -> None:
    """
    Replace the terms of the pot by those that waited, if any did; nothing is saved.

    ``pending_terms`` has the members seed, ceiling and drop as services.terms describes them.
    """
    if pot.pending_terms is None:
        return
    terms, drop = pot.pending_terms, pot.pending_terms["drop"]
    at = drop.get("at")
    pot.seed = Decimal(terms["seed"])
    pot.ceiling = _amount(terms.get("ceiling"))
    pot.drop_type = DropType(drop["type"])
    pot.drop_amount = _amount(drop.get("amount"))
    pot.drop_at = None if at is None else datetime.fromisoformat(at)
    pot.drop_anchor_at = None
    pot.drop_probability = _amount(drop.get("probability"))
    pot.pending_terms = None


def move_drop_on(*, instance: Instance, pot: Pot, after: datetime) -> None:
    """
    Set when the pot must hit next, in the instance's time zone; nothing is saved.

    Without a recurrence, or a next time in the calendar, it becomes manual, until it is
    given other terms.
    """
    assert pot.drop_at is not None, "a pot without a time has none that could move on"
    anchor = pot.drop_anchor_at or pot.drop_at
    next_at = None
    if instance.recurrence:
        next_at = drops.drop_after(
            anchor,
            Recurrence(instance.recurrence),
            after=max(after, pot.drop_at),
            timezone=instance.timezone,
        )
    if next_at is None:
        pot.drop_type, pot.drop_at, pot.drop_anchor_at = DropType.MANUAL, None, None
    else:
        pot.drop_at, pot.drop_anchor_at = next_at, anchor


def hide_trigger(*, instance: Instance, pot: Pot) -> None:
    """Draw the amount at which the pot drops and commit to it, if it has one; save nothing."""
    if pot.drop_type != DropType.MUST_HIT_BY_AMOUNT:
        pot.trigger_sealed, pot.commitment = "", ""
        return
    assert pot.drop_amount is not None, "must hit by an amount, but has none"
    trigger = drops.draw_trigger(
        above=EXACT.add(pot.opening, pot.folded),
        up_to=pot.drop_amount,
        randbelow=secrets.randbelow,
    )
    nonce = secrets.token_hex(_NONCE_BYTES)
    pot.trigger_sealed = sealing.seal(json.dumps({"trigger": f"{trigger:f}", "nonce": nonce}))
    # The amount as the win will show it, so that whoever reads the API can check it.
    pot.commitment = drops.commitment(
        pot_id=pot.pk,
        cycle=pot.cycle,
        trigger=format_amount(trigger, instance.currency),
        nonce=nonce,
    )


def reveal_trigger(*, sealed: str) -> tuple[Decimal | None, str]:
    """Return a pot's hidden amount and its nonce, or nothing if it hides none."""
    if not sealed:
        return None, ""
    hidden = json.loads(sealing.unseal(sealed))
    return Decimal(hidden["trigger"]), hidden["nonce"]


def note_meter(*, pot: Pot, now: datetime) -> None:
    """Write down for the charts where the meter stands now."""
    accrued = EXACT.add(pot.opening, pot.folded)
    value = accrued if pot.cap is None else min(accrued, pot.cap)
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    MeterHour.objects.bulk_create(
        [MeterHour(pot=pot, hour=hour, contributed=Decimal(0), value=value)],
        update_conflicts=True,
        unique_fields=["pot", "hour"],
        update_fields=["value"],
    )


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _enter(
    instance: Instance, pot: Pot, kind: EntryKind, amount: Decimal, *, now: datetime
) -> None:
    if amount > 0:
        PotEntry(
            operator=instance.operator,
            pot=pot,
            cycle=pot.cycle,
            kind=kind,
            amount=amount,
            created_at=now,
        ).save(force_insert=True)
