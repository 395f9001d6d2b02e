"""How an operator runs jackpots."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from core import audit, locks
from core.actors import Actor
from core.money import format_amount
from jackpots.models import JackpotSettings
from operators.models import Operator


@transaction.atomic(durable=True)
def put_jackpot_settings(
    *,
    operator: Operator,
    win_approval_above: Decimal | None,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> JackpotSettings:
    """
    Set how the operator runs jackpots, for wins found from now on.

    Wins above ``win_approval_above``, in the operator's base currency, wait for a second
    person; with None, none do. Wins that wait already go on waiting. A pot that staff drop
    has the limit of bonuses by hand, too, whatever is set here.

    :raises ResourceBusy: if the settings are in use; nothing was changed.
    """
    JackpotSettings.objects.bulk_create([JackpotSettings(operator=operator)], ignore_conflicts=True)
    settings = locks.lock_one(JackpotSettings.objects.filter(operator=operator))
    before = settings.win_approval_above
    if before == win_approval_above:
        return settings
    settings.win_approval_above = win_approval_above
    settings.save(update_fields=["win_approval_above"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="jackpot.settings_changed",
        subject=settings,
        before={"win_approval_above": _described(before, operator)},
        after={"win_approval_above": _described(win_approval_above, operator)},
        reason=reason,
        now=now,
    )
    return settings


def _described(amount: Decimal | None, operator: Operator) -> str | None:
    return None if amount is None else format_amount(amount, operator.base_currency)
