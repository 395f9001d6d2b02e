"""Paths of jackpots, version 2."""

from django.urls import path

from jackpots.api.v2 import boosts, contributions, instances, links, opt_ins, requests, wins

_INSTANCE = "jackpots/instances/<uuid:instance_id>"
_POT = f"{_INSTANCE}/pots/<str:pot_name>"

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
    path(f"{_POT}/boosts", boosts.BoostRequestView.as_view(), name="pot-boosts"),
    path("jackpots/boosts", boosts.BoostListView.as_view(), name="boosts"),
    path(
        "jackpots/boosts/<uuid:boost_id>/apply",
        boosts.BoostApplicationView.as_view(),
        name="boost-application",
    ),
    path(
        "jackpots/boosts/<uuid:boost_id>/reject",
        boosts.BoostRejectionView.as_view(),
        name="boost-rejection",
    ),
    path(
        "jackpots/contribution-requests/<uuid:request_id>",
        requests.ContributionRequestView.as_view(),
        name="contribution-request",
    ),
    path("jackpots/wins", wins.WinListView.as_view(), name="wins"),
    path(
        "jackpots/wins/<uuid:win_id>/approve",
        wins.WinApprovalView.as_view(),
        name="win-approval",
    ),
    path(
        "jackpots/wins/<uuid:win_id>/reject", wins.WinRejectionView.as_view(), name="win-rejection"
    ),
]
