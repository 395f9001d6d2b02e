"""Paths of what players do."""

from django.urls import path

from activity.api.v1 import bets, cashier, wallet

urlpatterns = [
    # Bets first, which come most often.
    path("players/<str:player_id>/bets", bets.BetListView.as_view(), name="bets"),
    path("players/<str:player_id>/bets/check", bets.BetCheckView.as_view(), name="bet-check"),
    path(
        "players/<str:player_id>/bets/<str:bet_id>/settlement",
        bets.SettlementView.as_view(),
        name="bet-settlement",
    ),
    path(
        "players/<str:player_id>/bets/<str:bet_id>/rollback",
        bets.RollbackView.as_view(),
        name="bet-rollback",
    ),
    path("players/<str:player_id>/wallet", wallet.WalletView.as_view(), name="wallet"),
    path("players/<str:player_id>/deposits", cashier.DepositView.as_view(), name="deposits"),
    path(
        "players/<str:player_id>/withdrawals",
        cashier.WithdrawalView.as_view(),
        name="withdrawals",
    ),
    path("players/<str:player_id>/tips", cashier.TipView.as_view(), name="tips"),
    path(
        "players/<str:player_id>/vault/deposits",
        cashier.VaultDepositView.as_view(),
        name="vault-deposits",
    ),
    path(
        "players/<str:player_id>/vault/withdrawals",
        cashier.VaultWithdrawalView.as_view(),
        name="vault-withdrawals",
    ),
]
