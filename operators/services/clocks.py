"""Where an operator's days begin."""

from datetime import datetime

from django.db import transaction

from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest
from core.zones import zone_names
from operators.models import Operator


@transaction.atomic(durable=True)
def set_time_zone(
    *, operator_id: int, time_zone: str, reason: str, actor: Actor, now: datetime
) -> Operator:
    """
    Let the operator's days begin on the clocks of another time zone.

    Reports of days that are over are cut anew: nothing that is stored changes. Setting the
    zone that is set already changes nothing.

    :raises NotFound: if there is no such operator.
    :raises InvalidRequest: if there is no such time zone.
    :raises ResourceBusy: if the operator's row is in use.
    """
    name = known_zone(name=time_zone)
    operator = locks.lock_one(Operator.objects.filter(pk=operator_id))
    if operator.time_zone == name:
        return operator
    before = operator.time_zone
    operator.time_zone = name
    operator.save(update_fields=["time_zone"])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="operator.time_zone.set",
        subject=operator,
        before={"time_zone": before},
        after={"time_zone": name},
        reason=reason,
        now=now,
    )
    return operator


def known_zone(*, name: str) -> str:
    """
    Return the name if it is one of a time zone.

    :raises InvalidRequest: if it is not.
    """
    if name not in zone_names():
        raise InvalidRequest.for_field(
            "time_zone", "There is no such time zone. Name one as Europe/Malta."
        )
    return name
