"""A bonus by hand above the limit waits for a second person, and is then given once."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from approvals.enums import ApprovalStatus
from approvals.errors import ApprovalChanged, SecondPersonRequired
from approvals.models import Approval
from approvals.ports import get_kind
from approvals.services.deciding import apply_approval, asked_of
from bonuses.enums import IssuanceStatus
from bonuses.errors import BonusGrantLimitReached
from bonuses.models import BonusGrant, BonusIssuance, BonusTemplate
from bonuses.ports import PlatformRejected, PlatformUnavailable
from bonuses.services.issuing import Issued
from bonuses.services.manual_grants import issue_or_ask
from bonuses.services.requests import BonusRequest
from core.actors import Actor, ActorKind
from core.idempotency import IdempotencyKey
from core.models import AuditEntry, IdempotencyRecord
from operators.models import Operator
from players.errors import PlayerBlocked
from players.models import Player
from tests.bonuses.conftest import ScriptedPlatform
from tests.factories.approvals import ApprovalSettingsFactory
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory
from wallets.selectors import get_bonus_balances

pytestmark = pytest.mark.django_db

SECOND = Actor(kind=ActorKind.STAFF, ref="8")


@pytest.fixture
def player(operator: Operator) -> Player:
    """A player in euros, each of which is worth 1.25 dollars."""
    ExchangeRateFactory.create(operator=operator)
    return PlayerFactory.create(operator=operator, reference="ada", currency="EUR")


@pytest.fixture
def template(operator: Operator) -> BonusTemplate:
    return big(operator, "400.01")


def big(operator: Operator, amount: str, **terms: Any) -> BonusTemplate:
    """Return a template that gives so many euros."""
    config = {"amount": amount, "currency": "EUR"}
    return BonusTemplateFactory.create(operator=operator, name="Big", config=config, **terms)


def give(
    template: BonusTemplate,
    actor: Actor,
    now: datetime,
    *,
    deposit: str | None = None,
    is_offer: bool = False,
) -> Issued | Approval:
    key = str(uuid4())
    return issue_or_ask(
        operator=template.operator,
        request=BonusRequest(
            template_id=template.pk,
            player_reference="ada",
            idempotency_key=key,
            deposit_amount=None if deposit is None else Decimal(deposit),
            is_offer=is_offer,
            reason="Goodwill",
        ),
        key=IdempotencyKey(value=key, fingerprint="0" * 64),
        actor=actor,
        clock=lambda: now,
    )


def approve(asked: Any, now: datetime, actor: Actor = SECOND) -> Approval:
    return apply_approval(
        operator=asked.operator,
        approval_id=asked.pk,
        fingerprint=asked.fingerprint,
        reason="Agreed",
        actor=actor,
        now=now,
    )


def follow_up(approval: Approval, now: datetime) -> str:
    """Do what the page does once everything is committed."""
    kind = get_kind("manual_grant")
    assert kind.follow_up is not None
    return kind.follow_up(asked=asked_of(approval=approval), clock=lambda: now)


def assert_nothing_given() -> None:
    assert not BonusIssuance.objects.exists()
    assert not IdempotencyRecord.objects.exists()
    assert not AuditEntry.objects.filter(action__startswith="bonus.").exists()


def test_a_second_person_gives_it_and_it_is_granted_once(
    template: BonusTemplate, player: Player, actor: Actor, now: datetime
) -> None:
    asked = give(template, actor, now)
    assert isinstance(asked, Approval)
    assert_nothing_given()

    applied = approve(asked, now)
    written = BonusIssuance.objects.get()
    said = follow_up(applied, now)
    again = follow_up(applied, now)

    assert applied.outcome == "400.01 EUR by Big was given to ada."
    assert (written.status, written.actor_ref) == (IssuanceStatus.PENDING, "8")
    assert (written.granted_by_kind, written.granted_by_ref) == ("staff", "7")
    assert written.references == {"reason": "Goodwill", "approval": str(asked.pk)}
    assert AuditEntry.objects.get(action="bonus.issuance.requested").reason == "Goodwill"
    assert said == again == "The bonus was granted."
    grant = BonusGrant.objects.get()
    assert get_bonus_balances(player=player) == {str(grant.pk): Decimal("400.01")}


def test_the_request_says_what_it_is_bound_to(
    template: BonusTemplate, player: Player, actor: Actor, now: datetime
) -> None:
    give(template, actor, now)

    asked = Approval.objects.get()
    assert (asked.kind, asked.subject_id) == ("manual_grant", str(template.pk))
    assert (asked.amount, asked.currency) == (Decimal("400.01"), "EUR")
    assert asked.payload["player_id"] == "ada"
    assert asked.payload["terms"]["config"] == {"amount": "400.01", "currency": "EUR"}
    assert asked.summary[0] == "Give Big to ada: 400.01 EUR"


def test_up_to_the_limit_one_person_is_enough(
    operator: Operator, player: Player, actor: Actor, now: datetime
) -> None:
    # 400 euros are 500 dollars, which is not above 500 dollars.
    done = give(big(operator, "400.00"), actor, now)

    assert isinstance(done, Issued)
    assert done.issuance.status == IssuanceStatus.SUCCEEDED
    assert not Approval.objects.exists()


def test_an_api_key_is_the_operators_own_system(
    template: BonusTemplate, player: Player, now: datetime
) -> None:
    assert isinstance(give(template, Actor(kind=ActorKind.API_KEY, ref="1"), now), Issued)


def test_without_a_limit_one_person_is_enough(
    template: BonusTemplate, player: Player, actor: Actor, now: datetime
) -> None:
    ApprovalSettingsFactory.create(operator=template.operator, manual_grant_above=None)

    assert isinstance(give(template, actor, now), Issued)


def test_a_match_is_worth_what_it_matches_and_an_offer_its_cap(
    operator: Operator, player: Player, actor: Actor, now: datetime
) -> None:
    config = {"match_percent": "100", "cap_amount": "1000", "currency": "EUR"}
    match = BonusTemplateFactory.create(operator=operator, match=True, name="Match", config=config)

    small = give(match, actor, now, deposit="400")
    large = give(match, actor, now, deposit="400.01")
    offer = give(match, actor, now, is_offer=True)

    assert isinstance(small, Issued)
    assert isinstance(large, Approval)
    assert large.summary[:2] == [
        "Give Match to ada: 400.01 EUR",
        "It matches a deposit of 400.01 EUR.",
    ]
    assert isinstance(offer, Approval)
    assert offer.summary[0] == "Offer Match to ada: up to 1,000.00 EUR"
    applied = approve(offer, now)
    assert applied.outcome == "1,000.00 EUR by Match was offered to ada."
    assert follow_up(applied, now) == "The offer waits for the player's next deposit."
    assert BonusIssuance.objects.awaiting_deposit().count() == 1


def test_a_gift_that_nobody_wagers_says_so(
    operator: Operator, player: Player, actor: Actor, now: datetime
) -> None:
    config = {"amount": "9720.00", "currency": "EUR"}
    gift = BonusTemplateFactory.create(
        operator=operator, name="Gift", config=config, wagering_multiplier=0
    )

    asked = give(gift, actor, now)

    assert isinstance(asked, Approval)
    assert asked.summary == [
        "Give Gift to ada: 9,720.00 EUR",
        "It matches no deposit.",
        "Nothing to wager: it completes as soon as it is active.",
    ]
    # What is bound is as it goes over the wire, however it is told.
    assert asked.payload["amount"] == "9720.00"


def test_whoever_asked_gives_nothing(
    template: BonusTemplate, player: Player, actor: Actor, now: datetime
) -> None:
    asked = give(template, actor, now)

    with pytest.raises(SecondPersonRequired):
        approve(asked, now, actor)

    assert_nothing_given()


def test_what_could_not_be_given_is_not_asked_for(
    template: BonusTemplate, player: Player, actor: Actor, now: datetime
) -> None:
    Player.objects.filter(pk=player.pk).update(is_blocked=True)

    with pytest.raises(PlayerBlocked):
        give(template, actor, now)

    assert not Approval.objects.exists()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda player: Player.objects.filter(pk=player.pk).update(is_blocked=True), PlayerBlocked),
        (
            lambda player: BonusTemplate.objects.update(max_win_cap=1_000_000),
            ApprovalChanged,
        ),
        (
            lambda player: BonusTemplate.objects.update(
                config={"amount": "500.00", "currency": "EUR"}
            ),
            ApprovalChanged,
        ),
    ],
)
def test_what_is_otherwise_by_then_is_refused_and_the_request_goes_on_waiting(
    change: Any,
    refusal: Any,
    template: BonusTemplate,
    player: Player,
    actor: Actor,
    now: datetime,
) -> None:
    asked = give(template, actor, now)
    change(player)

    with pytest.raises(refusal):
        approve(asked, now)

    assert Approval.objects.get().status == ApprovalStatus.REQUESTED
    assert_nothing_given()


def test_more_than_was_asked_for_is_not_given_however_the_rate_moved(
    operator: Operator, player: Player, actor: Actor, now: datetime
) -> None:
    config = {"amount": "501.00", "currency": "USD"}
    template = BonusTemplateFactory.create(
        operator=operator, name="Big", config=config, currency="USD"
    )
    asked = give(template, actor, now)
    later = now + timedelta(hours=1)
    ExchangeRateFactory.create(operator=operator, usd_rate=Decimal("1.24"), valid_from=later)

    with pytest.raises(ApprovalChanged, match="more than was asked for"):
        approve(asked, later)

    assert_nothing_given()
    ExchangeRateFactory.create(operator=operator, usd_rate=Decimal("1.26"), valid_from=later)
    assert approve(asked, later).outcome == "397.61 EUR by Big was given to ada."


def test_a_limit_of_one_grant_counts_two_requests_once(
    operator: Operator, player: Player, actor: Actor, now: datetime
) -> None:
    once = big(operator, "400.01", max_grants_per_player=1)
    first, second = give(once, actor, now), give(once, actor, now)
    approve(first, now)

    with pytest.raises(BonusGrantLimitReached):
        approve(second, now)

    assert BonusIssuance.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (
            PlatformRejected("PLAYER_UNKNOWN", "No such player."),
            IssuanceStatus.REJECTED,
            "The platform rejected it: PLAYER_UNKNOWN.",
        ),
        (
            PlatformUnavailable("It was silent."),
            IssuanceStatus.PENDING,
            "The platform has not answered usably: it is asked again until it does.",
        ),
        (None, IssuanceStatus.SUCCEEDED, "The bonus was granted."),
    ],
)
def test_the_platform_is_asked_after_the_decision_and_never_before(
    answer: Any,
    status: IssuanceStatus,
    said: str,
    template: BonusTemplate,
    player: Player,
    platform: ScriptedPlatform,
    actor: Actor,
    now: datetime,
) -> None:
    platform.answers = [] if answer is None else [answer]
    asked = give(template, actor, now)
    applied = approve(asked, now)
    assert platform.bonuses == {}

    assert follow_up(applied, now) == said

    assert BonusIssuance.objects.get().status == status
