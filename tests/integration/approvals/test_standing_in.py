"""Somebody decides in another's place: who may, what the record says of it, and that nothing counts twice."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from okrgate import clock
from okrgate.accounts import people, roles
from okrgate.accounts.models import RoleGrant
from okrgate.approvals import delegations, queue
from okrgate.approvals.delegation_models import Delegation, StandInSeat
from okrgate.approvals.delegations import Wanted
from okrgate.approvals.models import Receipt, SignoffRow
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid
from okrgate.projects import permissions
from okrgate.projects.models import CoEditor, Edit, Project
from okrgate.projects.plan_models import RaciRow, Scope
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import service, settling
from okrgate.stages.facts import gather
from okrgate.stages.signing import Ask, standing
from tests.integration.approvals.test_signing_floor import (
    at_once,
    crossings,
    edit_of,
    role_of,
    round_of,
    words_of,
)
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company

MD = "managing_director"


def away(company: Company, name: str, stand_in: str, **narrowed: Any) -> int:
    """Let one stand in for another, for a week from today on."""
    today = clock.today()
    by = narrowed.pop("by", name)
    wanted = Wanted(
        company.ids[stand_in],
        narrowed.pop("starts_on", today),
        narrowed.pop("ends_on", today + timedelta(days=6)),
        **narrowed,
    )
    return delegations.set_delegation(
        company.ids[name], wanted, by=company.ids[by], admin=by == "Ada"
    )


def for_(company: Company, name: str | None, key: str = "for") -> Ask:
    """Approve what is put before the signers now, in somebody's name."""
    return Ask(
        "approved",
        round_of(company).digest,
        key,
        on_behalf_of=company.ids[name] if name else None,
    )


def decide(company: Company, name: str, whom: str | None, key: str = "for") -> int:
    return service.decide(round_of(company).id, for_(company, whom, key), by=company.ids[name])


def refusal(company: Company, name: str, whom: str) -> str:
    with pytest.raises(Forbidden) as refused:
        decide(company, name, whom)
    assert words_of(company, name) == []
    return str(refused.value)


def test_a_stand_in_decides_and_everything_says_for_whom(arrive: Arrive) -> None:
    company = arrive("half approved")
    away(company, "Vik", "Pat")
    assert company["Pat"].open("/approvals").count("I stand in for Vik") == 1
    page = company.sign("Pat", "approved")
    assert "Pat for Vik approved" in page
    assert company.project().stage == "kick_off"
    row = words_of(company, "Pat")[0]
    assert (row.on_behalf_of_id, row.roles) == (company.ids["Vik"], ["vice_president"])
    receipt = db.session.scalars(select(Receipt).where(Receipt.signoff_id == row.id)).one()
    assert receipt.meaning.startswith("Pat for Vik approved")
    entry = db.session.scalars(select(Entry).where(Entry.action == "signoff.approved")).all()[-1]
    assert (entry.actor_id, entry.on_behalf_of_id) == (company.ids["Pat"], company.ids["Vik"])
    told = company.told()
    assert {"Vik", "Pat"} <= set(told["StandInSet"])
    assert "Vik" in told["SignoffGiven"], "whoever was away hears of it"
    assert "Pat for Vik" in company["Vik"].open("/decisions")
    assert "Pat for Vik" in company["Sue"].open(f"/projects/{company.reference}")


def test_both_are_asked_when_a_round_begins(arrive: Arrive) -> None:
    company = arrive("in approval")
    away(company, "Vik", "Pat")
    company.move("Vik", "return_plan", reason="Look at it again.")
    before = len(company.mails())
    company.move("Lea", "ask_approval")
    asked = {name for name, event in company.mails()[before:] if event == "SignoffAsked"}
    assert asked == {"Mia", "Vik", "Pat"}


def test_the_one_who_is_away_may_be_faster(arrive: Arrive) -> None:
    company = arrive("in approval")
    away(company, "Vik", "Pat")
    decide(company, "Vik", None, "own")
    with pytest.raises(Conflict, match="Vik approved"):
        decide(company, "Pat", "Vik")
    assert queue.waiting_for(company.ids["Pat"]) == []


def test_whoever_was_stood_in_for_does_not_decide_again(arrive: Arrive) -> None:
    company = arrive("in approval")
    away(company, "Vik", "Pat")
    decide(company, "Pat", "Vik")
    with pytest.raises(Conflict, match="Pat for Vik approved"):
        decide(company, "Vik", None, "own")
    assert queue.waiting_for(company.ids["Vik"]) == []


