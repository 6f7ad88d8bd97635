"""Roles that nobody holds are said, with who waits; being said opens nothing."""

import re

import pytest

from okrgate.administration import unheld
from okrgate.rulebooks import service as rulebooks
from tests.factories import Factory


@pytest.fixture
def told(factory: Factory) -> Factory:
    factory.rulebook()
    return factory


def test_a_project_that_nobody_can_review_is_named(told: Factory) -> None:
    company = told.unit("Acme")
    lab, shop = told.unit("Lab", company, "team"), told.unit("Shop", company, "team")
    rex, ada = told.person("Rex"), told.person("Ada", admin=True)
    told.grant(rex, "mgmt_reviewer", shop)
    waits = told.project("In the lab", unit=lab, stage="opportunity_review")
    told.project("In the shop", unit=shop, stage="opportunity_review")
    gaps = [one for one in unheld.gaps(reader=ada.id) if "mgmt_reviewer" in one.roles]
    assert [(one.unit, [p.reference for p in one.projects]) for one in gaps] == [
        ("Lab", [waits.reference])
    ]
    client = told.browser(ada)
    for path, words in (
        ("/admin/roles", "In the lab"),
        ("/admin", "Nobody holds Management reviewer in Lab"),
        ("/", "Give somebody the role Management reviewer"),
    ):
        page = client.get(path).get_data(as_text=True)
        assert words in page, path
        assert "In the shop" not in page
    told.grant(rex, "mgmt_reviewer", company)
    assert not [one for one in unheld.gaps() if "mgmt_reviewer" in one.roles]


def test_only_administrators_are_told_in_their_work(told: Factory) -> None:
    lab = told.unit("Lab")
    told.project(unit=lab, stage="opportunity_review")
    page = told.browser(told.person("Pat")).get("/").get_data(as_text=True)
    assert "Give somebody the role" not in page


def test_confidential_projects_are_counted_and_not_named(told: Factory) -> None:
    lab, ada = told.unit("Lab"), told.person("Ada", admin=True)
    project = told.project("Secret plan", unit=lab, stage="opportunity_review")
    project_id = project.id
    from okrgate.database import db, transaction
    from okrgate.projects.models import Project

    with transaction():
        db.session.get_one(Project, project_id).confidential = True
    page = told.browser(ada).get("/admin/roles").get_data(as_text=True)
    assert "Secret plan" not in page
    assert "1 project" in page


def test_roles_that_nobody_holds_anywhere_are_listed(told: Factory) -> None:
    company, rex = told.unit(), told.person("Rex")
    before = {one.role for one in unheld.nowhere()}
    assert "managing_director" in before
    told.grant(rex, "managing_director", company)
    assert {one.role for one in unheld.nowhere()} == before - {"managing_director"}


def test_what_a_unit_lacks_can_be_asked_before_a_project_starts(told: Factory) -> None:
    company, rex = told.unit(), told.person("Rex")
    version = rulebooks.binding()[0].id
    assert "Management reviewer" in unheld.missing_in(version, company.id)
    told.grant(rex, "mgmt_reviewer", company)
    assert "Management reviewer" not in unheld.missing_in(version, company.id)


def test_who_begins_a_project_hears_which_roles_its_unit_lacks(told: Factory) -> None:
    company, rex = told.unit(), told.person("Rex")
    browser, version = told.browser(told.person("Pat")), rulebooks.binding()[0].id
    begin = {"title": "Shorter queues", "home_unit": str(company.id), "rulebook": str(version)}

    warned = browser.post("/projects/new", data=begin, follow_redirects=True).text
    told.grant(rex, "mgmt_reviewer", company)
    again = browser.post("/projects/new", data=begin, follow_redirects=True).text

    assert re.search(r"Nobody in Acme is [^.]*Management reviewer", warned)
    assert "Nobody in Acme is" in again
    assert not re.search(r"Nobody in Acme is [^.]*Management reviewer", again)
