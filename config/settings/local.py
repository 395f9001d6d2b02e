"""One machine: `make run`, the demo world, a developer's shell."""

from pathlib import Path

import config.settings.servers
from config.settings.base import *

DEBUG = False
# Not a secret: it protects a demo that listens on the loopback address.
SECRET_KEY = env.str("SECRET_KEY", default="local-only-" + "windfall" * 6)
# Neither is this, for the same reason (core/sealing.py).
SECRETS_KEYS = env.list("SECRETS_KEYS", default=["d2luZGZhbGwtbG9jYWwtb25seS13aW5kZmFsbC1rZXk="])
ALLOWED_HOSTS = ["*"]
# Where `make run` collects them, so that a process that is started beside it finds them, too.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(DATA_DIR / "static")))
# Compressing every file takes most of a minute, and a loopback connection gains nothing by it.
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
}
