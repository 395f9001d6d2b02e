"""Paths of jackpots, version 2."""

from django.urls import path

from jackpots.api.v2 import contributions, instances, links, opt_ins

_INSTANCE = "jackpots/instances/<uuid:instance_id>"

urlpatterns = [
    path("jackpots/instances", instances.InstanceListView.as_view(), name="instances"),
    path(_INSTANCE, instances.InstanceView.as_view(), name="instance"),
    path(
        f"{_INSTANCE}/activate",
        instances.InstanceActivationView.as_view(),
        name="instance-activate",
    ),
    path(f"{_INSTANCE}/pause", instances.InstancePauseView.as_view(), name="instance-pause"),
    path(f"{_INSTANCE}/resume", instances.InstanceResumptionView.as_view(), name="instance-resume"),
    path(f"{_INSTANCE}/close", instances.InstanceClosingView.as_view(), name="instance-close"),
    path(
        f"{_INSTANCE}/cancel",
        instances.InstanceCancellationView.as_view(),
        name="instance-cancel",
    ),
    path(f"{_INSTANCE}/links", links.LinksView.as_view(), name="instance-links"),
    path(
        f"{_INSTANCE}/opt-ins/<str:player_id>",
        opt_ins.OptInView.as_view(),
        name="instance-opt-in",
    ),
    path(
        f"{_INSTANCE}/contributions",
        contributions.LinkedContributionView.as_view(),
        name="v2-contributions",
    ),
]
