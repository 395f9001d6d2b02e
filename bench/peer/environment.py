"""The peer's own environment: made once, from the package index."""

import subprocess
import sys
from pathlib import Path

from core.embedded.console import say
from core.embedded.errors import CannotRun

#: granian as in requirements.txt; the rest is what the peer itself asks for.
PACKAGES = (
    "django-oscar==4.2.1",
    "Django==5.2.19",
    "psycopg[binary,pool]==3.3.9",
    "granian==2.8.7",
)
INSTALLED_WITHIN_S = 600


def make_environment(folder: Path) -> str:
    """
    Return the Python of the environment in ``folder``, installed if it is not there.

    :raises CannotRun: if the packages cannot be had.
    """
    python, stamp = folder / "bin" / "python", folder / "installed"
    if stamp.exists() and stamp.read_text() == " ".join(PACKAGES):
        return str(python)
    say(f"  Installing the peer ({PACKAGES[0]}) into {folder} (once)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    pip = (str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    for command in ((sys.executable, "-m", "venv", str(folder)), (*pip, *PACKAGES)):
        try:
            subprocess.run(
                command, check=True, capture_output=True, text=True, timeout=INSTALLED_WITHIN_S
            )
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", "") or str(error)
            reason = said.strip().splitlines()[-1] if said.strip() else "no reason given"
            raise CannotRun(
                f"The peer could not be installed ({reason}): give pip a way to the package "
                "index, or leave the peer out with ONLY."
            ) from error
    stamp.write_text(" ".join(PACKAGES))
    return str(python)
