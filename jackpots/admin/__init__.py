"""Jackpots in the back office."""

from jackpots.admin.contributions import ContributionAdmin
from jackpots.admin.home import failing_links_panel, instances_panel
from jackpots.admin.instances import InstanceAdmin
from jackpots.admin.opt_ins import OptInAdmin, player_panel

__all__ = [
    "ContributionAdmin",
    "InstanceAdmin",
    "OptInAdmin",
    "failing_links_panel",
    "instances_panel",
    "player_panel",
]
