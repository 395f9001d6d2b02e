"""Every adapter keeps the contract: the internal one, and the http one before two platforms."""

from collections.abc import Iterator

import pytest

from adapters.http.breaker import NoBreaker
from adapters.http.client import HttpAdapter, LiveSecret
from adapters.internal.adapter import InternalAdapter
from tests.adapters.contract import AdapterContract, Case
from tests.adapters.fake_platform import FakePlatform
from tests.adapters.orders import adapter_of
from tests.adapters.sandbox import Sandbox


@pytest.fixture
def platform(settings) -> Iterator[FakePlatform]:
    settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
    with FakePlatform() as running:
        yield running


class TestInternalAdapter(AdapterContract):
    """Behind it is our own ledger."""

    @pytest.fixture
    def case(self) -> Case:
        return Case(InternalAdapter(slug="acme-internal"))


class TestHttpAdapter(AdapterContract):
    """Behind it is a platform that answers as API.md has it."""

    @pytest.fixture
    def case(self, platform: FakePlatform) -> Case:
        return Case(adapter_of(platform))


class TestHttpAdapterWithDuplicates(AdapterContract):
    """Behind it is a platform that has granted everything already, and does not say as what."""

    @pytest.fixture
    def case(self, platform: FakePlatform) -> Case:
        platform.mode = "duplicate unnamed"
        return Case(adapter_of(platform))

    def test_a_cancelled_bonus_is_seen_as_cancelled(self, case: Case) -> None:
        """The mode answers every POST with a duplicate: what cancels is tested above."""


class TestSandboxPlatform(AdapterContract):
    """Behind it is `manage.py sandbox_platform`, a process of its own."""

    @pytest.fixture
    def case(self, sandbox_process: Sandbox, settings) -> Case:
        settings.ADAPTER_ALLOWED_HOSTS = ["127.0.0.1"]
        return Case(
            HttpAdapter(
                slug="sandbox",
                base_url=sandbox_process.base_url,
                secrets=(LiveSecret(sandbox_process.secret),),
                breaker=NoBreaker(),
                deadline_s=10.0,
            )
        )


def test_control_a_platform_that_grants_twice_is_found_out(platform: FakePlatform) -> None:
    platform.mode, platform.status = "answer", 201
    platform.answer = lambda _body: {
        "platform_bonus_id": f"pb-{len(platform.requests)}",
        "status": "active",
    }

    with pytest.raises(AssertionError):
        AdapterContract().test_the_same_order_twice_is_one_bonus(Case(adapter_of(platform)))
