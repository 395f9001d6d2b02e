"""The errors a caller was promised. Everything else is a bug and becomes a 500."""

from typing import Any, ClassVar


class DomainError(Exception):
    """
    A refusal that is part of the contract.

    One subclass per reason. ``code`` is public API (API.md, error codes): it is never
    renamed, and its kebab-case form ends the problem's ``type`` URI. ``members`` are
    further members of the problem document.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    status: ClassVar[int] = 409
    retry_after_s: ClassVar[int | None] = None

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = members


class InvalidRequest(DomainError):
    """The request is malformed, or names something that cannot be so."""

    code = "INVALID_REQUEST"
    title = "Invalid request"
    status = 400

    @classmethod
    def for_field(cls, pointer: str, detail: str) -> "InvalidRequest":
        """Return the refusal of one field, in the shape validation errors have."""
        return cls(
            "One or more fields are invalid.",
            errors=[{"pointer": f"/{pointer}", "code": "invalid", "detail": detail}],
        )


class NotFound(DomainError):
    """The thing does not exist, or belongs to another operator. We do not say which."""

    code = "NOT_FOUND"
    title = "Not found"
    status = 404


class CurrencyUnknown(DomainError):
    """The currency code is not in the registry."""

    code = "CURRENCY_UNKNOWN"
    title = "Currency unknown"
    status = 400


class ResourceBusy(DomainError):
    """Somebody else holds the row. Nothing was changed; try again."""

    code = "RESOURCE_BUSY"
    title = "Resource busy"
    status = 503
    retry_after_s = 2


class IdempotencyKeyRequired(DomainError):
    """The command moves money or issues something, and came without its key."""

    code = "IDEMPOTENCY_KEY_REQUIRED"
    title = "Idempotency key required"
    status = 400


class IdempotencyKeyReused(DomainError):
    """The key has already been used for another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    title = "Idempotency key reused"
    status = 422


class IdempotencyInProgress(DomainError):
    """The first request with this key has not been answered yet."""

    code = "IDEMPOTENCY_IN_PROGRESS"
    title = "Request in progress"
    retry_after_s = 1
