"""Jackpots at rest. The order of the imports is the order in which rows are locked."""

# isort: off
from jackpots.models.settings import JackpotSettings
from jackpots.models.instance import Instance
from jackpots.models.pot import MeterHour, Pot, PotEntry
from jackpots.models.link import InstanceLink
from jackpots.models.opt_in import OptIn
from jackpots.models.contribution import Contribution, LinkTraffic
from jackpots.models.request import ContributionRequest
from jackpots.models.draw import Draw, DrawEntry, Prize
from jackpots.models.win import RollbackLoss, Win
from jackpots.models.boost import Boost

__all__ = [
    "Boost",
    "Contribution",
    "ContributionRequest",
    "Draw",
    "DrawEntry",
    "Instance",
    "InstanceLink",
    "JackpotSettings",
    "LinkTraffic",
    "MeterHour",
    "OptIn",
    "Pot",
    "PotEntry",
    "Prize",
    "RollbackLoss",
    "Win",
]
