"""Who never signs, whatever roles they hold; and that a decision is one decision, however often it is sent."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from okrgate import clock
from okrgate.accounts import people, roles
from okrgate.accounts.models import Person, RoleGrant
from okrgate.approvals.models import Receipt, Round, SeatPerson, SignoffRow
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden, Invalid
from okrgate.measurement.models import Target
from okrgate.notifications.models import MAIL, OutboxRow
from okrgate.projects.models import CoEditor, Edit, Project, Visit
from okrgate.projects.plan_models import RaciRow
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import service, settling
from okrgate.stages.facts import gather
from okrgate.stages.signing import Ask, standing
from tests.dumps import differences, dump
from tests.faults.profile import times
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company
from tests.machine import PATIENCE

EXECUTIVES = ("managing_director", "vice_president")
# Who tried and may not is noted in the record, and nothing else is changed by it.
BESIDE = ("sign_in_sessions", "audit_entries")


def is_the_submitter(_company: Company) -> str:
    return "Sue"


def is_the_lead(_company: Company) -> str:
    return "Lea"


def is_accountable(company: Company) -> str:
    """Ines is made accountable in the plan, and nothing else."""
    back_to_planning(company)
    company.fill("Lea", "raci/raci", {"parts-0-person": str(company.ids["Ines"])})
    company.move("Lea", "ask_approval")
    return "Ines"


def is_a_co_editor(company: Company) -> str:
    with transaction() as session:
        session.add(CoEditor(project_id=company.project().id, person_id=company.ids["Pat"]))
    return "Pat"


def changed_the_plan(company: Company) -> str:
    with transaction() as session:
        session.add(edit_of(company.project().id, company.ids["Pat"]))
    return "Pat"


def was_lead_until_just_now(company: Company) -> str:
    """Lea planned it all; the day before the sign-off somebody else is made lead."""
    with transaction():
        company.project().lead_id = company.ids["Pat"]
    return "Lea"


BARRED: dict[str, tuple[Callable[[Company], str], int, str]] = {
    "the submitter": (is_the_submitter, 403, "You submitted this project"),
    "the lead": (is_the_lead, 403, "You lead this project"),
    "who is accountable": (is_accountable, 403, "You are accountable for this project"),
    "a co-editor": (is_a_co_editor, 403, "You wrote parts of this project"),
    "who changed the plan": (changed_the_plan, 403, "You changed what is to be signed"),
    "who led it while it was planned": (was_lead_until_just_now, 403, "You are accountable"),
}


@pytest.mark.parametrize("held", [EXECUTIVES[:1], EXECUTIVES], ids=["one-role", "two-roles"])
@pytest.mark.parametrize("who", BARRED, ids=lambda who: who.replace(" ", "-"))
def test_never_signs(arrive: Arrive, who: str, held: tuple[str, ...]) -> None:
    company = arrive("in approval")
    arrange, status, sentence = BARRED[who]
    name = arrange(company)
    for role in held:
        grant(company, name, role)
    before, known = dump(leave_out=BESIDE), len(refused(company, name))
    assert sentence in post(company, name, status=status)
    assert sentence in post(company, name, status=status)
    assert differences(before, dump(leave_out=BESIDE)) == {}
    assert len(refused(company, name)) == known + 1, "noted once, however often it is tried"
    assert name not in waiting_names(company)
    with pytest.raises(Forbidden):
        service.decide(round_of(company).id, ask_of(company), by=company.ids[name])


def refused(company: Company, name: str) -> list[Entry]:
    db.session.rollback()
    query = select(Entry).where(
        Entry.action == "signoff.refused", Entry.actor_id == company.ids[name]
    )
    return list(db.session.scalars(query))


def test_an_administrator_signs_no_more_than_others(arrive: Arrive) -> None:
    company = arrive("in approval")
    company["Ada"].open(f"/approvals/{round_of(company).id}", status=404)
    post(company, "Ada", status=404)
    grant(company, "Sue", EXECUTIVES[0])
    with transaction():
        db.session.get_one(Person, company.ids["Sue"]).is_admin = True
    assert "You submitted this project" in post(company, "Sue", status=403)


@pytest.mark.parametrize("name", ["Sue", "Lea"])
def test_whoever_never_signs_sets_nothing_aside(arrive: Arrive, name: str) -> None:
    company = arrive("planned")
    with transaction() as session:
        for target in session.scalars(select(Target)):
            target.confirmed = None
    settling.settle(company.project().id)
    for role in EXECUTIVES:
        grant(company, name, role)
    path = f"/projects/{company.reference}/waivers/metrics-confirmed"
    words = {"reason": "The weekly report shows it already, we may begin."}
    before = dump(leave_out=BESIDE)
    answer = browser(company, name).post(path, data=words)
    assert answer.status_code == 403
    assert "set this aside" in answer.get_data(as_text=True)
    assert differences(before, dump(leave_out=BESIDE)) == {}
    assert browser(company, "Mia").post(path, data=words).status_code == 303


def test_one_person_in_two_roles_counts_once(arrive: Arrive) -> None:
    company = arrive("in approval")
    grant(company, "Mia", EXECUTIVES[1])
    company.sign("Mia", "approved")
    assert company.project().stage == "final_approval"
    row = db.session.scalars(select(SignoffRow).where(SignoffRow.decision == "approved")).all()[-1]
    assert row.roles == sorted(EXECUTIVES)
    company.sign("Vik", "approved")
    assert company.project().stage == "kick_off"


def test_a_role_that_has_ended_signs_nothing(arrive: Arrive) -> None:
    company = arrive("in approval")
    with transaction() as session:
        held = session.scalars(
            select(RoleGrant).where(RoleGrant.person_id == company.ids["Mia"])
        ).one()
        held.ends_on = clock.today() - timedelta(days=1)
    before = dump(leave_out=BESIDE)
    assert "Your roles do not let you sign here" in post(company, "Mia", status=403)
    with pytest.raises(Forbidden):
        service.decide(round_of(company).id, ask_of(company), by=company.ids["Mia"])
    assert differences(before, dump(leave_out=BESIDE)) == {}


def test_a_role_that_begins_tomorrow_signs_nothing_today(arrive: Arrive) -> None:
    company = arrive("in approval")
    with transaction() as session:
        session.add(
            RoleGrant(
                person_id=company.ids["Pat"],
                role=EXECUTIVES[0],
                unit_id=company.unit.id,
                granted_at=clock.now(),
                starts_on=clock.today() + timedelta(days=1),
            )
        )
    post(company, "Pat", status=404)


def test_who_loses_the_role_is_no_longer_asked(arrive: Arrive) -> None:
    company = arrive("in approval")
    assert "Mia" in waiting_names(company)
    mia = company.ids["Mia"]
    held = db.session.scalars(select(RoleGrant.id).where(RoleGrant.person_id == mia)).one()
    roles.revoke(mia, held, by=company.ids["Ada"])
    assert "Mia" not in waiting_names(company)
    post(company, "Mia", status=404)


def test_who_is_deactivated_is_out_at_once(arrive: Arrive) -> None:
    company = arrive("in approval")
    client = browser(company, "Mia")
    path = f"/approvals/{round_of(company).id}"
    assert client.get(path).status_code == 200
    people.deactivate(company.ids["Mia"], by=company.ids["Ada"])
    assert "Mia" not in waiting_names(company)
    answer = client.post(path, data=said(company))
    assert answer.status_code in {302, 303, 401}
    with pytest.raises(Forbidden):
        service.decide(round_of(company).id, ask_of(company), by=company.ids["Mia"])
    assert (
        db.session.scalar(select(SignoffRow.id).where(SignoffRow.person_id == mia(company))) is None
    )


def test_a_deactivated_signers_earlier_word_still_stands(arrive: Arrive) -> None:
    company = arrive("half approved")
    people.deactivate(company.ids["Mia"], by=company.ids["Ada"])
    company.sign("Vik", "approved")
    assert company.project().stage == "kick_off"


def test_what_was_changed_after_the_page_was_opened_is_not_signed(arrive: Arrive) -> None:
    company = arrive("in approval")
    old = said(company)
    back_to_planning(company)
    company.fill("Lea", "scope/money", {"budget": "95000"})
    company.move("Lea", "ask_approval")
    client = browser(company, "Mia")
    answer = client.post(f"/approvals/{round_of(company).id}", data=old)
    assert answer.status_code == 409
    assert "changed after you opened the page" in answer.get_data(as_text=True)
    assert words_of(company, "Mia") == []


def test_a_round_that_is_over_takes_no_more_words(arrive: Arrive) -> None:
    company = arrive("in approval")
    old, path = said(company), f"/approvals/{round_of(company).id}"
    back_to_planning(company)
    assert browser(company, "Mia").post(path, data=old).status_code in {404, 409}
    assert words_of(company, "Mia") == []


def test_nobody_decides_twice_in_a_round(arrive: Arrive) -> None:
    company = arrive("half approved")
    before = dump(leave_out=["sign_in_sessions"])
    assert "already decided" in post(company, "Mia", key="another", status=409)
    with pytest.raises(Conflict):
        service.decide(round_of(company).id, ask_of(company, "third"), by=company.ids["Mia"])
    assert differences(before, dump(leave_out=["sign_in_sessions"])) == {}


def test_the_same_form_sent_twice_is_one_decision_with_one_receipt(arrive: Arrive) -> None:
    company = arrive("in approval")
    client, path, words = (
        browser(company, "Mia"),
        f"/approvals/{round_of(company).id}",
        said(company),
    )
    first = client.post(path, data=words)
    after = dump(leave_out=["sign_in_sessions"])
    second = client.post(path, data=words)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert differences(after, dump(leave_out=["sign_in_sessions"])) == {}


def test_the_last_form_sent_twice_is_one_crossing(arrive: Arrive) -> None:
    company = arrive("half approved")
    client, path, words = (
        browser(company, "Vik"),
        f"/approvals/{round_of(company).id}",
        said(company),
    )
    first, second = client.post(path, data=words), client.post(path, data=words)
    assert first.location == second.location
    assert crossings(company) == 1


def test_a_key_is_one_persons_own(arrive: Arrive) -> None:
    company = arrive("in approval")
    company_round = round_of(company).id
    service.decide(company_round, ask_of(company, "shared"), by=company.ids["Mia"])
    with pytest.raises(Conflict):
        service.decide(company_round, ask_of(company, "shared"), by=company.ids["Vik"])
    assert words_of(company, "Vik") == []


def test_two_forms_that_lost_their_keys_are_two_decisions(arrive: Arrive) -> None:
    company = arrive("in approval")
    for name in ("Mia", "Vik"):
        post(company, name, key="", status=303)
        assert len(words_of(company, name)) == 1
    assert company.project().stage == "kick_off"


def test_no_decision_is_taken_for_another_because_it_has_no_key(arrive: Arrive) -> None:
    company = arrive("in approval")
    with pytest.raises(Invalid):
        service.decide(round_of(company).id, ask_of(company, ""), by=company.ids["Mia"])
    assert words_of(company, "Mia") == []


def test_a_move_with_another_projects_key_is_refused(arrive: Arrive) -> None:
    company = arrive("in the backlog")
    with transaction() as session:
        stay = session.scalars(select(Visit).where(Visit.left_at.is_(None))).one()
        stay.key = "known"
    other = service.start(
        "Another",
        version_id=company.project().rulebook_version_id,
        home_unit_id=company.unit.id,
        by=company.ids["Sue"],
        key="begun",
    )
    with pytest.raises(Conflict):
        service.move(other.id, "submit_idea", by=company.ids["Sue"], key="known")
    with pytest.raises(Conflict):
        service.start(
            "Mine",
            version_id=other.rulebook_version_id,
            home_unit_id=company.unit.id,
            by=company.ids["Pat"],
            key="begun",
        )


def test_two_decisions_at_the_same_moment_are_two_words_and_one_crossing(arrive: Arrive) -> None:
    company = arrive("in approval")
    found, ask = round_of(company).id, ask_of(company)
    results = at_once(
        company,
        [
            lambda: service.decide(found, Ask("approved", ask.digest, "mia"), by=mia(company)),
            lambda: service.decide(
                found, Ask("approved", ask.digest, "vik"), by=company.ids["Vik"]
            ),
        ],
    )
    # Either may have to look again, but nothing is lost and nothing is done twice.
    for name, result in zip(("Mia", "Vik"), results, strict=True):
        if isinstance(result, Conflict):
            company.sign(name, "approved")
        else:
            assert isinstance(result, int), result
    assert company.project().stage == "kick_off"
    assert crossings(company) == 1
    assert len(words_of(company, "Mia")) == len(words_of(company, "Vik")) == 1


def test_one_person_clicking_in_four_browsers_decides_once(arrive: Arrive) -> None:
    company = arrive("half approved")
    found, ask = round_of(company).id, ask_of(company)
    vik = company.ids["Vik"]

    def decide(key: str) -> Callable[[], int]:
        return lambda: service.decide(found, Ask("approved", ask.digest, key), by=vik)

    results = at_once(company, [decide(f"key {number}") for number in range(4)])
    assert sum(isinstance(result, int) for result in results) == 1, results
    assert all(isinstance(result, int | Conflict) for result in results), results
    settling.sweep()
    assert crossings(company) == 1
    assert len(words_of(company, "Vik")) == 1


def test_one_form_sent_in_four_threads_gives_one_receipt(arrive: Arrive) -> None:
    company = arrive("half approved")
    found, ask, vik = round_of(company).id, ask_of(company, "same"), company.ids["Vik"]
    results = at_once(company, [lambda: service.decide(found, ask, by=vik)] * 4)
    assert len(set(map(repr, results))) == 1, results
    assert isinstance(results[0], int)
    assert crossings(company) == 1


def test_approve_and_send_back_at_the_same_moment_has_one_winner(arrive: Arrive) -> None:
    company = arrive("half approved")
    with transaction() as session:
        other = session.get_one(Person, company.ids["Pat"])
    grant(company, other.name, EXECUTIVES[1])
    found, ask = round_of(company).id, ask_of(company)
    back = Ask("returned", ask.digest, "back", reason="Cheaper, please.", move="return_plan")
    results = at_once(
        company,
        [
            lambda: service.decide(found, Ask("approved", ask.digest, "on"), by=company.ids["Vik"]),
            lambda: service.decide(found, back, by=company.ids["Pat"]),
        ],
    )
    stage = company.project().stage
    assert stage in {"kick_off", "plan_work"}
    lost = [result for result in results if not isinstance(result, int)]
    assert all(isinstance(result, Conflict) for result in lost), results
    moves = [entry.details["to"] for entry in company.entries() if entry.action == "project.moved"]
    assert moves[-1] == stage
    assert moves.count("kick_off") + moves.count("plan_work") == 2, moves
    mails = db.session.scalars(select(OutboxRow.dedupe_key).where(OutboxRow.channel == MAIL)).all()
    assert len(mails) == len(set(mails))


NAMES = ("Sue", "Lea", "Ines", "Mia", "Vik", "Pat")
somebody = st.sampled_from(NAMES)
some = st.sets(somebody, max_size=3)


@settings(
    max_examples=times(10, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    submitter=somebody,
    lead=somebody,
    accountable=some,
    co_editors=some,
    editors=some,
    holders=st.sets(somebody, min_size=1),
)
def test_whoever_has_a_part_has_no_seat(
    arrive_once: Company,
    submitter: str,
    lead: str,
    accountable: set[str],
    co_editors: set[str],
    editors: set[str],
    holders: set[str],
) -> None:
    company = arrive_once
    ids = company.ids
    project_id = company.project().id
    with transaction() as session:
        project = session.get_one(Project, project_id)
        project.submitter_id, project.lead_id = ids[submitter], ids[lead]
        for table in (CoEditor, Edit, RaciRow):
            session.execute(delete(table).where(table.project_id == project_id))
        session.execute(delete(RoleGrant))
        for place, name in enumerate(accountable):
            session.add(
                RaciRow(project_id=project_id, position=place, person_id=ids[name], letter="A")
            )
        for name in co_editors:
            session.add(CoEditor(project_id=project_id, person_id=ids[name]))
        for name in editors:
            session.add(edit_of(project_id, ids[name]))
        for name in holders:
            session.add(role_of(company, ids[name], EXECUTIVES[0]))
    barred = {submitter, lead} | accountable | co_editors | editors
    settling.settle(project_id)
    assert waiting_names(company) <= holders - barred
    for name in NAMES:
        may = name in holders - barred
        assert may == (refusal_for(company, name) == ""), name


@pytest.fixture
def arrive_once(arrive: Arrive) -> Company:
    """Return the company in approval; every example arranges its people anew."""
    return arrive("in approval")


def refusal_for(company: Company, name: str) -> str:
    """Return why somebody may not sign now; nothing when they may."""
    project = company.project()
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    snapshot = gather(project, rulebook)
    return standing(project, rulebook, snapshot, round_of(company), company.ids[name]).refusal


def edit_of(project_id: int, person_id: int) -> Edit:
    """Return a change of what is to be signed."""
    return Edit(
        project_id=project_id, section="scope", person_id=person_id, at=clock.now(), material=True
    )


def role_of(company: Company, person_id: int, role: str) -> RoleGrant:
    """Return a role in the whole company."""
    return RoleGrant(
        person_id=person_id, role=role, unit_id=company.unit.id, granted_at=clock.now()
    )


def round_of(company: Company) -> Round:
    """Return the project's newest round."""
    project_id = company.project().id
    query = select(Round).where(Round.project_id == project_id).order_by(Round.id.desc())
    return db.session.scalars(query.limit(1)).one()


