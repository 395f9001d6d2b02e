"""Jackpots in the back office."""

from jackpots.admin.boosts import BoostAdmin
from jackpots.admin.contributions import ContributionAdmin
from jackpots.admin.home import jackpot_parts
from jackpots.admin.instances import InstanceAdmin
from jackpots.admin.losses import RollbackLossAdmin
from jackpots.admin.opt_ins import OptInAdmin
from jackpots.admin.players import player_panel
from jackpots.admin.requests import ContributionRequestAdmin
from jackpots.admin.settings import JackpotSettingsAdmin, settings_panel
from jackpots.admin.wins import WinAdmin

__all__ = [
    "BoostAdmin",
    "ContributionAdmin",
    "ContributionRequestAdmin",
    "InstanceAdmin",
    "JackpotSettingsAdmin",
    "OptInAdmin",
    "RollbackLossAdmin",
    "WinAdmin",
    "jackpot_parts",
    "player_panel",
    "settings_panel",
]
