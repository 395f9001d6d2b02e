"""How far a campaign is, for the page that follows it; and what became of every player."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils import timezone

from bonuses.admin.campaign_figures import progress_of
from bonuses.models import BonusCampaign
from bonuses.representations import iterate_campaign_results
from core import audit
from core.admin import staff_actor

_VIEW = "bonuses.view_bonuscampaign"
#: A file of players is taken away by whoever may take reports away.
EXPORT = "reports.export_report"


def progress_view(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Answer how far a campaign is, for the page that shows it."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    return JsonResponse(progress_of(_campaign_to_see(model_admin, request, object_id)))


def result_view(model_admin: Any, request: HttpRequest, object_id: str) -> Any:
    """Send what became of every player as CSV, once it is written down who takes it away."""
    campaign = _campaign_to_see(model_admin, request, object_id)
    if not request.user.has_perm(EXPORT):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    with transaction.atomic(durable=True):
        audit.record_action(
            operator=campaign.operator,
            actor=staff_actor(request),
            action="bonus.campaign.exported",
            subject=campaign,
            now=timezone.now(),
        )
    name = f"campaign-{campaign.pk}.csv"
    return StreamingHttpResponse(
        iterate_campaign_results(campaign=campaign),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _campaign_to_see(model_admin: Any, request: HttpRequest, object_id: str) -> BonusCampaign:
    if not request.user.has_perm(_VIEW):
        raise PermissionDenied
    campaign: BonusCampaign | None = model_admin.get_object(request, object_id)
    if campaign is None:
        raise Http404
    return campaign
