"""A small company to look at: seeded through the services, on a clock that is moved back.

Nothing here is real, and nothing outside `okrgate demo` ever calls it.
"""

import random
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from okrgate import clock
from okrgate.accounts import passwords
from okrgate.accounts.models import OrgUnit, Person, RoleGrant
from okrgate.accounts.service import DEMO_PASSWORD
from okrgate.database import db, transaction
from okrgate.errors import Refused
from okrgate.metrics import service as metrics
from okrgate.okrs import service as okrs
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import service as stages
from okrgate.stages.editing import states
from okrgate.stages.facts import gather
from okrgate.stages.sections import section_for

BEGAN = timedelta(days=40)
_UNITS = (
    ("Northwind", "company", "", ""),
    ("EMEA", "region", "Northwind", "Business"),
    ("Americas", "region", "Northwind", "Business"),
    ("Growth", "department", "EMEA", "Growth"),
    ("Platform", "department", "EMEA", "Product"),
    ("Community", "department", "EMEA", "Community"),
)
_PEOPLE = (
    ("Ada Okafor", "Northwind"), ("Bo Lindqvist", "EMEA"), ("Chiara Romano", "Growth"), ("Dev Patel", "Platform"),
    ("Elif Kaya", "Growth"), ("Femi Adeyemi", "Community"), ("Greta Weiss", "Northwind"), ("Hugo Silva", "EMEA"),
    ("Ines Moreau", "Platform"), ("Jonas Berg", "Growth"), ("Kira Novak", "Community"), ("Liam Byrne", "Americas"),
    ("Mei Tanaka", "Platform"), ("Nora Haddad", "Growth"), ("Omar Farouk", "EMEA"), ("Petra Kolar", "Northwind"),
    ("Quinn Murphy", "Americas"), ("Rosa Jimenez", "Community"), ("Sven Larsen", "Platform"), ("Tara Singh", "Growth"),
)  # fmt: skip
_METRICS = (
    ("Monthly churn", "%", "down", 5.2), ("Sign-ups a week", "people", "up", 410), ("Days to first value", "days", "down", 9),
    ("Active members", "people", "up", 12400), ("Tickets a week", "tickets", "down", 320),
)  # fmt: skip
_IDEAS = (
    "Renewals in one step", "A welcome that shows value", "Answers before questions", "One invoice a month",
    "Members help members", "Search that forgives typing", "Quiet hours for alerts", "Export without waiting",
)  # fmt: skip
_PROBLEM = (
    "Customers tell us every week that this takes them far too long. They give up half way, call us, and some of them "
    "leave. Each case costs us about twenty minutes, and we see several hundred of them a month."
)


def seed(app: Flask) -> list[str]:
    """Fill an empty database; leave a filled one alone. Return the lines to print: who to sign in as."""
    with app.app_context():
        if not db.session().scalar(select(func.count()).select_from(Person)):
            with clock.moved_to(clock.now() - BEGAN):
                people = _company()
                _numbers(people)
            _projects(people)
        return [f"Every password is: {DEMO_PASSWORD}"]


def _company() -> dict[str, int]:
    """Make units, people and their roles; the roles are those of the rulebook that binds."""
    roles = [role for role, _label in rulebooks.role_choices()]
    units: dict[str, OrgUnit] = {}
    people: dict[str, int] = {}
    with transaction() as session:
        for name, kind, parent, domain in _UNITS:
            unit = OrgUnit(name=name, kind=kind, domain=domain, path="")
            unit.parent_id = units[parent].id if parent else None
            session.add(unit)
            session.flush()
            unit.path = f"{units[parent].path if parent else '/'}{unit.id}/"
            units[name] = unit
        for number, (name, home) in enumerate(_PEOPLE):
            person = Person(
                name=name,
                email=f"{name.split()[0].lower()}@northwind.example",
                unit_id=units[home].id,
                password_hash=passwords.hash_of(DEMO_PASSWORD),
                is_admin=number == 0,
                is_auditor=number == 15,
                created_at=clock.now(),
            )
            session.add(person)
            session.flush()
            people[name] = person.id
        holders = ("Hugo Silva", "Greta Weiss", "Bo Lindqvist", "Petra Kolar", "Ada Okafor")
        for role, name in zip(roles, holders, strict=False):
            session.add(
                RoleGrant(
                    person_id=people[name],
                    role=role,
                    unit_id=units["Northwind"].id,
                    granted_at=clock.now(),
                )
            )
    return people


