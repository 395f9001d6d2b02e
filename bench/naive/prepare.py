"""`python -m bench.naive.prepare`: the tables, and the same jackpots and players."""

import hashlib
import os
import sys

import django
from django.core.management import call_command

NAMES = ("Daily", "Weekly", "Monthly")


def main(secret: str, player_count: int) -> None:
    """Make the tables, a key with this secret, linked jackpots, and players."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.naive.settings")
    django.setup()
    # Models can be imported only when the apps are loaded.
    from bench.naive.models import ApiKey, Instance, Link, Player, Pot  # noqa: PLC0415

    call_command("migrate", "--run-syncdb", verbosity=0)
    ApiKey.objects.create(digest=hashlib.sha256(secret.encode()).hexdigest(), name="bench")
    instances = [Instance.objects.create(name=name, currency="USD", percent=1) for name in NAMES]
    for instance in instances:
        Pot.objects.create(instance=instance, name="main")
    for position, target in enumerate(instances[1:]):
        Link.objects.create(source=instances[0], target=target, position=position)
    Player.objects.bulk_create(
        Player(reference=f"player-{number:04}", currency="USD") for number in range(player_count)
    )
    sys.stdout.write(f"{instances[0].pk}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