def test_one_hand_never_fills_two_seats(arrive: Arrive) -> None:
    company = arrive("in approval")
    away(company, "Vik", "Mia")
    decide(company, "Mia", "Vik")
    with pytest.raises(Conflict):
        decide(company, "Mia", None, "own")
    settling.sweep()
    assert company.project().stage == "final_approval", "the other seat still waits"


def test_who_holds_a_seat_signs_in_their_own_name_unless_they_say_otherwise(
    arrive: Arrive,
) -> None:
    company = arrive("in approval")
    away(company, "Vik", "Mia")
    person, found = company["Mia"], round_of(company)
    page = person.open(f"/approvals/{found.id}")
    assert "You sign for" not in page
    assert "for Vik" in page
    assert "You sign for Vik" in person.open(
        f"/approvals/{found.id}?in_name_of={company.ids['Vik']}"
    )
    person.open(f"/approvals/{found.id}")
    person.send({"decision": "approved"})
    assert words_of(company, "Mia")[0].on_behalf_of_id is None


@pytest.mark.parametrize("part", ["submitter", "lead", "editor"])
@pytest.mark.parametrize("who", ["Vik", "Pat"])
def test_neither_of_the_two_may_have_a_part(arrive: Arrive, part: str, who: str) -> None:
    company = arrive("in approval")
    away(company, "Vik", "Pat")
    person = company.ids[who]
    with transaction() as session:
        project = session.get_one(Project, company.project().id)
        if part == "submitter":
            project.submitter_id = person
        elif part == "lead":
            project.lead_id = person
        else:
            session.add(
                Edit(
                    project_id=project.id,
                    section="scope",
                    person_id=person,
                    at=clock.now(),
                    material=True,
                )
            )
    settling.settle(company.project().id)
    assert queue.waiting_for(company.ids["Pat"]) == []
    assert "somebody else has to sign" in refusal(company, "Pat", "Vik")


@pytest.mark.parametrize("name", ["Sue", "Lea"])
def test_whoever_stands_in_for_a_signer_with_a_part_does_not_sign(
    arrive: Arrive, name: str
) -> None:
    company = arrive("in approval")
    with transaction() as session:
        session.add(role_of(company, company.ids[name], MD))
    away(company, name, "Mia")
    assert queue.waiting_for(company.ids["Mia"]) == []
    with pytest.raises(Forbidden, match="You stand in for somebody with a part"):
        decide(company, "Mia", None)
    delegations.end(only(company), by=company.ids["Mia"])
    assert len(queue.waiting_for(company.ids["Mia"])) == 1
    with pytest.raises(Conflict, match="They ended this themselves"):
        away(company, name, "Mia", by="Ada")
    decide(company, "Mia", None)
    with clock.moved_to(clock.now() + timedelta(days=31)):
        away(company, name, "Mia")


def test_naming_a_signer_is_no_way_to_be_rid_of_them(arrive: Arrive) -> None:
    company = arrive("in approval")
    other = company.factory.unit("Elsewhere")
    for name in ("Sue", "Lea"):
        away(company, name, "Mia")
    with transaction() as session:
        session.add(role_of(company, company.ids["Sue"], MD))
    for number in db.session.scalars(select(Delegation.id)).all():
        delegations.end(number, by=company.ids["Ada"], admin=True)
    for narrowed in ({"unit_id": other.id}, {"amount_minor": 0}, {"roles": ("mgmt_reviewer",)}):
        away(company, "Sue", "Mia", **narrowed)
    assert len(queue.waiting_for(company.ids["Mia"])) == 1
    decide(company, "Mia", None)


def test_nobody_with_a_part_chooses_the_stand_in_of_a_signer(arrive: Arrive) -> None:
    company = arrive("in approval")
    path = f"/approvals/{round_of(company).id}"
    for name in ("Sue", "Oli"):
        delegations.name_assistant(company.ids["Vik"], company.ids[name], by=company.ids["Vik"])
    with transaction() as session:
        session.add(CoEditor(project_id=company.project().id, person_id=company.ids["Ada"]))
    for by in ("Sue", "Ada"):
        number = away(company, "Vik", "Pat", by=by)
        assert queue.waiting_for(company.ids["Pat"]) == [], by
        assert "does not reach this project" in refusal(company, "Pat", "Vik")
        words = {"decision": "approved", "digest": round_of(company).digest, "key": by}
        answer = company["Pat"].client.post(
            path, data=words | {"in_name_of": str(company.ids["Vik"])}
        )
        assert answer.status_code == 403, by
        delegations.end(number, by=company.ids["Vik"])
    away(company, "Vik", "Pat", by="Oli")
    decide(company, "Pat", "Vik")


