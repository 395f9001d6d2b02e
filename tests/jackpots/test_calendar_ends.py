"""Instants at the ends of the calendar, as rows of earlier releases may have them."""

from datetime import UTC, datetime

import pytest

from core import books
from core.actors import Actor
from core.errors import InvalidRequest
from core.models import AuditEntry
from jackpots.enums import DropType, InstanceStatus, Recurrence
from jackpots.models import Instance, Win
from jackpots.services import instances
from operators.models import Operator
from tests.factories.jackpots import InstanceFactory
from tests.jackpots.ledger import Ledger
from tests.jackpots.raffles import Raffling, again, books_balance

pytestmark = pytest.mark.django_db

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)


@pytest.fixture
def world(operator: Operator, actor: Actor, now: datetime) -> Raffling:
    return Raffling(operator, actor, now)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("drop_at", "timezone", "drop_type"),
    [
        (FIRST, "UTC", DropType.MUST_HIT_BY_TIME),
        # On the clocks of New York it is in the year 0: no next time can be told.
        (FIRST, "America/New_York", DropType.MANUAL),
    ],
)
def test_a_pot_that_should_have_dropped_in_the_year_1_is_folded(
    drop_at: datetime,
    timezone: str,
    drop_type: DropType,
    operator: Operator,
    actor: Actor,
    now: datetime,
) -> None:
    ledger = Ledger(operator, actor)
    instance = InstanceFactory.create(
        operator=operator,
        progressive=True,
        recurrence=Recurrence.DAILY,
        timezone=timezone,
        pots=[{"drop_type": DropType.MUST_HIT_BY_TIME, "drop_at": drop_at}],
    )
    contribution = ledger.add(instance, "ada", "2")

    ledger.fold(instance)

    assert Win.objects.get(instance=instance).player.reference == "ada"
    pot = instance.pots.get()
    assert pot.drop_type == drop_type
    if drop_type == DropType.MUST_HIT_BY_TIME:
        # Midnight, as in the year 1; and no day of the 740,000 between is waited for.
        assert pot.drop_at is not None
        assert 0 < (pot.drop_at - contribution.created_at).total_seconds() <= 24 * 60 * 60
    assert books.find_differences() == []


@pytest.mark.parametrize(
    ("closes_at", "timezone"),
    [(LAST, "UTC"), (LAST, "Pacific/Auckland"), (FIRST, "America/New_York")],
)
def test_a_series_ends_with_the_calendar(
    closes_at: datetime, timezone: str, world: Raffling
) -> None:
    raffle = world.opened(recurrence=Recurrence.DAILY, timezone=timezone)
    world.contributed(raffle, ada=5)
    Instance.objects.filter(pk=raffle.pk).update(
        closes_at=closes_at, series_closes_at=closes_at, revision=9
    )

    world.drawn(raffle)

    assert again(raffle).status == InstanceStatus.DRAWN
    assert again(raffle).recurrence == ""
    assert not Instance.objects.filter(previous=raffle).exists()
    assert AuditEntry.objects.filter(action="jackpot.series.ended").count() == 1
    # And no sweep asks for a next run again.
    assert world.swept() == 0
    books_balance()


def test_a_series_of_long_ago_goes_on(world: Raffling) -> None:
    raffle = world.opened(recurrence=Recurrence.DAILY)
    Instance.objects.filter(pk=raffle.pk).update(closes_at=FIRST, series_closes_at=FIRST)

    world.drawn(raffle)

    following = Instance.objects.get(previous=raffle)
    assert following.closes_at == datetime(2026, 3, 30, tzinfo=UTC)
    assert following.opens_at == FIRST


def test_a_draft_with_such_an_instant_is_not_activated(world: Raffling) -> None:
    draft = InstanceFactory.create(
        operator=world.operator,
        status=InstanceStatus.DRAFT,
        recurrence=Recurrence.DAILY,
        opens_at=LAST,
    )

    with pytest.raises(InvalidRequest) as refusal:
        instances.activate_instance(
            operator=world.operator,
            instance_id=draft.pk,
            reason="",
            actor=world.actor,
            now=world.now,
        )

    assert [error["pointer"] for error in refusal.value.members["errors"]] == ["/opens_at"]
    assert again(draft).status == InstanceStatus.DRAFT
