"""Administrators find people, see what waits for them, and move units."""

import pytest
from flask.testing import FlaskClient

from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit
from okrgate.audit import service as audit
from okrgate.database import db
from tests.factories import Factory


@pytest.fixture
def told(factory: Factory) -> Factory:
    factory.rulebook()
    return factory


def ada(factory: Factory) -> FlaskClient:
    return factory.browser(factory.person("Ada", admin=True))


def path_of(unit_id: int) -> str:
    db.session.rollback()
    return db.session.get_one(OrgUnit, unit_id).path


def test_people_are_found_by_role_and_unit(told: Factory) -> None:
    company = told.unit("Acme")
    lab = told.unit("Lab", company, "team")
    rex, sue = told.person("Rex", unit=lab), told.person("Sue", unit=company)
    told.grant(rex, "mgmt_reviewer", company)
    client, lab_id, all_id = ada(told), lab.id, company.id
    assert sue.id

    def listed(query: str) -> list[str]:
        page = client.get(f"/admin/people?{query}").text
        return [name for name in ("Rex", "Sue", "Ada") if f">{name}</a>" in page]

    assert listed("role=mgmt_reviewer") == ["Rex"]
    assert listed(f"unit={lab_id}") == ["Rex"]
    assert listed(f"unit={all_id}") == ["Rex", "Sue"]
    assert listed("role=admin") == ["Ada"]
    assert listed("role=no_such") == []
    assert listed("unit=x&role_to_give=mgmt_reviewer&unit_to_give=x") == ["Rex", "Sue", "Ada"]


def test_a_role_that_is_to_be_given_is_filled_in(told: Factory) -> None:
    company, rex = told.unit("Acme"), told.person("Rex")
    client, unit_id, rex_id = ada(told), company.id, rex.id
    page = client.get(f"/admin/people?role_to_give=mgmt_reviewer&unit_to_give={unit_id}").text
    assert "Who should be Management reviewer?" in page
    assert f"/admin/people/{rex_id}?role=mgmt_reviewer&amp;unit={unit_id}#roles" in page
    page = client.get(f"/admin/people/{rex_id}?role=mgmt_reviewer&unit={unit_id}").text
    assert '<option selected value="mgmt_reviewer">' in page
    assert f'<option selected value="{unit_id}">' in page
    assert client.get(f"/admin/people/{rex_id}?role=no_such&unit=99").status_code == 200


def test_what_waits_for_somebody_is_said_before_they_are_shut_out(told: Factory) -> None:
    sue = told.person("Sue")
    told.project(submitter=sue)
    sue_id = sue.id
    page = ada(told).get(f"/admin/people/{sue_id}").text
    assert "1 open project that they submitted or lead" in page


def test_a_unit_moves_with_all_below_it(told: Factory) -> None:
    company = told.unit("Acme")
    north, south = told.unit("North", company, "region"), told.unit("South", company, "region")
    lab = told.unit("Lab", north, "team")
    desk = told.unit("Desk", lab, "team")
    rex = told.person("Rex")
    told.grant(rex, "mgmt_reviewer", south)
    ids = {name: one.id for name, one in (("south", south), ("lab", lab), ("desk", desk))}
    client = ada(told)
    answer = client.post(f"/admin/units/{ids['lab']}/move", data={"move-parent_id": ids["south"]})
    assert answer.status_code == 303
    assert path_of(ids["desk"]) == f"{path_of(ids['south'])}{ids['lab']}/{ids['desk']}/"
    (held,) = directory.holdings(["mgmt_reviewer"])
    assert directory.covers(held, [path_of(ids["desk"])])
    assert audit.page(audit.Filter(action="unit.moved"), limit=2)


def test_moves_that_make_no_tree_are_refused(told: Factory) -> None:
    company = told.unit("Acme")
    north = told.unit("North", company, "region")
    lab = told.unit("Lab", north, "team")
    told.unit("Lab", company, "team")
    closed = told.unit("Closed", company, "team")
    db.session.rollback()
    top, upper, lower, shut = company.id, north.id, lab.id, closed.id
    client = ada(told)
    client.post(f"/admin/units/{shut}/active", data={"active": "no"})
    before = {one: path_of(one) for one in (top, upper, lower)}
    for unit, parent in (
        (upper, lower),
        (upper, upper),
        (top, upper),
        (lower, top),
        (lower, shut),
        (lower, ""),
        (lower, "x"),
        (lower, 999999),
    ):
        answer = client.post(f"/admin/units/{unit}/move", data={"move-parent_id": parent})
        assert answer.status_code == 422, (unit, parent)
    assert {one: path_of(one) for one in before} == before
    assert client.get(f"/admin/units/{lower}").status_code == 200
