"""The verification of a draw, recomputed within the hour: each check, and what it compared."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import timezone

from core.admin.display import Tone, badge, code, instant, url_of
from core.errors import ResourceBusy
from jackpots.models import Draw, Instance
from jackpots.services.proofs import prove_draw

_VIEW = "jackpots.view_instance"
_CHECKS = {
    "commitment": "The seed has the SHA-256 that was published before",
    "entries": "The entries are those that were frozen",
    "winners": "The winners are those that the seed draws",
}


def verification_view(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Recompute the draw of a raffle from what is published of it, and show every check."""
    if not request.user.has_perm(_VIEW):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    instance: Instance | None = model_admin.get_object(request, object_id)
    draw = None if instance is None else Draw.objects.filter(instance=instance).first()
    if instance is None or draw is None:
        raise Http404
    request.current_app = model_admin.admin_site.name
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Verification of the draw of {instance}",
        "opts": model_admin.opts,
        "original": instance,
        "instance": instance,
        "draw": draw,
        "draw_id": code(draw.pk),
        "commitment": code(draw.commitment),
        "drawn": instant(draw.drawn_at),
        "back_url": url_of("jackpots.instance", instance.pk),
    }
    if draw.drawn_at is not None:
        context |= _proof(instance, draw)
    return TemplateResponse(request, "admin/jackpots/verification.html", context)


def _proof(instance: Instance, draw: Draw) -> dict[str, Any]:
    try:
        proof = prove_draw(operator=instance.operator, draw_id=draw.pk, now=timezone.now())
    except ResourceBusy as busy:
        return {"busy": busy.detail}
    return {
        "is_verified": proof.is_verified,
        "checks": [_told(check) for check in proof.checks],
        "as_of": instant(proof.recomputed_at),
    }


def _told(check: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": _CHECKS.get(check["check"], check["check"]),
        "detail": check["detail"],
        "badge": badge("Holds", Tone.GOOD) if check["ok"] else badge("Does not hold", Tone.BAD),
    }
