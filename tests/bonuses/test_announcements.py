"""bonuses.services.announcements: others hear of a grant or a campaign as the API shows it."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from bonuses.enums import CampaignStatus, GrantStatus, TargetStatus
from bonuses.services import announcements
from core.models import OutboxMessage
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    CampaignTargetFactory,
)


@pytest.mark.django_db
def test_a_grant_is_told_in_the_words_of_the_api(now: datetime) -> None:
    grant = BonusGrantFactory.create(
        asked_template__match=True, references={"journey": "welcome"}, fx_rate_locked=Decimal("1.5")
    )

    message = announcements.announce_grant(grant=grant, topic="bonus.grant.issued", now=now)

    assert message == OutboxMessage.objects.for_operator(grant.operator).get()
    assert (message.topic, message.subject_id) == ("bonus.grant.issued", str(grant.pk))
    assert message.subject_type == "bonuses.bonusgrant"
    assert list(message.payload) == [
        "id",
        "template_id",
        "player_id",
        "type",
        "status",
        "platform_bonus_id",
        "adapter_slug",
        "bonus_amount",
        "bonus_currency",
        "deposit_amount",
        "bonus_amount_base",
        "base_currency_code",
        "fx_rate_locked",
        "fx_locked_at",
        "wagering_required",
        "wagering_progress",
        "total_wagered",
        "granted_at",
        "activated_at",
        "expires_at",
        "completed_at",
        "forfeited_at",
        "expired_at",
        "cancelled_at",
        "outcome_reason",
        "released_amount",
        "references",
    ]
    assert message.payload["player_id"] == grant.player.reference
    assert message.payload["type"] == "deposit_match"
    assert message.payload["status"] == "active"
    assert message.payload["bonus_amount"] == "100.00"
    assert message.payload["deposit_amount"] == "100.00"
    assert message.payload["wagering_required"] == "6000.00"
    assert message.payload["fx_rate_locked"] == "1.5"
    assert message.payload["completed_at"] is None
    assert message.payload["outcome_reason"] is None
    assert message.payload["references"] == {"journey": "welcome"}


@pytest.mark.django_db
def test_an_ended_grant_says_how_it_ended(now: datetime) -> None:
    grant = BonusGrantFactory.create(status=GrantStatus.FORFEITED, outcome_reason="Two accounts.")

    message = announcements.announce_grant(grant=grant, topic="bonus.grant.forfeited", now=now)

    assert message.payload["status"] == "forfeited"
    assert message.payload["forfeited_at"] is not None
    assert message.payload["outcome_reason"] == "Two accounts."


@pytest.mark.django_db
def test_a_campaign_is_told_with_its_statistics(now: datetime, client_of: Any) -> None:
    campaign = BonusCampaignFactory.create(
        status=CampaignStatus.ISSUED,
        audience_size=2,
        started_at=now,
        finished_at=now + timedelta(minutes=1),
    )
    CampaignTargetFactory.create_batch(
        2, campaign=campaign, status=TargetStatus.SKIPPED, settled_at=now
    )

    message = announcements.announce_campaign(
        campaign=campaign, topic="bonus.campaign.finished", now=now
    )

    shown = client_of(campaign.operator).get(f"/v1/bonus-campaigns/{campaign.pk}").json()
    assert message.payload == shown
    assert message.payload["status"] == "issued"
    assert message.payload["stats"] == {"pending": 0, "granted": 0, "skipped": 2, "failed": 0}


@pytest.mark.django_db
def test_what_is_undone_is_not_told(now: datetime) -> None:
    grant = BonusGrantFactory.create()

    with transaction.atomic():
        announcements.announce_grant(grant=grant, topic="bonus.grant.issued", now=now)
        transaction.set_rollback(True)

    assert OutboxMessage.objects.exists() is False


@pytest.mark.django_db
def test_a_topic_that_nobody_knows_is_the_programmers_mistake(now: datetime) -> None:
    with pytest.raises(AssertionError):
        announcements.announce_grant(
            grant=BonusGrantFactory.create(), topic="bonus.grant.started", now=now
        )

    assert OutboxMessage.objects.exists() is False
