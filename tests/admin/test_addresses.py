"""Addresses that somebody has typed: no page of the back office breaks over them."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db

#: Filters whose values reach the database as they are.
NUL = [
    "/admin/core/auditentry/?subject_type=%00",
    "/admin/core/auditentry/?actor_ref=a%00b",
    "/admin/core/auditentry/?subject_id=%00",
    "/admin/bonuses/bonusgrant/?status=%00",
    "/admin/jackpots/win/?status__exact=%00",
    "/admin/players/player/?q=x&%00=x",
    "/admin/players/player/%00/change/",
    "/admin/simulations/termslimits/simulate/?template=x&operator=%00",
    "/accounts/login/?next=%00",
]


@pytest.mark.parametrize("path", NUL)
def test_a_nul_is_refused_on_a_plain_page(path: str, office: Client) -> None:
    response = office.get(path)

    assert response.status_code == 400
    assert "This address cannot be read" in response.content.decode()


@pytest.mark.parametrize("path", NUL)
def test_strangers_are_told_no_more(path: str) -> None:
    assert Client().get(path).status_code == 400


def test_what_only_looks_like_a_nul_is_taken(office: Client) -> None:
    assert office.get("/admin/players/player/?q=%2500").status_code == 200


def test_the_api_answers_with_its_own_problems() -> None:
    response = Client().get("/v1/players?cursor=%00")

    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
