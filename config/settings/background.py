"""Background work: the broker, who takes which tasks, and when they come (docs/adr/0005)."""

import environ
from celery.schedules import crontab
from kombu import Exchange, Queue

from config.settings.folders import DATA_DIR

env = environ.Env()  # type: ignore[no-untyped-call]

CELERY_BROKER_URL = env.str("BROKER_URL", default="redis://127.0.0.1:6379/0")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_TASK_DEFAULT_QUEUE = "core"
CELERY_TASK_ROUTES = {
    "adapters.tasks.*": {"queue": "adapters"},
    "bonuses.tasks.*": {"queue": "bonuses"},
    "core.tasks.*": {"queue": "core"},
    # Apart, so that a flood of promises never holds up the folding of meters.
    "jackpots.tasks.apply_contribution_*": {"queue": "promises"},
    "jackpots.tasks.*": {"queue": "jackpots"},
    # Apart: a platform that hangs holds up payouts, and no meters and no draws.
    "jackpots.tasks.pay_due_wins": {"queue": "payouts"},
    # Apart: a big draw takes minutes, and meters have to come round every second.
    "jackpots.tasks.finish_draws": {"queue": "draws"},
    "promos.tasks.*": {"queue": "promos"},
    "staff.tasks.*": {"queue": "core"},
    "wallets.tasks.*": {"queue": "wallets"},
}
QUEUES = list(dict.fromkeys(route["queue"] for route in CELERY_TASK_ROUTES.values()))
# Declared, so that a worker that is not told its queues (`--queues`) serves all of them.
CELERY_TASK_QUEUES = [Queue(queue, Exchange(queue), routing_key=queue) for queue in QUEUES]
CELERY_BEAT_SCHEDULE = {
    "fold-contributions": {
        "task": "jackpots.tasks.fold_contributions",
        "schedule": 1.0,
        # A run that could not start within two seconds is replaced by the next one.
        "options": {"expires": 2},
    },
    "apply-contribution-requests": {
        "task": "jackpots.tasks.apply_contribution_requests",
        "schedule": 1.0,
        "options": {"expires": 2},
    },
    "pay-due-wins": {
        "task": "jackpots.tasks.pay_due_wins",
        "schedule": 1.0,
        "options": {"expires": 2},
    },
    "finish-draws": {
        "task": "jackpots.tasks.finish_draws",
        "schedule": 1.0,
        "options": {"expires": 2},
    },
    "expire-due-user-promos": {
        "task": "promos.tasks.expire_due_user_promos",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "retry-due-issuances": {
        "task": "bonuses.tasks.retry_due_issuances",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "expire-due-grants": {
        "task": "bonuses.tasks.expire_due_grants",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "make-unfinished-batches": {
        "task": "promos.tasks.make_unfinished_batches",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "continue-campaigns": {
        "task": "bonuses.tasks.continue_campaigns",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "snapshot-hot-accounts": {
        "task": "wallets.tasks.snapshot_hot_accounts",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "relay-outbox": {
        "task": "adapters.tasks.relay_outbox",
        "schedule": 1.0,
        "options": {"expires": 2},
    },
    "deliver-due-webhooks": {
        "task": "adapters.tasks.deliver_due_webhooks",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "delete-expired-sessions": {
        "task": "staff.tasks.delete_expired_sessions",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "delete-old-webhook-messages": {
        "task": "adapters.tasks.delete_old_webhook_messages",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "delete-old-deliveries": {
        "task": "adapters.tasks.delete_old_deliveries",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "delete-old-contribution-requests": {
        "task": "jackpots.tasks.delete_old_contribution_requests",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    # By the clock: an interval of a day would begin anew with every deployment.
    "reconcile-bonuses": {
        "task": "bonuses.tasks.reconcile_bonuses",
        "schedule": crontab(hour="4", minute="10"),
    },
    "resume-reconciliation": {
        "task": "bonuses.tasks.resume_reconciliation",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "check-books": {
        "task": "core.tasks.check_books",
        "schedule": crontab(hour="3", minute="10"),
    },
    # One for every queue: that somebody takes it is what says that the queue has a worker.
    **{
        f"tick-{queue}": {
            "task": "core.tasks.tick",
            "schedule": 10.0,
            "kwargs": {"queue": queue},
            "options": {"queue": queue, "expires": 30},
        }
        for queue in QUEUES
    },
}
