"""What `make run` runs: the commands that prepare the application, and its processes."""

import hashlib
import http.client
import sys
from collections.abc import Mapping
from pathlib import Path

from core.embedded.folder import LOOPBACK
from core.embedded.options import RunOptions
from core.embedded.processes import Command
from core.embedded.sandbox import SandboxAddress
from core.embedded.servers import ServerUrls

PROJECT = Path(__file__).resolve().parents[2]
SETTINGS = "config.settings.local"
READY_PATH = "/readyz"
SANDBOX_PATH = "/sandbox/"
PROBE_TIMEOUT_S = 5

WEB_WORKERS = 2
WEB_THREADS = 8
# Platforms and endpoints of others are waited for: that must not hold up the rest.
TASK_PROCESSES = 6
# Long enough to see a bonus that is not credited yet.
AUTOPLAY_S = 2


class Application:
    """The commands of the application on given servers, each with its arguments."""

    def __init__(
        self,
        *,
        options: RunOptions,
        urls: ServerUrls,
        sandbox: SandboxAddress,
        environment: Mapping[str, str],
    ) -> None:
        self._options = options
        self._sandbox = sandbox
        self._environment = {
            **without_make(environment),
            **urls.as_environment(),
            **sandbox.as_environment(environment),
            "DATA_DIR": str(options.data_dir),
            "STATIC_ROOT": str(self.static_root),
            "DJANGO_SETTINGS_MODULE": environment.get("DJANGO_SETTINGS_MODULE") or SETTINGS,
            # A log that is written when the buffer is full says nothing about a crash.
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def credentials(self) -> Path:
        """The file in which `load_demo` leaves the demo's login and API key."""
        return self._options.data_dir / "demo.json"

    @property
    def static_root(self) -> Path:
        """The folder from which the stylesheets and scripts are served."""
        return self._options.data_dir / "static"

    def migrate(self) -> Command:
        """Return the command that brings the database up to date."""
        return self._manage("migrate", "--noinput")

    def load_demo(self) -> Command:
        """Return the command that loads the demo world, if it is not there."""
        return self._manage("load_demo", "--credentials", str(self.credentials))

    def connect_sandbox(self) -> Command:
        """Return the command that makes the sandbox an adapter of the demo's operator."""
        return self._manage("connect_sandbox", "--url", self._sandbox.url)

    def fingerprint_of_sandbox(self) -> str:
        """Return a word that changes with the database, and with the sandbox's address."""
        database = self._environment["DATABASE_URL"]
        return hashlib.sha256(f"{database} {self._sandbox.url}".encode()).hexdigest()

    def collect_static(self) -> Command:
        """Return the command that fills the static root."""
        return self._manage("collectstatic", "--noinput", "--clear", "--verbosity=0")

    def fingerprint_of_static_files(self) -> str:
        """Return a word that changes whenever `collectstatic` would copy something else."""
        digest = hashlib.sha256((PROJECT / "requirements.lock").read_bytes())
        # Not hidden folders, .venv above all: what is installed the lock file tells.
        sources = {PROJECT / "static", *PROJECT.glob("[!.]*/static")} - {self.static_root}
        for source in sorted(sources):
            for path in sorted(source.rglob("*")):
                status = path.stat()
                digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def web(self) -> Command:
        """Return the process that answers HTTP; it can start when the database is up to date."""
        return self._module(
            "web",
            "granian",
            "--interface=wsgi",
            f"--host={self._options.host}",
            f"--port={self._options.port}",
            f"--workers={WEB_WORKERS}",
            f"--blocking-threads={WEB_THREADS}",
            "--no-ws",
            "--workers-kill-timeout=3",
            "config.wsgi:application",
        )

    def sandbox(self) -> Command:
        """Return the casino platform to play with; it needs no server, and remembers."""
        # Not manage.py: loading Django, which it does not use, would delay every start.
        return self._module(
            "sandbox",
            "adapters.sandbox",
            f"--port={self._sandbox.port}",
            f"--windfall-url={self._options.url}",
            f"--autoplay={AUTOPLAY_S}",
            f"--state={self._options.data_dir / 'sandbox.jsonl'}",
        )

    def background(self) -> tuple[Command, ...]:
        """Return the processes that work by themselves; another one is another entry here."""
        return (
            # Mingling and gossip look for other workers; there are none, and looking takes
            # a second of every start.
            self._module(
                "worker",
                "celery",
                "--app=config",
                "worker",
                f"--concurrency={TASK_PROCESSES}",
                "--loglevel=INFO",
                "--without-mingle",
                "--without-gossip",
            ),
            # Without a pid file, one left by a crash cannot stop the next start.
            self._module(
                "beat",
                "celery",
                "--app=config",
                "beat",
                "--loglevel=INFO",
                f"--schedule={self._options.data_dir / 'beat-schedule'}",
                "--pidfile=",
            ),
        )

    def is_ready(self) -> bool:
        """Ask the web process whether it can serve."""
        return _answers(self._options.reachable_host, self._options.port, READY_PATH)

    def is_sandbox_ready(self) -> bool:
        """Ask the sandbox platform whether it can serve."""
        return _answers(LOOPBACK, self._sandbox.port, SANDBOX_PATH)

    def _manage(self, *arguments: str) -> Command:
        return self._command(arguments[0], str(PROJECT / "manage.py"), *arguments)

    def _module(self, name: str, module: str, *arguments: str) -> Command:
        # Not the script of that name beside Python: its first line breaks when .venv moves.
        return self._command(name, "-m", module, *arguments)

    def _command(self, name: str, *arguments: str) -> Command:
        return Command(
            name=name,
            argv=(sys.executable, *arguments),
            environment=self._environment,
            folder=PROJECT,
        )


def _answers(host: str, port: int, path: str) -> bool:
    """Ask past any proxy of the environment."""
    connection = http.client.HTTPConnection(host, port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def without_make(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``environment`` without what make tells its own children."""
    return {
        name: value
        for name, value in environment.items()
        if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MAKE_TERMOUT")
    }
