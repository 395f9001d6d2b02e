"""The links of an instance: a set that is replaced as a whole."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from core import audit
from core.actors import Actor
from core.errors import InvalidRequest
from jackpots.enums import InstanceStatus
from jackpots.errors import InstanceWrongState
from jackpots.models import Instance, InstanceLink
from jackpots.services.instances import lock_instance
from operators.models import Operator

#: Every link is one more leg of every contribution (API.md, jackpots).
LINKS_MAX = 20

#: What has ended keeps its links as history.
_ENDED = (InstanceStatus.CLOSED, InstanceStatus.CANCELLED)


@transaction.atomic(durable=True)
def replace_links(
    *,
    operator: Operator,
    instance_id: UUID,
    target_ids: Sequence[UUID],
    reason: str,
    actor: Actor,
    now: datetime,
) -> list[InstanceLink]:
    """
    Link the instance to exactly the targets, in their order, and return its links.

    Targets may be in any state: a target that cannot take a contribution fails for
    itself. Cycles are legal, because only direct links are followed. Concurrent calls
    take turns, and the last one wins wholly. Replacing a set by itself leaves no trace.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if the instance is closed or cancelled.
    :raises InvalidRequest: if a target is the instance itself, comes twice, or is not an
        instance of the operator, or if there are too many; nothing was changed.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    source = lock_instance(operator=operator, instance_id=instance_id)
    _refuse_ended(source)
    _check_targets(source, target_ids)
    _write_links(source, target_ids, reason=reason, actor=actor, now=now)
    return list(source.links.select_related("target").order_by("position"))


@transaction.atomic(durable=True)
def delete_links(
    *, operator: Operator, instance_id: UUID, reason: str, actor: Actor, now: datetime
) -> None:
    """
    Remove every link that leads away from the instance; having none is no error.

    :raises NotFound: if the operator has no such instance.
    :raises InstanceWrongState: if the instance is closed or cancelled.
    :raises ResourceBusy: if the instance is in use; nothing was changed.
    """
    source = lock_instance(operator=operator, instance_id=instance_id)
    _refuse_ended(source)
    _write_links(source, [], reason=reason, actor=actor, now=now)


def _refuse_ended(source: Instance) -> None:
    if source.status in _ENDED:
        raise InstanceWrongState(
            f"The instance is {source.get_status_display().lower()}: its links stay as they are.",
            instance_status=source.status,
        )


def _check_targets(source: Instance, target_ids: Sequence[UUID]) -> None:
    if len(target_ids) > LINKS_MAX:
        raise InvalidRequest.for_field(
            "linked_instances", f"An instance has at most {LINKS_MAX} links."
        )
    known = set(
        Instance.objects.filter(operator_id=source.operator_id, pk__in=target_ids).values_list(
            "pk", flat=True
        )
    )
    for index, target_id in enumerate(target_ids):
        if target_id == source.pk:
            problem = "An instance cannot be linked to itself."
        elif target_id in target_ids[:index]:
            problem = "This instance comes twice."
        elif target_id not in known:
            problem = "There is no such jackpot instance."
        else:
            continue
        raise InvalidRequest.for_field(f"linked_instances/{index}", problem)


def _write_links(
    source: Instance, target_ids: Sequence[UUID], *, reason: str, actor: Actor, now: datetime
) -> None:
    before = list(source.links.order_by("position").values_list("target_id", flat=True))
    after = list(target_ids)
    if after == before:
        return
    source.links.all().delete()
    InstanceLink.objects.bulk_create(
        InstanceLink(
            operator_id=source.operator_id, source=source, target_id=target_id, position=position
        )
        for position, target_id in enumerate(after)
    )
    source.revision += 1
    source.save(update_fields=["revision"])
    audit.record_action(
        operator=source.operator,
        actor=actor,
        action="jackpot.links.replaced" if after else "jackpot.links.deleted",
        subject=source,
        before={"linked_instances": [str(target_id) for target_id in before]},
        after={"linked_instances": [str(target_id) for target_id in after]},
        reason=reason,
        now=now,
    )
