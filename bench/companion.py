"""
`python -m bench.companion`: folds contributions every second, as beat and a worker do.

Without it the meters' tails would grow for as long as the load lasts, as they never do in
production. A worker and beat themselves would take memory and time that is not theirs here.
"""

import os
import sys
import time
from collections.abc import Callable

import django

EVERY_S = 1.0


def main() -> None:
    """Fold until somebody ends us; with `--once` what waits, and print the seconds it took."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    django.setup()
    # Tasks import models, and those only load now.
    from jackpots.tasks import fold_contributions  # noqa: PLC0415

    if "--once" in sys.argv[1:]:
        sys.stdout.write(f"{_fold_all(fold_contributions):.6f}\n")
        return
    while True:
        fold_contributions()
        time.sleep(EVERY_S)


def _fold_all(fold: Callable[[], int]) -> float:
    """Fold until nothing is left, and return the seconds of the runs that found something."""
    total_s = 0.0
    while True:
        began_at = time.perf_counter()
        if not fold():
            return total_s
        total_s += time.perf_counter() - began_at


if __name__ == "__main__":
    main()
