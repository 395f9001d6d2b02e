"""Who may have a bonus: the player, the template, the deposit, and the limit on how often."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from bonuses.enums import GrantStatus, IssuanceStatus
from bonuses.errors import (
    AdapterRejected,
    AdapterUnavailable,
    BonusDepositAmountRequired,
    BonusGrantLimitReached,
    BonusNotEligible,
    BonusTemplateNotActive,
    BonusTemplateNotFound,
)
from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate
from bonuses.ports import PlatformRejected, PlatformUnavailable
from bonuses.services import closing, issuing
from bonuses.services.issuing import Issued
from core.actors import Actor
from core.errors import DomainError, InvalidRequest, NotFound
from core.models import AuditEntry, IdempotencyRecord, OutboxMessage
from operators.errors import ExchangeRateMissing
from operators.models import Operator
from players.errors import PlayerBlocked, PlayerSelfExcluded
from players.models import Player
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.players import PlayerFactory
from wallets.models import Account, Transfer

pytestmark = pytest.mark.django_db

Issue = Callable[..., Issued]
ABSENT = UUID("019a0000-0000-7000-8000-000000000000")
TICK = timedelta(microseconds=1)


def assert_refused(refusal: type[DomainError], issue: Callable[[], Issued]) -> None:
    """Expect a refusal, and that nothing at all was written because of it."""
    models = (
        BonusIssuance, BonusGrant, Account, Transfer, AuditEntry, OutboxMessage, IdempotencyRecord,
    )  # fmt: skip
    before = [list(model.objects.order_by("pk").values()) for model in models]

    with pytest.raises(refusal):
        issue()

    assert [list(model.objects.order_by("pk").values()) for model in models] == before


def change(row: Any, **values: Any) -> Any:
    type(row).objects.filter(pk=row.pk).update(**values)
    return type(row).objects.get(pk=row.pk)


# The template and the player


def test_control_an_ordinary_player_has_an_ordinary_bonus(
    issue: Issue, template: BonusTemplate, player: Player
) -> None:
    assert issue(template, player).issuance.status == IssuanceStatus.SUCCEEDED


def test_an_unknown_template_is_not_found(
    issue: Issue, template: BonusTemplate, player: Player
) -> None:
    template.pk = ABSENT

    assert_refused(BonusTemplateNotFound, lambda: issue(template, player))


def test_anothers_template_is_not_found(issue: Issue, player: Player) -> None:
    theirs = BonusTemplateFactory.create()

    assert_refused(BonusTemplateNotFound, lambda: issue(theirs, player))


def test_anothers_player_is_not_found(issue: Issue, template: BonusTemplate) -> None:
    theirs = PlayerFactory.create(reference="mallory")

    assert_refused(NotFound, lambda: issue(template, theirs))


def test_nothing_is_issued_from_a_template_that_is_switched_off(
    issue: Issue, template: BonusTemplate, player: Player
) -> None:
    off = change(template, is_active=False)

    assert_refused(BonusTemplateNotActive, lambda: issue(off, player))


def test_a_blocked_player_has_none(issue: Issue, template: BonusTemplate, player: Player) -> None:
    blocked = change(player, is_blocked=True)

    assert_refused(PlayerBlocked, lambda: issue(template, blocked))


def test_a_self_excluded_player_has_none_until_the_exclusion_is_over(
    issue: Issue, template: BonusTemplate, player: Player, now: datetime
) -> None:
    excluded = change(player, self_excluded_until=now + TICK)

    assert_refused(PlayerSelfExcluded, lambda: issue(template, excluded))
    # The bound is exclusive.
    assert issue(template, excluded, at=now + TICK).issuance.status == IssuanceStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("player_changes", "refusal"),
    [({"is_blocked": True}, PlayerBlocked), ({"self_excluded": True}, PlayerSelfExcluded)],
)
def test_neither_of_them_has_an_offer(
    player_changes: dict[str, Any],
    refusal: type[DomainError],
    issue: Issue,
    operator: Operator,
    player: Player,
    now: datetime,
) -> None:
    match = BonusTemplateFactory.create(operator=operator, match=True)
    if player_changes.pop("self_excluded", False):
        player_changes["self_excluded_until"] = now + TICK
    change(player, **player_changes)

    assert_refused(refusal, lambda: issue(match, player, is_offer=True))


@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY"])
def test_a_currency_without_a_rate_has_none(
    currency: str, issue: Issue, operator: Operator, player: Player
) -> None:
    config = {"amount": "10", "currency": currency}
    template = BonusTemplateFactory.create(operator=operator, currency=currency, config=config)

    if currency == "JPY":
        assert_refused(ExchangeRateMissing, lambda: issue(template, player))
    else:
        assert issue(template, player).issuance.status == IssuanceStatus.SUCCEEDED


def test_a_bonus_of_nothing_is_none(issue: Issue, operator: Operator, player: Player) -> None:
    match = BonusTemplateFactory.create(operator=operator, match=True)
    config = {**match.config, "match_percent": "1"}
    match = change(match, config=config)

    assert_refused(BonusNotEligible, lambda: issue(match, player, deposit_amount="0.99"))
    assert issue(match, player, deposit_amount="1.00").issuance.status == IssuanceStatus.SUCCEEDED


# The deposit


@pytest.mark.parametrize("trait", ["match", "reload"])
def test_a_match_needs_the_amount_of_its_deposit(
    trait: str, issue: Issue, operator: Operator, player: Player
) -> None:
    template = BonusTemplateFactory.create(operator=operator, **{trait: True})

    assert_refused(BonusDepositAmountRequired, lambda: issue(template, player))


@pytest.mark.parametrize("trait", [{}, {"spins": True}, {"cashback": True}])
def test_what_matches_no_deposit_takes_no_amount(
    trait: dict[str, bool], issue: Issue, operator: Operator, player: Player
) -> None:
    template = BonusTemplateFactory.create(operator=operator, **trait)

    assert_refused(InvalidRequest, lambda: issue(template, player, deposit_amount="10.00"))
    assert_refused(InvalidRequest, lambda: issue(template, player, is_offer=True))


def test_a_deposit_has_no_more_decimals_than_the_wallet(
    issue: Issue, operator: Operator, player: Player
) -> None:
    match = BonusTemplateFactory.create(operator=operator, match=True)

    assert_refused(InvalidRequest, lambda: issue(match, player, deposit_amount="10.001"))


def test_a_reload_needs_an_earlier_deposit(
    issue: Issue, operator: Operator, player: Player
) -> None:
    reload = BonusTemplateFactory.create(operator=operator, reload=True)

    assert_refused(BonusNotEligible, lambda: issue(reload, player, deposit_amount="50.00"))
    change(player, deposit_count=1)
    issued = issue(reload, player, deposit_amount="50.00").issuance
    assert issued.locked_terms().bonus_amount == 25


def test_a_first_deposit_match_needs_none(issue: Issue, operator: Operator, player: Player) -> None:
    match = BonusTemplateFactory.create(operator=operator, match=True)

    issued = issue(match, player, deposit_amount="100.00").issuance

    assert issued.locked_terms().wagering_required == 6000


# The limit


@pytest.fixture
def once(operator: Operator) -> BonusTemplate:
    return BonusTemplateFactory.create(operator=operator, max_grants_per_player=1)


def end(grant: BonusGrant, status: GrantStatus, actor: Actor, now: datetime) -> None:
    service = closing.cancel_grant if status == GrantStatus.CANCELLED else closing.forfeit_grant
    with transaction.atomic():
        service(operator=grant.operator, grant_id=grant.pk, reason="x", actor=actor, now=now)


def test_a_player_has_a_bonus_as_often_as_its_template_allows(
    issue: Issue, operator: Operator, player: Player
) -> None:
    thrice = BonusTemplateFactory.create(operator=operator, max_grants_per_player=3)

    for _ in range(3):
        issue(thrice, player)

    assert_refused(BonusGrantLimitReached, lambda: issue(thrice, player))
    assert BonusGrant.objects.count() == 3


def test_without_a_limit_a_player_has_any_number(
    issue: Issue, template: BonusTemplate, player: Player
) -> None:
    for _ in range(5):
        issue(template, player)

    assert BonusGrant.objects.count() == 5


def test_other_players_and_other_templates_do_not_count(
    issue: Issue, once: BonusTemplate, operator: Operator, player: Player
) -> None:
    other = BonusTemplateFactory.create(operator=operator, max_grants_per_player=1)
    issue(once, player)

    issue(other, player)
    issue(once, PlayerFactory.create(operator=operator))

    assert BonusGrant.objects.count() == 3


@pytest.mark.parametrize("status", [GrantStatus.CANCELLED, GrantStatus.FORFEITED])
def test_a_grant_that_has_ended_counts(
    status: GrantStatus,
    issue: Issue,
    once: BonusTemplate,
    player: Player,
    actor: Actor,
    now: datetime,
) -> None:
    issue(once, player)

    end(BonusGrant.objects.get(), status, actor, now)

    assert BonusGrant.objects.get().status == status
    assert_refused(BonusGrantLimitReached, lambda: issue(once, player))


def test_a_bonus_that_is_still_being_issued_counts(
    issue: Issue, platform: ScriptedPlatform, once: BonusTemplate, player: Player
) -> None:
    platform.answers = [PlatformUnavailable("It did not answer.")]
    with pytest.raises(AdapterUnavailable):
        issue(once, player)

    assert BonusGrant.objects.exists() is False
    assert_refused(BonusGrantLimitReached, lambda: issue(once, player))
    assert len(platform.orders) == 1


def test_an_offer_that_waits_counts(issue: Issue, operator: Operator, player: Player) -> None:
    match = BonusTemplateFactory.create(operator=operator, match=True, max_grants_per_player=1)
    issue(match, player, is_offer=True)

    assert_refused(BonusGrantLimitReached, lambda: issue(match, player, is_offer=True))
    assert_refused(BonusGrantLimitReached, lambda: issue(match, player, deposit_amount="10.00"))


def test_all_of_them_count_together(
    issue: Issue, platform: ScriptedPlatform, operator: Operator, player: Player
) -> None:
    match = BonusTemplateFactory.create(operator=operator, match=True, max_grants_per_player=3)
    issue(match, player, is_offer=True)
    issue(match, player, deposit_amount="10.00")
    platform.answers = [PlatformUnavailable("It did not answer.")]
    with pytest.raises(AdapterUnavailable):
        issue(match, player, deposit_amount="20.00")

    assert_refused(BonusGrantLimitReached, lambda: issue(match, player, deposit_amount="30.00"))
    assert sorted(BonusIssuance.objects.values_list("status", flat=True)) == [
        "awaiting_deposit",
        "pending",
        "succeeded",
    ]


def test_a_bonus_that_never_came_to_be_does_not_count(
    issue: Issue,
    platform: ScriptedPlatform,
    once: BonusTemplate,
    operator: Operator,
    player: Player,
    actor: Actor,
    now: datetime,
) -> None:
    platform.answers = [PlatformRejected("NO"), PlatformUnavailable("It did not answer.")]
    with pytest.raises(AdapterRejected):
        issue(once, player)
    with pytest.raises(AdapterUnavailable):
        issue(once, player)
    issuing.give_up_issuance(
        operator=operator,
        issuance_id=BonusIssuance.objects.get(status=IssuanceStatus.PENDING).pk,
        reason="Agreed.",
        actor=actor,
        clock=lambda: now,
    )

    assert issue(once, player).issuance.status == IssuanceStatus.SUCCEEDED


def test_the_key_of_a_bonus_hears_of_it_although_the_limit_is_reached(
    issue: Issue, once: BonusTemplate, player: Player
) -> None:
    first = issue(once, player, key="once")

    again = issue(once, player, key="once")

    assert (again.issuance, again.is_replay) == (first.issuance, True)


def test_a_limit_that_is_lowered_counts_what_was_given_before(
    issue: Issue, template: BonusTemplate, player: Player
) -> None:
    issue(template, player)
    issue(template, player)

    limited = change(template, max_grants_per_player=2)

    assert_refused(BonusGrantLimitReached, lambda: issue(limited, player))
