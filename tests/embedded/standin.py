"""
A project that the launcher can start in a second: its real code, and stand-ins for the rest.

`manage.py`, granian, celery and the sandbox platform are replaced by scripts of the same names,
which Python finds first because the project is the working folder. What they do can be changed
by a test.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from core.embedded.folder import find_free_port

ROOT = Path(__file__).resolve().parents[2]
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30

# Variables of the developer, of make and of this test run that would change what is tested.
OURS = {
    "DATABASE_URL",
    "BROKER_URL",
    "CACHE_URL",
    "DATA_DIR",
    "STATIC_ROOT",
    "PORT",
    "HOST",
    "DJANGO_SETTINGS_MODULE",
    "ADAPTER_ALLOWED_HOSTS",
    "SANDBOX_URL",
}

MANAGE = """\
import json, os, pathlib, sys
print("manage.py", *sys.argv[1:])
print("ADAPTER_ALLOWED_HOSTS", os.environ["ADAPTER_ALLOWED_HOSTS"])
print("SANDBOX_URL", os.environ["SANDBOX_URL"])
if "load_demo" in sys.argv:
    demo = {"login": "demo", "password": "let-me-in", "api_key": "wf_demo"}
    pathlib.Path(sys.argv[sys.argv.index("--credentials") + 1]).write_text(json.dumps(demo))
if "collectstatic" in sys.argv:
    root = pathlib.Path(os.environ["STATIC_ROOT"])
    root.mkdir(exist_ok=True)
    (root / "staticfiles.json").write_text("{}")
"""
# Like granian and celery it has a child of its own, which a careless stop leaves behind.
WORKER = """\
import subprocess, sys, time
print("worker starts")
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
time.sleep(600)
"""
WEB = """\
import http.server, sys
options = dict(word.lstrip("-").split("=") for word in sys.argv if "=" in word)
class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
http.server.ThreadingHTTPServer((options["host"], int(options["port"])), Site).serve_forever()
"""
SANDBOX = """\
import http.server, os, sys
print("sandbox", *sys.argv[1:], "")
print("ADAPTER_ALLOWED_HOSTS", os.environ["ADAPTER_ALLOWED_HOSTS"])
print("SANDBOX_URL", os.environ["SANDBOX_URL"])
options = dict(word.lstrip("-").split("=") for word in sys.argv if "=" in word)
class Platform(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/sandbox/" else 404)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(options["port"])), Platform).serve_forever()
"""


def clean_environment(**changes: str) -> dict[str, str]:
    """Return our environment without what would reach into the project under test."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in OURS and not name.startswith(("MAKE", "MFLAGS", "PYTEST_", "GRANIAN_"))
    }
    return {**kept, **changes}


class StandIn:
    """The project in its folder, and one launcher after another on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.port = find_free_port()
        # A file, because a pipe that nobody reads would stop the launcher.
        self.output_path = folder / "output"
        shutil.copytree(
            ROOT / "core" / "embedded",
            folder / "core" / "embedded",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        self.write("core/__init__.py", "")
        self.write("requirements.lock", "")
        self.write("manage.py", MANAGE)
        self.write("granian.py", WEB)
        self.write("celery.py", WORKER)
        (folder / "adapters" / "sandbox").mkdir(parents=True)
        self.write("adapters/__init__.py", "")
        self.write("adapters/sandbox/__init__.py", "")
        self.write("adapters/sandbox/__main__.py", SANDBOX)

    @property
    def sandbox_url(self) -> str:
        """Where the last start put the sandbox platform."""
        return f"http://127.0.0.1:{(self.data_dir / 'sandbox.port').read_text().strip()}"

    def write(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text)

    @property
    def output(self) -> str:
        return self.output_path.read_text()

    def launch(
        self, *arguments: str, module: str = "core.embedded", **environment: str
    ) -> "subprocess.Popen[bytes]":
        """Start the launcher, or what calls it, and return at once."""
        values = {"PORT": str(self.port), "DATA_DIR": str(self.data_dir), **environment}
        with self.output_path.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", module, *(arguments or ("run",))],
                cwd=self.folder,
                env=clean_environment(**values),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Started by nohup, the tests would hand on that SIGHUP is ignored. No thread
                # of ours is there to be caught in the middle.
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509
            )

    def launch_and_wait_for(
        self, words: str, module: str = "core.embedded", **environment: str
    ) -> "subprocess.Popen[bytes]":
        """Start `run` and return when it has printed ``words``."""
        launcher = self.launch(module=module, **environment)
        deadline = time.monotonic() + START_TIMEOUT_S
        while words not in self.output:
            assert launcher.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)
        return launcher

    def run(self, *arguments: str, **environment: str) -> int:
        """Start the launcher and return its exit status when it has ended."""
        return self.launch(*arguments, **environment).wait(timeout=START_TIMEOUT_S)
