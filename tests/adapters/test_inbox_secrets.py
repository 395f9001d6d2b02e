"""A webhook whose secret none of our keys opens: refused for the time being, told, and not lost."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from cryptography.fernet import Fernet

from adapters.http import signing
from adapters.models import WebhookMessage
from bonuses.models import BonusGrant, PlatformEvent
from core.sealing import seal
from tests.adapters.platforms import CLOCK, Platform, event_about, platform_of
from tests.bonuses.platform_events import stored
from tests.factories.bonuses import BonusGrantFactory

pytestmark = pytest.mark.django_db

#: Sealed with a key that is not among ours.
LOST = Fernet(Fernet.generate_key()).encrypt(b"whsec_secret").decode()


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(CLOCK, tick=False):
        yield


@pytest.fixture
def grant() -> BonusGrant:
    return BonusGrantFactory.create(external=True)


def unreadable(response: Any) -> bool:
    code = response.json()["code"]
    return (response.status_code, code) == (503, "ADAPTER_SECRET_UNREADABLE")


def change_of_secrets(grant: BonusGrant, **members: Any) -> Platform:
    """Return a platform with two live secrets."""
    until = CLOCK + timedelta(hours=1)
    return platform_of(grant, previous_valid_until=until, **members)


def test_it_is_refused_until_the_key_is_back(
    grant: BonusGrant, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    platform = platform_of(grant)
    event, keys = event_about(grant, "cancelled"), settings.SECRETS_KEYS
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]

    refused = platform.send(event)

    assert unreadable(refused)
    assert refused["Retry-After"] == "60"
    assert not WebhookMessage.objects.exists()
    assert not PlatformEvent.objects.exists()
    assert stored(grant).is_active
    told = [record.getMessage() for record in caplog.records if record.name == "adapters.selectors"]
    [sentence] = told
    assert sentence.startswith(f"a secret of adapter {platform.config.slug} cannot be opened: put ")
    assert platform.secret not in caplog.text + refused.content.decode()
    settings.SECRETS_KEYS = keys
    assert platform.send(event).json()["applied"] is True
    assert stored(grant).status == "cancelled"


def test_one_signed_with_the_secret_that_can_be_read_is_taken(grant: BonusGrant) -> None:
    platform = change_of_secrets(grant, previous_sealed_secret=LOST)

    assert platform.send(event_about(grant)).status_code == 200
    assert unreadable(platform.send(event_about(grant), secret=signing.make_secret()))


def test_so_is_one_signed_with_the_old_secret_while_it_lives(grant: BonusGrant) -> None:
    old, end = signing.make_secret(), CLOCK + timedelta(hours=1)
    platform = change_of_secrets(grant, sealed_secret=LOST, previous_sealed_secret=seal(old))

    assert platform.send(event_about(grant), secret=old).status_code == 200
    with time_machine.travel(end, tick=False):
        assert unreadable(platform.send(event_about(grant), secret=old, at=end))


def test_a_secret_that_is_over_need_not_be_read(grant: BonusGrant) -> None:
    platform = platform_of(grant, previous_sealed_secret=LOST, previous_valid_until=CLOCK)

    forged = platform.send(event_about(grant), secret=signing.make_secret())

    assert (forged.status_code, forged.json()["code"]) == (401, "WEBHOOK_SIGNATURE_INVALID")
    assert platform.send(event_about(grant)).status_code == 200
