"""The record calls things by their names, not by their ids."""

from tests.factories import Factory


def test_the_record_names_rules_units_and_people(factory: Factory) -> None:
    factory.rulebook()
    company, rex = factory.unit("Acme"), factory.person("Rex")
    client = factory.browser(factory.person("Ada", admin=True))
    client.post(
        f"/admin/people/{rex.id}/roles",
        data={"grant-role": "mgmt_reviewer", "grant-unit_id": company.id},
    )
    page = client.get("/audit").text
    assert "Role: Management reviewer" in page
    assert "Unit: Acme" in page
    assert "Process: OKR delivery process" in page
    assert "OKR delivery process, version 1" in page
