"""The forms of signing in, in our words; codes are taken once."""

from typing import Any

from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateByCodeForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.signals import user_login_failed
from django.utils import timezone

from staff.services.second_factor import spend_code
from staff.sign_in.adapters import remember_failure

CODE_LENGTH_MAX = 32


def _code_field(help_text: str) -> forms.CharField:
    return forms.CharField(
        label="Code",
        max_length=CODE_LENGTH_MAX,
        help_text=help_text,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


class SignInForm(LoginForm):
    """Name and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name, password = self.fields["login"], self.fields["password"]
        name.label = "User name"
        name.widget.attrs = {
            "autocomplete": "username",
            "autocapitalize": "none",
            "spellcheck": "false",
            "autofocus": True,
        }
        password.label, password.help_text = "Password", ""
        password.widget.attrs = {"autocomplete": "current-password"}


class PasswordForm(ReauthenticateForm):
    """The password once more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["password"]
        password.label, password.help_text = "Password", ""
        password.widget.attrs = {"autocomplete": "current-password", "autofocus": True}


class _SpendingForm(BaseAuthenticateForm):
    """A code, taken once; failures count for axes as wrong passwords do."""

    code = _code_field("From your authenticator app, or one of your recovery codes.")

    def clean_code(self) -> str:
        """Take the code."""
        forget_failures = check_rate_limit(self.user)
        code: str = self.cleaned_data["code"]
        authenticator = spend_code(user=self.user, code=code, now=timezone.now())
        if authenticator is None:
            username = self.user.get_username()
            user_login_failed.send(
                sender=__name__, credentials={"username": username}, request=context.request
            )
            remember_failure(context.request, username=username, step="code")
            raise get_adapter().validation_error("incorrect_code")
        forget_failures()
        authenticator.user = self.user
        self.authenticator = authenticator
        return code


class CodeForm(_SpendingForm, AuthenticateForm):
    """The code that signing in asks for."""


class ConfirmCodeForm(_SpendingForm, ReauthenticateByCodeForm):
    """The code that confirms who one is."""


class FirstCodeForm(ActivateTOTPForm):
    """The first code of an authenticator, which proves that it was set up."""

    code = _code_field("The six digits that the app shows now.")
