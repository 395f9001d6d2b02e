"""
The templates of an operator: made, changed, switched on and off.

A grant has a copy of its terms, so a change is for later grants only.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from bonuses.enums import BonusType, WageringBasis
from bonuses.errors import BonusConfigInvalid
from bonuses.models import BonusTemplate
from bonuses.rules import configs
from bonuses.rules.configs import Mistake, NumericTerms
from core import audit, locks
from core.actors import Actor
from core.errors import InvalidRequest
from core.money import format_decimal
from operators.models import Operator

#: Terms by the API's names, and the column of each.
_COLUMNS = {
    "name": "name",
    "config": "config",
    "wagering_requirement_multiplier": "wagering_multiplier",
    "wagering_basis": "wagering_basis",
    "game_contribution": "game_contribution",
    "max_bet": "max_bet",
    "max_win_cap": "max_win_cap",
    "time_limit_hours": "time_limit_hours",
    "max_grants_per_player": "max_grants_per_player",
    "is_active": "is_active",
}
#: What may be changed whatever the terms are: a template whose terms would be refused today can
#: still be switched off.
_BESIDE_THE_TERMS = frozenset({"name", "is_active"})
#: Every term that may be set; the type only when the template is made.
TERM_FIELDS = tuple(_COLUMNS)
#: What a term is that the maker of a template leaves out.
DEFAULT_TERMS: dict[str, Any] = {
    "config": None,
    "wagering_basis": WageringBasis.BONUS.value,
    "game_contribution": configs.EVERY_GAME_COUNTS,
    "max_bet": None,
    "max_win_cap": None,
    "time_limit_hours": None,
    "max_grants_per_player": None,
    "is_active": True,
}
# A body of nothing but mistakes must not be answered with many times its size.
MISTAKES_TOLD_MAX = 200


@transaction.atomic(durable=True)
def create_template(
    *,
    operator: Operator,
    bonus_type: BonusType,
    terms: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> BonusTemplate:
    """
    Make a template of ``terms`` (see TERM_FIELDS); left out, a term is as DEFAULT_TERMS says.

    :raises BonusConfigInvalid: if the config or the basis cannot be, or an amount is above
        configs.AMOUNT_MAX; it names every field.
    :raises InvalidRequest: if another term cannot be; it names every field.
    """
    template = BonusTemplate(operator=operator, type=bonus_type, created_at=now)
    _set(template, {**DEFAULT_TERMS, **terms})
    template.save(force_insert=True)
    audit.record_action(
        operator=operator,
        actor=actor,
        action="bonus.template.created",
        subject=template,
        after={"type": template.type, **_told(_terms_of(template))},
        now=now,
    )
    return template


@transaction.atomic(durable=True)
def update_template(
    *,
    operator: Operator,
    template_id: UUID,
    changes: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> BonusTemplate:
    """
    Change those terms of a template that ``changes`` names; grants keep the ones they have.

    A config is replaced as a whole. A call that changes nothing leaves no trace. The terms are
    checked together, unless only the name or the switch is changed.

    :raises NotFound: if the operator has no such template.
    :raises BonusConfigInvalid: if the config or the basis cannot be, or an amount is above
        configs.AMOUNT_MAX; it names every field.
    :raises InvalidRequest: if another term cannot be; it names every field.
    :raises ResourceBusy: if the template is in use; nothing was changed.
    """
    template = locks.lock_one(BonusTemplate.objects.for_operator(operator).filter(pk=template_id))
    template.operator = operator
    before = _told(_terms_of(template))
    if set(changes) <= _BESIDE_THE_TERMS:
        for name, value in changes.items():
            setattr(template, _COLUMNS[name], value)
    else:
        _set(template, {**_terms_of(template), **changes})
    after = _told(_terms_of(template))
    changed = [name for name in TERM_FIELDS if before[name] != after[name]]
    if not changed:
        return template
    columns = [_COLUMNS[name] for name in changed]
    template.save(update_fields=[*columns, *(["currency"] if "config" in changed else [])])
    audit.record_action(
        operator=operator,
        actor=actor,
        action="bonus.template.changed",
        subject=template,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        reason=reason,
        now=now,
    )
    return template


def _set(template: BonusTemplate, terms: Mapping[str, Any]) -> None:
    """Set all the terms, or refuse them with everything that is wrong."""
    kind = BonusType(template.type)
    config, wrong_config = configs.clean_config(kind, terms["config"])
    weights, wrong_weights = configs.clean_game_contribution(terms["game_contribution"])
    mistakes = [
        *wrong_config,
        *wrong_weights,
        *configs.check_terms(kind=kind, config=config, terms=_numeric(terms)),
    ]
    if mistakes:
        raise _refusal(mistakes)
    for name, value in {**terms, "config": config, "game_contribution": weights}.items():
        setattr(template, _COLUMNS[name], value)
    template.currency = configs.currency_of(config)


def _numeric(terms: Mapping[str, Any]) -> NumericTerms:
    return NumericTerms(**{name: terms[name] for name in NumericTerms.__dataclass_fields__})


def _refusal(mistakes: Sequence[Mistake]) -> InvalidRequest | BonusConfigInvalid:
    detail = "One or more fields are invalid."
    errors = [
        {"pointer": mistake.pointer, "code": mistake.code, "detail": mistake.detail}
        for mistake in mistakes[:MISTAKES_TOLD_MAX]
    ]
    if all(map(_is_of_config, mistakes)):
        return BonusConfigInvalid(detail, errors=errors)
    return InvalidRequest(detail, errors=errors)


def _is_of_config(mistake: Mistake) -> bool:
    """Tell whether the template cannot be, rather than the request."""
    if mistake.pointer in ("/max_bet", "/max_win_cap"):
        return mistake.code == configs.AMOUNT_TOO_LARGE
    return mistake.pointer.startswith(("/config", "/wagering_basis"))


def _terms_of(template: BonusTemplate) -> dict[str, Any]:
    return {name: getattr(template, column) for name, column in _COLUMNS.items()}


def _told(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Return terms as the audit trail keeps them."""
    return {
        name: format_decimal(value) if isinstance(value, Decimal) else value
        for name, value in terms.items()
    }
