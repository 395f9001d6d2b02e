"""What every environment shares. Values that differ come from the environment."""

from pathlib import Path

import environ
from csp.constants import NONE, SELF

from adapters.webhooks.topics import TOPICS, attribute_of
from config.settings import folders, unfold
from config.settings.background import *
from config.settings.sign_in import *

env = environ.Env()  # type: ignore[no-untyped-call]

BASE_DIR = folders.BASE_DIR
DATA_DIR = folders.DATA_DIR

# --- applications

# Our apps, top first; the order is the order of imports and of locks.
WINDFALL_APPS = [
    "reports",
    "simulations",
    "activity",
    "adapters",
    "promos",
    "bonuses",
    "jackpots",
    "wallets",
    "games",
    "players",
    "approvals",
    "staff",
    "operators",
    "core",
]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "rest_framework",
    *SIGN_IN_APPS,
    *WINDFALL_APPS,
]

MIDDLEWARE = [
    "core.middleware.RequestIdMiddleware",
    # The API is answered here: what follows is for pages.
    "core.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "staff.sign_in.middleware.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "core.middleware.AdminContentSecurityPolicyMiddleware",
    "core.middleware.RefuseNulMiddleware",
    "axes.middleware.AxesMiddleware",
]
API_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# The API's paths carry no trailing slash, and a redirect would lose a POST's body.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- database

DATABASES = {"default": env.db("DATABASE_URL", default="postgres://localhost/windfall")}
# At least one connection for every thread of a process; 0: no pool, and each thread keeps
# the connection that it has opened (config/wsgi.py).
DATABASE_POOL_MAX = env.int("DATABASE_POOL_MAX", default=16)
DATABASES["default"].update(
    {
        "ATOMIC_REQUESTS": False,
        # A pool keeps connections; Django's own persistence must then be off.
        "CONN_MAX_AGE": 0 if DATABASE_POOL_MAX else None,
        "OPTIONS": {
            # Only core/prepared.py prepares, and at once. What PgBouncer lends by the
            # transaction has forgotten it the next time.
            "prepare_threshold": None if env.bool("DATABASE_PGBOUNCER", default=False) else 0,
            # A waiter gives up and answers 503 rather than pile up behind a stuck lock.
            "options": (
                f"-c lock_timeout={env.int('DATABASE_LOCK_TIMEOUT_MS', default=3000)}"
                f" -c statement_timeout={env.int('DATABASE_STATEMENT_TIMEOUT_MS', default=30000)}"
                " -c idle_in_transaction_session_timeout=60000"
            ),
        },
    }
)
if DATABASE_POOL_MAX:
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": env.int("DATABASE_POOL_MIN", default=1),
        "max_size": DATABASE_POOL_MAX,
        "timeout": env.int("DATABASE_POOL_TIMEOUT_S", default=5),
    }
# A PgBouncer that lends connections by the transaction takes no options with a connection, so
# the role carries the timeouts (docs/operations.md); and it would lose a cursor of the server.
if env.bool("DATABASE_PGBOUNCER", default=False):
    del DATABASES["default"]["OPTIONS"]["options"]
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- cache; the broker is in config/settings/background.py

CACHE_URL = env.str("CACHE_URL", default="redis://127.0.0.1:6379/1")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_PREFIX": "windfall",
        # A cache that says nothing must not hold up a request.
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
}

# --- the API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["operators.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["operators.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["operators.throttling.KeyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.negotiation.AlwaysJSON",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.NewestFirst",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.WindfallSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "core.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# Requests per key and minute; 0 switches the limit off.
API_RATE_LIMIT_PER_MINUTE = env.int("API_RATE_LIMIT_PER_MINUTE", default=600_000)
# Webhooks per adapter, sender's address and minute; 0 switches the limit off.
WEBHOOK_RATE_LIMIT_PER_MINUTE = env.int("WEBHOOK_RATE_LIMIT_PER_MINUTE", default=60_000)
# How long the bytes of platforms' webhooks are kept.
WEBHOOK_INBOX_DAYS = env.int("WEBHOOK_INBOX_DAYS", default=90)
# How long messages to operators are kept once they have been delivered or given up: so long
# they can be looked at, and sent again.
OUTBOX_DAYS = env.int("OUTBOX_DAYS", default=90)
# How long one can ask what became of a contribution that was answered 202.
CONTRIBUTION_REQUEST_DAYS = env.int("CONTRIBUTION_REQUEST_DAYS", default=90)
# How long a web process may go on believing in an API key it has looked up.
API_KEY_CACHE_S = env.float("API_KEY_CACHE_S", default=2.0)