def test_an_administrator_opens_nothing_confidential_through_a_stand_in(arrive: Arrive) -> None:
    company = arrive("in approval")
    pat, page = company["Pat"], f"/projects/{company.reference}"
    number = away(company, "Vik", "Pat", by="Ada")
    assert len(queue.waiting_for(company.ids["Pat"])) == 1
    with transaction() as session:
        session.get_one(Project, company.project().id).confidential = True
    pat.open(page, status=404)
    assert "does not reach this project" in refusal(company, "Pat", "Vik")
    settling.settle(company.project().id)
    assert queue.waiting_for(company.ids["Pat"]) == []
    delegations.end(number, by=company.ids["Vik"])
    delegations.name_assistant(company.ids["Vik"], company.ids["Oli"], by=company.ids["Vik"])
    away(company, "Vik", "Pat", by="Oli")
    pat.open(page)
    decide(company, "Pat", "Vik")


def test_there_is_no_chain(arrive: Arrive) -> None:
    company = arrive("in approval")
    away(company, "Vik", "Pat")
    away(company, "Pat", "Oli")
    assert queue.waiting_for(company.ids["Oli"]) == []
    assert "not yours" in refusal(company, "Oli", "Vik")
    assert "not asked to sign" in refusal(company, "Oli", "Pat")


def only(company: Company) -> int:
    """Return the one delegation there is."""
    db.session.rollback()
    return db.session.scalars(select(Delegation.id)).one()


def ended(company: Company) -> None:
    delegations.end(only(company), by=company.ids["Vik"])


def role_lost(company: Company) -> None:
    vik = company.ids["Vik"]
    held = db.session.scalars(select(RoleGrant.id).where(RoleGrant.person_id == vik)).one()
    roles.revoke(vik, held, by=company.ids["Ada"])


def shut_out(company: Company) -> None:
    people.deactivate(company.ids["Vik"], by=company.ids["Ada"])


@pytest.mark.parametrize("act", [ended, role_lost, shut_out])
def test_the_next_request_is_refused_once_it_is_over(arrive: Arrive, act: Any) -> None:
    company = arrive("in approval")
    away(company, "Vik", "Pat")
    person, path = company["Pat"], f"/approvals/{round_of(company).id}"
    person.open(path)
    words = {"decision": "approved", "digest": round_of(company).digest, "key": "late"}
    act(company)
    answer = person.client.post(path, data=words | {"in_name_of": str(company.ids["Vik"])})
    assert answer.status_code == 403
    assert words_of(company, "Pat") == []
    assert queue.waiting_for(company.ids["Pat"]) == []


def test_a_form_without_a_name_never_signs_for_another(arrive: Arrive) -> None:
    company = arrive("in approval")
    away(company, "Vik", "Pat")
    path = f"/approvals/{round_of(company).id}"
    words = {"decision": "approved", "digest": round_of(company).digest}
    for place, name in enumerate(("", "0", "-1", "abc", str(company.ids["Mia"]), "9" * 30)):
        answer = company["Pat"].client.post(
            path, data=words | {"in_name_of": name, "key": f"key {place}"}
        )
        assert answer.status_code == 403, name
    assert words_of(company, "Pat") == []


def test_before_and_after_its_days_it_counts_for_nothing(arrive: Arrive) -> None:
    company = arrive("in approval")
    today = clock.today()
    away(
        company,
        "Vik",
        "Pat",
        starts_on=today + timedelta(days=2),
        ends_on=today + timedelta(days=3),
    )
    assert "not yours" in refusal(company, "Pat", "Vik")
    for days, waits in ((1, 0), (2, 1), (3, 1), (4, 0)):
        with clock.moved_to(clock.now() + timedelta(days=days)):
            settling.sweep()
            assert len(queue.waiting_for(company.ids["Pat"])) == waits, days


