"""Which scope a request needs."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from operators.models import ApiKey


class HasScope(BasePermission):
    """Let a key through if it carries the scope that the view names for the method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        # HEAD answers what GET would, so it needs the same.
        method = "GET" if request.method == "HEAD" else request.method
        scope = view.scopes.get(method)
        if scope is None:
            # Not a method of this view: DRF will say so.
            return True
        self.message = f"This needs a key with the scope {str(scope)!r}."
        api_key: ApiKey | None = request.auth  # type: ignore[assignment]
        return api_key is not None and scope in api_key.scopes
