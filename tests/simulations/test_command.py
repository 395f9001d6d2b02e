"""manage.py simulate_terms: a plain table, or one JSON object; and a reason if there is none."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from operators.models import Operator
from tests.factories.bonuses import BonusTemplateFactory
from tests.factories.promos import PromoFactory, PromoGameFactory

pytestmark = pytest.mark.django_db

BODY = {
    "bonus": {
        "type": "no_deposit",
        "config": {"amount": "10.00", "currency": "EUR"},
        "wagering_requirement_multiplier": "2",
    },
    "players": 100,
    "volatility": "none",
}


@pytest.fixture
def run(operator: Operator) -> Any:
    def call(*arguments: str) -> str:
        output = StringIO()
        call_command("simulate_terms", "--operator", operator.slug, *arguments, stdout=output)
        return output.getvalue()

    return call


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "terms.json"
    path.write_text(json.dumps(BODY))
    return path


def test_a_file_is_told_as_a_table_with_the_warnings_first(run: Any, path: Path) -> None:
    lines = run("--file", str(path), "--stake", "1.00").splitlines()

    assert lines[0].startswith("! The terms look like a loss: A player costs 9.20 EUR")
    assert "Cost of a player                  9.20 EUR (standard error 0.00 EUR), 92.0 % of " in (
        "\n".join(lines)
    )
    assert any(line.split() == ["Completed", "100.0", "%", "#" * 40] for line in lines)


def test_what_nobody_can_finish_is_told_as_such(run: Any, path: Path) -> None:
    bonus = {**BODY["bonus"], "time_limit_hours": 24}  # type: ignore[dict-item]
    path.write_text(json.dumps({"bonus": bonus, "players": 200}))

    told = run("--file", str(path))
    answer = json.loads(run("--file", str(path), "--json"))

    assert "Acceptable from                   only because nobody can finish\n" in told
    assert (answer["break_even_multiple"], answer["acceptable_only_unfinished"]) == (None, True)


def test_json_is_what_the_api_answers(run: Any, path: Path, client: Any) -> None:
    body = {**BODY, "stakes": [{"stake": "1.00", "share": "1"}], "seed": 3}

    told = json.loads(run("--file", str(path), "--stake", "1.00", "--seed", "3", "--json"))

    assert told == client.post("/v1/simulations", body).json()


def test_a_template_with_options(run: Any, operator: Operator) -> None:
    template = BonusTemplateFactory.create(operator=operator, match=True)
    options = ["--deposit", "50", "--rtp", "0.99", "--players", "100", "--game", "slots=3"]

    told = json.loads(run("--template", str(template.pk), *options, "--game", "table=1", "--json"))

    assert (told["own_money"], told["bonus_amount"]) == ("50.00", "50.00")
    assert [(game["category"], game["share"]) for game in told["scenario"]["games"]] == [
        ("slots", "3"),
        ("table", "1"),
    ]


@pytest.mark.parametrize("by", ["code", "id"])
def test_a_promo_by_its_code_or_id(by: str, run: Any, operator: Operator) -> None:
    promo = PromoFactory.create(operator=operator, code="SPRING")
    PromoGameFactory.create(promo=promo)
    name = "spring" if by == "code" else str(promo.pk)

    told = json.loads(run("--promo", name, "--players", "100", "--deposit", "20", "--json"))

    assert told["wagering_required"] == "600.00"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--promo", "NOSUCH"], "There is no promo 'NOSUCH'."),
        (["--template", "019a0000-0000-7000-8000-000000000000"], "no such bonus template"),
        (["--template", "x"], "template_id"),
        (["--file", "/nowhere/terms.json"], "cannot be read"),
        (["--file", "PATH", "--players", "1"], "players"),
        (["--file", "PATH", "--currency", "USD"], "/currency: These terms are in EUR."),
    ],
)
def test_what_cannot_be_simulated_is_said(
    arguments: list[str], said: str, run: Any, path: Path
) -> None:
    with pytest.raises(CommandError, match=said.replace("(", r"\(")):
        run(*[str(path) if argument == "PATH" else argument for argument in arguments])


@pytest.mark.parametrize("text", ["{", "[]", "7"])
def test_a_file_that_holds_no_body_is_refused(text: str, run: Any, path: Path) -> None:
    path.write_text(text)

    with pytest.raises(CommandError):
        run("--file", str(path))


def test_an_unknown_operator_is_refused(path: Path) -> None:
    with pytest.raises(CommandError, match="no operator 'nobody'"):
        call_command("simulate_terms", "--operator", "nobody", "--file", str(path))
