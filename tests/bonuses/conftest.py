"""A player, a template, a platform that does as it is told, and what asks for a bonus."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from bonuses.models import BonusTemplate
from bonuses.ports import BonusOrder, PlatformBonus, PlatformBonusUnknown, PlatformView
from bonuses.services.issuing import Issued, issue_bonus
from bonuses.services.requests import BonusRequest
from core.actors import Actor
from core.errors import NotFound
from core.idempotency import IdempotencyKey
from operators.models import Operator
from players.models import Player
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory


@pytest.fixture
def player(operator: Operator) -> Player:
    """A player who holds euros, at 1.25 US dollars."""
    ExchangeRateFactory.create(operator=operator)
    return PlayerFactory.create(operator=operator, reference="ada", currency="EUR")


@pytest.fixture
def template(operator: Operator) -> BonusTemplate:
    """Ten euros without a deposit."""
    return BonusTemplateFactory.create(operator=operator)


@dataclass
class ScriptedPlatform:
    """
    An adapter whose platform does what the test says, in the words of the port.

    ``answers`` are given in turn, an exception is raised; when they are used up every bonus is
    granted. A bonus that is granted twice under one id is the same bonus.
    """

    slug: str
    is_internal: bool = False
    answers: list[Any] = field(default_factory=list)
    orders: list[BonusOrder] = field(default_factory=list)
    cancelled: list[UUID] = field(default_factory=list)
    bonuses: dict[UUID, PlatformBonus] = field(default_factory=dict)
    views: dict[str, PlatformView | Exception] = field(default_factory=dict)
    on_grant: Callable[[BonusOrder], None] | None = None

    def grant_bonus(self, order: BonusOrder) -> PlatformBonus:
        self.orders.append(order)
        if self.on_grant is not None:
            self.on_grant(order)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, PlatformBonus):
            return answer
        return self.bonuses.setdefault(
            order.grant_id, PlatformBonus(f"platform-{order.grant_id}", "pending")
        )

    def cancel_bonus(self, *, grant_id: UUID, platform_bonus_id: str, reason: str) -> None:
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        self.cancelled.append(grant_id)

    def get_bonus(
        self, *, platform_bonus_id: str, currency: str, grant_id: UUID | None = None
    ) -> PlatformView:
        view = self.views.get(platform_bonus_id, PlatformBonusUnknown())
        if isinstance(view, Exception):
            raise view
        return view


class ScriptedRegistry:
    """Knows one platform, which is everybody's default."""

    platform: ScriptedPlatform | None = None

    def default_adapter(self, *, operator: Operator) -> ScriptedPlatform:
        assert self.platform is not None, "no platform is scripted"
        return self.platform

    def get_adapter(self, *, slug: str) -> ScriptedPlatform:
        if self.platform is None or self.platform.slug != slug:
            raise NotFound("There is no such adapter.")
        return self.platform


scripted_registry = ScriptedRegistry()


@pytest.fixture
def platform(settings: Any, operator: Operator) -> Iterator[ScriptedPlatform]:
    """A platform of ``operator`` that the test scripts; bonuses go through it."""
    settings.BONUS_ADAPTERS = "tests.bonuses.conftest.scripted_registry"
    scripted_registry.platform = ScriptedPlatform(slug=f"{operator.slug}-casino")
    yield scripted_registry.platform
    scripted_registry.platform = None


@pytest.fixture
def issue(operator: Operator, actor: Actor, now: datetime) -> Callable[..., Issued]:
    """Return a function that asks for a bonus, under a key of its own unless it is given one."""

    def ask(
        template: BonusTemplate,
        player: Player,
        *,
        key: str = "",
        at: datetime = now,
        deposit_amount: Any = None,
        is_offer: bool = False,
    ) -> Issued:
        key = key or str(uuid4())
        return issue_bonus(
            operator=operator,
            request=BonusRequest(
                template_id=template.pk,
                player_reference=player.reference,
                idempotency_key=key,
                deposit_amount=None if deposit_amount is None else Decimal(deposit_amount),
                is_offer=is_offer,
            ),
            key=IdempotencyKey(value=key, fingerprint=f"{template.pk}:{player.pk}"),
            actor=actor,
            clock=lambda: at,
        )

    return ask
