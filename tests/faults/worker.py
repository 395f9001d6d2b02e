"""
A Celery worker that thinks a message lost after a second: `celery -A tests.faults.worker`.

Whatever takes longer is delivered again while it runs.
"""

from config.celery import app

app.conf.broker_transport_options = {"visibility_timeout": 1}
