"""The stored words of the ledger. Values are stored, so they are never renamed."""

from django.db import models


class AccountKind(models.TextChoices):
    """
    Whose money an account is, or what it is for.

    The accounts of players carry a balance. All others are hot: many postings at once
    touch them, so no posting updates their row.
    """

    PLAYER_MAIN = "PLAYER_MAIN", "Player: main"
    PLAYER_VAULT = "PLAYER_VAULT", "Player: vault"
    #: The money of one bonus, to be bet and nothing else; ``owner`` is the grant's id.
    PLAYER_BONUS = "PLAYER_BONUS", "Player: bonus"
    #: Deposits come from here, withdrawals go here.
    HOUSE_CASH = "HOUSE_CASH", "House: cash"
    #: Bets and wins.
    HOUSE_GAMES = "HOUSE_GAMES", "House: games"
    PROMO_COST = "PROMO_COST", "Cost of promos"
    BONUS_COST = "BONUS_COST", "Cost of bonuses"
    #: Winnings from bonus play above the cap.
    BONUS_EXCESS = "BONUS_EXCESS", "Bonus winnings above the cap"
    #: What players paid into one jackpot instance; ``owner`` is the instance's id.
    JACKPOT_POOL = "JACKPOT_POOL", "Pool of a jackpot"
    JACKPOT_COST = "JACKPOT_COST", "Cost of jackpots"


#: A player has one account of these in a currency, and one of PLAYER_BONUS for each grant.
PLAYER_CASH_KINDS = (AccountKind.PLAYER_MAIN, AccountKind.PLAYER_VAULT)
PLAYER_KINDS = (*PLAYER_CASH_KINDS, AccountKind.PLAYER_BONUS)
HOT_KINDS = tuple(kind for kind in AccountKind if kind not in PLAYER_KINDS)


class Tag(models.TextChoices):
    """Why money moved (API.md, wallet)."""

    DEPOSIT = "DEPOSIT", "Deposit"
    WITHDRAWAL = "WITHDRAWAL", "Withdrawal"
    BET = "BET", "Bet"
    WIN = "WIN", "Win"
    ROLLBACK = "ROLLBACK", "Rollback"
    TIP = "TIP", "Tip"
    VAULT = "VAULT", "Vault"
    PROMO = "PROMO", "Promo"
    BONUS = "BONUS", "Bonus"
    JACKPOT = "JACKPOT", "Jackpot"


class Direction(models.TextChoices):
    """Whether a transaction added to a player's account or took from it."""

    DEPOSIT = "DEPOSIT", "Deposit"
    WITHDRAW = "WITHDRAW", "Withdraw"
