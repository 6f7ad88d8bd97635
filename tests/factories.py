"""Tell a test's story in few words: people, units, roles, projects."""

from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from okrgate import clock
from okrgate.accounts.models import OrgUnit, Person, RoleGrant
from okrgate.database import db, transaction
from okrgate.projects.models import Project, Visit
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import RulebookVersion

SHIPPED = Path(__file__).resolve().parent.parent / "rules" / "stage_gates.yaml"


class Factory:
    """Makes rows directly, without the services' checks; for arranging, not for acting."""

    def __init__(self, app: Flask) -> None:
        """Remember the application, for browsers."""
        self.app = app
        self._count = 0

    def _next(self) -> int:
        self._count += 1
        return self._count

    def unit(
        self, name: str = "Acme", parent: OrgUnit | None = None, kind: str = "company"
    ) -> OrgUnit:
        """Make a unit of the authority tree."""
        with transaction() as session:
            unit = OrgUnit(name=name, kind=kind, parent_id=parent.id if parent else None, path="")
            session.add(unit)
            session.flush()
            unit.path = f"{parent.path if parent else '/'}{unit.id}/"
        return unit

    def person(
        self,
        name: str = "",
        *,
        admin: bool = False,
        auditor: bool = False,
        unit: OrgUnit | None = None,
    ) -> Person:
        """Make somebody who may sign in."""
        number = self._next()
        name = name or f"Person {number}"
        with transaction() as session:
            person = Person(
                name=name,
                email=f"{name.lower().replace(' ', '.')}.{number}@example.com",
                is_admin=admin,
                is_auditor=auditor,
                unit_id=unit.id if unit else None,
                created_at=clock.now(),
            )
            session.add(person)
        return person

    def grant(self, person: Person, role: str, unit: OrgUnit) -> RoleGrant:
        """Give somebody a role in a unit."""
        with transaction() as session:
            grant = RoleGrant(
                person_id=person.id, role=role, unit_id=unit.id, granted_at=clock.now()
            )
            session.add(grant)
        return grant

    def rulebook(self, path: Path = SHIPPED) -> RulebookVersion:
        """Publish a rules file (the shipped one) and return its version."""
        return rulebooks.publish(path.read_text(encoding="utf-8"), by=None)

    def project(
        self,
        title: str = "Renewals in one step",
        *,
        submitter: Person | None = None,
        unit: OrgUnit | None = None,
        version: RulebookVersion | None = None,
        stage: str = "",
        lead: Person | None = None,
        draft: bool = False,
    ) -> Project:
        """Make a project row in a stage (the initial one), with its first visit."""
        submitter = submitter or self.person()
        version = version or self._version()
        stage = stage or rulebooks.rulebook(version.id).initial.id
        with transaction() as session:
            project = Project(
                reference=f"OKR-{self._next():03d}",
                title=title,
                process_id=version.process_id,
                rulebook_version_id=version.id,
                home_unit_id=unit.id if unit else None,
                submitter_id=submitter.id,
                lead_id=lead.id if lead else None,
                stage=stage,
                stage_entered_at=clock.now(),
                created_at=clock.now(),
                changed_at=clock.now(),
                submitted_at=None if draft else clock.now(),
            )
            session.add(project)
            session.flush()
            session.add(Visit(project_id=project.id, stage=stage, entered_at=clock.now()))
        return project

    def browser(self, person: Person) -> FlaskClient:
        """Return a browser in which this person is signed in."""
        from okrgate.accounts import sessions

        token = sessions.start(person.id, device="test")
        client = self.app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = token
            cookie["_fresh"] = True
        db.session.rollback()
        return client

    def _version(self) -> RulebookVersion:
        known = rulebooks.binding()
        return known[0] if known else self.rulebook()
