"""Every place where a process can be made to die is one where a test makes it die."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PASSED = re.compile(r'failpoint\("([a-z_.]+)"\)')


def failpoints() -> set[str]:
    """Return the names of all failpoints of the product."""
    apps = [init.parent for init in ROOT.glob("*/__init__.py") if init.parent.name != "tests"]
    sources = [path for app in apps for path in app.rglob("*.py")]
    return {name for path in sources for name in _PASSED.findall(path.read_text())}


def test_every_failpoint_is_armed_by_a_test() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))

    found = failpoints()

    assert len(found) > 10
    assert sorted(name for name in found if name not in tests) == []


def test_no_test_arms_a_failpoint_that_is_not_there() -> None:
    named = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(
            r'"((?:issuing|granting|campaign|delivery|payout|state_sync)\.[a-z_]+)"',
            path.read_text(),
        )
    }

    assert named - failpoints() == set()
