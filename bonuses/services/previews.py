"""What a campaign would do now: reads only, and set by set, so that 100,000 players are fast."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, Count, Max, Value, When

from bonuses.enums import BonusType, GrantStatus, IssuanceStatus
from bonuses.errors import BonusGrantLimitReached, BonusNotEligible, BonusTemplateNotActive
from bonuses.models import BonusCampaign, BonusGrant, BonusIssuance, BonusTemplate
from bonuses.ports import get_settled_losses
from bonuses.rules.costs import most_a_match_costs
from bonuses.rules.terms import Loss, compute_terms
from bonuses.selectors import COUNTED_STATUSES, find_usd_rates, get_campaign
from core import money
from operators.errors import ExchangeRateMissing
from operators.models import Operator
from players.errors import PlayerBlocked, PlayerSelfExcluded
from players.selectors import list_segment_players

#: Losses are summed for so many players at a time.
LOSSES_PER_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class CampaignPreview:
    """
    What a start at this instant would come to, platforms willing.

    ``cost_base`` is in the base currency, at the rates of now; where a bonus matches a
    deposit that nobody knows yet it is what the caps allow. ``skips`` is by error code.
    """

    audience_size: int
    eligible_count: int
    cost_base: Decimal
    base_currency: str
    is_upper_bound: bool
    skips: dict[str, int]


@dataclass(slots=True)
class _Tally:
    eligible_count: int
    cost_base: Decimal
    skips: Counter[str]


def preview_campaign(*, operator: Operator, campaign_id: UUID, now: datetime) -> CampaignPreview:
    """
    Return what starting the campaign now would give, cost and skip. Nothing is written.

    :raises NotFound: if the operator has no such campaign.
    :raises BonusTemplateNotActive: if its template is switched off.
    """
    campaign = get_campaign(operator=operator, campaign_id=campaign_id)
    template = campaign.template
    if not template.is_active:
        raise BonusTemplateNotActive("The campaign's bonus template is not active.")
    audience = _judged(campaign, now=now)
    tally = _Tally(eligible_count=0, cost_base=Decimal(0), skips=Counter())
    open_currencies: list[str] = []
    audience_size = 0
    grouped = audience.order_by().values_list("currency", "refusal").annotate(count=Count("pk"))
    for currency, refusal, count in grouped:
        audience_size += count
        if refusal:
            tally.skips[refusal] += count
        elif template.type == BonusType.CASHBACK:
            open_currencies.append(currency)
        else:
            _add(tally, count, _cost_of_one(operator, template, currency, now=now))
    for currency in open_currencies:
        _add_cashback(tally, operator, template, audience, currency, now=now)
    return CampaignPreview(
        audience_size=audience_size,
        eligible_count=tally.eligible_count,
        cost_base=tally.cost_base,
        base_currency=operator.base_currency,
        is_upper_bound=template.needs_deposit,
        skips=dict(sorted(tally.skips.items())),
    )


def _judged(campaign: BonusCampaign, *, now: datetime) -> Any:
    """Return the audience; ``refusal`` is the code that request_bonus would raise, or empty."""
    whens = [
        When(is_blocked=True, then=Value(PlayerBlocked.code)),
        When(self_excluded_until__gt=now, then=Value(PlayerSelfExcluded.code)),
    ]
    most = campaign.template.max_grants_per_player
    if most is not None:
        counted = BonusIssuance.objects.filter(
            template_id=campaign.template_id, status__in=COUNTED_STATUSES
        )
        full = counted.values("player_id").annotate(n=Count("pk")).filter(n__gte=most)
        whens.append(When(pk__in=full.values("player_id"), then=Value(BonusGrantLimitReached.code)))
    return list_segment_players(segment=campaign.segment).annotate(
        refusal=Case(*whens, default=Value(""), output_field=CharField())
    )


def _add(tally: _Tally, count: int, cost: Decimal | str) -> None:
    if isinstance(cost, str):
        tally.skips[cost] += count
        return
    tally.eligible_count += count
    tally.cost_base += count * cost


def _cost_of_one(
    operator: Operator, template: BonusTemplate, currency: str, *, now: datetime
) -> Decimal | str:
    """Return what one bonus in that currency costs, or the code of its refusal."""
    currencies = (template.currency, currency, operator.base_currency)
    try:
        rates = find_usd_rates(operator=operator, currencies=currencies, now=now)
    except ExchangeRateMissing as missing:
        return missing.code
    if template.needs_deposit:
        return most_a_match_costs(
            template=template,
            wallet_currency=currency,
            base_currency=operator.base_currency,
            usd_rates=rates,
        )
    terms = compute_terms(
        template=template,
        wallet_currency=currency,
        base_currency=operator.base_currency,
        usd_rates=rates,
        deposit_amount=None,
        loss=None,
        now=now,
    )
    return terms.bonus_amount_base if terms.bonus_amount else BonusNotEligible.code


def _add_cashback(
    tally: _Tally,
    operator: Operator,
    template: BonusTemplate,
    audience: Any,
    currency: str,
    *,
    now: datetime,
) -> None:
    currencies = (template.currency, currency, operator.base_currency)
    open_players = audience.filter(currency=currency, refusal="")
    try:
        rates = find_usd_rates(operator=operator, currencies=currencies, now=now)
    except ExchangeRateMissing as missing:
        tally.skips[missing.code] += open_players.count()
        return
    to_template = money.cross_rate(rates[currency], rates[template.currency])
    least = Decimal(template.config["min_loss"])
    for page in _pages(open_players):
        for loss in _losses(operator, template, page, currency, now=now):
            cost: Decimal | str = BonusNotEligible.code
            if loss.amount > 0 and money.convert(loss.amount, to_template) >= least:
                terms = compute_terms(
                    template=template,
                    wallet_currency=currency,
                    base_currency=operator.base_currency,
                    usd_rates=rates,
                    deposit_amount=None,
                    loss=loss,
                    now=now,
                )
                cost = terms.bonus_amount_base if terms.bonus_amount else cost
            _add(tally, 1, cost)


def _pages(players: Any) -> Iterator[list[int]]:
    last = 0
    while page := list(
        players.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:LOSSES_PER_PAGE]
    ):
        yield page
        last = page[-1]


def _losses(
    operator: Operator,
    template: BonusTemplate,
    player_ids: Sequence[int],
    currency: str,
    *,
    now: datetime,
) -> Iterator[Loss]:
    """Yield what each player may be paid back from, as bonuses.services.eligibility has it."""
    window_start = now - timedelta(days=int(template.config["window_days"]))
    paid_until = _paid_back_until(player_ids)
    since_of = {
        (player_id, currency): max(window_start, paid_until.get(player_id, window_start))
        for player_id in player_ids
    }
    amounts = get_settled_losses()(operator=operator, since_of=since_of, until=now)
    for (player_id, _currency), since in since_of.items():
        yield Loss(amount=amounts[player_id], since=since, until=now)


def _paid_back_until(player_ids: Sequence[int]) -> dict[int, datetime]:
    # A range, not a list: the ids are in order, and thousands of parameters cost seconds.
    span = {"player_id__gte": player_ids[0], "player_id__lte": player_ids[-1]}
    granted = (
        BonusGrant.objects.filter(**span, loss_until__isnull=False)
        .exclude(status=GrantStatus.CANCELLED)
        .order_by()
        .values_list("player_id")
        .annotate(until=Max("loss_until"))
    )
    found = dict(granted)
    pending = BonusIssuance.objects.filter(
        **span,
        status=IssuanceStatus.PENDING,
        template__type=BonusType.CASHBACK,
    )
    for player_id, terms in pending.values_list("player_id", "terms"):
        if terms and terms["loss_until"]:
            until = datetime.fromisoformat(terms["loss_until"])
            found[player_id] = max(until, found.get(player_id, until))
    return found
