"""The simulator of terms as a Django application."""

from django.apps import AppConfig


class SimulationsConfig(AppConfig):
    name = "simulations"
    verbose_name = "Simulator"

    def ready(self) -> None:
        from simulations.services import demo  # noqa: F401, PLC0415 -- adds to the demo world
