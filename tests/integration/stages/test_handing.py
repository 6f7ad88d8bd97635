"""Hand a project over; choose who writes along."""

import pytest

from okrgate.approvals import entitlement
from okrgate.approvals import service as approvals
from okrgate.database import db
from okrgate.delivery.models import WorkItem
from okrgate.errors import Conflict, Forbidden, Invalid
from okrgate.measurement import service as measurement
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import handing
from okrgate.stages.facts import gather
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

NOTE = "Everything is in the shared folder"


def hand_over(company: Company, name: str, to: str, part: str = "lead", status: int = 200) -> str:
    """Somebody hands a part over on the page of people."""
    person = company[name]
    person.open(f"/projects/{company.reference}/people")
    said: dict[str, str | list[str]] = {f"{part}-to": str(company.ids[to]), f"{part}-note": NOTE}
    return person.send(said, status=status)


def test_the_lead_hands_over_with_all_that_is_open(arrive: Arrive) -> None:
    company = arrive("in execution")
    task = db.session.query(WorkItem).filter_by(kind="task").one()
    task.owner_id = company.ids["Lea"]
    db.session.commit()
    hand_over(company, "Lea", "Pat")
    project = company.project()
    assert project.lead_id == company.ids["Pat"]
    assert db.session.query(WorkItem).filter_by(kind="task").one().owner_id == company.ids["Pat"]
    told = company.told()["HandedOver"]
    assert sorted(told) == ["Pat", "Rex", "Sue"]
    texts = {
        name: letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
        for name, letter in company.letters()
        if NOTE in str(letter.get_body(("plain",)))
    }
    assert "is assigned to you" in texts["Pat"]
    entry = company.entries()[-1]
    assert entry.reason == NOTE or any(
        one.action == "project.handed_over" and one.reason == NOTE for one in company.entries()
    )
    page = company["Pat"].open(f"/projects/{company.reference}")
    assert "Post an update" in page


def test_the_old_lead_is_told_when_somebody_else_does_it(arrive: Arrive) -> None:
    company = arrive("planned")
    hand_over(company, "Ada", "Pat")
    letters = [one for name, one in company.letters() if name == "Lea"]
    assert "You are no longer lead" in str(letters[-1].get_body(("plain",)))


def test_the_process_office_names_a_lead_where_there_is_none(arrive: Arrive) -> None:
    company = arrive("in execution")
    project = company.project()
    project.lead_id, project.adopted = None, True
    db.session.commit()
    assert "Nobody yet." in company["Oli"].open(f"/projects/{company.reference}/people")
    hand_over(company, "Oli", "Pat")
    assert company.project().lead_id == company.ids["Pat"]


def test_a_stranger_hands_nothing_over(arrive: Arrive) -> None:
    company = arrive("planned")
    with pytest.raises(Forbidden):
        handing.hand_over(
            company.project().id,
            "lead",
            to=company.ids["Vik"],
            note=NOTE,
            version=company.project().version,
            by=company.ids["Pat"],
            admin=False,
        )


def test_a_note_and_a_person_are_needed(arrive: Arrive) -> None:
    company = arrive("planned")
    with pytest.raises(Invalid) as problem:
        handing.hand_over(
            company.project().id,
            "lead",
            to=None,
            note="",
            version=1,
            by=company.ids["Lea"],
            admin=False,
        )
    assert set(problem.value.fields) == {"to", "note"}


def test_who_saw_an_older_project_is_refused_and_the_same_twice_is_once(arrive: Arrive) -> None:
    company = arrive("planned")
    project = company.project()

    def hand(version: int) -> None:
        handing.hand_over(
            project.id,
            "lead",
            to=company.ids["Pat"],
            note=NOTE,
            version=version,
            by=company.ids["Lea"],
            admin=False,
        )

    version = project.version
    with pytest.raises(Conflict):
        hand(version - 1)
    hand(version)
    hand(version)
    assert sum(one.action == "project.handed_over" for one in company.entries()) == 1


def test_a_lead_who_signed_ends_the_round(arrive: Arrive) -> None:
    company = arrive("half approved")
    first = approvals.open_round(company.project().id)
    hand_over(company, "Lea", "Mia")
    again = approvals.open_round(company.project().id)
    assert first is not None
    assert again is not None
    assert again.id != first.id
    assert "SignoffsVoided" in company.told()
    company.sign("Vik", "approved")
    assert company.project().stage == "final_approval"


def test_the_submitter_hands_over_too(arrive: Arrive) -> None:
    company = arrive("told")
    hand_over(company, "Sue", "Pat", part="submitter")
    company["Sue"].open(f"/projects/{company.reference}", status=404)
    company["Pat"].open(f"/projects/{company.reference}/parts/problem/problem")


def test_nobody_gives_a_project_away_to_sign_it(arrive: Arrive) -> None:
    company = arrive("half approved")
    hand_over(company, "Lea", "Pat")
    project = company.project()
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    barred = entitlement.barred(project, rulebook, gather(project, rulebook).around)
    assert {company.ids["Lea"], company.ids["Pat"]} <= set(barred)


def test_a_co_editor_writes_along_and_leaves(arrive: Arrive) -> None:
    company = arrive("told")
    sue = company["Sue"]
    sue.open(f"/projects/{company.reference}/people")
    said = sue.send({"co_editor": str(company.ids["Pat"])})
    assert "They can write along" in said
    company["Pat"].open(f"/projects/{company.reference}/parts/problem/problem")
    assert "Co-editors" in company["Pat"].open(f"/projects/{company.reference}")
    with pytest.raises(Forbidden):
        handing.add_co_editor(
            company.project().id, company.ids["Vik"], by=company.ids["Pat"], admin=False
        )
    handing.remove_co_editor(
        company.project().id, company.ids["Pat"], by=company.ids["Sue"], admin=False
    )
    company["Pat"].open(f"/projects/{company.reference}", status=404)


def test_readings_go_along(arrive: Arrive) -> None:
    company = arrive("measuring")
    for one in measurement.checkpoints(company.project().id):
        one.owner_id = company.ids["Lea"]
    db.session.commit()
    hand_over(company, "Lea", "Pat")
    db.session.rollback()
    owners = {one.owner_id for one in measurement.checkpoints(company.project().id)}
    assert owners == {company.ids["Pat"]}
