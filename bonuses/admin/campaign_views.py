"""How far a campaign is, for the page that follows it; and what became of every player."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
    StreamingHttpResponse,
)

from bonuses.admin.campaign_figures import progress_of
from bonuses.models import BonusCampaign
from bonuses.representations import iterate_campaign_results

_VIEW = "bonuses.view_bonuscampaign"


def progress_view(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Answer how far a campaign is, for the page that shows it."""
    campaign = _campaign_to_see(model_admin, request, object_id)
    if not isinstance(campaign, BonusCampaign):
        return campaign
    return JsonResponse(progress_of(campaign))


def result_view(model_admin: Any, request: HttpRequest, object_id: str) -> Any:
    """Answer what became of every player, as CSV."""
    campaign = _campaign_to_see(model_admin, request, object_id)
    if not isinstance(campaign, BonusCampaign):
        return campaign
    name = f"campaign-{campaign.pk}.csv"
    return StreamingHttpResponse(
        iterate_campaign_results(campaign=campaign),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _campaign_to_see(
    model_admin: Any, request: HttpRequest, object_id: str
) -> BonusCampaign | HttpResponse:
    if not request.user.has_perm(_VIEW):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    campaign: BonusCampaign | None = model_admin.get_object(request, object_id)
    if campaign is None:
        raise Http404
    return campaign
