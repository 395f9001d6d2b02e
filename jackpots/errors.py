"""
Refusals of jackpots.

A linked leg stores only the code of its refusal, so each class has one sentence that
fits every occurrence.
"""

from core.errors import DomainError, InvalidRequest
from operators.errors import ExchangeRateMissing
from players.errors import PlayerBlocked, PlayerSelfExcluded
from wallets.errors import InsufficientFunds


class InstanceNotActive(DomainError):
    """The instance takes no contributions: it is not active, or paused."""

    code = "INSTANCE_NOT_ACTIVE"
    title = "Instance not active"


class OutsideSchedule(DomainError):
    """The instance is active, but not open at this instant."""

    code = "OUTSIDE_SCHEDULE"
    title = "Outside the schedule"


class OptInRequired(DomainError):
    """The instance needs an opt-in that the player has not given."""

    code = "OPT_IN_REQUIRED"
    title = "Opt-in required"


class InstanceWrongState(DomainError):
    """The instance is not in a state from which it can do this."""

    code = "INSTANCE_WRONG_STATE"
    title = "Wrong state"


class BoostWrongState(DomainError):
    """The boost has been decided already."""

    code = "BOOST_WRONG_STATE"
    title = "Boost already decided"


class BoostExpired(DomainError):
    """The request for the boost is too old to be applied. Ask for it again."""

    code = "BOOST_EXPIRED"
    title = "Boost expired"


class PotNotManual(DomainError):
    """Nobody drops the pot by hand: what makes it drop is something else."""

    code = "POT_NOT_MANUAL"
    title = "Pot not manual"


class WinWrongState(DomainError):
    """The win is not in a state from which it can do this."""

    code = "WIN_WRONG_STATE"
    title = "Wrong state"


class ContributionNotAccepted(DomainError):
    """The contribution did nothing, so there is nothing to roll back."""

    code = "CONTRIBUTION_NOT_ACCEPTED"
    title = "Contribution not accepted"


class RollbackLossExplained(DomainError):
    """The loss has been explained already, and an explanation stands."""

    code = "ROLLBACK_LOSS_EXPLAINED"
    title = "Loss already explained"


_REFUSALS: dict[str, tuple[type[DomainError], str]] = {
    InstanceNotActive.code: (InstanceNotActive, "The instance is not active, or it is paused."),
    OutsideSchedule.code: (OutsideSchedule, "The instance is not open at this time."),
    OptInRequired.code: (
        OptInRequired,
        "The instance needs an opt-in, and the player has not opted in.",
    ),
    PlayerSelfExcluded.code: (PlayerSelfExcluded, "The player is self-excluded."),
    PlayerBlocked.code: (PlayerBlocked, "The player is blocked."),
    ExchangeRateMissing.code: (
        ExchangeRateMissing,
        "There is no exchange rate between the wager's currency and the instance's.",
    ),
    InvalidRequest.code: (
        InvalidRequest,
        "The contribution, or the player's tickets with it, would be more than can be stored.",
    ),
    InsufficientFunds.code: (
        InsufficientFunds,
        "The player's balance does not cover the contribution.",
    ),
}


def refusal(code: str) -> DomainError:
    """Return the refusal of a contribution leg with that code, ready to raise or to show."""
    error, sentence = _REFUSALS[code]
    return error(sentence)


#: Every code that a leg of a contribution may carry.
REFUSAL_CODES = tuple(_REFUSALS)
