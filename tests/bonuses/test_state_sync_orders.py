"""
Whatever order a platform's events come in, and however often, the grant is what a model says.

The model knows one sentence: until the first end everything counts once, after it nothing.
"""

import random
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from bonuses.models import BonusGrant, BonusTemplate, PlatformEvent, WagerEvent
from bonuses.services.state_sync import PlatformEventBody
from core.models import AuditEntry
from tests.bonuses.platform_events import TS, apply, event_of
from tests.factories.bonuses import BonusGrantFactory, BonusTemplateFactory
from tests.factories.players import PlayerFactory

pytestmark = pytest.mark.django_db

ENDS = ("completed", "cancelled", "expired", "forfeited")
#: Subunits staked, and what of them counts: each event differs, so that a mix-up shows.
WAGERS = {"wagered-1": (1_00, 50), "wagered-2": (10_00, 1_00), "wagered-3": (100_00, 0)}
EVENTS = ("credited", *WAGERS, *ENDS)
#: One of each kind that the contract knows.
SIX = ("credited", "wagered-1", *ENDS)
#: What may come before the first end.
BEFORE = tuple(
    order for count in range(3) for order in permutations(("credited", "wagered-1"), count)
)
SAMPLE_SIZE = 40
SEED = 20260329


@dataclass
class Model:
    """What a grant must be after the events that it has heard of."""

    status: str = "active"
    is_activated: bool = False
    wagered: int = 0
    weighted: int = 0
    answers: dict[str, str | None] = field(default_factory=dict)

    def hear(self, name: str) -> tuple[bool, str, str | None]:
        """Return what is to be answered: applied, the status, and the reason."""
        if name in self.answers:
            return False, self.status, "duplicate"
        if self.status != "active":
            self.answers[name] = "terminal_immutable"
            return False, self.status, "terminal_immutable"
        self.answers[name] = None
        if name in ENDS:
            self.status = name
        elif name in WAGERS:
            self.wagered += WAGERS[name][0]
            self.weighted += WAGERS[name][1]
        else:
            self.is_activated = True
        return True, self.status, None


@pytest.fixture
def terms() -> dict[str, Any]:
    """The template and the player of every grant here: only the events differ."""
    template: BonusTemplate = BonusTemplateFactory.create()
    player = PlayerFactory.create(operator=template.operator)
    return {"external": True, "asked_template": template, "asked_player": player}


def body_of(grant: BonusGrant, name: str) -> PlatformEventBody:
    event_id = f"{name}-{grant.pk}"
    if name not in WAGERS:
        return event_of(grant.pk, name, event_id=event_id)
    staked, counted = WAGERS[name]
    return event_of(
        grant.pk,
        "wagered",
        event_id=event_id,
        wagered_amount_subunit=staked,
        weighted_progress_subunit=counted,
    )


def check(terms: dict[str, Any], order: tuple[str, ...]) -> None:
    grant = BonusGrantFactory.create(**terms)
    model = Model()
    for name in order:
        expected = model.hear(name)

        result = apply(grant, body_of(grant, name))

        assert (result.applied, result.new_status, result.reason) == expected, order
    now = BonusGrant.objects.get(pk=grant.pk)
    assert now.status == model.status, order
    assert now.activated_at == (TS if model.is_activated else None), order
    assert now.total_wagered == Decimal(model.wagered) / 100, order
    assert now.wagering_progress == Decimal(model.weighted) / 100, order
    outcomes = dict(PlatformEvent.objects.filter(grant=grant).values_list("event_id", "outcome"))
    assert outcomes == {
        f"{name}-{grant.pk}": reason or "applied" for name, reason in model.answers.items()
    }, order
    counted = sum(name in WAGERS and reason is None for name, reason in model.answers.items())
    assert WagerEvent.objects.filter(grant=grant).count() == counted, order
    moves = AuditEntry.objects.filter(subject_id=str(grant.pk)).count()
    assert moves == model.is_activated + (model.status != "active"), order


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("before", BEFORE, ids=" ".join)
def test_every_order_of_the_six_events_up_to_the_first_end(
    terms: dict[str, Any], before: tuple[str, ...], end: str
) -> None:
    """After the first end nothing counts, so there each of the others only comes first once."""
    others = [name for name in SIX if name not in (*before, end)]

    for number in range(len(others)):
        check(terms, (*before, end, *others[number:], *others[:number]))


def test_orders_of_all_events_each_delivered_twice(terms: dict[str, Any]) -> None:
    dice = random.Random(SEED)

    for _sample in range(SAMPLE_SIZE):
        order = [*EVENTS, *EVENTS]
        dice.shuffle(order)
        # Half of them with a late end, or nearly all would be over after four events.
        if dice.random() < 0.5:
            order.sort(key=lambda name: name in ENDS)
        check(terms, tuple(order))


def test_control_the_model_tells_a_grant_that_changed_after_its_end(
    terms: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Model, "hear", _hear_although_it_ended)

    with pytest.raises(AssertionError):
        check(terms, ("cancelled", "completed"))


def _hear_although_it_ended(model: Model, name: str) -> tuple[bool, str, None]:
    model.answers[name] = None
    model.status = name
    return True, name, None
