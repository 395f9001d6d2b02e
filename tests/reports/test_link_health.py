"""Link health, worked by hand: what links passed on, and why they did not."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from core.idempotency import IdempotencyKey
from core.models import new_id
from jackpots.models import Instance, InstanceLink, LinkTraffic
from jackpots.services.contributions import Wager, contribute
from jackpots.services.draws import draw_instance
from jackpots.services.folding import fold_instance
from operators.models import Operator
from players.models import Player
from tests.factories.jackpots import InstanceFactory, InstanceLinkFactory
from tests.factories.operators import OperatorFactory
from tests.factories.players import PlayerFactory
from tests.jackpots.conftest import let_the_horizon_pass
from tests.reports.conftest import at
from tests.reports.jackpots import SOMEBODY

pytestmark = pytest.mark.django_db(transaction=True)

Ask = Callable[..., list[dict[str, Any]]]


def play(player: Player, instance: Instance, *, now: datetime) -> None:
    """Contribute to the instance and whatever it is linked to."""
    contribute(
        operator=instance.operator,
        instance_id=instance.pk,
        wager=Wager(player.reference, Decimal(10), "EUR"),
        follow_links=True,
        key=IdempotencyKey(str(new_id()), "f" * 64),
        now=now,
    )


def fold(*instances: Instance, now: datetime) -> None:
    let_the_horizon_pass()
    for instance in instances:
        fold_instance(instance_id=instance.pk, actor=SOMEBODY, now=now)


class Linked:
    """Daily is linked to Weekly, which wants an opt-in, to Paused, and to Idle's source."""

    def __init__(self, operator: Operator) -> None:
        self.daily = InstanceFactory.create(operator=operator, name="Daily")
        self.weekly = InstanceFactory.create(operator=operator, name="weekly", opt_in_required=True)
        self.monthly = InstanceFactory.create(operator=operator, name="Monthly")
        InstanceLinkFactory.create(source=self.daily, target=self.weekly, position=0)
        InstanceLinkFactory.create(source=self.daily, target=self.monthly, position=1)
        InstanceLinkFactory.create(source=self.weekly, target=self.monthly)
        self.player = PlayerFactory.create(operator=operator, reference="ada")

    def fold(self, now: datetime) -> None:
        fold(self.daily, self.weekly, self.monthly, now=now)


@pytest.fixture
def linked(operator: Operator) -> Linked:
    return Linked(operator)


def told(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (row["source"], row["target"], row["accepted_count"], row["failed_count"], row["reasons"])
        for row in rows
    ]


def test_each_link_tells_what_it_passed_on_and_why_it_did_not(linked: Linked, ask: Ask) -> None:
    for minute in (10, 20, 30):
        play(linked.player, linked.daily, now=at(f"2026-03-28 12:{minute}"))
    linked.fold(at("2026-03-28 12:40"))
    Instance.objects.filter(pk=linked.monthly.pk).update(
        paused_at=at("2026-03-28 13:00"), paused_reason="x", revision=99
    )
    play(linked.player, linked.daily, now=at("2026-03-28 13:10"))

    rows = ask("link-health", "2026-03-28")

    # The last one is not folded yet.
    assert told(rows) == [
        ("Daily", "Monthly", 3, 1, "INSTANCE_NOT_ACTIVE: 1"),
        ("Daily", "weekly", 0, 4, "OPT_IN_REQUIRED: 4"),
        ("weekly", "Monthly", 0, 0, "no activity"),
    ]
    assert [row["failed_percent"] for row in rows] == [Decimal("25.0"), Decimal("100.0"), None]
    assert {row["link"] for row in rows} == {"in place"}
    linked.fold(at("2026-03-28 13:30"))
    assert ask("link-health", "2026-03-28") == rows


def test_days_begin_on_the_operators_clocks_also_in_the_middle_of_an_hour(
    linked: Linked, ask: Ask, operator: Operator
) -> None:
    """In Malta the 29th begins at 23:00 UTC, in Kolkata at 18:30."""
    for instant in ("18:29", "18:30", "22:59", "23:00"):
        play(linked.player, linked.daily, now=at(f"2026-03-28 {instant}"))
    asked = ("link-health", "2026-03-28", "2026-03-29")
    Operator.objects.filter(pk=operator.pk).update(time_zone="Asia/Kolkata")
    there = Operator.objects.get(pk=operator.pk)

    def daily(of: Operator) -> list[tuple[str, int]]:
        rows = ask(*asked, other=of, per="day")
        monthly = [row for row in rows if row["target"] == "Monthly"]
        return [(row["day"].isoformat(), row["accepted_count"]) for row in monthly]

    unfolded = daily(operator), daily(there)
    linked.fold(at("2026-03-28 23:30"))

    assert unfolded == (daily(operator), daily(there))
    assert unfolded == (
        [("2026-03-28", 3), ("2026-03-29", 1)],
        [("2026-03-28", 1), ("2026-03-29", 3)],
    )


def test_a_link_that_was_removed_is_told_where_it_was_used(linked: Linked, ask: Ask) -> None:
    play(linked.player, linked.daily, now=at("2026-03-28 12:00"))
    InstanceLink.objects.filter(source=linked.daily).delete()

    used = ask("link-health", "2026-03-28")
    unused = ask("link-health", "2026-03-29")

    assert [(row["target"], row["link"]) for row in used] == [
        ("Monthly", "removed"), ("weekly", "removed"), ("Monthly", "in place"),
    ]  # fmt: skip
    assert told(unused) == [("weekly", "Monthly", 0, 0, "no activity")]
    assert ask("link-health", "2026-03-29", per="day") == []


def test_another_operators_links_are_not_told(linked: Linked, ask: Ask) -> None:
    neighbour = OperatorFactory.create()
    theirs = Linked(neighbour)
    play(theirs.player, theirs.daily, now=at("2026-03-28 12:00"))

    assert sum(row["total_count"] for row in ask("link-health", "2026-03-28")) == 0
    assert sum(row["total_count"] for row in ask("link-health", "2026-03-28", other=neighbour)) == 2


@pytest.mark.django_db
def test_what_a_draw_counts_itself_is_counted_once(operator: Operator, ask: Ask) -> None:
    """A draw does not wait for the horizon: here, nothing could be folded before it."""
    linked = Linked(operator)
    play(linked.player, linked.daily, now=at("2026-03-28 12:00"))
    before = ask("link-health", "2026-03-28")

    draw_instance(
        operator=operator,
        instance_id=linked.monthly.pk,
        reason="",
        actor=SOMEBODY,
        now=at("2026-03-28 13:00"),
    )

    traffic = LinkTraffic.objects.get(target=linked.monthly)
    assert (traffic.hour, traffic.count) == (at("2026-03-28 12:00"), 1)
    assert ask("link-health", "2026-03-28") == before
    assert before[0]["accepted_count"] == 1
