"""
The simulator's page: terms, how players play, and what comes of it.

It is read with GET and changes nothing, so an answer has an address: whoever opens it, and
may simulate, sees the same.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from bonuses.enums import BonusType
from bonuses.errors import BonusTemplateNotFound
from core.admin.display import url_of
from core.errors import DomainError, NotFound
from operators.models import Operator
from operators.selectors import get_operator
from promos.enums import PromoType
from promos.errors import PromoNotFound
from simulations.admin.display import answer_context, terms_sentences
from simulations.admin.forms import (
    BonusTermsForm,
    PromoTermsForm,
    StoredTermsForm,
)
from simulations.admin.typed import scenario_texts, terms_texts
from simulations.rules.offers import read_bonus_offer, read_promo_offer
from simulations.rules.scenario import Offer
from simulations.selectors import get_bonus_offer, get_promo_offer
from simulations.services.simulating import Simulation, simulate_terms

PERMISSION = "simulations.simulate"
_LABELS = {
    **{kind.value: kind.label.lower() for kind in BonusType},
    **{kind.value: f"promo, {kind.label.lower()}" for kind in PromoType},
}
#: What is simulated, by the parameter that names it: the model, and who may see its terms.
_STORED = {
    "template": ("bonuses.bonustemplate", "bonuses.view_bonustemplate"),
    "promo": ("promos.promo", "promos.view_promo"),
}


@dataclass(slots=True)
class _Question:
    """What the page was asked: whose terms, which, and how players play on them."""

    kind: str
    form: Any
    operator: Operator | None = None
    offer: Offer | None = None
    source: str = ""
    source_id: str = ""
    source_url: str = ""

    @property
    def is_stored(self) -> bool:
        return self.offer is not None


def simulator_url(**parameters: Any) -> str:
    """Return the address of the simulator, for certain terms if ``parameters`` name them."""
    url = reverse("admin:simulations_termslimits_simulate")
    return f"{url}?{urlencode(parameters)}" if parameters else url


def simulate_view(request: HttpRequest) -> HttpResponse:
    """Answer with the simulator: kinds of terms, a form, or a form and what came of it."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    question = _read(request)
    if question is None:
        return _show(request, "admin/simulations/kinds.html", title="Simulate terms")
    simulation, refusal = _answer(question, is_sent="run" in request.GET)
    context: dict[str, Any] = {
        "title": _title(question),
        "question": question,
        "form": question.form,
        "refusal": refusal,
        "free_url": simulator_url(kind=question.kind),
        "kinds_url": simulator_url(),
    }
    if simulation is not None:
        if not question.form.is_bound:
            question.form.show_scenario(simulation.scenario)
        context.update(answer_context(simulation))
        context["terms"] = terms_sentences(simulation)
        context["free_url"] = _free_url(question, simulation)
    return _show(request, "admin/simulations/simulate.html", **context)


def _read(request: HttpRequest) -> _Question | None:
    """Return what is asked; null while no terms and no kind of terms are named."""
    data = request.GET if "run" in request.GET else None
    for name, (label, permission) in _STORED.items():
        if name in request.GET:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return _stored(request, name, label, data)
    kind = request.GET.get("kind", "")
    typed = {key: value for key, value in request.GET.items() if key not in ("kind", "run")}
    if len(operators := list(Operator.objects.all()[:2])) == 1:
        typed.setdefault("operator", operators[0].slug)
    if kind in BonusType.values:
        return _Question(kind, BonusTermsForm(data, kind=kind, initial=typed))
    if kind in PromoType.values:
        return _Question(kind, PromoTermsForm(data, kind=kind, initial=typed))
    return None


def _stored(request: HttpRequest, name: str, label: str, data: Any) -> _Question:
    """Return the question about a template or a promo; a stranger's is a page that is not there."""
    try:
        operator = get_operator(slug=request.GET.get("operator", ""))
        row_id = UUID(request.GET[name])
        offer: Offer = (
            get_bonus_offer(operator=operator, template_id=row_id)
            if name == "template"
            else get_promo_offer(operator=operator, promo_id=row_id)
        )
    except (NotFound, BonusTemplateNotFound, PromoNotFound, ValueError) as missing:
        raise Http404 from missing
    return _Question(
        kind=offer.type,
        form=StoredTermsForm(data, kind=offer.type),
        operator=operator,
        offer=offer,
        source=name,
        source_id=str(row_id),
        source_url=url_of(label, row_id),
    )


def _answer(question: _Question, *, is_sent: bool) -> tuple[Simulation | None, str]:
    """Simulate, if enough is known; return what came of it, or why nothing did."""
    form = question.form
    if is_sent and not form.is_valid():
        return None, ""
    if not is_sent and not question.is_stored:
        return None, ""
    try:
        simulation = simulate_terms(
            operator=question.operator or form.cleaned_data["operator"],
            offer=question.offer or _typed(form),
            wanted=form.wanted() if is_sent else {},
            now=timezone.now(),
        )
    except DomainError as refusal:
        if not is_sent:
            return None, _sentences(refusal)
        form.show_refusal(refusal)
        return None, ""
    return simulation, ""


def _typed(form: Any) -> Offer:
    if isinstance(form, BonusTermsForm):
        return read_bonus_offer(terms=form.bonus())
    return read_promo_offer(terms=form.promo())


def _sentences(refusal: DomainError) -> str:
    details = [entry["detail"] for entry in refusal.members.get("errors", ())]
    return " ".join(details or [refusal.detail])


def _free_url(question: _Question, simulation: Simulation) -> str:
    """Return the address of the form in which the same terms can be changed."""
    operator = question.operator
    typed = {**terms_texts(simulation.offer), **scenario_texts(simulation.scenario)}
    if operator is not None:
        typed["operator"] = operator.slug
    return simulator_url(kind=question.kind, **typed)


def _title(question: _Question) -> str:
    return f"Simulate: {_LABELS[question.kind]}"


def _show(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    request.current_app = admin.site.name
    return TemplateResponse(
        request,
        template,
        {**admin.site.each_context(request), **context},
    )
