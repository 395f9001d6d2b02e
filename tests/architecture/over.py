"""One test of a rule for many files: thousands of tests cost minutes, and say no more."""

from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

Rule = Callable[[Path], None]


def over(paths: Sequence[Path]) -> Callable[[Rule], Callable[[], None]]:
    """Make one test of a rule, which names every file among ``paths`` that breaks it."""

    def decorate(rule: Rule) -> Callable[[], None]:
        def test() -> None:
            broken = [said for path in paths if (said := _complaint(rule, path))]
            assert not broken, "\n".join(broken)

        test.__name__, test.__doc__, test.__module__ = rule.__name__, rule.__doc__, rule.__module__
        return test

    return decorate


def _complaint(rule: Rule, path: Path) -> str:
    try:
        rule(path)
    except AssertionError as error:
        return f"{path.relative_to(ROOT).as_posix()}: {error}"
    return ""
