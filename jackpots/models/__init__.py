"""Jackpots at rest. The order of the imports is the order in which rows are locked."""

# isort: off
from jackpots.models.instance import Instance, Pot, Prize
from jackpots.models.link import InstanceLink
from jackpots.models.opt_in import OptIn
from jackpots.models.contribution import Contribution, LinkTraffic

__all__ = [
    "Contribution",
    "Instance",
    "InstanceLink",
    "LinkTraffic",
    "OptIn",
    "Pot",
    "Prize",
]
