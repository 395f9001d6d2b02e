"""Where the sandbox platform of `make run` listens, and what the application must know of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.embedded.folder import LOOPBACK, DataFolder
from core.embedded.options import PORT_MAX, RunOptions

NAME = "sandbox"
ALLOWED_HOSTS = "ADAPTER_ALLOWED_HOSTS"


@dataclass(frozen=True)
class SandboxAddress:
    """The port of the platform; it listens on the loopback address, whatever HOST is."""

    port: int

    @classmethod
    def choose(cls, folder: DataFolder, options: RunOptions) -> "SandboxAddress":
        """Take the port of the last run, or the one above the site's, or a free one."""
        above = options.port + 1 if options.port < PORT_MAX else None
        return cls(folder.port(NAME, preferred=above, reserved=options.port))

    @property
    def url(self) -> str:
        """The base URL of the platform."""
        return f"http://{LOOPBACK}:{self.port}"

    def as_environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that tell of it; hosts that ``environment`` allows stay so."""
        given = environment.get(ALLOWED_HOSTS)
        here = f"{LOOPBACK}:{self.port}"
        return {
            "SANDBOX_URL": self.url,
            # Adapters otherwise refuse addresses that are not public.
            ALLOWED_HOSTS: f"{given},{here}" if given else here,
        }
