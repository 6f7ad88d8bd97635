"""What other sites could make a browser send: refused on every route, and no address leads away from here."""

import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter, Rule

from okrgate.web.render import is_own_path
from okrgate.web.security import csrf
from tests.dumps import differences, dump
from tests.factories import Factory

ELSEWHERE = (
    "//evil.example",
    "///evil.example",
    "////evil.example/%2e%2e",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "https://evil.example",
    "https:evil.example",
    "http:/evil.example",
    "HTTPS://evil.example/projects",
    "//localhost@evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "evil.example",
    ".evil.example",
    "@evil.example",
    "/%09\\evil.example\\",
    "/\x7f/evil.example",
    "//evil.example\\@localhost/",
    "https://localhost.evil.example/",
)


def posts(app: Flask) -> list[Rule]:
    """Return every route that takes a form."""
    return [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]


def address_of(rule: Rule) -> str:
    """Return an address that leads to this route."""
    address = rule.rule
    for name, converter in rule._converters.items():
        value = "1" if isinstance(converter, IntegerConverter) else "one"
        address = re.sub(rf"<(?:[^<>]*:)?{name}>", value, address)
    return address


def test_every_form_needs_its_token(app: Flask, factory: Factory) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    browser = factory.browser(factory.person("Ada", admin=True))
    factory.rulebook()
    rules, before = posts(app), dump()
    assert len(rules) > 50
    assert not csrf._exempt_views
    assert not csrf._exempt_blueprints
    for rule in rules:
        for data, headers in (
            ({}, {}),
            ({"csrf_token": "IjEyMzQi.aaaa.bbbb"}, {}),
            ({}, {"HX-Request": "true"}),
            ({}, {"X-CSRFToken": "1234", "X-Requested-With": "XMLHttpRequest"}),
        ):
            answer = browser.post(address_of(rule), data=data, headers=headers)
            assert answer.status_code == 400, f"{rule.endpoint} {headers}: {answer.status_code}"
    assert not differences(before, dump())


def test_no_form_comes_from_another_site(app: Flask, factory: Factory) -> None:
    browser = factory.browser(factory.person("Ada", admin=True))
    factory.rulebook()
    before = dump()
    for rule in posts(app):
        for site in ("cross-site", "same-site"):
            answer = browser.post(address_of(rule), headers={"Sec-Fetch-Site": site})
            assert answer.status_code == 403, f"{rule.endpoint}: {answer.status_code}"
    assert not differences(before, dump())


@pytest.mark.parametrize("path", ["/theme", "/seen"])
def test_no_answer_leads_elsewhere(app: Flask, factory: Factory, path: str) -> None:
    browser = factory.browser(factory.person("Ada"))
    for wanted in ELSEWHERE:
        for answer in (
            browser.post(path, data={"next": wanted, "theme": "dark"}),
            browser.post(path, query_string={"next": wanted}, data={"theme": "dark"}),
        ):
            assert answer.status_code == 303, wanted
            assert_stays(answer.headers["Location"])
    answer = browser.post(path, data={"next": "/projects?q=quay", "theme": "dark"})
    assert answer.headers["Location"] == "/projects?q=quay"


def test_signing_in_leads_nowhere_else(app: Flask, factory: Factory) -> None:
    known, stranger = factory.browser(factory.person("Ada")), app.test_client()
    for wanted in ELSEWHERE:
        assert not is_own_path(wanted)
        answer = known.get("/sign-in", query_string={"next": wanted})
        assert_stays(answer.headers["Location"])
        page = stranger.get("/sign-in", query_string={"next": wanted}).get_data(as_text=True)
        assert "href=" not in "".join(re.findall(r"<[^>]*evil\.example[^>]*>", page)), wanted


def test_where_a_form_goes_back_to_is_one_of_ours(app: Flask, factory: Factory) -> None:
    submitter = factory.person("Sue")
    reference = factory.project(submitter=submitter, draft=True).reference
    browser = factory.browser(submitter)
    path = f"/projects/{reference}/parts/problem/problem"
    for version, wanted in enumerate(ELSEWHERE):
        data = {"base_version": str(version), "title": "Renewals", "return_to": wanted}
        answer = browser.post(path, data={**data, "problem": f"Too slow, {version}"})
        assert answer.status_code == 303, wanted
        assert_stays(answer.headers["Location"])
        again = browser.get(path, query_string={"return_to": wanted}).get_data(as_text=True)
        assert not re.search(r"""(?:href|action|hx-\w+)=["'][^"']*evil\.example""", again), wanted


def test_what_was_written_stands_on_the_page_that_refuses_it(app: Flask, factory: Factory) -> None:
    submitter = factory.person("Sue")
    home = f"/projects/{factory.project(submitter=submitter, draft=True).reference}"
    browser = factory.browser(submitter)
    words = "Why <b>now</b>, and\x00 not later?"
    answer = browser.post(f"{home}/comments", data={"key": "one two", "text": words})
    assert answer.status_code == 422
    assert "Why &lt;b&gt;now&lt;/b&gt;, and not later?" in answer.text
    secret = {"current": "my old secret\x00", "password": "my new secret", "name": "Sue Smith"}
    page = browser.post("/account/password", data=secret).text
    assert "Sue Smith" in page
    assert "secret" not in page


def assert_stays(location: str) -> None:
    """A browser that follows this stays on this site."""
    parts = urlsplit(location)
    assert not parts.scheme, location
    assert not parts.netloc, location
    assert location.startswith("/"), location
    assert "evil" not in location, location
