"""Paths of the simulator."""

from django.urls import path

from simulations.api.v1 import simulations

urlpatterns = [
    path("simulations", simulations.SimulationView.as_view(), name="simulations"),
]
