"""Fill a database for a bench: `python bench/seeding.py URL FOLDER PROJECTS`. Prints what is there, as JSON.

So many projects wait for a sign-off, evenly for 20 directors. Besides them each director has 100 that go round, and one
director's first has 50 entries in its history. Asked again with a larger number it adds what is missing.
"""

import json
import sys
from pathlib import Path

import company
import copies
from sqlalchemy import Select, func, select

from okrgate import clock
from okrgate.accounts.models import OrgUnit, Person
from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.rulebooks.models import Process, RulebookVersion

ROUND = 100
HISTORY = 50


def fill(projects: int) -> company.Company:
    """Bring the database to so many projects that wait. In an application context."""
    known = _known()
    made = known or company.found()
    if known is None:
        for place in range(company.DIRECTORS):
            original = company.going_round(made, place)
            copies.multiply(original, ROUND - 1)
            if place == 1:
                company.go_on(original, made, place, HISTORY - 1)
    wanted = projects // company.DIRECTORS
    for place in range(company.DIRECTORS):
        there = _waiting(made, place)
        original = there[0] if there else company.waiting(made, place)
        more = wanted - max(len(there), 1)
        if more > 0:
            copies.multiply(original, more)
    copies.finish()
    return made


def _known() -> company.Company | None:
    people = _pairs(select(Person.email, Person.id))
    if not people:
        return None
    units = _pairs(select(OrgUnit.name, OrgUnit.id))
    versions = _pairs(
        select(Process.key, RulebookVersion.id)
        .select_from(Process)
        .join(RulebookVersion, RulebookVersion.process_id == Process.id)
    )
    places = range(company.DIRECTORS)
    return company.Company(
        people["sue@example.org"],
        tuple(people[f"u{place}@example.org"] for place in places),
        tuple(units[f"Unit {place}"] for place in places),
        versions["bench_circle"],
        versions["bench_waiting"],
    )


def _pairs(query: Select[str, int]) -> dict[str, int]:
    return dict(row._tuple() for row in db.session().execute(query))


def _waiting(made: company.Company, place: int) -> list[int]:
    query = select(Project.id).where(
        Project.rulebook_version_id == made.waiting,
        Project.home_unit_id == made.units[place],
    )
    return list(db.session().scalars(query.order_by(Project.id)))


def going_round(made: company.Company) -> dict[int, list[tuple[str, str]]]:
    """Return by director's place the (reference, stage) of what goes round; the one with the history comes first."""
    rows = db.session().execute(
        select(Project.home_unit_id, Project.reference, Project.stage)
        .where(Project.rulebook_version_id == made.circle)
        .order_by(Project.id)
    )
    found: dict[int, list[tuple[str, str]]] = {place: [] for place in range(company.DIRECTORS)}
    for unit, reference, stage in rows:
        found[made.units.index(unit)].append((reference, stage))
    return found


def main() -> None:
    """Fill and tell."""
    url, folder, projects = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    began = clock.now()
    app = company.application(url, folder)
    with app.app_context():
        made = fill(projects)
        told = {
            "projects": db.session().scalar(select(func.count()).select_from(Project)),
            "seconds": (clock.now() - began).total_seconds(),
            "round": going_round(made),
        }
        db.session.remove()
        db.engine.dispose()
    print(json.dumps(told))


if __name__ == "__main__":
    main()
