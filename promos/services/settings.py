"""How an operator runs promos."""

from datetime import datetime

from django.db import transaction

from core import audit, locks
from core.actors import Actor
from operators.models import Operator
from promos.models import PromoSettings


@transaction.atomic(durable=True)
def put_promo_settings(
    *,
    operator: Operator,
    activation_window_days: int,
    restrict_bets_while_claimed: bool,
    actor: Actor,
    now: datetime,
) -> PromoSettings:
    """
    Set how the operator runs promos, for claims from now on.

    :raises ResourceBusy: if the settings are in use; nothing was changed.
    """
    PromoSettings.objects.bulk_create([PromoSettings(operator=operator)], ignore_conflicts=True)
    settings = locks.lock_one(PromoSettings.objects.filter(operator=operator))
    wanted = {
        "activation_window_days": activation_window_days,
        "restrict_bets_while_claimed": restrict_bets_while_claimed,
    }
    before = {field: getattr(settings, field) for field in wanted}
    if before == wanted:
        return settings
    for field, value in wanted.items():
        setattr(settings, field, value)
    settings.save(update_fields=list(wanted))
    audit.record_action(
        operator=operator,
        actor=actor,
        action="promo.settings_changed",
        subject=settings,
        before=before,
        after=wanted,
        now=now,
    )
    return settings
