"""The WSGI entry point, served by granian."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
# The threads that answer are few and stay: each keeps a connection of its own, and nothing
# is lent and given back for every request (docs/adr/0011).
os.environ.setdefault("DATABASE_POOL_MAX", "0")

application = get_wsgi_application()

# What is loaded by now stays for good, so the cyclic collector need not walk it again and
# again; and a batch makes tens of thousands of objects that die with it, without a cycle: at
# the default threshold of 700 it would be walked through while it is being worked on.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
