"""/docs/, /redoc/ and /openapi.json come from our own host, and a policy keeps them there."""

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from rest_framework.test import APIClient

PAGES = ["/docs/", "/redoc/"]
LINKS = re.compile(r"""(?:src|href|action|url|spec-url)\s*[=:]\s*["']([^"']+)["']""")


def get(path: str) -> Any:
    return APIClient().get(path)


def policy_of(response: Any) -> dict[str, list[str]]:
    header = response.headers["Content-Security-Policy"]
    directives = (directive.split() for directive in header.split(";"))
    return {name: sources for name, *sources in directives}


def scripts_of(path: str) -> list[str]:
    page = get(path).content.decode()
    return re.findall(r'<script[^>]*\ssrc="([^"]+)"', page)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_open_and_points_nowhere_else(path: str) -> None:
    response = get(path)
    page = response.content.decode()

    assert response.status_code == 200
    links = LINKS.findall(page)
    assert len(links) >= 2
    assert [link for link in links if re.match(r"(?:[a-z]+:)?//", link)] == []
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


@pytest.mark.parametrize("path", PAGES)
def test_everything_a_page_loads_is_ours_to_serve(path: str) -> None:
    page = get(path).content.decode()

    loaded = [link for link in LINKS.findall(page) if link.startswith("/static/")]
    assert loaded
    assert [link for link in loaded if finders.find(link.removeprefix("/static/")) is None] == []


def test_the_script_of_the_docs_asks_us_for_the_document() -> None:
    own = [source for source in scripts_of("/docs/") if not source.startswith("/static/")]

    assert len(own) == 1
    script = get(own[0])
    assert script.status_code == 200
    assert "/openapi.json" in script.content.decode()
    assert re.findall(r"https?://[^\s\"']+", script.content.decode()) == []


def test_the_script_of_redoc_loads_no_picture_from_elsewhere() -> None:
    [source] = scripts_of("/redoc/")

    script = get(source)

    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "cdn.redoc.ly" not in script.content.decode()
    assert "/static/windfall/mark.svg" in script.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_load_nothing_from_elsewhere(path: str) -> None:
    policy = policy_of(get(path))

    assert policy["default-src"] == ["'self'"]
    assert policy.get("script-src", ["'self'"]) == ["'self'"]
    assert policy["frame-ancestors"] == policy["object-src"] == ["'none'"]
    sources = {source for sources in policy.values() for source in sources}
    assert sources <= {"'self'", "'none'", "'unsafe-inline'", "data:", "blob:"}


@pytest.mark.parametrize("path", PAGES)
def test_no_script_stands_in_the_page_itself(path: str) -> None:
    page = get(path).content.decode()

    # The policy would stop it; the page would be blank.
    inline = re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", page)
    assert inline == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("/livez", "'self'"),
        ("/v1/players", "'none'"),
        ("/nothing", "'self'"),
        ("/openapi.json", "'self'"),
    ],
)
def test_every_answer_has_the_strict_policy(path: str, source: str) -> None:
    policy = policy_of(get(path))

    assert policy["default-src"] == [source]
    assert "'unsafe-inline'" not in {source for sources in policy.values() for source in sources}


def test_the_document_names_no_other_host() -> None:
    response = get("/openapi.json")

    assert response.status_code == 200
    assert re.findall(r"https?://[^\s\"']+", response.content.decode()) == []


def test_the_document_says_how_one_is_let_in() -> None:
    document = get("/openapi.json").json()

    (scheme,) = document["components"]["securitySchemes"].values()
    assert (scheme["in"], scheme["name"]) == ("header", "Authorization")
    operations = {
        (path, method): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }
    assert len(operations) > 10
    keyless = [call for call, operation in operations.items() if "security" not in operation]
    # A platform signs what it sends; it has no key.
    assert keyless == [("/v1/adapters/{adapter_slug}/webhooks/bonus-events", "post")]
    for call, operation in operations.items():
        if call not in keyless:
            assert operation["security"] == [{"ApiKey": []}]
            assert {"401", "403", "429", "503"} <= set(operation["responses"]), operation
