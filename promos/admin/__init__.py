"""Promo codes in the back office."""

from promos.admin.batches import CodeBatchAdmin
from promos.admin.claims import UserPromoAdmin
from promos.admin.home import promo_cost_panel
from promos.admin.locks import WithdrawalLockAdmin
from promos.admin.players import player_panel
from promos.admin.promos import PromoAdmin

__all__ = [
    "CodeBatchAdmin",
    "PromoAdmin",
    "UserPromoAdmin",
    "WithdrawalLockAdmin",
    "player_panel",
    "promo_cost_panel",
]
