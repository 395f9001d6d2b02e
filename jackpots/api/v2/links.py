"""Links over HTTP."""

from typing import ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.problem_schema import problems
from core.api.serializers import parsed
from core.api.views import WindfallView
from jackpots.api.v2.bodies import ReplaceLinksSerializer
from jackpots.api.v2.serializers import LinksSerializer, represent_links
from jackpots.selectors import get_instance
from jackpots.services import links
from operators.enums import Scope
from operators.requests import calling_actor, calling_operator


class LinksView(WindfallView):
    """Which instances a contribution to this one reaches besides it."""

    scopes: ClassVar = {"GET": Scope.READ, "PUT": Scope.MANAGE, "DELETE": Scope.MANAGE}

    @extend_schema(
        operation_id="jackpot_links_retrieve",
        responses={200: LinksSerializer, **problems(404)},
    )
    def get(self, request: Request, instance_id: UUID) -> Response:
        """List the links of an instance, in order."""
        instance = get_instance(operator=calling_operator(request), instance_id=instance_id)
        found = instance.links.select_related("target").order_by("position")
        return Response(represent_links(instance_id, found))

    @extend_schema(
        operation_id="jackpot_links_replace",
        request=ReplaceLinksSerializer,
        responses={200: LinksSerializer, **problems(400, 404, 409)},
    )
    def put(self, request: Request, instance_id: UUID) -> Response:
        """
        Replace the whole set of links.

        Only direct links are followed, so cycles are legal. A link to the instance itself,
        a duplicate, an unknown id or more than 20 links: nothing is changed.
        """
        body = parsed(ReplaceLinksSerializer, request.data)
        found = links.replace_links(
            operator=calling_operator(request),
            instance_id=instance_id,
            target_ids=body["linked_instances"],
            reason="",
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(represent_links(instance_id, found))

    @extend_schema(operation_id="jackpot_links_delete", responses={204: None, **problems(404, 409)})
    def delete(self, request: Request, instance_id: UUID) -> Response:
        """Remove every link of an instance; having none is no error."""
        links.delete_links(
            operator=calling_operator(request),
            instance_id=instance_id,
            reason="",
            actor=calling_actor(request),
            now=timezone.now(),
        )
        return Response(status=204)
