"""Jackpots as a Django application."""

from django.apps import AppConfig


class JackpotsConfig(AppConfig):
    name = "jackpots"
    verbose_name = "Jackpots"

    def ready(self) -> None:
        from approvals import ports  # noqa: PLC0415 -- once apps are ready
        from jackpots import books, metrics  # noqa: F401, PLC0415 -- registers what they say
        from jackpots.services import live_terms_requests, queue  # noqa: PLC0415 -- as above

        ports.register_kind(live_terms_requests.LIVE_TERMS)
        ports.register_source(queue.BOOSTS)
        ports.register_source(queue.WINS)
