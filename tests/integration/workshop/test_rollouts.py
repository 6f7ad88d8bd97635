"""Rules whose day has come, and projects that move under them: nothing is lost, nothing is done twice."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from okrgate import clock, events
from okrgate.accounts.models import OrgUnit, Person, RoleGrant
from okrgate.approvals.models import Round, SignoffRow
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.errors import Invalid
from okrgate.gates.checks import check_rulebook
from okrgate.notifications.models import MAIL, OutboxRow
from okrgate.projects.models import Project
from okrgate.projects.ticket_models import Problem
from okrgate.rulebooks import service
from okrgate.rulebooks.drafts import Draft
from okrgate.stages import facts, impact, migrating, settling, signing
from okrgate.stages.moving import move
from okrgate.stages.signing import Ask
from okrgate.workshop.publishing import arriving, proposals, rollouts, telling
from okrgate.workshop.publishing.models import Proposal, RolloutStep
from tests.factories import Factory
from tests.integration.workshop.small import HARDER, KEY, REWORDED, TEXT, hurry, settle_on

WITHOUT_LATER = TEXT.replace("later: {label", "after: {label").replace("to: later", "to: after")
WITHOUT_LATER = WITHOUT_LATER.replace("from: later", "from: after")
MORE_COVERED = TEXT.replace(
    "material: [problem.length]", "material: [problem.length, project.title_length]"
)
NEW_SIGNER = TEXT.replace(
    "      - {id: days-passed",
    "      - {id: boss-closes, message: The boss closes it, severity: hard, if: {signoff: {role: boss, quorum: 1}}}\n"
    "      - {id: days-passed",
)


@pytest.fixture
def ada(factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    hurry(monkeypatch)
    monkeypatch.setattr(arriving, "check_in_child_process", check_rulebook)
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT, encoding="utf-8")
    factory.rulebook(path)
    return factory.person("Ada", admin=True)


@pytest.fixture
def unit(factory: Factory) -> OrgUnit:
    return factory.unit()


@pytest.fixture
def bea(factory: Factory, unit: OrgUnit) -> Person:
    bea = factory.person("Bea")
    factory.grant(bea, "boss", unit)
    return bea


def begun(
    factory: Factory, unit: OrgUnit, title: str = "Told at length", **more: object
) -> Project:
    project = factory.project(title, unit=unit, **more)  # type: ignore[arg-type]
    with transaction() as session:
        session.add(Problem(project_id=project.id, problem="x" * 20))
    settling.settle(project.id)
    return project


def signed(project: Project, by: Person) -> Round:
    found = db.session.scalars(select(Round).where(Round.project_id == project.id)).one()
    signing.decide(found.id, Ask("approved", found.digest, key=f"key {project.id}"), by=by.id)
    return found


def publish(by: Person, text: str, **more: object) -> Proposal:
    number = service.newest(KEY).number
    found = proposals.propose(
        KEY,
        Draft(text, "Say more.", number),
        by=by.id,
        in_flight="migrate",
        **more,  # type: ignore[arg-type]
    )
    rollouts.work()
    db.session.rollback()
    return found


def version_of(project: Project) -> int:
    row = db.session.get_one(Project, project.id, populate_existing=True)
    return service.get_version(row.rulebook_version_id).number


def rounds(project: Project) -> list[tuple[int, str | None]]:
    query = select(Round.number, Round.closed_as).where(Round.project_id == project.id)
    return [(number, ended) for number, ended in db.session.execute(query.order_by(Round.id))]


def told(kind: str = "RulesForYou") -> dict[int, dict[str, object]]:
    query = select(OutboxRow.person_id, OutboxRow.snapshot).where(
        OutboxRow.event == kind, OutboxRow.channel == MAIL
    )
    found = list(db.session.execute(query))
    assert len({person for person, _ in found}) == len(found)
    return dict(found)


def history(project: Project) -> list[dict[str, object]]:
    query = select(Entry.details).where(
        Entry.project_id == project.id, Entry.action == "project.rules_changed"
    )
    return list(db.session.scalars(query.order_by(Entry.seq)))


# Its day


def tomorrow() -> date:
    return clock.today() + timedelta(days=1)


def test_approved_rules_wait_for_their_day(ada: Person, bea: Person) -> None:
    proposal = publish(ada, HARDER, takes_effect=tomorrow())
    assert proposal.state == "scheduled"
    arriving.look()
    assert service.newest(KEY).number == 1
    with clock.moved_to(clock.now() + timedelta(days=1)):
        arriving.look()
        arriving.look()
    assert (service.newest(KEY).number, service.newest(KEY).text) == (2, HARDER)
    assert proposals.get(proposal.id).state == "published"


@pytest.mark.parametrize("days", [0, -1, 4_000])
def test_a_day_that_cannot_be_is_refused(ada: Person, days: int) -> None:
    with pytest.raises(Invalid):
        publish(ada, HARDER, takes_effect=clock.today() + timedelta(days=days))


def test_they_are_checked_again_and_roles_must_still_be_held(ada: Person, bea: Person) -> None:
    proposal = publish(ada, HARDER, takes_effect=tomorrow())
    with transaction() as session:
        session.delete(session.scalars(select(RoleGrant)).one())
    with clock.moved_to(clock.now() + timedelta(days=1)):
        arriving.look()
    stopped = proposals.get(proposal.id)
    assert stopped.state == "stopped"
    assert "Boss" in stopped.ended_because
    assert service.newest(KEY).number == 1
    assert list(told("RulesProposalDecided")) == [ada.id]


def test_a_text_that_is_not_sound_on_its_day_changes_nothing(
    ada: Person, bea: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = publish(ada, HARDER, takes_effect=tomorrow())
    broken = check_rulebook("okrgate: 1")
    monkeypatch.setattr(arriving, "check_in_child_process", lambda _text: broken)
    with clock.moved_to(clock.now() + timedelta(days=1)):
        arriving.look()
    assert "did not pass the check" in proposals.get(proposal.id).ended_because
    assert service.newest(KEY).number == 1


def test_rules_that_came_in_another_way_overtake(ada: Person, bea: Person) -> None:
    proposal = publish(ada, HARDER, takes_effect=tomorrow())
    service.publish(REWORDED, by=None)
    arriving.look()
    assert proposals.get(proposal.id).ended_because == proposals.OVERTAKEN


# Projects under way


def test_a_signature_counts_on_where_its_gate_is_the_same(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit
) -> None:
    project = begun(factory, unit)
    found = signed(project, bea)
    before = db.session.get_one(Project, project.id).version
    publish(ada, REWORDED)
    assert version_of(project) == 2
    assert rounds(project) == [(1, None)]
    assert db.session.get_one(Round, found.id, populate_existing=True).rulebook_version_id == (
        service.newest(KEY).id
    )
    assert db.session.get_one(Project, project.id).version > before
    (row,) = history(project)
    assert (row["before"], row["after"], row["signoffs"]) == (1, 2, "kept")


# The same gate, on a move that now leads to another stage.
ELSEWHERE = (
    TEXT.replace("from: begun, to: later", "from: begun, to: built")
    .replace(
        "  done: {label: Done",
        "  built: {label: Built and paid}\n  done: {label: Done",
    )
    .replace(
        "  end:",
        "  down: {label: Go down, from: built, to: later, by: [author], gate: agreed}\n  end:",
    )
)


@pytest.mark.parametrize(
    "text",
    [HARDER, MORE_COVERED, ELSEWHERE],
    ids=["asks more", "covers more", "leads elsewhere"],
)
def test_a_signature_lapses_where_its_gate_changed(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit, text: str
) -> None:
    project = begun(factory, unit)
    signed(project, bea)
    publish(ada, text)
    assert rounds(project) == [(1, "voided"), (2, None)]
    assert history(project)[0]["signoffs"] == "voided"
    assert list(told("SignoffsVoided")) == [bea.id]
    page = factory.browser(ada).get(f"/projects/{project.reference}")
    assert page.status_code in {200, 404}


def test_a_plan_did_not_change_because_rules_cover_more(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit
) -> None:
    project = begun(factory, unit)
    signed(project, bea)
    assert move(project.id, "go", by=project.submitter_id).moved
    publish(ada, MORE_COVERED)
    db.session.refresh(project)
    rulebook = service.rulebook(project.rulebook_version_id)
    snapshot = facts.gather(project, rulebook)
    assert (version_of(project), rounds(project)) == (2, [(1, "satisfied")])
    assert not facts._changed_since_signoff(snapshot, rulebook)


def test_without_a_signature_nothing_is_asked_twice(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit
) -> None:
    project = begun(factory, unit)
    publish(ada, REWORDED)
    asked = select(func.count()).select_from(OutboxRow).where(OutboxRow.event == "SignoffAsked")
    assert db.session.scalar(asked.where(OutboxRow.channel == MAIL)) == 1
    assert version_of(project) == 2


def test_a_project_whose_stage_is_gone_stays(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit
) -> None:
    moves, stays = begun(factory, unit), begun(factory, unit, "Stays", stage="later")
    publish(ada, WITHOUT_LATER)
    assert (version_of(moves), version_of(stays)) == (2, 1)
    version = service.newest(KEY).id
    page = factory.browser(ada).get(f"/rules/{version}/rollout").get_data(as_text=True)
    assert "1 of 2 moved, 1 stayed" in page
    assert "Its stage, Later, is not in the new rules." in page


def test_rolling_back_takes_projects_back(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit
) -> None:
    project = begun(factory, unit)
    signed(project, bea)
    publish(ada, REWORDED)
    client = factory.browser(ada)
    back = {"based_on": "2", "note": "It was clearer.", "in_flight": "migrate"}
    assert client.post("/rules/1/roll-back", data=back).status_code == 303
    rollouts.work()
    assert (version_of(project), service.newest(KEY).text) == (3, TEXT)
    assert rounds(project) == [(1, None)]
    assert [(one["before"], one["after"]) for one in history(project)] == [(1, 2), (2, 3)]


def test_no_project_goes_back_to_an_older_version(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit
) -> None:
    project = begun(factory, unit)
    for number, text in enumerate((HARDER, REWORDED), 1):
        proposals.propose(KEY, Draft(text, "Say more.", number), by=ada.id, in_flight="migrate")
    rollouts.work()
    db.session.rollback()
    assert version_of(project) == 3
    assert [(one["before"], one["after"]) for one in history(project)] == [(1, 3)]
    late = service.version_of(KEY, 2)
    slow = rollouts.of(late.id)
    assert slow is not None
    target = migrating.Target(late.id, 2, "", service.rulebook(late.id))
    rollouts._move(slow.id, project.id, target)
    assert version_of(project) == 3


def test_projects_keep_their_rules_unless_somebody_chose(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit
) -> None:
    project = begun(factory, unit)
    proposals.propose(KEY, Draft(HARDER, "Say more.", 1), by=ada.id)
    rollouts.work()
    assert version_of(project) == 1
    assert "keep the version" in factory.browser(ada).get(
        f"/rules/{service.newest(KEY).id}/rollout"
    ).get_data(as_text=True)


class Killed(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_worker_that_is_killed_goes_on(
    ada: Person,
    bea: Person,
    factory: Factory,
    unit: OrgUnit,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    projects = [begun(factory, unit, f"Number {number}") for number in range(4)]
    proposals.propose(KEY, Draft(HARDER, "Say more.", 1), by=ada.id, in_flight="migrate")
    calls = []
    whole = migrating.bring_under

    def breaks(*given: object) -> None:
        calls.append(given)
        if place == "after":
            whole(*given)  # type: ignore[arg-type]
        if len(calls) == 3:
            raise Killed
        if place == "before":
            whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(migrating, "bring_under", breaks)
    with pytest.raises(Killed):
        rollouts.work()
    db.session.rollback()
    assert [version_of(one) for one in projects] == [2, 2, 1, 1]
    monkeypatch.setattr(migrating, "bring_under", whole)
    rollouts.work()
    rollouts.work()
    assert [version_of(one) for one in projects] == [2, 2, 2, 2]
    assert [len(history(one)) for one in projects] == [1, 1, 1, 1]
    assert db.session.scalar(select(func.count()).select_from(RolloutStep)) == 4


def test_one_that_cannot_be_moved_keeps_no_other_waiting(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = begun(factory, unit, "Bad"), begun(factory, unit, "Good")
    whole, bad_id = migrating.bring_under, bad.id

    def breaks(project: Project, *given: object) -> None:
        if project.id == bad_id:
            raise ValueError(project)
        whole(project, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(migrating, "bring_under", breaks)
    publish(ada, HARDER)
    assert (version_of(bad), version_of(good)) == (1, 2)
    monkeypatch.setattr(migrating, "bring_under", whole)
    rollouts.work()
    assert (version_of(bad), len(history(bad)), len(history(good))) == (2, 1, 1)


# Who is told


def test_everybody_concerned_gets_one_mail_with_their_projects(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit
) -> None:
    lee = factory.person("Lee")
    first = begun(factory, unit, "First", lead=lee)
    second = begun(factory, unit, "Second", submitter=lee, lead=lee)
    publish(ada, HARDER)
    letters = told()
    assert set(letters) == {lee.id, first.submitter_id}
    lines = letters[lee.id]["projects"]
    assert isinstance(lines, list)
    assert [line.partition(" ")[0] for line in lines] == [second.reference, first.reference]
    assert "moves to version 2. It lacks now: Tell the problem." in str(lines[0])
    assert any("10" in str(one) and "30" in str(one) for one in letters[lee.id]["changes"])  # type: ignore[attr-defined]


def test_of_a_project_that_was_not_looked_at_nothing_is_promised(
    factory: Factory, unit: OrgUnit, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = begun(factory, unit), begun(factory, unit, "Newer")
    monkeypatch.setattr(impact, "MOST_OPEN", 1)
    publish(ada, HARDER)
    letters = told()
    assert "its page says what is asked of it then" in str(letters[mine.submitter_id]["projects"])
    assert "its page says" not in str(letters[theirs.submitter_id]["projects"])


def test_whose_word_is_newly_needed_is_told(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit
) -> None:
    proposals.propose(KEY, Draft(NEW_SIGNER, "Say more.", 1), by=ada.id)
    rollouts.work()
    assert told()[bea.id]["signs"] == ["Agreed: your sign-off as Boss."]


def test_nobody_is_told_twice_after_a_crash(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        begun(factory, unit, f"Number {number}")
    monkeypatch.setattr(telling, "_BATCH", 1)
    proposals.propose(KEY, Draft(HARDER, "Say more.", 1), by=ada.id)
    publishing, seen = events.publish, []

    def breaks(event: object) -> None:
        seen.append(event)
        if len(seen) == 2:
            raise Killed
        publishing(event)  # type: ignore[arg-type]

    monkeypatch.setattr(telling, "publish", breaks)
    with pytest.raises(Killed):
        rollouts.work()
    db.session.rollback()
    assert len(told()) == 1
    monkeypatch.setattr(telling, "publish", publishing)
    rollouts.work()
    rollouts.work()
    assert len(told()) == 3


def test_a_second_sign_off_row_is_never_made_by_moving(
    ada: Person, bea: Person, factory: Factory, unit: OrgUnit
) -> None:
    settle_on(ada, approvals=0)
    project = begun(factory, unit)
    signed(project, bea)
    publish(ada, REWORDED)
    publish(ada, TEXT)
    assert db.session.scalar(select(func.count()).select_from(SignoffRow)) == 1
    assert version_of(project) == 3