SPECTACULAR_SETTINGS = {
    "TITLE": "Windfall",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "Linked jackpots, bonuses and promo codes for online gaming operators.\n\n"
        "Authenticate with `Authorization: Api-Key <key>`. Money is a decimal string. "
        "Every error is an RFC 9457 problem document with a stable `code`."
    ),
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/v[0-9]",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SORT_OPERATIONS": False,
    # 3.1 knows webhooks.
    "OAS_VERSION": "3.1.1",
    "WEBHOOKS": [f"adapters.webhooks.openapi.{attribute_of(topic)}" for topic in TOPICS],
    "ENUM_NAME_OVERRIDES": {
        "ActorKindEnum": "core.actors.ActorKind",
        "BoostStatusEnum": "jackpots.enums.BoostStatus",
        "ContributionTypeEnum": "jackpots.enums.ContributionType",
        "DropTypeEnum": "jackpots.enums.DropType",
        "InstanceKindEnum": "jackpots.enums.InstanceKind",
        "InstanceStatusEnum": "jackpots.enums.InstanceStatus",
        "WinCauseEnum": "jackpots.enums.WinCause",
        "WinStatusEnum": "jackpots.enums.WinStatus",
        "PromoTypeEnum": "promos.enums.PromoType",
        "UserPromoStatusEnum": "promos.enums.UserPromoStatus",
        "BatchStatusEnum": "promos.enums.BatchStatus",
        "DeliveryStatusEnum": "adapters.enums.DeliveryStatus",
        "BonusTypeEnum": "bonuses.enums.BonusType",
        "GrantStatusEnum": "bonuses.enums.GrantStatus",
        "IssuanceStatusEnum": "bonuses.enums.IssuanceStatus",
        "CampaignStatusEnum": "bonuses.enums.CampaignStatus",
        "AdapterKindEnum": "adapters.enums.AdapterKind",
    },
}

# Tests make processes die at named places (core/failpoints.py); nobody else can.
FAILPOINTS_ENABLED = False

# --- monitoring

# Who may ask for /metrics (core/api/metrics.py): whoever bears the token, if there is one;
# else nobody but the machine itself.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_FROM_LOOPBACK = env.bool("METRICS_FROM_LOOPBACK", default=True)

# --- what domains ask of apps above them

# What bonuses ask for lost bets (bonuses/ports.py).
BONUS_LOSSES = "activity.selectors.sum_settled_losses"

# --- casino platforms

# What bonuses ask for adapters (bonuses/ports.py).
BONUS_ADAPTERS = "adapters.registry.registry"
# Who pays the wins of players whose wallet is elsewhere (jackpots/ports.py).
JACKPOT_PAYOUTS = "adapters.registry.payouts"
# Hosts (or host:port) that a platform's address may name although they are private, not
# HTTPS, or not at port 443. Each is as it stands in the address: a name is not its address.
ADAPTER_ALLOWED_HOSTS = env.list("ADAPTER_ALLOWED_HOSTS", default=[])
# A call to a platform is over after this, however it dawdles.
ADAPTER_DEADLINE_S = env.float("ADAPTER_DEADLINE_S", default=10.0)
# So many calls in a row that found no platform, and it is left alone for so long.
ADAPTER_BREAKER_FAILURES = env.int("ADAPTER_BREAKER_FAILURES", default=10)
ADAPTER_BREAKER_OPEN_S = env.float("ADAPTER_BREAKER_OPEN_S", default=10.0)

# --- web

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "object-src": [NONE],
        "img-src": [SELF, "data:"],
    }
}

UNFOLD = unfold.UNFOLD

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- logs

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "core.logs.json_formatter"},
        "console": {"()": "core.logs.console_formatter"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": env.str("LOG_FORMAT", default="json"),
        }
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        # Refusals are answers, not incidents; only 5xx is worth a line.
        "django.request": {"level": "ERROR"},
        "httpx2": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
