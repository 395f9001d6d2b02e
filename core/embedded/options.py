"""What the environment asks of `make run` and `make test`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.embedded.errors import CannotRun

PORT_MAX = 65535
CALLABLE_AS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # replaces the wildcard


@dataclass(frozen=True)
class GivenUrls:
    """Servers that exist already; each one that is set replaces an embedded server."""

    database: str | None
    broker: str | None
    cache: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "GivenUrls":
        """Read the three URLs; an empty one counts as absent."""
        return cls(
            database=environment.get("DATABASE_URL") or None,
            broker=environment.get("BROKER_URL") or None,
            cache=environment.get("CACHE_URL") or None,
        )


@dataclass(frozen=True)
class RunOptions:
    """Where `make run` listens, and where it keeps everything it writes."""

    host: str
    port: int
    data_dir: Path
    given: GivenUrls

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "RunOptions":
        """
        Read the options, with their defaults.

        :raises CannotRun: if PORT is not a port.
        """
        return cls(
            host=environment.get("HOST") or "127.0.0.1",
            port=_parse_port(environment.get("PORT") or "8000"),
            data_dir=Path(environment.get("DATA_DIR") or ".data").expanduser().absolute(),
            given=GivenUrls.from_environment(environment),
        )

    @property
    def url(self) -> str:
        """The address to open in a browser on this machine."""
        host = f"[{self.reachable_host}]" if ":" in self.reachable_host else self.reachable_host
        return f"http://{host}:{self.port}"

    @property
    def reachable_host(self) -> str:
        """A host to connect to; a wildcard can be listened on but not called."""
        return CALLABLE_AS.get(self.host, self.host)


def _parse_port(text: str) -> int:
    # int() alone would also take spaces, signs, underscores and other scripts' digits.
    if re.fullmatch(r"[0-9]{1,5}", text) and 1 <= int(text) <= PORT_MAX:
        return int(text)
    raise CannotRun(
        f"PORT is {text!r}, which is not a port: set it to a number from 1 to {PORT_MAX}, "
        "for example PORT=8001 make run."
    )