def ask_of(company: Company, key: str = "a key") -> Ask:
    """Approve what is put before the signers now."""
    return Ask("approved", round_of(company).digest, key)


def said(company: Company, key: str = "a key") -> dict[str, str]:
    """Return the same as a form sends it."""
    return {"decision": "approved", "digest": round_of(company).digest, "key": key}


def post(company: Company, name: str, *, status: int, key: str = "a key") -> str:
    """Send a decision, whether or not the page offers it."""
    path = f"/approvals/{round_of(company).id}"
    answer = browser(company, name).post(path, data=said(company, key))
    page = answer.get_data(as_text=True)
    assert answer.status_code == status, page.partition("<main")[2][:900]
    return page


def browser(company: Company, name: str) -> FlaskClient:
    """Return somebody's browser."""
    return company[name].client


def grant(company: Company, name: str, role: str) -> None:
    """Give somebody a role in the whole company, as an administrator would."""
    roles.grant(
        company.ids[name],
        role=role,
        unit_id=company.unit.id,
        starts_on=None,
        ends_on=None,
        by=company.ids["Ada"],
    )


def back_to_planning(company: Company) -> None:
    """Vik sends the plan back by hand."""
    company.move("Vik", "return_plan", reason="Look at it again.")


def waiting_names(company: Company) -> set[str]:
    """Return the names of those the open round waits for, as the signers read them."""
    names = {person: name for name, person in company.ids.items()}
    found = db.session.scalars(
        select(SeatPerson.person_id).where(SeatPerson.round_id == round_of(company).id)
    )
    return {names[one] for one in found}


