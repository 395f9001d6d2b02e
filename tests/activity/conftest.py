"""The demo world, as `manage.py load_demo` leaves it."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command


@pytest.fixture
def credentials_path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "demo.json"


@pytest.fixture
def load_demo(credentials_path: Path) -> Callable[[], str]:
    """Return a function that runs `load_demo` and returns what it printed."""

    def load() -> str:
        output = StringIO()
        call_command("load_demo", credentials=credentials_path, stdout=output)
        return output.getvalue()

    return load


@pytest.fixture
def short_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the demo's last day a quiet one, where its length does not matter."""
    monkeypatch.setattr("activity.demo.history.REQUESTS_COUNT", 30)


@pytest.fixture
def short_past(short_history: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the demo world one in which hardly anything has happened."""
    for story in (
        "live_through_promos",
        "live_through_bonuses",
        "run_campaign",
        "ask_for_a_clawback",
    ):
        monkeypatch.setattr(f"activity.demo.loading.{story}", lambda **_world: None)
