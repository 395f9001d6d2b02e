"""The file in which the demo world's login and API key are kept."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from activity.demo.loading import ACTOR, LoadedWorld
from activity.demo.staff import LOGIN, PASSWORD
from core.embedded.folder import write_private
from operators.enums import Scope
from operators.models import ApiKey, Operator
from operators.services.credentials import digest_of, issue_api_key


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody needs to use the demo world."""

    operator: str
    login: str
    password: str
    api_key: str


def keep_credentials(*, path: Path, world: LoadedWorld, now: datetime) -> Credentials:
    """
    Write the credentials to ``path``, for its owner's eyes only, and return them.

    A key that the file has already is kept while it is valid; else there is a new one,
    because the database keeps no key, only its digest.

    :raises OSError: if the file cannot be written.
    """
    api_key = world.first_key or _valid_key(path, world.operator, now=now)
    if api_key is None:
        issued = issue_api_key(
            operator=world.operator,
            label="Demo",
            scopes=Scope.values,
            expires_at=None,
            actor=ACTOR,
            now=now,
        )
        api_key = issued.secret
    credentials = Credentials(
        operator=world.operator.slug, login=LOGIN, password=PASSWORD, api_key=api_key
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps(asdict(credentials), indent=2))
    return credentials


def read_api_key(path: Path) -> str | None:
    """Return the API key that is kept in the file, or None if there is none."""
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    api_key = kept.get("api_key") if isinstance(kept, Mapping) else None
    return api_key if isinstance(api_key, str) and api_key else None


def _valid_key(path: Path, operator: Operator, *, now: datetime) -> str | None:
    secret = read_api_key(path)
    if secret is None:
        return None
    live = ApiKey.objects.for_operator(operator).live(now=now)
    return secret if live.filter(digest=digest_of(secret=secret)).exists() else None