def words_of(company: Company, name: str) -> list[SignoffRow]:
    """Return somebody's decisions on final approvals, and check that each has its receipt."""
    db.session.rollback()
    rows = list(
        db.session.scalars(select(SignoffRow).where(SignoffRow.person_id == company.ids[name]))
    )
    receipts = db.session.scalars(
        select(Receipt.signoff_id).where(Receipt.signoff_id.in_([row.id for row in rows]))
    ).all()
    assert sorted(str(one) for one in receipts) == sorted(str(row.id) for row in rows)
    return rows


def crossings(company: Company) -> int:
    """Return how often the project came to its kick-off: by its stays, which the record has to confirm."""
    project_id = company.project().id
    stays = db.session.scalars(
        select(Visit.id).where(Visit.project_id == project_id, Visit.stage == "kick_off")
    ).all()
    moved = db.session.scalars(
        select(Entry).where(Entry.project_id == project_id, Entry.action == "project.moved")
    ).all()
    assert sum(entry.details["to"] == "kick_off" for entry in moved) == len(stays)
    return len(stays)


def mia(company: Company) -> int:
    return company.ids["Mia"]


def at_once(company: Company, acts: list[Callable[[], int]]) -> list[object]:
    """Do all of it at the same moment, each in a thread with a session of its own; return what came of each."""
    app, moment, start = company.factory.app, clock.now(), Barrier(len(acts))
    db.session.rollback()

    def run(act: Callable[[], int]) -> object:
        with app.app_context(), clock.moved_to(moment):
            start.wait(PATIENCE)
            try:
                return act()
            except Exception as problem:
                return problem
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts, timeout=PATIENCE))
