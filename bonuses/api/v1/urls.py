"""Paths of bonuses."""

from django.urls import path

from bonuses.api.v1 import campaigns, grants, templates

urlpatterns = [
    path("bonus-templates", templates.BonusTemplateListView.as_view(), name="bonus-templates"),
    path(
        "bonus-templates/<uuid:template_id>",
        templates.BonusTemplateView.as_view(),
        name="bonus-template",
    ),
    path("bonus-grants", grants.GrantListView.as_view(), name="bonus-grants"),
    path("bonus-grants/<uuid:grant_id>", grants.GrantView.as_view(), name="bonus-grant"),
    path(
        "bonus-grants/<uuid:grant_id>/cancel",
        grants.GrantCancellationView.as_view(),
        name="bonus-grant-cancellation",
    ),
    path(
        "bonus-grants/<uuid:grant_id>/forfeit",
        grants.GrantForfeitureView.as_view(),
        name="bonus-grant-forfeiture",
    ),
    path(
        "bonus-issuances/<uuid:issuance_id>", grants.IssuanceView.as_view(), name="bonus-issuance"
    ),
    path("bonus-campaigns", campaigns.CampaignListView.as_view(), name="bonus-campaigns"),
    path(
        "bonus-campaigns/<uuid:campaign_id>",
        campaigns.CampaignView.as_view(),
        name="bonus-campaign",
    ),
    path(
        "bonus-campaigns/<uuid:campaign_id>/preview",
        campaigns.CampaignPreviewView.as_view(),
        name="bonus-campaign-preview",
    ),
    path(
        "bonus-campaigns/<uuid:campaign_id>/issue",
        campaigns.CampaignIssuingView.as_view(),
        name="bonus-campaign-issuing",
    ),
    path(
        "bonus-campaigns/<uuid:campaign_id>/pause",
        campaigns.CampaignPauseView.as_view(),
        name="bonus-campaign-pause",
    ),
    path(
        "bonus-campaigns/<uuid:campaign_id>/resume",
        campaigns.CampaignResumptionView.as_view(),
        name="bonus-campaign-resumption",
    ),
    path(
        "bonus-campaigns/<uuid:campaign_id>/budget",
        campaigns.CampaignBudgetView.as_view(),
        name="bonus-campaign-budget",
    ),
    path(
        "bonus-campaigns/<uuid:campaign_id>/results.csv",
        campaigns.CampaignResultsView.as_view(),
        name="bonus-campaign-results",
    ),
]
