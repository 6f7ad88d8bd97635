"""Nobody is shut out while something waits for them that nobody else would see to: each kind gets a successor."""

import pytest
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts.models import Person, RoleGrant
from okrgate.administration import leaving
from okrgate.approvals.models import Condition, SignoffRow
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.delivery.models import WorkItem
from okrgate.errors import Forbidden, Invalid
from okrgate.metrics.models import Metric
from okrgate.notifications.models import OutboxRow
from okrgate.okrs.models import Objective
from okrgate.projects.models import Project
from okrgate.stages import handing, settling
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company


def page(company: Company, name: str) -> str:
    return f"/admin/people/{company.ids[name]}/leave"


def is_active(company: Company, name: str) -> bool:
    db.session.rollback()
    return bool(db.session.get_one(Person, company.ids[name]).active)


def test_deactivating_leads_to_what_waits(arrive: Arrive) -> None:
    company = arrive("in approval")
    ada = company["Ada"]
    answer = ada.client.post(f"/admin/people/{company.ids['Lea']}/deactivate")
    assert answer.location == page(company, "Lea")
    assert is_active(company, "Lea")
    shown = ada.open(page(company, "Lea"))
    assert "Projects they lead: 1" in shown
    assert company.reference in shown
    with transaction():
        company.project().confidential = True
    shown = ada.open(page(company, "Lea"))
    assert "Projects they lead: 1" in shown
    assert company.reference not in shown


def test_a_successor_is_demanded_for_each_kind(arrive: Arrive) -> None:
    company = arrive("in approval")
    answer = company["Ada"].client.post(page(company, "Lea"))
    assert answer.status_code == 422
    assert "Choose who takes this over" in answer.get_data(as_text=True)
    for wrong in ("Lea", None):
        with pytest.raises(Invalid):
            leaving.leave(
                company.ids["Lea"],
                {"lead": company.ids[wrong]} if wrong else {},
                by=company.ids["Ada"],
            )
    assert is_active(company, "Lea")


def test_everything_goes_to_others_and_both_get_mail(arrive: Arrive) -> None:
    company = arrive("planned")
    lea, pat, project = company.ids["Lea"], company.ids["Pat"], company.project().id
    with transaction() as session:
        session.add(
            WorkItem(project_id=project, kind="task", position=9, name="Ask around", owner_id=lea)
        )
        session.add(Objective(title="More", period_id=1, unit_id=company.unit.id, owner_id=lea))
        session.get_one(Metric, int(company.metric)).steward_id = lea
        session.get_one(Project, project).sponsor_id = lea
    kinds = {one.key for one in leaving.duties(lea)}
    assert {"lead", "tasks", "objectives", "metrics", "sponsor"} <= kinds
    answer = company["Ada"].client.post(page(company, "Lea"), data={"everything": str(pat)})
    assert answer.status_code == 303, answer.get_data(as_text=True).partition("<main")[2][:2000]
    assert not is_active(company, "Lea")
    assert leaving.duties(lea) == []
    now = db.session.get_one(Project, project)
    assert (now.lead_id, now.sponsor_id) == (pat, pat)
    assert (
        db.session.scalars(select(WorkItem.owner_id).where(WorkItem.name == "Ask around")).one()
        == pat
    )
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.event == "DutiesHanded")).all()
    assert sorted(row.person_id for row in rows) == sorted([lea, pat])
    actions = [one.action for one in db.session.scalars(select(Entry).order_by(Entry.seq))]
    assert "task.handed_over" in actions
    assert actions[-1] == "person.deactivated"
    settling.sweep()


def test_who_alone_decides_needs_a_successor_with_their_roles(arrive: Arrive) -> None:
    company = arrive("in approval")
    vik, pat = company.ids["Vik"], company.ids["Pat"]
    assert [one.needed for one in leaving.duties(vik) if one.key == "decisions"] == [True]
    data = {"decisions": str(pat)}
    assert company["Ada"].client.post(page(company, "Vik"), data=data).status_code == 303
    settling.sweep()
    held = db.session.scalars(select(RoleGrant.role).where(RoleGrant.person_id == pat)).all()
    assert "vice_president" in held
    company.sign("Pat", "approved")


def test_nobody_is_needed_where_others_are_asked(arrive: Arrive) -> None:
    company = arrive("in approval")
    company.factory.grant(
        db.session.get_one(Person, company.ids["Pat"]), "vice_president", company.unit
    )
    settling.settle(company.project().id)
    assert not leaving.must_hand_over(company.ids["Vik"])
    company["Ada"].client.post(f"/admin/people/{company.ids['Vik']}/deactivate")
    assert not is_active(company, "Vik")


def test_an_unsafe_account_is_shut_out_at_once_for_a_reason(arrive: Arrive) -> None:
    company = arrive("in approval")
    ada, path = company["Ada"], page(company, "Lea")
    assert ada.client.post(path, data={"at_once": "1", "reason": "now"}).status_code == 422
    assert is_active(company, "Lea")
    data = {"at_once": "1", "reason": "The phone was stolen this morning."}
    assert ada.client.post(path, data=data).status_code == 303
    assert not is_active(company, "Lea")
    entry = db.session.scalars(select(Entry).order_by(Entry.seq.desc())).first()
    assert entry is not None
    assert entry.action == "person.left_without_successor"
    assert "Projects they lead" in ada.open(path), "what waits is still handed over"


def test_what_stands_against_it_is_said_and_they_stay(
    arrive: Arrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise Forbidden("Who this is was signed off and is locked.")

    company = arrive("in approval")
    monkeypatch.setattr(handing, "hand_over", refuse)
    data = {"everything": str(company.ids["Pat"])}
    answer = company["Ada"].client.post(page(company, "Lea"), data=data)
    assert answer.status_code == 409
    assert "was signed off and is locked" in answer.get_data(as_text=True)
    assert is_active(company, "Lea")


def test_conditions_go_along_but_not_those_of_an_approval_taken_back(arrive: Arrive) -> None:
    company = arrive("half approved")
    ines, pat = company.ids["Ines"], company.ids["Pat"]
    with transaction() as session:
        word = session.scalars(select(SignoffRow).order_by(SignoffRow.id.desc())).first()
        assert word is not None
        session.add(
            Condition(
                project_id=word.project_id,
                signoff_id=word.id,
                gate="any",
                text="Ask legal",
                owner_id=ines,
            )
        )
    assert "conditions" in {one.key for one in leaving.duties(ines)}
    with transaction() as session:
        session.get_one(SignoffRow, word.id).withdrawn_at = clock.now()
    assert "conditions" not in {one.key for one in leaving.duties(ines)}
    with transaction() as session:
        session.get_one(SignoffRow, word.id).withdrawn_at = None
    takers = {one.key: pat for one in leaving.duties(ines)}
    assert leaving.leave(ines, takers, by=company.ids["Ada"]) == []
    assert db.session.scalars(select(Condition.owner_id)).all()[-1] == pat
