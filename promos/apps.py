"""Promos as a Django application."""

from django.apps import AppConfig


class PromosConfig(AppConfig):
    name = "promos"
    verbose_name = "Promo codes"

    def ready(self) -> None:
        from approvals import ports  # noqa: PLC0415 -- once apps are ready
        from promos import books  # noqa: F401, PLC0415 -- registers the checks
        from promos.services import clawbacks  # noqa: PLC0415 -- as above

        ports.register_kind(clawbacks.CLAWBACK)
