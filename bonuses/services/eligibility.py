"""Who may have a bonus: the player, the template's limit, and what the type needs."""

from datetime import datetime, timedelta
from decimal import Decimal

from bonuses.enums import BonusType
from bonuses.errors import (
    BonusDepositAmountRequired,
    BonusGrantLimitReached,
    BonusNotEligible,
    BonusTemplateNotActive,
)
from bonuses.models import BonusTemplate
from bonuses.ports import get_settled_losses
from bonuses.rules.terms import Loss, Terms, compute_terms
from bonuses.selectors import count_issuances, find_paid_back_until, find_usd_rates
from core import money
from core.errors import InvalidRequest
from operators.models import Operator
from players.errors import PlayerBlocked, PlayerSelfExcluded
from players.models import Player


def refuse_ineligible(*, template: BonusTemplate, player: Player, now: datetime) -> None:
    """
    Do nothing if the player may have one more bonus of the template.

    The caller holds the player's lock (locks.AdvisoryLock.BONUS_PLAYER), so that of many
    requests at once none counts without the others.

    :raises BonusTemplateNotActive: if the template is switched off.
    :raises PlayerBlocked: if the operator has blocked the player.
    :raises PlayerSelfExcluded: if the player has excluded themselves.
    :raises BonusGrantLimitReached: if the player has had it as often as it allows.
    """
    if not template.is_active:
        raise BonusTemplateNotActive("The bonus template is not active.")
    if player.is_blocked:
        raise PlayerBlocked("The player is blocked.")
    if player.is_self_excluded(now=now):
        raise PlayerSelfExcluded("The player is self-excluded.")
    most = template.max_grants_per_player
    if most is not None and count_issuances(template=template, player=player) >= most:
        often = "once" if most == 1 else f"{most} times at most"
        raise BonusGrantLimitReached(f"A player may have this bonus {often}.")


def refuse_deposit_amount(
    *, template: BonusTemplate, player: Player, deposit_amount: Decimal | None, is_offer: bool
) -> None:
    """
    Do nothing if a deposit is named exactly where there has to be one.

    :raises BonusDepositAmountRequired: if the bonus matches a deposit and none is named.
    :raises InvalidRequest: if one is named, or waited for, that nothing matches; or if the
        player's currency has fewer decimals.
    """
    if not template.needs_deposit:
        field = "await_deposit" if is_offer else "deposit_amount"
        if is_offer or deposit_amount is not None:
            raise InvalidRequest.for_field(field, "This bonus does not match a deposit.")
        return
    if is_offer:
        return
    if deposit_amount is None:
        raise BonusDepositAmountRequired(
            "This bonus matches a deposit: send deposit_amount, or await_deposit."
        )
    unit = money.get_currency(player.currency)
    if not money.has_only_minor_units(deposit_amount, unit):
        raise InvalidRequest.for_field(
            "deposit_amount", f"{unit.code} has {unit.decimals} decimals; the amount has more."
        )


def work_out_terms(
    *,
    operator: Operator,
    template: BonusTemplate,
    player: Player,
    deposit_amount: Decimal | None,
    now: datetime,
) -> Terms:
    """
    Return the terms of a bonus that is issued at ``now``, its rates locked.

    :raises BonusNotEligible: if the type needs something that the player does not have, or
        the bonus would be nothing.
    :raises ExchangeRateMissing: if a currency has no rate.
    """
    if template.type == BonusType.RELOAD and player.deposit_count == 0:
        raise BonusNotEligible("A reload bonus needs an earlier deposit.")
    rates = find_usd_rates(
        operator=operator,
        currencies=(template.currency, player.currency, operator.base_currency),
        now=now,
    )
    loss = None
    if template.type == BonusType.CASHBACK:
        loss = _loss_to_pay_back(operator, template, player, now=now)
        # Compared in the template's currency, where the bound was set.
        rate = money.cross_rate(rates[player.currency], rates[template.currency])
        least = Decimal(template.config["min_loss"])
        if loss.amount <= 0 or money.convert(loss.amount, rate) < least:
            raise BonusNotEligible(
                f"Cashback needs a loss of {least} {template.currency} within "
                f"{template.config['window_days']} days that has not been paid back."
            )
    terms = compute_terms(
        template=template,
        wallet_currency=player.currency,
        base_currency=operator.base_currency,
        usd_rates=rates,
        deposit_amount=deposit_amount,
        loss=loss,
        now=now,
    )
    if terms.bonus_amount == 0:
        raise BonusNotEligible(f"The bonus would be less than any {player.currency} there is.")
    return terms


def _loss_to_pay_back(
    operator: Operator, template: BonusTemplate, player: Player, *, now: datetime
) -> Loss:
    since = now - timedelta(days=int(template.config["window_days"]))
    paid_back_until = find_paid_back_until(player=player)
    if paid_back_until is not None:
        since = max(since, paid_back_until)
    losses = get_settled_losses()(
        operator=operator, since_of={(player.pk, player.currency): since}, until=now
    )
    return Loss(amount=losses[player.pk], since=since, until=now)
