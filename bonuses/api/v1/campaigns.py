"""Bonus campaigns over HTTP."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from bonuses.api.v1.campaign_serializers import (
    CampaignPreviewSerializer,
    CampaignSerializer,
    CreateCampaignSerializer,
    EmptySerializer,
    MoveCampaignSerializer,
    SetCampaignBudgetSerializer,
    represent_preview,
)
from bonuses.models import BonusCampaign
from bonuses.representations import (
    RESULT_COLUMNS,
    iterate_campaign_results,
)
from bonuses.selectors import count_targets, get_campaign, list_campaigns
from bonuses.services import campaigns, previews
from bonuses.services.announcements import describe_campaign
from core.api.idempotency import respond_once
from core.api.pagination import NewestIdFirst
from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator

#: Kept with a pause when the caller gives no reason: a pause always shows one.
DEFAULT_PAUSE_REASON = "Paused over the API"


def _shown(campaign: BonusCampaign) -> dict[str, Any]:
    return describe_campaign(campaign=campaign)


class CampaignListView(WindfallView, generics.GenericAPIView[BonusCampaign]):
    """The bonus campaigns of an operator."""

    scopes: ClassVar = {"GET": Scope.READ, "POST": Scope.MANAGE}
    serializer_class = CampaignSerializer
    pagination_class = NewestIdFirst
    filterset_fields: ClassVar = ["status", "template_id", "segment_id"]
    queryset = BonusCampaign.objects.none()

    @extend_schema(
        operation_id="bonus_campaigns_list",
        # With its media type, 200 is seen first, and what it lists decides about the filters.
        responses={(200, "application/json"): CampaignSerializer(many=True), **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """List the campaigns, newest first, each with its statistics of this instant."""
        found = list_campaigns(operator=calling_operator(request))
        page = self.paginate_queryset(self.filter_queryset(found)) or []
        counts = count_targets(campaign_ids=[campaign.pk for campaign in page])
        return self.get_paginated_response(
            [describe_campaign(campaign=campaign, counts=counts[campaign.pk]) for campaign in page]
        )

    @extend_schema(
        operation_id="bonus_campaigns_create",
        request=CreateCampaignSerializer,
        responses={201: CampaignSerializer, **problems(400, 404)},
        filters=False,
    )
    def post(self, request: Request) -> Response:
        """Make a draft: nothing is given until it is issued."""
        body = parsed(CreateCampaignSerializer, request.data)
        campaign = campaigns.create_campaign(
            operator=calling_operator(request),
            name=body["name"],
            segment_id=body["segment_id"],
            template_id=body["template_id"],
            budget_base=body.get("budget_base"),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(_shown(campaign), status=201)


class CampaignView(WindfallView):
    """One bonus campaign."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(
        operation_id="bonus_campaigns_retrieve",
        responses={200: CampaignSerializer, **problems(404)},
    )
    def get(self, request: Request, campaign_id: UUID) -> Response:
        """Return the campaign, with its statistics of this instant."""
        return Response(
            _shown(get_campaign(operator=calling_operator(request), campaign_id=campaign_id))
        )


class CampaignPreviewView(WindfallView):
    """What a campaign would do."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(
        operation_id="bonus_campaigns_preview",
        request=EmptySerializer,
        responses={200: CampaignPreviewSerializer, **problems(400, 404, 422)},
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Return audience, estimated cost, and skips by reason. Nothing is changed."""
        parsed(EmptySerializer, request.data)
        preview = previews.preview_campaign(
            operator=calling_operator(request), campaign_id=campaign_id, now=timezone.now()
        )
        return Response(represent_preview(preview))


class CampaignIssuingView(WindfallView):
    """Start a campaign."""

    scopes: ClassVar = {"POST": Scope.MANAGE}
    idempotent_methods = ("POST",)

    @extend_schema(
        operation_id="bonus_campaigns_issue",
        request=EmptySerializer,
        responses={
            200: CampaignSerializer,
            202: CampaignSerializer,
            **problems(400, 404, 422),
        },
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """
        Write the audience down, and let workers give each of it the bonus.

        Players who are blocked or self-excluded are in it, and skipped. A campaign that has
        been started is answered 200, as it is.
        """
        parsed(EmptySerializer, request.data)
        caller, now = calling_operator(request), timezone.now()

        def start() -> tuple[int, Any]:
            campaign = campaigns.start_campaign(
                operator=caller, campaign_id=campaign_id, actor=calling_actor(request), now=now
            )
            return 202 if campaign.started_at == now else 200, _shown(campaign)

        return respond_once(request, operator=caller, now=now, command=start)


class CampaignPauseView(WindfallView):
    """Pause a campaign."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(
        operation_id="bonus_campaigns_pause",
        request=MoveCampaignSerializer,
        responses={200: CampaignSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """Let no further bonus be issued until it is resumed; what is in flight is settled."""
        body = parsed(MoveCampaignSerializer, request.data)
        campaign = campaigns.pause_campaign(
            operator=calling_operator(request),
            campaign_id=campaign_id,
            reason=body.get("reason") or DEFAULT_PAUSE_REASON,
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(_shown(campaign))


class CampaignResumptionView(WindfallView):
    """Resume a campaign."""

    scopes: ClassVar = {"POST": Scope.MANAGE}

    @extend_schema(
        operation_id="bonus_campaigns_resume",
        request=MoveCampaignSerializer,
        responses={200: CampaignSerializer, **problems(400, 404, 409)},
    )
    def post(self, request: Request, campaign_id: UUID) -> Response:
        """End a pause. One that the budget made ends only after the budget was raised."""
        body = parsed(MoveCampaignSerializer, request.data)
        campaign = campaigns.resume_campaign(
            operator=calling_operator(request),
            campaign_id=campaign_id,
            reason=body.get("reason", ""),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(_shown(campaign))


class CampaignBudgetView(WindfallView):
    """The budget of a campaign."""

    scopes: ClassVar = {"PUT": Scope.MANAGE}

    @extend_schema(
        operation_id="bonus_campaigns_set_budget",
        request=SetCampaignBudgetSerializer,
        responses={200: CampaignSerializer, **problems(400, 404, 409)},
    )
    def put(self, request: Request, campaign_id: UUID) -> Response:
        """Cap what the campaign may cost, or lift the cap; not below what is committed."""
        body = parsed(SetCampaignBudgetSerializer, request.data)
        campaign = campaigns.set_campaign_budget(
            operator=calling_operator(request),
            campaign_id=campaign_id,
            budget_base=body["budget_base"],
            reason=body.get("reason", ""),
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(_shown(campaign))


class CampaignResultsView(WindfallView):
    """What came of a campaign for each player, as a file."""

    scopes: ClassVar = {"GET": Scope.READ}

    @extend_schema(
        operation_id="bonus_campaigns_results",
        responses={
            (200, "text/csv"): OpenApiResponse(
                OpenApiTypes.STR, description=", ".join(RESULT_COLUMNS)
            ),
            **problems(404),
        },
    )
    def get(self, request: Request, campaign_id: UUID) -> StreamingHttpResponse:
        """
        Download one line a player of the audience, streamed, as far as the campaign is.

        A cell that a spreadsheet program would take for a formula begins with an apostrophe.
        """
        campaign = get_campaign(operator=calling_operator(request), campaign_id=campaign_id)
        return StreamingHttpResponse(
            iterate_campaign_results(campaign=campaign),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="campaign-{campaign.pk}.csv"'},
        )
