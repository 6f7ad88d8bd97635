"""Who may read a project, and how projects are numbered and found."""

from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import select

from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.errors import NotFound
from okrgate.projects import permissions, service
from okrgate.projects.models import CoEditor, Project
from okrgate.projects.plan_models import Dependency, RaciRow
from tests.factories import Factory
from tests.integration.projects.conftest import NewProject


def listed_for(person: int, *, is_auditor: bool = False) -> set[int]:
    clause = permissions.visible_clause(person, is_auditor=is_auditor)
    return set(db.session().scalars(select(Project.id).where(clause)))


def reads(project: Project, person: Person, *, is_auditor: bool = False) -> bool:
    """Ask both faces of the rule; they must agree."""
    one = permissions.visible(project, person.id, is_auditor)
    listed = project.id in listed_for(person.id, is_auditor=is_auditor)
    assert one == listed
    return one


def take_part(project: Project, person: Person, part: str) -> None:
    with transaction() as session:
        loaded = session.get(Project, project.id)
        assert loaded is not None
        if part == "co_editor":
            session.add(CoEditor(project_id=project.id, person_id=person.id))
        elif part == "raci":
            session.add(RaciRow(project_id=project.id, person_id=person.id, letter="I", position=0))
        else:
            setattr(loaded, f"{part}_id", person.id)


PARTS = ["lead", "sponsor", "benefits_owner", "co_editor", "raci"]


def test_a_submitted_project_is_everybodys_to_read(project: Project, ben: Person) -> None:
    assert reads(project, ben)


def test_a_draft_is_its_submitters(new_project: NewProject, ann: Person, ben: Person) -> None:
    draft = new_project(draft=True)

    assert reads(draft, ann)
    assert not reads(draft, ben)
    assert not reads(draft, ben, is_auditor=True)


def test_of_others_only_co_editors_read_a_draft(new_project: NewProject, ben: Person) -> None:
    for part in PARTS:
        draft = new_project(draft=True)
        take_part(draft, ben, part)

        assert reads(draft, ben) is (part == "co_editor"), part


def test_a_confidential_project_is_for_those_involved_and_auditors(
    new_project: NewProject, factory: Factory, ann: Person, ben: Person
) -> None:
    stranger = factory.person("Sid")
    for part in PARTS:
        secret = new_project(confidential=True)
        take_part(secret, ben, part)

        assert reads(secret, ann)
        assert reads(secret, ben), part
        assert not reads(secret, stranger)
        assert reads(secret, stranger, is_auditor=True)
        assert permissions.involved(secret.id) == {ann.id, ben.id}


def test_what_is_hidden_looks_like_what_is_missing(new_project: NewProject, ben: Person) -> None:
    secret = new_project(confidential=True)

    with pytest.raises(NotFound) as hidden:
        permissions.check_visible(secret, ben.id, is_auditor=False)
    with pytest.raises(NotFound) as missing:
        service.get(secret.id + 1)

    assert hidden.value.sentence == missing.value.sentence
    permissions.check_visible(secret, ben.id, is_auditor=False, also=[ben.id])


def test_private_answers_are_for_those_involved_and_auditors(
    project: Project, ann: Person, ben: Person
) -> None:
    def sees(person: Person, **more: bool) -> bool:
        return permissions.private_visible(
            project, person.id, is_auditor=more.get("is_auditor", False)
        )

    assert sees(ann)
    assert not sees(ben)
    assert sees(ben, is_auditor=True)
    take_part(project, ben, "raci")
    assert sees(ben)


def test_another_room_can_say_who_has_a_part(
    new_project: NewProject, ben: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = new_project(confidential=True)
    with transaction() as session:
        session.add(Dependency(project_id=secret.id, person_id=ben.id, name="Template", position=0))
    monkeypatch.setattr(permissions, "_parts", list(permissions._parts))
    before = reads(secret, ben)

    for _ in range(2):
        permissions.register_part(select(Dependency.project_id, Dependency.person_id))

    assert (before, reads(secret, ben)) == (False, True)
    assert ben.id in permissions.involved(secret.id)
    assert len(permissions._parts) == 3


def test_references_go_on_and_pass_over_those_taken(new_project: NewProject) -> None:
    taken = new_project()
    with transaction() as session:
        loaded = session.get(Project, taken.id)
        assert loaded is not None
        loaded.reference = "OKR-002"
    found = []
    for _ in range(2):
        with transaction():
            found.append(service.next_reference())

    assert found == ["OKR-001", "OKR-003"]


def test_a_reference_is_given_back_when_nothing_came_of_it(app: Flask) -> None:
    def fail() -> None:
        with transaction():
            service.next_reference()
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    with transaction():
        assert service.next_reference() == "OKR-001"


def test_a_reference_is_taken_only_inside_a_transaction(app: Flask) -> None:
    with pytest.raises(RuntimeError):
        service.next_reference()


def test_many_at_once_never_get_the_same_reference(app: Flask) -> None:
    found: list[str] = []

    def take() -> None:
        with app.app_context():
            for _ in range(5):
                with transaction():
                    found.append(service.next_reference())
            db.session.remove()

    threads = [Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(found) == [f"OKR-{number:03d}" for number in range(1, 21)]


def test_a_project_is_found_by_its_reference(project: Project) -> None:
    found = service.find(project.reference)

    assert found is not None
    assert found.id == project.id
    assert service.get(project.id).id == project.id
    for unknown in ("OKR-999", "", "\x00", "x" * 1000):
        assert service.find(unknown) is None
