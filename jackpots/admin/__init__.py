"""Jackpots in the back office."""

from jackpots.admin.boosts import BoostAdmin
from jackpots.admin.contributions import ContributionAdmin
from jackpots.admin.home import failing_links_panel, instances_panel
from jackpots.admin.instances import InstanceAdmin
from jackpots.admin.losses import RollbackLossAdmin
from jackpots.admin.opt_ins import OptInAdmin, player_panel
from jackpots.admin.requests import ContributionRequestAdmin
from jackpots.admin.waiting import waiting_panel
from jackpots.admin.wins import WinAdmin

__all__ = [
    "BoostAdmin",
    "ContributionAdmin",
    "ContributionRequestAdmin",
    "InstanceAdmin",
    "OptInAdmin",
    "RollbackLossAdmin",
    "WinAdmin",
    "failing_links_panel",
    "instances_panel",
    "player_panel",
    "waiting_panel",
]
