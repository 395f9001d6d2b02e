"""
What the world of the tests in a browser holds besides the demo world.

Run inside the running product's own copy of the tree: `manage.py shell -c "..."`.
"""

from datetime import UTC, datetime

from django.contrib.auth.models import Group, User

from core.actors import Actor, ActorKind
from operators.models import Operator
from players.models import Player
from players.services.segments import create_segment_by_rules
from tests.browser.people import AUDIENCE, AUDIENCE_TAG, HIRED, SEGMENT


def hire() -> None:
    """Make the staff accounts, and the players whom a campaign is for."""
    for person in HIRED:
        user = User.objects.create_user(
            person.login, password=person.password, is_staff=True, is_superuser=not person.roles
        )
        user.groups.set([Group.objects.get(name=name) for name in person.roles])
    operator = Operator.objects.get(slug="demo")
    now = datetime.now(UTC)
    Player.objects.bulk_create(
        Player(
            operator=operator,
            reference=f"invited-{number:03}",
            currency="USD",
            country="MT",
            tags=[AUDIENCE_TAG],
            created_at=now,
        )
        for number in range(AUDIENCE)
    )
    create_segment_by_rules(
        operator=operator,
        name=SEGMENT,
        rules={"tags_any": [AUDIENCE_TAG]},
        actor=Actor(kind=ActorKind.COMMAND, ref="tests"),
        now=now,
    )
