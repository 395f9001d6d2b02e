"""The pages of somebody's own account: signing in, the second factor, sessions."""

from typing import Any

from allauth.account.internal.flows.login import clear_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal import flows as recovery_flows
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView

from core.admin.pages import staff_actor
from staff.selectors import has_second_factor, list_sessions
from staff.services.second_factor import record_second_factor, spend_first_code
from staff.services.sessions import end_sessions
from staff.sign_in.adapters import needs_second_factor
from staff.sign_in.middleware import WANTED

_SECURITY = reverse_lazy("mfa_index")


class CodeView(AuthenticateView):
    """Ask for the code, after a password that was right."""

    def form_invalid(self, form: Any) -> HttpResponse:
        """Ask again; whoever is locked out begins with the password again, later."""
        if getattr(self.request, "axes_locked_out", False):
            clear_login(self.request)
        response: HttpResponse = super().form_invalid(form)
        return response


@method_decorator(login_required, name="dispatch")
class SecurityView(TemplateView):
    """Show somebody what protects their account, and where they are signed in."""

    template_name = "account/security.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the person's authenticator, how many recovery codes are left, and sessions."""
        user: Any = self.request.user
        theirs = {each.type: each for each in Authenticator.objects.filter(user=user)}
        recovery = theirs.get(Authenticator.Type.RECOVERY_CODES)
        return {
            **super().get_context_data(**kwargs),
            "roles": sorted(user.groups.values_list("name", flat=True)),
            "authenticator": theirs.get(Authenticator.Type.TOTP),
            "codes_left": len(recovery.wrap().get_unused_codes()) if recovery else 0,
            "is_required": settings.STAFF_MFA_REQUIRED,
            "must_set_up": needs_second_factor(self.request),
            "sessions": list_sessions(user=user, now=timezone.now()),
            "session_key": self.request.session.session_key,
        }


class SetUpSecondFactorView(ActivateTOTPView):
    """Set an authenticator app up, and show the recovery codes that come with it."""

    success_url = _SECURITY

    def get_success_url(self) -> str:
        """Return the security page."""
        return str(_SECURITY)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the picture to scan, and the secret in letters for who cannot."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        secret = context["form"].secret
        return {
            **context,
            "secret_in_groups": [secret[at : at + 4] for at in range(0, len(secret), 4)],
            "must_set_up": needs_second_factor(self.request),
        }

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep the authenticator; this session counts as opened with it, and no other."""
        user: Any = self.request.user
        try:
            with transaction.atomic():
                super().form_valid(form)
                authenticator = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
                spend_first_code(
                    authenticator_id=authenticator.pk,
                    code=form.cleaned_data["code"],
                    now=timezone.now(),
                )
                _remember(self.request, "added")
        except IntegrityError:
            # The same form, sent twice at once: the other one was obeyed.
            return HttpResponseRedirect(str(_SECURITY))
        post_authentication(self.request, authenticator, reauthenticated=True)
        return _show_recovery_codes(self.request)


class RemoveSecondFactorView(DeactivateTOTPView):
    """Take the authenticator away; where one is required, another one is set up next."""

    success_url = _SECURITY

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Lead back whoever has none."""
        if request.user.is_authenticated and not has_second_factor(user=request.user):
            return HttpResponseRedirect(str(_SECURITY))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return whether another one must follow."""
        return {**super().get_context_data(**kwargs), "is_required": settings.STAFF_MFA_REQUIRED}

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove it, with the recovery codes; what was proved with it is proved no longer."""
        with transaction.atomic():
            response: HttpResponse = super().form_valid(form)
            _remember(self.request, "removed")
        clear_authentication_records(self.request)
        return response


class RecoveryCodesView(GenerateRecoveryCodesView):
    """Make recovery codes in place of those there are, and show them this once."""

    success_url = _SECURITY

    def form_valid(self, form: Any) -> HttpResponse:
        """Make them."""
        with transaction.atomic():
            recovery_flows.generate_recovery_codes(self.request)
            user: Any = self.request.user
            record_second_factor(
                user=user,
                what="recovery_codes_made",
                actor=staff_actor(self.request),
                now=timezone.now(),
            )
        return _show_recovery_codes(self.request)


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """Sign the person out everywhere but here."""
    user: Any = request.user
    count = end_sessions(
        user=user,
        kept_key=request.session.session_key,
        reason="",
        actor=staff_actor(request),
        now=timezone.now(),
    )
    sessions = "One other session was" if count == 1 else f"{count} other sessions were"
    messages.success(request, f"{sessions} ended." if count else "There was no other session.")
    return redirect("mfa_index")


def _remember(request: HttpRequest, what: str) -> None:
    """Write down what happened to the second factor, and end the person's other sessions."""
    user: Any = request.user
    actor, now = staff_actor(request), timezone.now()
    record_second_factor(user=user, what=what, actor=actor, now=now)
    end_sessions(
        user=user,
        kept_key=request.session.session_key,
        reason=f"Second factor {what}",
        actor=actor,
        now=now,
    )


def _show_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Answer with the codes; there is no address at which they could be seen again."""
    codes = Authenticator.objects.get(
        user_id=request.user.pk, type=Authenticator.Type.RECOVERY_CODES
    )
    context = {
        "codes": codes.wrap().get_unused_codes(),
        "wanted_url": request.session.pop(WANTED, reverse("admin:index")),
    }
    return render(request, "mfa/recovery_codes/index.html", context)
