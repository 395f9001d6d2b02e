"""Who does something: the name that every audit entry carries."""

from dataclasses import dataclass

from django.db import models


class ActorKind(models.TextChoices):
    """The kinds of doors through which a change can come."""

    API_KEY = "api_key", "API key"
    STAFF = "staff", "Staff"
    TASK = "task", "Background task"
    COMMAND = "command", "Command line"
    PLATFORM = "platform", "Casino platform"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody or something that acts; ``ref`` is an id a support engineer can look up."""

    kind: ActorKind
    ref: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.ref}"
