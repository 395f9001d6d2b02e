"""What the environment may ask of `make run`."""

from pathlib import Path

import pytest

from core.embedded.errors import CannotRun
from core.embedded.options import GivenUrls, RunOptions


def test_an_empty_environment_asks_for_the_loopback_address_and_embedded_servers() -> None:
    options = RunOptions.from_environment({})

    assert options == RunOptions(
        host="127.0.0.1",
        port=8000,
        data_dir=Path.cwd() / ".data",
        given=GivenUrls(database=None, broker=None, cache=None),
    )


@pytest.mark.parametrize(
    "port", ["0", "65536", "-1", "80a", " 80", "8_000", "٨٠٠٠", "1e3", "9" * 9]
)
def test_a_port_that_is_none_is_refused_with_an_example(port: str) -> None:
    with pytest.raises(CannotRun) as refusal:
        RunOptions.from_environment({"PORT": port})

    assert str(refusal.value) == (
        f"PORT is {port!r}, which is not a port: set it to a number from 1 to 65535, "
        "for example PORT=8001 make run."
    )


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("localhost", "http://localhost:8000"),
    ],
)
def test_the_url_can_be_opened_whatever_is_listened_on(host: str, url: str) -> None:
    assert RunOptions.from_environment({"HOST": host}).url == url


def test_an_empty_url_is_an_absent_one() -> None:
    given = GivenUrls.from_environment({"DATABASE_URL": "", "BROKER_URL": "amqp://queue"})

    assert given == GivenUrls(database=None, broker="amqp://queue", cache=None)
