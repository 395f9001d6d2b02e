"""Refusals of bonuses."""

from core.errors import DomainError


class BonusTemplateNotFound(DomainError):
    """The operator has no such template."""

    code = "BONUS_TEMPLATE_NOT_FOUND"
    title = "Bonus template not found"
    status = 404


class BonusTemplateNotActive(DomainError):
    """The template is switched off: nothing is issued from it."""

    code = "BONUS_TEMPLATE_NOT_ACTIVE"
    title = "Bonus template not active"
    status = 422


class BonusConfigInvalid(DomainError):
    """The template's config or terms cannot be; ``errors`` names each field."""

    code = "BONUS_CONFIG_INVALID"
    title = "Bonus config invalid"
    status = 422


class BonusDepositAmountRequired(DomainError):
    """The bonus matches a deposit, and none was named."""

    code = "BONUS_DEPOSIT_AMOUNT_REQUIRED"
    title = "Deposit amount required"
    status = 422


class BonusGrantLimitReached(DomainError):
    """The player has had the template's bonus as often as it allows, pending ones included."""

    code = "BONUS_GRANT_LIMIT_REACHED"
    title = "Bonus grant limit reached"


class BonusNotEligible(DomainError):
    """The player cannot have this bonus now."""

    code = "BONUS_NOT_ELIGIBLE"
    title = "Not eligible for the bonus"


class BonusGrantClosed(DomainError):
    """The grant has ended, and nothing of it changes any more."""

    code = "BONUS_GRANT_CLOSED"
    title = "Bonus grant closed"


class BonusIssuanceClosed(DomainError):
    """The issuance is over: nothing to retry or to give up, and nothing was granted by it."""

    code = "BONUS_ISSUANCE_CLOSED"
    title = "Bonus issuance closed"


class AdapterRejected(DomainError):
    """The casino platform refused; ``platform_code`` is its word for why."""

    code = "ADAPTER_REJECTED"
    title = "Rejected by the platform"
    status = 502


class AdapterUnavailable(DomainError):
    """The casino platform did not answer usably; ``issuance_id`` names what is retried."""

    code = "ADAPTER_UNAVAILABLE"
    title = "Platform unavailable"
    status = 503
    retry_after_s = 30


class EventIdReused(DomainError):
    """The event id belongs to an event with another body."""

    code = "EVENT_ID_REUSED"
    title = "Event id reused"


class InvalidEvent(DomainError):
    """The platform's event is malformed, or says something that cannot be."""

    code = "INVALID_EVENT"
    title = "Invalid event"
    status = 422


class ReconciliationUnderWay(DomainError):
    """Another process is reconciling."""

    code = "RECONCILIATION_UNDER_WAY"
    title = "Reconciliation under way"


class DiscrepancyClosed(DomainError):
    """The discrepancy was fixed or explained already."""

    code = "DISCREPANCY_CLOSED"
    title = "Discrepancy closed"


class CampaignWrongState(DomainError):
    """The campaign is not in a state in which this is possible."""

    code = "CAMPAIGN_WRONG_STATE"
    title = "Campaign in the wrong state"


class CampaignBudgetReached(DomainError):
    """The campaign's budget has paused it, and has not been raised since."""

    code = "CAMPAIGN_BUDGET_REACHED"
    title = "Campaign budget reached"
