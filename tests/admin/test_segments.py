"""Segments in the back office: made by rules or from a file, each shown with its size."""

import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from operators.models import Operator
from players.models import Segment
from tests.admin.conftest import messages_of
from tests.factories.players import PlayerFactory, SegmentFactory

pytestmark = pytest.mark.django_db

ADD = "admin:players_segment_add"


def send(office: Client, kind: str, operator: Operator, **given: Any) -> Any:
    path = f"{reverse(ADD)}?kind={kind}"
    return office.post(path, {"operator": operator.pk, "name": "Lapsed", **given}, follow=True)


def file_of(*lines: str) -> io.BytesIO:
    file = io.BytesIO("\n".join(lines).encode())
    file.name = "players.csv"
    return file


def test_somebody_chooses_first_what_it_is_made_of(office: Client) -> None:
    page = office.get(reverse(ADD)).content.decode()

    assert 'href="?kind=rules"' in page
    assert 'href="?kind=file"' in page


def test_a_segment_is_made_from_a_file(office: Client, operator: Operator) -> None:
    for reference in ("anna", "bert"):
        PlayerFactory.create(operator=operator, reference=reference)

    response = send(office, "file", operator, file=file_of("player_id", "anna", "bert", "anna"))

    segment = Segment.objects.get()
    assert messages_of(response) == ["Lapsed was created: 2 players, 1 line named somebody again."]
    assert response.redirect_chain[-1][0] == reverse(
        "admin:players_segment_change", args=[segment.pk]
    )
    assert segment.members.count() == 2


def test_the_mistakes_of_a_file_are_shown_beside_it(office: Client, operator: Operator) -> None:
    response = send(office, "file", operator, file=file_of("nobody", "<script>"))

    assert response.status_code == 400
    assert response.context["form"].errors["file"] == [
        "Line 1: there is no player nobody.",
        "Line 2: there is no player <script>.",
    ]
    assert "<script>.</" not in response.content.decode()
    assert Segment.objects.exists() is False


def test_a_file_is_required_and_its_form_can_carry_one(office: Client, operator: Operator) -> None:
    response = send(office, "file", operator)

    assert list(response.context["form"].errors) == ["file"]
    assert 'enctype="multipart/form-data"' in response.content.decode()


def test_a_segment_is_made_by_rules(office: Client, operator: Operator) -> None:
    PlayerFactory.create(operator=operator, vip_level=3, country="MT", tags=["sports"])
    PlayerFactory.create(operator=operator, vip_level=2, country="MT", tags=["sports"])

    response = send(
        office,
        "rules",
        operator,
        min_vip_level="3",
        max_total_deposit_usd="100.50",
        countries="MT, DE,",
        tags_any="sports, new, sports",
    )

    assert messages_of(response) == ["Lapsed was created: 1 player now."]
    assert Segment.objects.get().rules == {
        "min_vip_level": 3,
        "max_total_deposit_usd": "100.50",
        "countries": ["MT", "DE"],
        "tags_any": ["sports", "new"],
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"min_vip_level": "3", "max_vip_level": "2"}, "min_vip_level"),
        ({"min_total_deposit_usd": "1e3"}, "min_total_deposit_usd"),
        ({"min_kyc_level": "-1"}, "min_kyc_level"),
        ({"countries": "XX"}, "countries"),
        ({"tags_all": "x" * 41}, "tags_all"),
        ({"name": "a\x07b"}, "name"),
    ],
)
def test_rules_that_cannot_be_are_marked(
    given: dict[str, str], field: str, office: Client, operator: Operator
) -> None:
    response = send(office, "rules", operator, **given)

    assert list(response.context["form"].errors) == [field]
    assert Segment.objects.exists() is False


def test_the_list_and_the_page_show_the_size(office: Client, operator: Operator) -> None:
    players = PlayerFactory.create_batch(2, operator=operator)
    segment = SegmentFactory.create(operator=operator, players=players)
    SegmentFactory.create(operator=operator, rules={"min_vip_level": 1})

    rows = office.get(reverse("admin:players_segment_changelist")).context["cl"].result_list
    page = office.get(reverse("admin:players_segment_change", args=[segment.pk]))

    assert [row.counted for row in rows] == [0, 2]
    assert "Players now" in page.content.decode()
