"""The settings of the naive version: as little as a project of its own would have."""

import os
from urllib.parse import unquote, urlsplit

_DATABASE = urlsplit(os.environ["DATABASE_URL"])

DEBUG = False
SECRET_KEY = "naive-" * 12
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "bench.naive.urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "rest_framework", "bench.naive"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _DATABASE.path.lstrip("/"),
        "HOST": _DATABASE.hostname,
        "PORT": _DATABASE.port,
        "USER": unquote(_DATABASE.username or ""),
        "PASSWORD": unquote(_DATABASE.password or ""),
        # As fast as this version can be: a connection for each request would halve it again.
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 16}},
    }
}
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["bench.naive.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
LOGGING_CONFIG = None
