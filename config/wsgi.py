"""The WSGI entry point, served by granian."""

import gc
import os
from collections.abc import Callable
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest, get_script_name
from django.db import close_old_connections
from django.urls import set_script_prefix

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
# The threads that answer are few and stay: each keeps a connection of its own, and nothing
# is lent and given back for every request (docs/adr/0011).
os.environ.setdefault("DATABASE_POOL_MAX", "0")

django.setup(set_prefix=False)

# Settings are read where this is imported from, so it comes after setup.
from core.middleware import API_PREFIXES  # noqa: E402


class Application(WSGIHandler):
    """
    Django's own, which answers the API without sending signals.

    What listens to the beginning and the end of a request are Django's own caretakers; of
    those only the one of the database has anything to do for the API.
    """

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answer one request (PEP 3333)."""
        if not environ["PATH_INFO"].startswith(API_PREFIXES):
            return super().__call__(environ, start_response)
        if environ.get("SCRIPT_NAME"):
            set_script_prefix(get_script_name(environ))
        response: Any = self.get_response(WSGIRequest(environ))
        start_response(
            f"{response.status_code} {response.reason_phrase}", list(response.headers.items())
        )
        if response.streaming:
            # It reads on while it is sent, and is closed by the server.
            return response
        close_old_connections()
        return [response.content]


application = Application()

# What is loaded by now stays for good, so the cyclic collector need not walk it again and
# again; and a batch makes tens of thousands of objects that die with it, without a cycle: at
# the default threshold of 700 it would be walked through while it is being worked on.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
