"""Paths of jackpots, version 2."""

from django.urls import path

from jackpots.api.v2 import (
    batches,
    boosts,
    contributions,
    draws,
    drops,
    history,
    instances,
    links,
    opt_ins,
    requests,
    rollbacks,
    ticker,
    wins,
)

_INSTANCE = "jackpots/instances/<uuid:instance_id>"
_POT = f"{_INSTANCE}/pots/<str:pot_name>"

urlpatterns = [
    # First, because nearly every request is one, and paths are tried in this order.
    path(
        f"{_INSTANCE}/contributions",
        contributions.LinkedContributionView.as_view(),
        name="v2-contributions",
    ),
    path(
        "jackpots/contributions/batch",
        batches.BatchView.as_view(),
        name="v2-contributions-batch",
    ),
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
    path(f"{_INSTANCE}/draw", instances.InstanceDrawView.as_view(), name="instance-draw"),
    path(
        f"{_INSTANCE}/end-series",
        instances.InstanceSeriesEndView.as_view(),
        name="instance-end-series",
    ),
    path(f"{_INSTANCE}/draws", draws.DrawListView.as_view(), name="instance-draws"),
    path(
        "jackpots/draws/<uuid:draw_id>/verification",
        draws.DrawVerificationView.as_view(),
        name="draw-verification",
    ),
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
    path(f"{_POT}/drop", drops.PotDropView.as_view(), name="pot-drop"),
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
    path("jackpots/ticker", ticker.TickerView.as_view(), name="ticker"),
    path("jackpots/contributions", history.ContributionListView.as_view(), name="contributions"),
    path(
        "jackpots/contributions/<uuid:contribution_id>",
        history.ContributionRecordView.as_view(),
        name="contribution",
    ),
    path(
        "jackpots/contributions/<uuid:contribution_id>/rollback",
        rollbacks.ContributionRollbackView.as_view(),
        name="contribution-rollback",
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
