"""The test suite: real PostgreSQL and Valkey, given in the environment by `make test`."""

from config.settings.base import *

SECRET_KEY = "tests-only-" + "windfall" * 6
SECRETS_KEYS = ["d2luZGZhbGwtdGVzdHMtb25seS13aW5kZmFsbC1rZXk="]
ALLOWED_HOSTS = ["*"]
# Hashing staff passwords slowly is the point in production and a waste here.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True
LOGGING["root"]["level"] = "WARNING"  # type: ignore[index]
# Race tests open one connection per thread, up to 64 at once.
if DATABASE_POOL_MAX:
    DATABASES["default"]["OPTIONS"]["pool"].update(max_size=80, timeout=30)
# Of 64 threads in one process the last waits for all the others to be given the processor: here a
# long wait says something about the machine. What waits in vain on purpose asks for less itself.
DATABASES["default"]["OPTIONS"]["options"] += " -c lock_timeout=60000 -c statement_timeout=300000"
FAILPOINTS_ENABLED = True
