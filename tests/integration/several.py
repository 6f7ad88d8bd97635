"""A small company where many projects wait at two gates, for tests of what is decided together."""

from pathlib import Path

from sqlalchemy import select

from okrgate.accounts.models import OrgUnit, Person
from okrgate.approvals.models import Round
from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.rulebooks.models import RulebookVersion
from okrgate.stages import settling
from tests.browsing import Person as Somebody
from tests.factories import Factory

RULES = """
okrgate: 1
vocabulary: application
ruleset: {id: several, title: Two gates, in_flight: keep, owner: Tests, change_note: The first version.}
roles:
  proposer: {label: Proposer, kind: project, fact: project.submitter}
  director: {label: Director, kind: org}
  keeper: {label: Keeper, kind: org}
signing: {never: [project.submitter], editors: bar}
stages:
  idea: {label: Idea, initial: true, sections: {problem: {edit: [proposer]}}}
  asked: {label: Asked, sla_days: 10, sections: {problem: {edit: [proposer]}}}
  board: {label: Board, sla_days: 10, sections: {problem: {edit: [proposer]}}}
  running: {label: Running, sections: {problem: {edit: [proposer]}}}
  resting: {label: Resting, holding: true}
  finished: {label: Finished, terminal: true, outcome: finished}
transitions:
  send: {label: Send, from: idea, to: asked, by: [proposer]}
  begin: {label: Begin, from: asked, to: running, gate: approval, auto: true, notify: [proposer]}
  confirm: {label: Confirm, from: board, to: running, gate: board_word, auto: true}
  back: {label: Send back, from: [asked, board], to: idea, by: [director], kind: return, asks: [reason], voids_signoffs: true}
  rest: {label: Put on hold, from: [asked, board], to: resting, by: [director], kind: park, asks: [reason, date, condition]}
  resume: {label: Resume, from: resting, to: previous, by: [director], kind: resume}
  finish: {label: Finish, from: running, to: finished, by: [director]}
gates:
  approval:
    label: Approval
    material: [project.lead]
    requirements:
      - {id: director-approves, message: A director has to approve, severity: hard, if: {signoff: {role: director, quorum: 1}}}
  board_word:
    label: Word of the board
    requirements:
      - {id: named, message: Name the lead, severity: hard, if: {fact: project.lead, is_set: true}}
      - {id: both-approve, message: A director and a keeper have to approve, severity: hard, if: {all: [{signoff: {role: director, quorum: 1}}, {signoff: {role: keeper, quorum: 1}}]}}
"""


class Several:
    """Sue submits; Dan and Dora direct; Kim keeps; Pat has no part; Ada administers; Aud audits."""

    def __init__(self, factory: Factory, folder: Path) -> None:
        """Let them all in and publish the rules."""
        path = folder / "several.yaml"
        path.write_text(RULES, encoding="utf-8")
        self.factory = factory
        self.version: RulebookVersion = factory.rulebook(path)
        self.unit: OrgUnit = factory.unit("Acme")
        self.people: dict[str, Person] = {
            name: factory.person(name, unit=self.unit, admin=name == "Ada", auditor=name == "Aud")
            for name in ("Sue", "Dan", "Dora", "Kim", "Pat", "Ada", "Aud")
        }
        self.ids = {name: person.id for name, person in self.people.items()}
        for name, role in (("Dan", "director"), ("Dora", "director"), ("Kim", "keeper")):
            factory.grant(self.people[name], role, self.unit)

    def __getitem__(self, name: str) -> Somebody:
        """Return somebody at a browser, freshly signed in."""
        row = db.session.get_one(Person, self.ids[name])
        return Somebody(self.factory.browser(row), name)

    def ask(self, title: str, *, stage: str = "asked", lead: str = "") -> int:
        """Put a project before its signers; return the id of its round."""
        project = self.factory.project(
            title,
            submitter=self.people["Sue"],
            unit=self.unit,
            version=self.version,
            stage=stage,
            lead=self.people[lead] if lead else None,
        )
        settling.settle(project.id)
        return self.round(project.id)

    def round(self, project_id: int) -> int:
        """Return the id of a project's newest round."""
        query = select(Round.id).where(Round.project_id == project_id).order_by(Round.id.desc())
        return db.session.scalars(query).first() or 0

    def project(self, round_id: int) -> Project:
        """Return the project of a round as it is now."""
        db.session.rollback()
        db.session.expire_all()
        return db.session.get_one(Project, db.session.get_one(Round, round_id).project_id)