def test_limits_of_unit_amount_and_role(arrive: Arrive) -> None:
    company = arrive("in approval")
    other = company.factory.unit("Elsewhere")
    for narrowed in (
        {"unit_id": other.id},
        {"amount_minor": 1},
        {"roles": (MD,)},
    ):
        number = away(company, "Vik", "Pat", **narrowed)
        assert queue.waiting_for(company.ids["Pat"]) == [], narrowed
        assert "does not reach this project" in refusal(company, "Pat", "Vik")
        delegations.end(number, by=company.ids["Vik"])
    budget = db.session.get_one(Scope, company.project().id).budget_minor
    assert budget
    away(
        company,
        "Vik",
        "Pat",
        unit_id=company.unit.id,
        amount_minor=budget,
        roles=("vice_president",),
    )
    assert len(queue.waiting_for(company.ids["Pat"])) == 1
    with transaction() as session:
        session.get_one(Scope, company.project().id).budget_minor = None
    assert "does not reach this project" in refusal(company, "Pat", "Vik")


def test_a_confidential_project_is_read_while_it_lasts_and_no_longer(arrive: Arrive) -> None:
    company = arrive("in approval")
    with transaction() as session:
        session.get_one(Project, company.project().id).confidential = True
    pat = company["Pat"]
    page, card = f"/projects/{company.reference}", f"/approvals/{round_of(company).id}"
    pat.open(page, status=404)
    number = away(company, "Vik", "Pat")
    pat = company["Pat"]
    pat.open(page)
    pat.open(card)
    decide(company, "Pat", "Vik")
    pat.open(page)
    assert {company.ids["Vik"], company.ids["Pat"]} <= permissions.readers(company.project().id)
    delegations.end(number, by=company.ids["Vik"])
    pat.open(page, status=404)
    pat.open(card, status=404)
    assert company.ids["Vik"] in permissions.readers(company.project().id)


def test_who_may_arrange_it(arrive: Arrive) -> None:
    company = arrive("in approval")
    with pytest.raises(Forbidden):
        away(company, "Vik", "Pat", by="Sue")
    delegations.name_assistant(company.ids["Vik"], company.ids["Sue"], by=company.ids["Vik"])
    with pytest.raises(Forbidden, match="name yourself"):
        away(company, "Vik", "Sue", by="Sue")
    with pytest.raises(Forbidden, match="name yourself"):
        away(company, "Vik", "Ada", by="Ada")
    away(company, "Vik", "Pat", by="Sue")
    away(company, "Vik", "Oli", by="Ada")
    told = company.told()["StandInSet"]
    assert sorted(told) == ["Oli", "Pat", "Vik", "Vik"]
    with pytest.raises(Forbidden):
        delegations.name_assistant(company.ids["Vik"], company.ids["Pat"], by=company.ids["Ada"])


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [(0, -1, "ends_on"), (-1, 3, "starts_on"), (0, 90, "ends_on"), (400, 401, "starts_on")],
)
def test_days_that_make_no_sense(arrive: Arrive, first: int, last: int, field: str) -> None:
    company, today = arrive("in approval"), clock.today()
    days = {"starts_on": today + timedelta(days=first), "ends_on": today + timedelta(days=last)}
    with pytest.raises(Invalid) as problem:
        away(company, "Vik", "Pat", **days)
    assert field in problem.value.fields


def test_people_that_make_no_sense(arrive: Arrive) -> None:
    company = arrive("in approval")
    with pytest.raises(Invalid):
        away(company, "Vik", "Vik")
    people.deactivate(company.ids["Pat"], by=company.ids["Ada"])
    with pytest.raises(Invalid):
        away(company, "Vik", "Pat")
    away(company, "Vik", "Oli")
    with pytest.raises(Conflict):
        away(company, "Vik", "Oli")


def test_the_page_arranges_warns_and_ends(arrive: Arrive) -> None:
    company, today = arrive("in approval"), clock.today()
    away(company, "Pat", "Oli")
    vik = company["Vik"]
    words = {
        "stand_in": str(company.ids["Pat"]),
        "starts_on": today.isoformat(),
        "ends_on": (today + timedelta(days=5)).isoformat(),
    }
    answer = vik.client.post("/standing-in", data=words)
    assert answer.status_code == 422
    assert "they may be away, too" in answer.get_data(as_text=True)
    assert vik.client.post("/standing-in", data=words | {"sure": "y"}).status_code == 303
    page = vik.open("/standing-in")
    assert "all projects" in page
    number = delegations.of_person(company.ids["Vik"])[0].id
    assert company["Sue"].client.post(f"/standing-in/{number}/end").status_code == 404
    assert company["Pat"].client.post(f"/standing-in/{number}/end").status_code == 303
    assert delegations.of_person(company.ids["Vik"]) == []
    actions = [one.action for one in db.session.scalars(select(Entry).order_by(Entry.seq))]
    assert actions.count("delegation.set") == 2
    assert actions.count("delegation.ended") == 1
    assert sorted(company.told()["StandInEnded"]) == ["Pat", "Vik"]


