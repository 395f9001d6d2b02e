"""Refusals of the ledger."""

from core.errors import DomainError, InvalidRequest


class InsufficientFunds(DomainError):
    """The player's account holds less than the amount."""

    code = "INSUFFICIENT_FUNDS"
    title = "Insufficient funds"


class TransferReferenceReused(DomainError):
    """The reference belongs to another transfer."""

    code = "TRANSFER_REFERENCE_REUSED"
    title = "Transfer reference reused"


class WalletCurrencyDiffers(InvalidRequest):
    """The player's wallet is in another currency (API.md, settled details: wire)."""
