"""The registry finds an operator's adapters, and a probe tells whether one works."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from adapters.http.breaker import Breaker
from adapters.http.client import HttpAdapter
from adapters.http.signing import make_secret
from adapters.internal.adapter import InternalAdapter
from adapters.models import AdapterConfig
from adapters.services.probing import probe_adapter
from bonuses.ports import PlatformUnavailable, get_adapters
from core.errors import NotFound
from core.sealing import seal
from operators.models import Operator
from tests.adapters.fake_platform import FakePlatform
from tests.adapters.orders import order
from tests.factories.adapters import AdapterConfigFactory
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def platform(settings: Any) -> Iterator[FakePlatform]:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    with FakePlatform() as running:
        yield running


@pytest.fixture
def config(operator: Operator, platform: FakePlatform) -> AdapterConfig:
    return AdapterConfigFactory.create(
        operator=operator, slug="acme", base_url=platform.url, secret=platform.secrets[0]
    )


def test_the_default_is_internal_until_it_is_another(operator: Operator) -> None:
    born_with = get_adapters().default_adapter(operator=operator)
    AdapterConfig.objects.for_operator(operator).update(is_default=False)
    AdapterConfigFactory.create(operator=operator, slug="acme", is_default=True)

    now = get_adapters().default_adapter(operator=operator)

    assert born_with == InternalAdapter(slug=f"{operator.slug}-internal")
    assert isinstance(now, HttpAdapter)
    assert (now.slug, now.is_internal) == ("acme", False)


def test_the_default_of_another_operator_is_no_matter(operator: Operator) -> None:
    stranger = OperatorFactory.create()

    assert get_adapters().default_adapter(operator=stranger).slug == f"{stranger.slug}-internal"


def test_an_adapter_is_found_by_its_slug_and_reaches_its_platform(
    config: AdapterConfig, platform: FakePlatform
) -> None:
    adapter = get_adapters().get_adapter(slug="acme")

    assert adapter.grant_bonus(order()).platform_bonus_id == "pb/1"


def test_a_rotated_secret_signs_beside_the_new_one_until_its_time_is_up(
    config: AdapterConfig, platform: FakePlatform
) -> None:
    # The platform still has the old secret.
    new, now = make_secret(), timezone.now()
    config.previous_sealed_secret, config.sealed_secret = config.sealed_secret, seal(new)
    config.previous_valid_until = now + timedelta(hours=1)
    config.save()

    adapter = get_adapters().get_adapter(slug="acme")

    assert adapter.grant_bonus(order()).platform_bonus_id == "pb/1"
    signatures = platform.requests[0].header("webhook-signature").split(" ")
    assert len(signatures) == 2
    config.previous_valid_until = now - timedelta(hours=1)
    config.save()
    get_adapters().get_adapter(slug="acme")
    assert not probe_adapter(operator=config.operator, slug="acme").is_ok


def test_an_unknown_slug_is_not_found(operator: Operator) -> None:
    with pytest.raises(NotFound):
        get_adapters().get_adapter(slug="nobody")


def test_a_probe_of_a_platform_that_knows_us_is_good(config: AdapterConfig) -> None:
    found = probe_adapter(operator=config.operator, slug="acme")

    assert found.is_ok
    assert found.latency_ms is not None
    assert 0 <= found.latency_ms < 10_000


def test_a_probe_changes_nothing_there(config: AdapterConfig, platform: FakePlatform) -> None:
    probe_adapter(operator=config.operator, slug="acme")

    assert [request.method for request in platform.requests] == ["GET"]
    assert platform.bonuses == {}


@pytest.mark.parametrize(
    ("mode", "status", "said"),
    [
        ("refuse", 403, "PLAYER_UNKNOWN"),
        ("refuse", 500, "500"),
        ("hang", 0, "within 2 s"),
        ("html", 200, "cannot be used"),
    ],
)
def test_a_probe_says_what_is_wrong(
    config: AdapterConfig, platform: FakePlatform, settings: Any, mode: str, status: int, said: str
) -> None:
    settings.ADAPTER_DEADLINE_S = 2.0
    platform.mode, platform.status = mode, status

    found = probe_adapter(operator=config.operator, slug="acme")

    assert not found.is_ok
    assert said in found.detail


def test_a_probe_with_a_wrong_secret_says_so(config: AdapterConfig, platform: FakePlatform) -> None:
    platform.secrets = [make_secret()]

    found = probe_adapter(operator=config.operator, slug="acme")

    assert not found.is_ok
    assert "BAD_SIGNATURE" in found.detail


def test_a_probe_asks_although_the_circuit_is_open(config: AdapterConfig, settings: Any) -> None:
    settings.ADAPTER_BREAKER_FAILURES = 1
    Breaker("acme").note_silence()

    assert probe_adapter(operator=config.operator, slug="acme").is_ok


def test_a_probe_of_a_secret_that_no_key_opens_says_so(
    config: AdapterConfig, settings: Any
) -> None:
    settings.SECRETS_KEYS = ["bm90LXRoZS1rZXktdGhhdC1zZWFsZWQtYW55dGhpbmc="]

    found = probe_adapter(operator=config.operator, slug="acme")

    assert not found.is_ok
    assert "SECRETS_KEYS" in found.detail
    # A bonus waits for it, rather than fail.
    with pytest.raises(PlatformUnavailable):
        get_adapters().get_adapter(slug="acme").grant_bonus(order())


def test_the_internal_adapter_has_nothing_to_probe(operator: Operator) -> None:
    found = probe_adapter(operator=operator, slug=f"{operator.slug}-internal")

    assert found.is_ok
    assert found.latency_ms is None


def test_anothers_adapter_cannot_be_probed(config: AdapterConfig) -> None:
    with pytest.raises(NotFound):
        probe_adapter(operator=OperatorFactory.create(), slug="acme")
