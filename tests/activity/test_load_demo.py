"""manage.py load_demo: interrupted, unable to write, or in the wrong place."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError

from activity.demo import loading
from approvals.models import Approval
from bonuses.models import BonusIssuance
from core.models import AuditEntry
from jackpots.models import Boost, Contribution, Draw, Instance, Win
from operators.models import Operator
from promos.models import CodeBatch, UserPromo
from simulations.models import TermsLimits
from wallets.models import Transfer

pytestmark = pytest.mark.django_db


def staff() -> list[User]:
    return list(User.objects.order_by("username"))


def test_an_interrupted_load_is_finished_by_the_next(
    load_demo: Callable[[], str], short_history: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_args: Any, **_kwargs: Any) -> None:
        raise KeyboardInterrupt

    for step in ("record_history", "hire_staff", "_mark_as_loaded"):
        assert User.objects.exists() is False
        with monkeypatch.context() as patched:
            patched.setattr(loading, step, interrupt)
            with pytest.raises(KeyboardInterrupt):
                load_demo()

    load_demo()

    assert Instance.objects.count() == 15
    assert Draw.objects.exclude(drawn_at=None).count() == 1
    assert Win.objects.exclude(draw=None).count() == 5
    assert Win.objects.filter(cause="manual").count() == 1
    assert Boost.objects.count() == 1
    assert Approval.objects.count() == 1
    assert Transfer.objects.filter(tag="DEPOSIT").count() == 55
    assert UserPromo.objects.count() == 22
    assert CodeBatch.objects.count() == 1
    assert TermsLimits.objects.count() == 1
    assert BonusIssuance.objects.exclude(granted_by_kind="campaign").count() == 11
    history = Contribution.objects.exclude(instance__name="Midweek Raffle")
    assert history.filter(role="main").count() == 28
    assert {
        user.username: list(user.groups.values_list("name", flat=True)) for user in staff()
    } == {
        "demo": [],
        "demo-compliance": ["Compliance"],
        "demo-crm": ["CRM"],
        "demo-finance": ["Finance approver"],
        "demo-jackpots": ["Jackpot manager"],
        "demo-viewer": ["Viewer"],
    }
    assert [user.username for user in staff() if user.is_superuser] == ["demo"]
    assert AuditEntry.objects.filter(action="demo.world.loaded").count() == 1


def test_a_file_that_cannot_be_written_is_named(
    load_demo: Callable[[], str], short_history: None, credentials_path: Path
) -> None:
    credentials_path.parent.write_text("a file where a folder should be")

    with pytest.raises(CommandError, match=r"demo\.json cannot be written \((Not|File)"):
        load_demo()


def test_is_refused_in_production(load_demo: Callable[[], str], settings: Any) -> None:
    settings.SETTINGS_MODULE = "config.settings.production"

    with pytest.raises(CommandError, match="a password that everybody knows: not here"):
        load_demo()

    assert Operator.objects.exists() is False
    assert User.objects.exists() is False
