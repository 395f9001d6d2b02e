"""A small world with a row in every table that the back office shows."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.db import transaction

from adapters.models import DeliveryAttempt, WebhookMessage
from approvals.enums import ApprovalStatus
from approvals.models import ApprovalSettings
from bonuses.enums import CampaignStatus, GrantStatus, IssuanceStatus, TargetStatus
from bonuses.models import BonusTemplate, ReconciliationRun
from core import audit
from core.actors import Actor, ActorKind
from core.idempotency import IdempotencyKey
from core.models import BooksCheck
from jackpots.enums import InstanceStatus, Outcome, Role, WinCause, WinStatus
from jackpots.models import (
    Contribution,
    ContributionRequest,
    Instance,
    JackpotSettings,
    MeterHour,
    RollbackLoss,
)
from jackpots.services.contributions import Wager, contribute
from operators.models import Operator
from players.models import Player
from promos.enums import UserPromoStatus
from promos.models import UserPromo
from tests.factories.activity import BetFactory
from tests.factories.adapters import AdapterConfigFactory
from tests.factories.approvals import ApprovalFactory
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    BonusIssuanceFactory,
    BonusTemplateFactory,
    CampaignTargetFactory,
    DiscrepancyFactory,
    PlatformEventFactory,
)
from tests.factories.games import GameFactory
from tests.factories.jackpots import (
    BoostFactory,
    DrawFactory,
    InstanceFactory,
    InstanceLinkFactory,
    OptInFactory,
    PrizeFactory,
    WinFactory,
)
from tests.factories.operators import ApiKeyFactory, ExchangeRateFactory
from tests.factories.players import PlayerFactory, SegmentFactory
from tests.factories.promos import (
    CodeBatchFactory,
    PromoFactory,
    PromoGameFactory,
    UserPromoFactory,
    WithdrawalLockFactory,
)
from tests.factories.simulations import TermsLimitsFactory
from tests.factories.webhooks import WebhookDeliveryFactory, WebhookEndpointFactory
from wallets.enums import AccountKind, Tag
from wallets.services.transfers import AccountKey, Posting, post_transfers


def fill_world(operator: Operator, now: datetime, *, rows: int) -> None:
    """Give the operator ``rows`` more rows in every table that the back office shows."""
    for number in range(rows):
        player = PlayerFactory.create(operator=operator)
        daily = InstanceFactory.create(operator=operator)
        weekly = InstanceFactory.create(operator=operator, opt_in_required=True)
        InstanceLinkFactory.create(source=daily, target=weekly)
        PrizeFactory.create(instance=daily)
        OptInFactory.create(instance=daily, player=player)
        promise_bonus(operator, player, now)
        grant_bonuses(operator, player, now)
        hear_of_a_platform(operator, now, number=player.pk)
        tell_the_operator(operator, now)
        BetFactory.create(operator=operator, player=player)
        give_money(operator, player, now, reference=f"deposit-{player.pk}")
        contribute_to(daily, player, now)
        win_jackpots(operator, player, now)
        ask_a_second_person(operator, player, now)
        GameFactory.create(operator=operator)
        SegmentFactory.create(operator=operator, players=[player])
        ApiKeyFactory.create(operator=operator)
        ExchangeRateFactory.create(operator=operator)
        TermsLimitsFactory.create(operator=operator, label=f"Market {player.pk}")
        Group.objects.create(name=f"Role {player.pk}")
        BooksCheck.objects.create(
            started_at=now, finished_at=now + timedelta(seconds=1), checked_count=number
        )
        with transaction.atomic():
            audit.record_action(
                operator=operator,
                actor=Actor(kind=ActorKind.STAFF, ref="1"),
                action="jackpot.instance.paused",
                subject=daily,
                before={"paused_at": None},
                after={"paused_at": "2026-03-29T00:59:00Z", "pots": [{"name": "main"}]},
                reason="Because",
                now=now,
            )


def win_jackpots(operator: Operator, player: Player, now: datetime) -> None:
    """Let the player win in every way there is, and leave something for staff to decide."""
    instance = InstanceFactory.create(operator=operator, progressive=True, pots=[{"seed": "100"}])
    pot = instance.pots.get()
    for cycle, status in enumerate(WinStatus, start=1):
        WinFactory.create(pot=pot, cycle=cycle, player=player, status=status)
    BoostFactory.create(pot=pot)
    MeterHour.objects.create(pot=pot, hour=now, contributed=1, value=101)
    raffle = InstanceFactory.create(operator=operator, status=InstanceStatus.DRAWN)
    draw = DrawFactory.create(
        instance=raffle,
        requested_at=now,
        drawn_at=now,
        seed="5eed" * 16,
        entries_digest="0" * 64,
        entries_count=1,
        tickets_total=1,
        pot_amount=10,
    )
    WinFactory.create(
        pot=raffle.pots.get(), player=player, cause=WinCause.DRAW, draw=draw, draw_position=1
    )
    DrawFactory.create(instance=InstanceFactory.create(operator=operator))
    ContributionRequest.objects.create(
        operator=operator, instance_id=instance.pk, wager={"player_id": "a"}, received_at=now
    )
    lose_to_a_rollback(instance, player, now)


def ask_a_second_person(operator: Operator, player: Player, now: datetime) -> None:
    """Let one request of each kind wait, and two more be decided."""
    claim = UserPromo.objects.get(player=player)
    template = BonusTemplate.objects.filter(operator=operator).latest("pk")
    instance = Instance.objects.filter(operator=operator, kind="progressive").latest("pk")
    given = {"operator": operator, "requested_at": now}
    ApprovalFactory.create(**given, subject=claim)
    ApprovalFactory.create(
        **given,
        subject=template,
        kind="manual_grant",
        payload={
            "template": template.name,
            "player_id": player.reference,
            "deposit_amount": None,
            "is_offer": False,
            "amount": "600.00",
            "currency": "USD",
            "terms": {},
        },
    )
    ApprovalFactory.create(
        **given,
        subject=instance,
        kind="live_terms",
        payload={"instance": instance.name, "currency": "EUR", "before": [], "wanted": []},
        amount=None,
        currency="",
    )
    for status in (ApprovalStatus.APPLIED, ApprovalStatus.REJECTED):
        ApprovalFactory.create(**given, subject=claim, decided=status)
    ApprovalSettings.objects.get_or_create(operator=operator)
    JackpotSettings.objects.get_or_create(operator=operator)


def lose_to_a_rollback(instance: Instance, player: Player, now: datetime) -> RollbackLoss:
    """Roll a contribution back whose pot has been won."""
    given: dict[str, Any] = {
        "operator": instance.operator,
        "instance": instance,
        "player": player,
        "position": 0,
        "role": Role.MAIN,
        "base_wager": 100,
        "base_currency": "EUR",
        "rate": 1,
        "amount": 1,
        "currency": "EUR",
        "created_at": now,
        "xid": 3,
    }
    number = Contribution.objects.filter(instance=instance, player=player).count()
    original = Contribution.objects.create(
        **given, number=number + 1, request_id=uuid4(), status=Outcome.ACCEPTED, pot_amounts=[1]
    )
    reversal = Contribution.objects.create(
        **given,
        number=number + 2,
        request_id=uuid4(),
        status=Outcome.REVERSAL,
        pot_amounts=[],
        reverses=original,
    )
    return RollbackLoss.objects.create(
        operator=instance.operator,
        reversal=reversal,
        pot=instance.pots.get(),
        amount=1,
        currency="EUR",
        created_at=now,
    )


def promise_bonus(operator: Operator, player: Player, now: datetime) -> None:
    """Let the player claim a promo that has a game and a batch, and lock their withdrawals."""
    promo = PromoFactory.create(operator=operator)
    PromoGameFactory.create(promo=promo)
    PromoFactory.create(operator=operator, instant=True, claims_left=3)
    CodeBatchFactory.create(promo=promo)
    claim = UserPromoFactory.create(promo=promo, player=player, status=UserPromoStatus.ACTIVE)
    WithdrawalLockFactory.create(user_promo=claim, until=now + timedelta(days=1))


def grant_bonuses(operator: Operator, player: Player, now: datetime) -> None:
    """Give the player grants of both kinds, what platforms said of them, and campaigns."""
    template = BonusTemplateFactory.create(operator=operator)
    made = {"asked_template": template, "asked_player": player}
    BonusGrantFactory.create(**made)
    BonusGrantFactory.create(**made, status=GrantStatus.COMPLETED)
    outside = BonusGrantFactory.create(**made, external=True)
    PlatformEventFactory.create(grant=outside)
    DiscrepancyFactory.create(grant=outside)
    ReconciliationRun.objects.create(
        status="finished", started_at=now, touched_at=now, finished_at=now
    )
    BonusIssuanceFactory.create(template=template, player=player, external=True)
    BonusIssuanceFactory.create(
        template=BonusTemplateFactory.create(operator=operator, match=True),
        player=player,
        status=IssuanceStatus.AWAITING_DEPOSIT,
    )
    # Types differ on their own pages only: one of each kind will do.
    if not BonusTemplate.objects.filter(type="cashback").exists():
        for kind in ("spins", "cashback", "reload"):
            BonusTemplateFactory.create(operator=operator, **{kind: True})
    BonusCampaignFactory.create(operator=operator, template=template)
    issuing = BonusCampaignFactory.create(
        operator=operator,
        template=template,
        status=CampaignStatus.ISSUING,
        audience_size=2,
        started_at=now,
    )
    CampaignTargetFactory.create(campaign=issuing, player=player)
    CampaignTargetFactory.create(
        campaign=issuing,
        status=TargetStatus.SKIPPED,
        reason_code="PLAYER_BLOCKED",
        settled_at=now,
    )


def hear_of_a_platform(operator: Operator, now: datetime, *, number: int) -> None:
    """Connect the operator to a platform that has sent something that is no event."""
    platform = AdapterConfigFactory.create(operator=operator)
    WebhookMessage.objects.create(
        operator=operator,
        adapter_slug=platform.slug,
        webhook_id=f"message-{number}",
        signed_at=now,
        signatures="v1,c2lnbmF0dXJl",
        body=b"<b>not JSON</b>",
        digest="0" * 64,
        outcome="refused",
        status_code=422,
        detail="INVALID_EVENT: The body is not JSON.",
        received_at=now,
        last_received_at=now,
    )


def tell_the_operator(operator: Operator, now: datetime) -> None:
    """Send the operator's endpoints messages that were taken, and one that was not."""
    endpoint = WebhookEndpointFactory.create(operator=operator)
    WebhookDeliveryFactory.create(endpoint=endpoint, status="delivered")
    failing = WebhookEndpointFactory.create(operator=operator, failing_since=now)
    delivery = WebhookDeliveryFactory.create(
        endpoint=failing, attempts=1, last_status_code=500, last_error="It answered 500."
    )
    DeliveryAttempt.objects.create(
        delivery=delivery, at=now, status_code=500, duration_ms=7, excerpt="<b>down</b>"
    )


def contribute_to(
    instance: Instance, player: Player, now: datetime, *, wager: Decimal = Decimal(100)
) -> None:
    """Contribute once, links followed."""
    contribute(
        operator=instance.operator,
        instance_id=instance.pk,
        wager=Wager(player_reference=player.reference, base_wager=wager, currency="EUR"),
        follow_links=True,
        key=IdempotencyKey(value=f"{instance.pk}-{player.pk}-{wager}", fingerprint="0" * 64),
        now=now,
    )


@transaction.atomic
def give_money(operator: Operator, player: Player, now: datetime, *, reference: str) -> None:
    """Deposit 25 for the player."""
    posting = Posting(
        debit=AccountKey(kind=AccountKind.HOUSE_CASH, currency=player.currency),
        credit=AccountKey(
            kind=AccountKind.PLAYER_MAIN, currency=player.currency, player_id=player.pk
        ),
        amount=Decimal(25),
        tag=Tag.DEPOSIT,
        reference=reference,
    )
    post_transfers(operator=operator, postings=[posting], now=now)
