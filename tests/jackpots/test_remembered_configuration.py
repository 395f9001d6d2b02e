"""What a process remembers of an instance is never obeyed once it is out of date."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import Actor
from jackpots.models import Contribution, Instance
from jackpots.services import configuration, instances, links
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.factories.operators import ExchangeRateFactory
from tests.jackpots.conftest import legs, link, meter

Contribute = Callable[..., Any]


@pytest.fixture
def instance(operator: Operator) -> Instance:
    return InstanceFactory.create(operator=operator)


@contextmanager
def in_another_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the block remember nothing of what was remembered before, and leave nothing behind."""
    with monkeypatch.context() as patch:
        patch.setattr(configuration, "_remembered", {})
        yield


def change(verb: str, instance: Instance, actor: Actor) -> None:
    getattr(instances, f"{verb}_instance")(
        operator=instance.operator,
        instance_id=instance.pk,
        reason="For the test",
        actor=actor,
        now=timezone.now(),
    )


@pytest.mark.django_db(transaction=True)
def test_a_pause_and_its_end_are_obeyed_by_a_process_that_remembers_otherwise(
    instance: Instance, actor: Actor, contribute: Contribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = InstanceFactory.create(operator=instance.operator)
    link(source, instance)
    answers = []
    for verb in (None, "pause", "resume", "close"):
        if verb is not None:
            with in_another_process(monkeypatch):
                change(verb, instance, actor)
                contribute(instance)
        answers.append((contribute(instance).status_code, legs(contribute(source))[1][1]))

    assert answers == [
        (201, None),
        (409, "INSTANCE_NOT_ACTIVE"),
        (201, None),
        (409, "INSTANCE_NOT_ACTIVE"),
    ]


@pytest.mark.django_db(transaction=True)
def test_control_a_revision_that_does_not_move_leaves_what_is_remembered_in_force(
    instance: Instance, contribute: Contribute
) -> None:
    contribute(instance)
    Instance.objects.update(paused_at=timezone.now(), paused_reason="Unnoticed")

    assert contribute(instance).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_links_that_were_replaced_elsewhere_are_followed(
    instance: Instance, actor: Actor, contribute: Contribute, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = InstanceFactory.create(operator=instance.operator)
    assert len(legs(contribute(instance))) == 1
    with in_another_process(monkeypatch):
        links.replace_links(
            operator=instance.operator,
            instance_id=instance.pk,
            target_ids=[other.pk],
            reason="More",
            actor=actor,
            now=timezone.now(),
        )

    assert len(legs(contribute(instance))) == 2
    assert meter(other) == Decimal("0.1")


def test_a_rate_that_came_meanwhile_is_the_one_that_counts(
    operator: Operator, contribute: Contribute
) -> None:
    dollars = InstanceFactory.create(operator=operator, currency="USD")
    missing = contribute(dollars)
    ExchangeRateFactory.create(operator=operator, usd_rate="2")
    first = contribute(dollars)
    ExchangeRateFactory.create(
        operator=operator, usd_rate="3", valid_from=timezone.now() - timedelta(seconds=1)
    )

    with CaptureQueriesContext(connection) as stale:
        second = contribute(dollars)
    with CaptureQueriesContext(connection) as warm:
        third = contribute(dollars)

    assert missing.json()["code"] == "EXCHANGE_RATE_MISSING"
    amounts = [each.json()["results"][0]["amount"] for each in (first, second, third)]
    assert amounts == ["0.20", "0.30", "0.30"]
    # Asked, read anew, asked again; and from then on the rate is remembered like the rest.
    assert (len(stale), len(warm)) == (3, 1)
    assert set(Contribution.objects.values_list("rate", flat=True)) == {Decimal(2), Decimal(3)}
