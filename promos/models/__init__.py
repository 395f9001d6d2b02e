"""Rows of promos. Rows of two models are locked in this order: promo, batch, claim, lock."""

from promos.models.batch import CodeBatch, CodeBatchQuerySet, PromoBatchCode
from promos.models.promo import Promo, PromoGame, PromoQuerySet, PromoSettings
from promos.models.user_promo import UserPromo, UserPromoQuerySet, WagerRecord
from promos.models.withdrawal_lock import WithdrawalLock, WithdrawalLockQuerySet

__all__ = [
    "CodeBatch",
    "CodeBatchQuerySet",
    "Promo",
    "PromoBatchCode",
    "PromoGame",
    "PromoQuerySet",
    "PromoSettings",
    "UserPromo",
    "UserPromoQuerySet",
    "WagerRecord",
    "WithdrawalLock",
    "WithdrawalLockQuerySet",
]
