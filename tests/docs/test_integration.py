"""docs/integration.md: its commands, run word for word, give its answers; its samples are right."""

import io
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.errors import WebhookSignatureInvalid
from adapters.http import signing
from tests.docs.test_readme_tour import run_steps
from tests.docs.tour import differences, modules_of, steps_of_page
from tests.embedded.make_run import MakeRun
from tests.embedded.standin import ROOT

PAGE = ROOT / "docs/integration.md"
MODULES = modules_of(PAGE)
BODY = b'{"type": "bonus.grant.issued", "data": {"amount": "1.00"}}'


def module(name: str) -> dict[str, Any]:
    """Return what a sample of the page defines."""
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(MODULES[f"{name}.py"], f"{name}.py", "exec"), namespace)
    return namespace


@pytest.mark.xdist_group("make_run")
@pytest.mark.parametrize("attempt", ["the first time", "and again"])
def test_every_answer_of_the_page_is_the_one_printed(
    running_windfall: MakeRun, attempt: str
) -> None:
    steps = steps_of_page(PAGE)
    for name, text in MODULES.items():
        (running_windfall.tree / name).write_text(text)

    outputs = run_steps(running_windfall, steps, RECEIVER_PORT=str(running_windfall.receiver_port))

    wrong = []
    for step, output in zip(steps, outputs, strict=True):
        if step.answer is None:
            assert output == "", step.commands
        else:
            wrong += [(step.commands, line) for line in differences(step.answer, output)]
    assert wrong == []


def test_the_receiver_takes_what_we_sign() -> None:
    is_genuine, secret = module("receiver")["is_genuine"], signing.make_secret()
    headers = signing.sign(secret, "msg_1", int(time.time()), BODY, also=[signing.make_secret()])

    assert is_genuine(secret, headers, BODY) is True


@pytest.mark.parametrize("what", ["body", "secret", "id", "age"])
def test_the_receiver_refuses_what_we_did_not_sign(what: str) -> None:
    is_genuine, secret = module("receiver")["is_genuine"], signing.make_secret()
    sent_at = int(time.time()) - (400 if what == "age" else 0)
    headers = signing.sign(secret, "msg_1", sent_at, BODY)
    if what == "id":
        headers["webhook-id"] = "msg_2"
    body = BODY + b" " if what == "body" else BODY

    assert is_genuine(signing.make_secret() if what == "secret" else secret, headers, body) is False


def test_the_receiver_acts_once_on_a_message_that_comes_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample, secret = module("receiver"), signing.make_secret()
    monkeypatch.setenv("SECRET", secret)
    acted: list[Any] = []
    sample["act_on"] = acted.append
    body = json.dumps({"type": "t", "data": {}}).encode()
    headers = {
        **signing.sign(secret, "msg_1", int(time.time()), body),
        "content-length": str(len(body)),
    }
    receiver = type("Fake", (sample["Receiver"],), {"__init__": lambda _self: None})()
    receiver.headers, answers = headers, []
    receiver.send_response = answers.append
    receiver.end_headers = lambda: None

    for _ in range(2):
        receiver.rfile = io.BytesIO(body)
        # The name that the sample looks up is the one that was replaced above.
        receiver.do_POST()

    assert (len(acted), answers) == (1, [204, 204])


def test_a_platform_that_signs_as_the_sample_does_is_believed() -> None:
    sign, secret = module("send_event")["sign"], signing.make_secret()
    now = datetime.now(UTC)

    headers = sign(secret, "msg_evt-1", int(now.timestamp()), BODY)

    signing.verify([secret], headers, BODY, now)
    with pytest.raises(WebhookSignatureInvalid):
        signing.verify([signing.make_secret()], headers, BODY, now)


def test_the_samples_run_by_themselves() -> None:
    for name, text in MODULES.items():
        finished = subprocess.run(
            [sys.executable, "-W", "error", "-c", f"__name__ = 'sample'\n{text}"],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert finished.returncode == 0, (name, finished.stderr)


def test_the_page_shows_both_ways_of_a_webhook() -> None:
    assert list(MODULES) == ["receiver.py", "send_event.py"]
