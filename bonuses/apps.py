"""Bonuses as a Django application."""

from django.apps import AppConfig


class BonusesConfig(AppConfig):
    name = "bonuses"
    verbose_name = "Bonuses"

    def ready(self) -> None:
        from approvals import ports  # noqa: PLC0415 -- once apps are ready
        from bonuses import books, metrics  # noqa: F401, PLC0415 -- registers what they say
        from bonuses.services import manual_grants  # noqa: PLC0415 -- as above

        ports.register_kind(manual_grants.MANUAL_GRANT)
