"""The worker that `make run` starts serves the queue of every task."""

from django.conf import settings

from config.celery import app


def test_a_worker_that_is_not_told_its_queues_serves_every_route() -> None:
    queues = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}

    assert queues == set(app.amqp.queues.consume_from)


def test_every_queue_gets_its_own_tasks_and_no_others() -> None:
    routed = {
        name: (queue.exchange.name, queue.routing_key) for name, queue in app.amqp.queues.items()
    }

    assert routed == {name: (name, name) for name in routed}


def test_every_scheduled_task_has_a_route() -> None:
    prefixes = [pattern.removesuffix("*") for pattern in settings.CELERY_TASK_ROUTES]

    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert any(entry["task"].startswith(prefix) for prefix in prefixes), entry["task"]
