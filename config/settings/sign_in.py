"""How staff sign in: second factor, lockout, sessions (docs/staff.md)."""

from datetime import timedelta

import environ

env = environ.Env()  # type: ignore[no-untyped-call]

SIGN_IN_APPS = ["allauth", "allauth.account", "allauth.mfa", "axes"]

# The first one only counts failures and refuses who has too many.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "staff.backends.StaffBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "account_login"

# --- sessions: known by their owner, so that they can be ended (staff/sessions.py)

SESSION_ENGINE = "staff.sessions"
# Whoever is signed in longer than this signs in again; closing the browser signs out, too.
SESSION_COOKIE_AGE = 3600 * env.int("STAFF_SESSION_HOURS", default=12)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_NAME = "windfall_session"

# --- name and password

ACCOUNT_ADAPTER = "staff.sign_in.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# Nobody is remembered: a session ends with the browser.
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = LOGOUT_REDIRECT_URL
ACCOUNT_FORMS = {
    "login": "staff.sign_in.forms.SignInForm",
    "reauthenticate": "staff.sign_in.forms.PasswordForm",
}
# How long a password that was right waits for its code, and a confirmation holds.
ACCOUNT_LOGIN_TIMEOUT = 600
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_RATE_LIMITS = {
    # Forms sent from one address, whatever the name.
    "login": "30/m/ip",
    # Codes only, for one person and from wherever: passwords are counted by axes, by name
    # and address together, because a count by name would let anybody lock anybody out.
    "login_failed": "20/m/ip,5/5m/key,20/d/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
}
# How many proxies stand before us: their addresses are not the clients'.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

# --- second factor

# Whether nobody gets anywhere without one.
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=False)
MFA_ADAPTER = "staff.sign_in.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Windfall"
# A clock may be half a minute wrong; staff/services/second_factor.py takes no code twice.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_FORMS = {
    "authenticate": "staff.sign_in.forms.CodeForm",
    "reauthenticate": "staff.sign_in.forms.ConfirmCodeForm",
    "activate_totp": "staff.sign_in.forms.FirstCodeForm",
}

# --- lockout

# Name and address together: whoever guesses elsewhere locks only themselves out.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.int("STAFF_FAILURES_MAX", default=5)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("STAFF_LOCKOUT_MINUTES", default=15))
# Trying on does not make it longer: what the page says is true.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "core.addresses.client_address"
AXES_USERNAME_CALLABLE = "staff.sign_in.lockout.counted_name"
AXES_LOCKOUT_CALLABLE = "staff.sign_in.lockout.locked_out"
# The audit trail keeps who signed in, and the back office has its own pages.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
# What is never written down with a failure; a password is sometimes typed as a name.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "login", "code", "csrfmiddlewaretoken"]