def _numbers(people: dict[str, int]) -> None:
    """Make periods, objectives, and metrics with a year of weekly values."""
    chance = random.Random(7)  # noqa: S311 a repeatable picture, nothing secret
    today = clock.today()
    owner = people["Ada Okafor"]
    period = okrs.add_period(
        "This half", "half", today - timedelta(days=60), today + timedelta(days=180), by=owner
    )
    units = db.session().scalars(select(OrgUnit).order_by(OrgUnit.id)).all()
    for unit, title, result, start, goal in (
        (units[0], "Customers stay", "Monthly churn from 5.2 to 3.5", "5.2", "3.5"),
        (units[1], "EMEA grows by itself", "Sign-ups a week from 410 to 600", "410", "600"),
        (units[3], "New people see value early", "Days to first value from 9 to 4", "9", "4"),
    ):
        objective = okrs.add_objective(
            title, period_id=period.id, unit_id=unit.id, owner_id=owner, by=owner
        )
        okrs.add_key_result(
            objective.id,
            result,
            baseline=Decimal(start),
            target=Decimal(goal),
            unit_of_measure="",
            by=owner,
        )
    for name, measure, direction, level in _METRICS:
        metric = metrics.register(
            name,
            unit_of_measure=measure,
            direction=direction,
            cadence="weekly",
            steward_id=people["Ines Moreau"],
            source="The weekly report.",
            by=owner,
        )
        with transaction():
            for week in range(52, 0, -1):
                value = Decimal(str(round(level * (1 + chance.uniform(-0.06, 0.06)), 2)))
                metrics.append(metric.id, today - timedelta(days=7 * week), value, "", by=None)


def _projects(people: dict[str, int]) -> None:
    """Start projects on different days; some are complete enough to be sent for review."""
    version = rulebooks.binding()[0]
    authors = [name for name, _unit in _PEOPLE[2:6]]
    for number, title in enumerate(_IDEAS):
        author = people[authors[number % len(authors)]]
        home = db.session().get_one(Person, author).unit_id
        with clock.moved_to(clock.now() - timedelta(days=30 - 3 * number)):
            project_id = stages.start(title, version_id=version.id, home_unit_id=home, by=author).id
            if number % 4 != 3:
                _write(project_id, author)
            if number % 2 == 0:
                _send(project_id, author)


def _write(project_id: int, author: int) -> None:
    """Fill the first parts through their forms, as the submitter would."""
    metric = next(one for one, name in metrics.choices() if name.startswith(_METRICS[0][0]))
    result = okrs.key_result_choices()[0][0]
    title = db.session().get_one(Project, project_id).title
    for section, page, typed in (
        ("problem", "problem", {"title": title, "problem": _PROBLEM, "affected": "Paying customers in EMEA"}),
        ("value", "value", {"users": "They are done in one minute instead of twenty."}),
        ("solution", "solution", {"solution": "One page that knows what they have and asks only what is new."}),
        ("key_results", "key_results", {"links-0-key_result": str(result), "links-0-contribution": "Half of it"}),
        (
            "metrics",
            "targets",
            {
                "targets-0-metric": str(metric), "targets-0-baseline": "5.2", "targets-0-success": "3",
                "targets-0-partial": "4", "targets-0-negative": "6",
            },
        ),
    ):  # fmt: skip
        _fill(project_id, section, page, typed, author)


def _fill(project_id: int, section_key: str, page_key: str, typed: dict[str, Any], by: int) -> None:
    project = db.session().get_one(Project, project_id)
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    if section_key not in rulebook.stages[project.stage].sections:
        return  # another process asks for other parts
    section = section_for(rulebook, section_key)
    page = section.page(page_key) if section else None
    if section is None or page is None:
        return
    form: Any = page.form(formdata=MultiDict(typed), meta={"csrf": False})
    page.prepare(form, project)
    if not form.validate():
        raise ValueError(f"The demo's {section_key} is not sound: {form.errors}")
    state = states(project_id).get(section_key)
    around = gather(project, rulebook).around
    stages.save_page(
        project_id,
        section,
        page,
        form.data,
        base_version=state.version if state else 0,
        around=around,
        by=by,
    )


def _send(project_id: int, author: int) -> None:
    """Take the first move that the submitter may take, if its gate is open."""
    project = db.session().get_one(Project, project_id)
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    for transition in rulebook.forward_path(project.stage)[:1]:
        with suppress(Refused):  # another process may ask for more than the story tells
            stages.move(project_id, transition.id, by=author)
