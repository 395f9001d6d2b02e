"""The catalogue of topics is what is sent, what the documents list, and what may be asked for."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from rest_framework.test import APIClient

from adapters.webhooks.openapi import COMPONENTS
from adapters.webhooks.topics import TOPICS
from bonuses.services import announcements as bonus_announcements
from jackpots.services import announcements as jackpot_announcements
from promos.services import announcements as promo_announcements
from tests.factories.bonuses import BonusCampaignFactory, BonusGrantFactory
from tests.factories.jackpots import WinFactory
from tests.factories.promos import UserPromoFactory

#: What the services of draws and of runs tell of.
RUN_TOPICS = {"jackpot.raffle.drawn", "jackpot.instance.opened"}


@pytest.fixture(scope="module")
def document() -> Any:
    return APIClient().get("/openapi.json").json()


def test_every_topic_that_is_published_is_in_the_catalogue_and_no_other() -> None:
    published = (
        bonus_announcements.GRANT_TOPICS
        | bonus_announcements.CAMPAIGN_TOPICS
        | promo_announcements.CLAIM_TOPICS
        | jackpot_announcements.WIN_TOPICS
        | RUN_TOPICS
    )

    assert published == set(TOPICS)


@pytest.mark.django_db
def test_every_example_has_the_members_of_what_is_sent(now: datetime) -> None:
    win = jackpot_announcements.describe_win(win=WinFactory.create())
    sent = {
        "jackpot.pot.": win,
        "jackpot.win.": win,
        "bonus.grant.": bonus_announcements.describe_grant(grant=BonusGrantFactory.create()),
        "bonus.campaign.": bonus_announcements.describe_campaign(
            campaign=BonusCampaignFactory.create()
        ),
        "promo.claim.": promo_announcements.describe_user_promo(
            user_promo=UserPromoFactory.create()
        ),
    }

    for topic in TOPICS.values():
        for start, payload in sent.items():
            if topic.name.startswith(start):
                assert set(topic.example) == set(payload), topic.name


def test_an_example_shows_the_state_that_its_topic_tells_of() -> None:
    for topic in TOPICS.values():
        if topic.name.startswith(("bonus.grant.", "promo.claim.", "jackpot.win.")):
            said = topic.example["status"].lower()
            verb = topic.name.rpartition(".")[2]
            assert said == {"issued": "active", "made": "claimed", "activated": "active"}.get(
                verb, verb
            )


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_amounts_in_an_example_are_strings(topic: Any) -> None:
    def floats(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [each for member in value.values() for each in floats(member)]
        return [value] if isinstance(value, float) else []

    assert floats(dict(topic.example)) == []


def test_the_openapi_document_lists_every_webhook_with_an_example(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    assert set(document["webhooks"]) == set(TOPICS)
    for name, topic in TOPICS.items():
        operation = document["webhooks"][name]["post"]
        [example] = operation["requestBody"]["content"]["application/json"]["examples"].values()
        assert example["value"]["type"] == name
        assert example["value"]["data"] == topic.example
        assert operation["summary"] == topic.title
        assert topic.description in operation["description"]


def test_the_document_describes_data_by_what_the_api_shows(document: Any) -> None:
    for start, component in COMPONENTS.items():
        described = set(document["components"]["schemas"][component]["properties"])
        for name, topic in TOPICS.items():
            if name.startswith(start):
                assert described == set(topic.example), name


def test_the_page_for_receivers_lists_every_topic() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text()

    listed = re.findall(r"^\| `([a-z.]+)` \|", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted(TOPICS)
