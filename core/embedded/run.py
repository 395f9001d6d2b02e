"""`make run`: everything, from an empty folder to a summary with a login, and back down."""

import json
from collections.abc import Mapping
from pathlib import Path

from core.embedded.application import Application
from core.embedded.console import say, tail
from core.embedded.errors import CannotRun, StopRequested
from core.embedded.folder import DataFolder, ensure_port_free, write_private
from core.embedded.guard import Guard
from core.embedded.interrupts import StopSignals
from core.embedded.options import RunOptions
from core.embedded.postgres import DURABLE
from core.embedded.sandbox import SandboxAddress
from core.embedded.servers import as_lines, start_servers
from core.embedded.supervisor import Supervisor

#: Where the settings look for the servers when a command is typed beside us.
SERVERS_FILE = "servers.env"
PREPARATION_TIMEOUT_S = 600
READY_TIMEOUT_S = 60


def run(environment: Mapping[str, str]) -> int:
    """
    Run Windfall until somebody stops it, and return the exit status.

    That is 0 after Ctrl-C or SIGTERM, and 1 when it could not start or something crashed.
    """
    signals = StopSignals()
    signals.install()
    try:
        _run(environment, signals)
    except StopRequested:
        say("Everything is stopped.")
        return 0
    except CannotRun as reason:
        if reason.log is not None:
            say(tail(reason.log))
        say(f"\n{reason.message}")
        return 1
    raise AssertionError("watching ends with an exception")


def _run(environment: Mapping[str, str], signals: StopSignals) -> None:
    options = RunOptions.from_environment(environment)
    folder = DataFolder.open(options.data_dir)
    claim = folder.claim(signals)
    ensure_port_free(options.host, options.port)
    say("Windfall")
    with Supervisor(logs=folder.logs, signals=signals, guard=Guard(keep_open=(claim,))) as nest:
        try:
            urls = start_servers(nest, folder, options.given, DURABLE)
            sandbox = SandboxAddress.choose(folder, options)
            write_private(
                folder.path / SERVERS_FILE,
                as_lines({**urls.as_environment(), **sandbox.as_environment(environment)}),
            )
            application = Application(
                options=options, urls=urls, sandbox=sandbox, environment=environment
            )
            _start(nest, folder, application)
            say(_summary(options, folder, application, sandbox))
            nest.watch()
        except StopRequested:
            say("\nStopping ...")
            raise


def _start(nest: Supervisor, folder: DataFolder, application: Application) -> None:
    _collect_static(nest, folder, application)
    say("  Migrating the database")
    nest.run_to_end(application.migrate(), seconds=PREPARATION_TIMEOUT_S)
    # Loading Django takes web as long as the demo world takes to see that it is there. Side
    # by side they save seconds of every start; nobody is told the address yet.
    say("  Starting sandbox and web")
    sandbox = nest.start(application.sandbox())
    web = nest.start(application.web())
    nest.wait_until(application.is_sandbox_ready, process=sandbox, seconds=READY_TIMEOUT_S)
    say("  Loading the demo world")
    nest.run_to_end(application.load_demo(), seconds=PREPARATION_TIMEOUT_S)
    if application.credentials.exists():
        application.credentials.chmod(0o600)
        _connect_sandbox(nest, folder, application)
    # Not before: on two cores the rest would only delay the answer somebody is waiting for.
    nest.wait_until(application.is_ready, process=web, seconds=READY_TIMEOUT_S)
    background = application.background()
    say(f"  Starting {' and '.join(command.name for command in background)}")
    for command in background:
        nest.start(command)


def _collect_static(nest: Supervisor, folder: DataFolder, application: Application) -> None:
    fingerprint = application.fingerprint_of_static_files()
    has_static = (application.static_root / "staticfiles.json").exists()
    if has_static and folder.stamp("static") == fingerprint:
        return
    say("  Collecting the static files")
    nest.run_to_end(application.collect_static(), seconds=PREPARATION_TIMEOUT_S)
    folder.put_stamp("static", fingerprint)


def _connect_sandbox(nest: Supervisor, folder: DataFolder, application: Application) -> None:
    fingerprint = application.fingerprint_of_sandbox()
    if folder.stamp("sandbox") == fingerprint:
        return
    say("  Connecting the sandbox")
    nest.run_to_end(application.connect_sandbox(), seconds=PREPARATION_TIMEOUT_S)
    folder.put_stamp("sandbox", fingerprint)


def _summary(
    options: RunOptions, folder: DataFolder, application: Application, sandbox: SandboxAddress
) -> str:
    lines = [
        "",
        "Windfall is ready.",
        "",
        f"  Site         {options.url}/",
        f"  Back office  {options.url}/admin/",
        f"  API          {options.url}/docs/   {options.url}/redoc/",
        f"  Sandbox      {sandbox.url}/sandbox/   a casino platform to play with",
        f"  Metrics      {options.url}/metrics   for Prometheus",
        "",
    ]
    try:
        demo = json.loads(application.credentials.read_text())
        lines += [
            f"  Login        {demo['login']}",
            f"  Password     {demo['password']}",
            f"  API key      {demo['api_key']}",
        ]
    except (OSError, ValueError, KeyError):
        # A database of your own need not have a demo world in it.
        lines += ["  Login        none: no demo world was loaded into this database"]
    lines += [
        "",
        f"  Logs         {_as_seen_from_here(folder.logs)}",
        "",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)


def _as_seen_from_here(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
