"""Production: nothing has a default that would be unsafe, so what is missing stops the start."""

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import *

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
SECRETS_KEYS = env.list("SECRETS_KEYS")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS has to name the hosts of this site, not all there are."
    )
# Read again without a default: a production start without a database must not get far.
DATABASE_URL = env.str("DATABASE_URL")
CELERY_BROKER_URL = env.str("BROKER_URL")
CACHE_URL = env.str("CACHE_URL")

STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=True)
# One proxy, because something before us has to end TLS (SECURE_PROXY_SSL_HEADER below).
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=1)

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
# Asked for from inside, where nobody speaks TLS.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Behind a proxy on the same machine everybody comes from there.
METRICS_FROM_LOOPBACK = env.bool("METRICS_FROM_LOOPBACK", default=False)

# It knows Django's class by its path, and ours is a subclass: core.checks looks at that.
SILENCED_SYSTEM_CHECKS = ["security.W003"]
