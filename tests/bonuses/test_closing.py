"""Ending a platform's grant: the platform is told first, and nothing changes unless it agrees."""

from datetime import datetime
from uuid import UUID

import pytest

from bonuses.errors import AdapterRejected, AdapterUnavailable, BonusGrantClosed
from bonuses.models import BonusGrant
from bonuses.ports import PlatformRejected, PlatformUnavailable
from bonuses.services.closing import cancel_grant, forfeit_grant, tell_platform_of_end
from core.actors import Actor
from core.errors import NotFound
from operators.models import Operator
from tests.bonuses.conftest import ScriptedPlatform
from tests.bonuses.playing import stored
from tests.factories.bonuses import BonusGrantFactory
from wallets.models import Transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(operator: Operator, platform: ScriptedPlatform) -> BonusGrant:
    """A platform's active grant."""
    grant: BonusGrant = BonusGrantFactory.create(
        external=True, asked_template__operator=operator, adapter_slug=platform.slug
    )
    return grant


def tell(operator: Operator, grant_id: UUID) -> None:
    tell_platform_of_end(operator=operator, grant_id=grant_id, reason="asked to")


def test_tells_the_platform_and_then_ends(
    operator: Operator, grant: BonusGrant, platform: ScriptedPlatform, actor: Actor, now: datetime
) -> None:
    tell(operator, grant.pk)
    assert (platform.cancelled, stored(grant).status) == ([grant.pk], "active")

    cancel_grant(operator=operator, grant_id=grant.pk, reason="asked to", actor=actor, now=now)

    assert (stored(grant).status, stored(grant).cancelled_at) == ("cancelled", now)
    assert not Transfer.objects.exists()


def test_a_refusal_of_the_platform_changes_nothing(
    operator: Operator, grant: BonusGrant, platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformRejected("ALREADY_PAID", "no")]

    with pytest.raises(AdapterRejected) as refusal:
        tell(operator, grant.pk)

    assert refusal.value.members == {"platform_code": "ALREADY_PAID"}
    assert stored(grant).status == "active"


def test_a_platform_that_does_not_answer_changes_nothing(
    operator: Operator, grant: BonusGrant, platform: ScriptedPlatform
) -> None:
    platform.answers = [PlatformUnavailable("timeout")]

    with pytest.raises(AdapterUnavailable):
        tell(operator, grant.pk)

    assert stored(grant).status == "active"


def test_the_platform_is_not_asked_about_what_has_ended(
    operator: Operator, platform: ScriptedPlatform
) -> None:
    grant = BonusGrantFactory.create(
        external=True, asked_template__operator=operator, status="completed"
    )

    with pytest.raises(BonusGrantClosed):
        tell(operator, grant.pk)

    assert platform.cancelled == []


def test_one_of_ours_has_no_platform_to_tell(
    operator: Operator, platform: ScriptedPlatform
) -> None:
    grant = BonusGrantFactory.create(asked_template__operator=operator)

    tell(operator, grant.pk)

    assert platform.cancelled == []


def test_another_operators_grant_does_not_exist(
    grant: BonusGrant, platform: ScriptedPlatform
) -> None:
    stranger = BonusGrantFactory.create().operator

    with pytest.raises(NotFound):
        tell(stranger, grant.pk)

    assert platform.cancelled == []


@pytest.mark.parametrize("status", ["cancelled", "forfeited"])
def test_a_webhook_that_was_faster_has_ended_it(
    status: str, operator: Operator, actor: Actor, now: datetime
) -> None:
    grant = BonusGrantFactory.create(
        external=True, asked_template__operator=operator, status=status
    )
    before = BonusGrant.objects.filter(pk=grant.pk).values().get()

    for end in (cancel_grant, forfeit_grant):
        ended = end(operator=operator, grant_id=grant.pk, reason="r", actor=actor, now=now)
        assert ended.status == status

    assert BonusGrant.objects.filter(pk=grant.pk).values().get() == before


@pytest.mark.parametrize("status", ["completed", "expired"])
def test_a_webhook_that_ended_it_otherwise_wins(
    status: str, operator: Operator, actor: Actor, now: datetime
) -> None:
    grant = BonusGrantFactory.create(
        external=True, asked_template__operator=operator, status=status
    )

    with pytest.raises(BonusGrantClosed):
        cancel_grant(operator=operator, grant_id=grant.pk, reason="r", actor=actor, now=now)
