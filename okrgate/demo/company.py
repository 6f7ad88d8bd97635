"""The company of the demo: units, people and their roles, objectives, and metrics with a year of weekly values."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from okrgate import clock
from okrgate.accounts import passwords
from okrgate.accounts.models import OrgUnit, Person, RoleGrant
from okrgate.accounts.service import DEMO_PASSWORD
from okrgate.database import transaction
from okrgate.demo.story import Story
from okrgate.metrics import service as metrics
from okrgate.okrs import service as okrs

_WEEKS = 52


@dataclass(frozen=True)
class Company:
    """Ids by name."""

    units: Mapping[str, int]
    people: Mapping[str, int]
    metrics: Mapping[str, int]
    results: Mapping[str, int]


def settle_in(story: Story, roles: set[str]) -> Company:
    """Make everything that projects need; only these roles are given."""
    with clock.moved_to(clock.now() - story.began):
        units = _units(story)
        people = _people(story, units, roles)
    return Company(units, people, _metrics(story, people), _objectives(story, units, people))


def _units(story: Story) -> dict[str, int]:
    found: dict[str, OrgUnit] = {}
    with transaction() as session:
        for one in story.raw["units"]:
            parent = found.get(one.get("parent", ""))
            unit = OrgUnit(
                name=one["name"],
                kind=one["kind"],
                domain=one.get("domain", ""),
                parent_id=parent.id if parent else None,
                path="",
            )
            session.add(unit)
            session.flush()
            unit.path = f"{parent.path if parent else '/'}{unit.id}/"
            found[unit.name] = unit
        return {name: unit.id for name, unit in found.items()}


def _people(story: Story, units: Mapping[str, int], roles: set[str]) -> dict[str, int]:
    secret = passwords.hash_of(DEMO_PASSWORD)
    found: dict[str, int] = {}
    with transaction() as session:
        for one in story.people:
            person = Person(
                name=one.name,
                email=one.email,
                unit_id=units[one.unit],
                password_hash=secret,
                is_admin=one.admin,
                is_auditor=one.auditor,
                created_at=clock.now(),
            )
            session.add(person)
            session.flush()
            found[one.name] = person.id
            for role, unit in one.roles.items():
                if role in roles:
                    session.add(
                        RoleGrant(
                            person_id=person.id,
                            role=role,
                            unit_id=units[unit],
                            granted_at=clock.now(),
                        )
                    )
    return found


def _objectives(
    story: Story, units: Mapping[str, int], people: Mapping[str, int]
) -> dict[str, int]:
    office = people[story.raw["office"]]
    today = clock.today()
    first = date(today.year, 1 if today.month <= 6 else 7, 1)
    last = date(today.year, 6, 30) if today.month <= 6 else date(today.year, 12, 31)
    found: dict[str, int] = {}
    with clock.moved_to(clock.now() - story.began):
        label = f"H{1 if first.month == 1 else 2} {first.year}"
        period = okrs.add_period(label, "half", first, last, by=office)
        for one in story.raw["objectives"]:
            owner = people[one["owner"]]
            objective = okrs.add_objective(
                one["title"],
                period_id=period.id,
                unit_id=units[one["unit"]],
                owner_id=owner,
                by=office,
            )
            result = okrs.add_key_result(
                objective.id,
                one["result"],
                baseline=Decimal(str(one["from"])),
                target=Decimal(str(one["to"])),
                unit_of_measure=one["measure"],
                by=office,
            )
            found[one["result"]] = result.id
    with clock.moved_to(clock.now() - timedelta(days=5)):
        for one in story.raw["objectives"]:
            value = Decimal(str(one["now"]))
            okrs.check_in(found[one["result"]], value, "Read last week.", by=people[one["owner"]])
    return found


def _metrics(story: Story, people: Mapping[str, int]) -> dict[str, int]:
    """Register the metrics and let each drift from its first to its last value, with some noise."""
    chance = random.Random(7)  # noqa: S311 a repeatable picture, nothing secret
    steward = people[story.raw["steward"]]
    today = clock.today()
    found: dict[str, int] = {}
    for one in story.raw["metrics"]:
        with clock.moved_to(clock.now() - story.began):
            metric = metrics.register(
                one["name"],
                unit_of_measure=one["unit"],
                direction=one["direction"],
                cadence="weekly",
                steward_id=steward,
                source="The weekly report.",
                by=steward,
            )
        found[one["name"]] = metric.id
        span = one["to"] - one["from"]
        with transaction():
            for week in range(_WEEKS):
                level = one["from"] + span * week / _WEEKS
                value = Decimal(str(round(level * (1 + chance.uniform(-0.04, 0.04)), 1)))
                day = today - timedelta(days=7 * (_WEEKS - week))
                metrics.append(metric.id, day, value, "", by=None)
    return found
