"""Production: nothing has a default that would be unsafe, so what is missing stops the start."""

from config.settings.base import *

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
SECRETS_KEYS = env.list("SECRETS_KEYS")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")
# Read again without a default: a production start without a database must not get far.
DATABASE_URL = env.str("DATABASE_URL")
CELERY_BROKER_URL = env.str("BROKER_URL")
CACHE_URL = env.str("CACHE_URL")

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
