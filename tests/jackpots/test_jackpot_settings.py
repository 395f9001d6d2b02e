"""/v1/jackpot-settings: the amount above which wins wait for a second person."""

from typing import Any

import pytest

from core.models import AuditEntry
from jackpots.models import JackpotSettings
from operators.models import Operator
from tests.conftest import Client
from tests.factories.operators import OperatorFactory

pytestmark = pytest.mark.django_db

PATH = "/v1/jackpot-settings"


def test_settings_come_as_they_are_and_are_put(client: Client, operator: Operator) -> None:
    wanted = {"win_approval_above": "1000.00"}

    assert client.get(PATH).json() == {"win_approval_above": "10000.00"}
    assert client.put(PATH, wanted).json() == wanted
    assert client.put(PATH, wanted).json() == wanted
    assert client.get(PATH).json() == wanted
    assert client.put(PATH, {"win_approval_above": None}).json() == {"win_approval_above": None}
    # A null that was set is one, not the default.
    assert client.get(PATH).json() == {"win_approval_above": None}

    trail = AuditEntry.objects.order_by("pk")
    assert [entry.action for entry in trail] == ["jackpot.settings_changed"] * 2
    assert [entry.after for entry in trail] == [wanted, {"win_approval_above": None}]
    assert [entry.before for entry in trail] == [{"win_approval_above": "10000.00"}, wanted]


@pytest.mark.parametrize("value", ["-1", 1000, "NaN", "1e3", "", True])
def test_what_is_no_amount_is_refused(value: Any, client: Client) -> None:
    response = client.put(PATH, {"win_approval_above": value})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert [error["pointer"] for error in response.json()["errors"]] == ["/win_approval_above"]
    assert not JackpotSettings.objects.exists()


def test_zero_lets_every_win_wait_and_nobody_elses(client: Client, operator: Operator) -> None:
    other = OperatorFactory.create()

    assert client.put(PATH, {"win_approval_above": "0"}).status_code == 200
    assert client.put(PATH, {}).status_code == 400
    stored = JackpotSettings.objects.get()
    assert (stored.operator_id, stored.win_approval_above) == (operator.pk, 0)
    assert stored.operator_id != other.pk
