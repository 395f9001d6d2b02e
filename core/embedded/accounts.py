"""
Whom PostgreSQL runs as.

PostgreSQL refuses to run as root. Root therefore borrows an account that exists already:
no user is created, and no folder that is not ours changes its mode.
"""

import os
import pwd
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.embedded.errors import CannotRun

PREFERRED = ("postgres", "nobody")
PROBE_TIMEOUT_S = 20


@dataclass(frozen=True)
class Account:
    """A user of this machine that root can become."""

    name: str
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """Return what makes subprocess start a program as this user and nobody else."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_run(self, *command: str) -> bool:
        """Try ``command`` as this user; asking the kernel also sees ACLs and mount options."""
        try:
            ended = subprocess.run(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=PROBE_TIMEOUT_S,
                check=False,
                **self.popen_arguments(),
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return ended.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this user can change into ``folder``."""
        return self.can_run("/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder))


def choose_account() -> Account | None:
    """
    Return the account to run PostgreSQL as, or None to run it as ourselves.

    :raises CannotRun: if we are root and can become nobody else.
    """
    if os.geteuid() != 0:
        return None
    for account in _candidates():
        if account.can_run("/bin/sh", "-c", ":"):
            return account
    raise CannotRun(
        "PostgreSQL refuses to run as root, and this machine has no other user to run it as: "
        "start this as an ordinary user, or set DATABASE_URL to a PostgreSQL that runs already."
    )


def owner_of(path: Path) -> Account | None:
    """Return the account that ``path`` belongs to, or None if that is us."""
    status = path.stat()
    if status.st_uid == os.geteuid():
        return None
    try:
        name = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        name = str(status.st_uid)
    return Account(name=name, uid=status.st_uid, gid=status.st_gid)


def _candidates() -> Iterator[Account]:
    entries = pwd.getpwall()
    # A stable sort: the preferred names first and in their order, then the file's order.
    entries.sort(key=lambda entry: _preference(entry.pw_name))
    for entry in entries:
        if entry.pw_uid != 0 and entry.pw_gid != 0:
            yield Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def _preference(name: str) -> int:
    return PREFERRED.index(name) if name in PREFERRED else len(PREFERRED)
