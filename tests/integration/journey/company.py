"""A company of nine, and what each of them does at a browser on the way of one project."""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from okrgate.accounts.models import OrgUnit
from okrgate.accounts.models import Person as PersonRow
from okrgate.approvals.models import Receipt
from okrgate.audit.models import Entry
from okrgate.database import db
from okrgate.measurement.models import Target
from okrgate.metrics import service as metrics
from okrgate.notifications import messages, snapshots
from okrgate.notifications.models import MAIL, OutboxRow
from okrgate.okrs import service as okrs
from okrgate.projects.models import Project
from tests.browsing import Person
from tests.factories import Factory

Answers = dict[str, str | list[str]]


@dataclass
class Company:
    """People by first name, each at a browser of their own; `reference` is the project they all work on."""

    factory: Factory
    unit: OrgUnit
    ids: dict[str, int] = field(default_factory=dict)
    reference: str = ""
    metric: str = ""
    key_result: str = ""

    @classmethod
    def found(cls, factory: Factory, rules: Path, roles: dict[str, str | None]) -> "Company":
        """Publish the rules; let in one person a name, with that role in the whole company (or none)."""
        factory.rulebook(rules)
        company = cls(factory, factory.unit("Acme"))
        for name, role in roles.items():
            row = factory.person(name, unit=company.unit)
            company.ids[name] = row.id
            if role:
                factory.grant(row, role, company.unit)
        return company

    def __getitem__(self, name: str) -> Person:
        """Return somebody at a browser, freshly signed in: weeks lie between two visits."""
        row = db.session.get_one(PersonRow, self.ids[name])
        return Person(self.factory.browser(row), name)

    def agree_on_numbers(self, owner: str, *, steward: str) -> None:
        """Set an objective for the half and register the metric that the steward keeps."""
        by = self.ids[owner]
        period = okrs.add_period("H1", "half", date(2027, 1, 1), date(2027, 6, 30), by=by)
        objective = okrs.add_objective(
            "Customers stay", period_id=period.id, unit_id=self.unit.id, owner_id=by, by=by
        )
        result = okrs.add_key_result(
            objective.id,
            "Monthly churn to 3.5",
            baseline=Decimal("5.2"),
            target=Decimal("3.5"),
            unit_of_measure="%",
            by=by,
        )
        metric = metrics.register(
            "Monthly churn",
            unit_of_measure="%",
            direction="down",
            cadence="monthly",
            steward_id=self.ids[steward],
            source="Billing report",
            by=by,
        )
        self.metric, self.key_result = str(metric.id), str(result.id)

    def target(self) -> str:
        """Return the id of the project's first target metric."""
        query = select(Target.id).where(Target.project_id == self.project().id)
        return str(db.session.scalars(query).first())

    def begin(self, name: str, title: str) -> None:
        """Begin the project."""
        person = self[name]
        person.open("/projects/new")
        person.send({"title": title, "home_unit": str(self.unit.id)})
        self.reference = person.path.rpartition("/")[2]

    def fill(self, name: str, page: str, answers: Answers, *, status: int = 200) -> str:
        """Fill a page (`section/page`) of the project as its form stands there."""
        person = self[name]
        person.open(f"/projects/{self.reference}/parts/{page}")
        person.make_room(answers)
        return person.send(answers, press="Save and continue", status=status)

    def move(self, name: str, transition: str, *, status: int = 200, **asked: str) -> str:
        """Take a move; with status 422, press a button that the page does not even offer."""
        person = self[name]
        person.open(f"/projects/{self.reference}/moves/{transition}")
        if status == 422:
            return person.press_anyway({"version": str(self.project().version), **asked}, status)
        return person.send({"key": person.form("key").values["key"], **asked}, status=status)

    def sign(
        self,
        name: str,
        decision: str,
        *,
        reason: str = "",
        condition: Answers | None = None,
        status: int = 200,
    ) -> str:
        """Decide on the first card in somebody's approval queue."""
        person = self[name]
        person.open("/approvals")
        cards = [path for text, path in person.links() if re.fullmatch(r"/approvals/\d+", path)]
        assert cards, f"nothing waits for {name}"
        person.open(cards[0])
        said: Answers = {"decision": decision, "reason": reason}
        for name_of, value in (condition or {}).items():
            said[f"conditions-0-{name_of}"] = value
        return person.send(said, status=status)

    def project(self) -> Project:
        """Return the project's row as it is now."""
        db.session.rollback()
        return db.session.scalars(select(Project).where(Project.reference == self.reference)).one()

    def mails(self) -> list[tuple[str, str]]:
        """Return (name, event) of every mail written so far, in order."""
        db.session.rollback()
        names = self.names()
        rows = db.session.scalars(
            select(OutboxRow).where(OutboxRow.channel == MAIL).order_by(OutboxRow.id)
        )
        return [(names[row.person_id], row.event) for row in rows]

    def told(self) -> dict[str, list[str]]:
        """Return whom each kind of mail went to, in order: event → names."""
        found: dict[str, list[str]] = {}
        for name, kind in self.mails():
            found.setdefault(kind, []).append(name)
        return found

    def letters(self) -> list[tuple[str, EmailMessage]]:
        """Return (name, mail) of every mail, written out as it would be sent."""
        db.session.rollback()
        found = []
        for row in db.session.scalars(select(OutboxRow).where(OutboxRow.channel == MAIL)):
            event = snapshots.restore(
                row.event, row.snapshot, person_id=row.person_id, asked=row.asked
            )
            name = self.names()[row.person_id]
            reader = messages.Reader(row.person_id, name, "a@example.com", ZoneInfo("UTC"))
            found.append((name, messages.compose(event, reader, message_id=row.message_id)))
        return found

    def names(self) -> dict[int | None, str]:
        """Return names by id; nobody (None) is who acts when something happens by itself."""
        return {None: "", **{person: name for name, person in self.ids.items()}}

    def receipts(self) -> list[Receipt]:
        """Return the project's receipts, oldest first."""
        query = select(Receipt).where(Receipt.project_id == self.project().id).order_by(Receipt.id)
        return list(db.session.scalars(query))

    def entries(self) -> list[Entry]:
        """Return the project's audit record, oldest first."""
        db.session.rollback()
        query = select(Entry).where(Entry.project_id == self.project().id).order_by(Entry.seq)
        return list(db.session.scalars(query))
