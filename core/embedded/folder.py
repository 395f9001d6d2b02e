"""DATA_DIR: everything the launcher remembers from one run to the next."""

import fcntl
import os
import secrets
import socket
import time
from pathlib import Path

from core.embedded.errors import CannotRun
from core.embedded.interrupts import StopSignals

LOOPBACK = "127.0.0.1"
# Below those that systems give to outgoing connections (Linux from 32768, others from 49152):
# one of these could take a port between our look at it and the bind, a migration later.
PORTS = range(20_000, 32_000)
# The guard of a launcher that was killed holds the claim until it has stopped everything.
GUARD_DONE_WITHIN_S = 12.0
POLL_S = 0.2


class DataFolder:
    """
    The folder, its secrets, its ports, and the claim that only one launcher uses it.

    Everything in it can be deleted together; the next run then starts from nothing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"

    @classmethod
    def open(cls, path: Path) -> "DataFolder":
        """
        Make the folder if it does not exist, and see that it can be written.

        :raises CannotRun: if it cannot.
        """
        folder = cls(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            folder.logs.mkdir(mode=0o700, exist_ok=True)
            probe = path / ".probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise _cannot_write(path, error) from error
        return folder

    def claim(self, signals: StopSignals) -> int:
        """
        Take the folder for this process and return the descriptor that holds it.

        The claim is a lock of the kernel on the file with our number, so that it ends with
        us, and a file left by a crash claims nothing.

        :raises CannotRun: if another launcher uses the folder.
        :raises StopRequested: if somebody asked us to stop meanwhile.
        """
        path = self.path / "run.pid"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _cannot_write(path, error) from error
        deadline = time.monotonic() + GUARD_DONE_WITHIN_S
        while not _try_lock(descriptor):
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            if _is_alive(holder) or time.monotonic() > deadline:
                raise CannotRun(
                    f"Windfall already runs on {self.path} (process {holder or 'unknown'}): "
                    "stop it with Ctrl-C where it runs, or choose another DATA_DIR and PORT."
                )
            signals.pause(POLL_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor

    def has_secret(self, name: str) -> bool:
        """Tell whether the secret was made by an earlier run."""
        return self._secret_path(name).exists()

    def secret(self, name: str) -> str:
        """Return the secret called ``name``, made at the first call and the same ever after."""
        path = self._secret_path(name)
        if not path.exists():
            write_private(path, secrets.token_hex(24))
        return path.read_text().strip()

    def port(self, name: str, *, preferred: int | None = None, reserved: int | None = None) -> int:
        """
        Return the port ``name`` had the last time, or another one if somebody took it.

        Then it is ``preferred``, if that is free; ``reserved`` it never is.
        """
        path = self.path / f"{name}.port"
        try:
            remembered = int(path.read_text())
        except (OSError, ValueError):
            remembered = None
        for port in (remembered, preferred):
            if port and port != reserved and is_port_free(LOOPBACK, port):
                break
        else:
            port = find_free_port()
        if port != remembered:
            path.write_text(f"{port}\n")
        return port

    def forget_port(self, name: str) -> None:
        """Make the next ``port`` call choose anew."""
        (self.path / f"{name}.port").unlink(missing_ok=True)

    def stamp(self, name: str) -> str:
        """Return what put_stamp() wrote last; empty if nothing has been."""
        path = self._stamp_path(name)
        return path.read_text().strip() if path.exists() else ""

    def put_stamp(self, name: str, fingerprint: str) -> None:
        """Remember what has been done, so that the next start need not do it again."""
        write_private(self._stamp_path(name), fingerprint)

    def _stamp_path(self, name: str) -> Path:
        return self.path / f"{name}.stamp"

    def _secret_path(self, name: str) -> Path:
        return self.path / f"{name}.password"


def write_private(path: Path, text: str) -> None:
    """Write ``text`` for our eyes only, and so that a crash leaves all of it or nothing."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)


def ensure_port_free(host: str, port: int) -> None:
    """
    See that we can listen on ``port``.

    :raises CannotRun: if we cannot.
    """
    try:
        _bind(host, port)
    except PermissionError as error:
        raise CannotRun(
            f"You may not listen on port {port}: choose one above 1023, "
            "for example PORT=8001 make run."
        ) from error
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise CannotRun(
            f"{host}:{port} is not free to listen on ({reason}): stop what listens there, "
            f"or choose another PORT, for example PORT={port + 1 if port < 65535 else 8001} "
            "make run."
        ) from error


def is_port_free(host: str, port: int) -> bool:
    """Tell whether nobody listens on ``port``."""
    try:
        _bind(host, port)
    except OSError:
        return False
    return True


def _cannot_write(path: Path, error: OSError) -> CannotRun:
    return CannotRun(
        f"{path} cannot be written ({error.strerror}): make it writable, or choose another "
        "data folder, for example DATA_DIR=/tmp/windfall make run."
    )


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        # As servers do: connections of the last run that linger are no obstacle.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1)
        bound: int = listener.getsockname()[1]
        return bound


def find_free_port() -> int:
    """Return a port of the loopback address that nobody listens on, one of PORTS if there is."""
    # Not by the common generator: who seeds it, as tests do, would find the same as others.
    for port in secrets.SystemRandom().sample(PORTS, len(PORTS)):
        if is_port_free(LOOPBACK, port):
            return port
    return _bind(LOOPBACK, 0)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