def test_two_at_the_same_moment_for_one_seat(arrive: Arrive) -> None:
    company = arrive("half approved")
    away(company, "Vik", "Pat")
    found = round_of(company).id
    own, other = for_(company, None, "own"), for_(company, "Vik", "other")
    results = at_once(
        company,
        [
            lambda: service.decide(found, own, by=company.ids["Vik"]),
            lambda: service.decide(found, other, by=company.ids["Pat"]),
        ],
    )
    lost = [one for one in results if not isinstance(one, int)]
    assert len(lost) == 1, results
    assert isinstance(lost[0], Conflict), results
    assert "approved" in str(lost[0])
    assert "Vik" in str(lost[0])
    settling.sweep()
    assert crossings(company) == 1
    rows = db.session.scalars(select(SignoffRow).where(SignoffRow.round_id == found)).all()
    assert (
        len([one for one in rows if company.ids["Vik"] in (one.person_id, one.on_behalf_of_id)])
        == 1
    )


NAMES = ("Sue", "Lea", "Mia", "Vik", "Pat", "Oli")
somebody = st.sampled_from(NAMES)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    submitter=somebody,
    lead=somebody,
    editors=st.sets(somebody, max_size=2),
    holders=st.sets(somebody, min_size=1, max_size=4),
    pairs=st.sets(st.tuples(somebody, somebody), max_size=4),
)
def test_nobody_signs_through_another_what_they_could_not_sign(
    in_approval: Company,
    submitter: str,
    lead: str,
    editors: set[str],
    holders: set[str],
    pairs: set[tuple[str, str]],
) -> None:
    company, ids = in_approval, in_approval.ids
    arrange(company, submitter, lead, editors, holders)
    today = clock.today()
    pairs = {(one, other) for one, other in pairs if one != other}
    with transaction() as session:
        session.execute(delete(Delegation))
        for one, other in pairs:
            session.add(
                Delegation(
                    person_id=ids[one],
                    stand_in_id=ids[other],
                    starts_on=today,
                    ends_on=today,
                    roles=[],
                    set_by_id=ids[one],
                    set_at=clock.now(),
                )
            )
    settling.settle(company.project().id)
    has_part = {submitter, lead, *editors}
    barred = has_part | {other for one, other in pairs if one in has_part & holders}
    may = {
        (other, one)
        for one, other in pairs
        if one in holders and one not in barred and other not in barred
    }
    found = round_of(company)
    rows = db.session.execute(
        select(StandInSeat.person_id, StandInSeat.for_id).where(StandInSeat.round_id == found.id)
    )
    named = {number: name for name, number in ids.items()}
    assert {(named[one], named[other]) for one, other in rows} == may
    project = company.project()
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    snapshot = gather(project, rulebook)
    for one in NAMES:
        for other in NAMES:
            said = standing(project, rulebook, snapshot, found, ids[one], ids[other])
            assert (said.refusal == "") == ((one, other) in may), (one, other, said.refusal)


@pytest.fixture
def in_approval(arrive: Arrive) -> Company:
    """Return the company in approval; every example arranges its people anew."""
    return arrive("in approval")


def arrange(
    company: Company, submitter: str, lead: str, editors: set[str], holders: set[str]
) -> None:
    """Let these people have a part, and those hold the role of one seat."""
    ids, project_id = company.ids, company.project().id
    with transaction() as session:
        project = session.get_one(Project, project_id)
        project.submitter_id, project.lead_id = ids[submitter], ids[lead]
        for table in (CoEditor, Edit, RaciRow):
            session.execute(delete(table).where(table.project_id == project_id))
        session.execute(delete(RoleGrant))
        session.add_all(edit_of(project_id, ids[name]) for name in editors)
        session.add_all(role_of(company, ids[name], MD) for name in holders)
