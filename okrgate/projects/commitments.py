"""The sections that tie a project to the company: its key results and its teams."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from okrgate.database import db
from okrgate.okrs import objective as objectives
from okrgate.okrs import service as okrs
from okrgate.okrs.objective import LinkedProject
from okrgate.projects import permissions
from okrgate.projects.choosing import offer, offer_units, unit_names
from okrgate.projects.commitment_forms import KeyResultsForm, TeamsForm
from okrgate.projects.models import Project
from okrgate.projects.plan_models import KeyResultLink, Team
from okrgate.projects.rows import RowsPage, listed
from okrgate.projects.sections import Answer, Gathered, Section
from okrgate.web.filters import show_number

_MOST_LINKS = 200


class KeyResultsPage(RowsPage):
    """What the project contributes to."""

    key, title, form = "key_results", "Key results", KeyResultsForm
    facts = {"key_results.count": "links", "key_results": "links"}
    intro = "Link at least one key result that gets closer to its target if this project works."
    model, field = KeyResultLink, "links"
    columns = {"key_result": "key_result_id", "contribution": "contribution"}

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the key results, and those that are linked already."""
        choices = dict(okrs.key_result_choices())
        linked = {row.key_result_id for row in listed(KeyResultLink, project.id)} - set(choices)
        closed = {
            one: f"{line.period} · {line.unit} · {line.name}"
            for one, line in okrs.describe(linked).items()
        }
        offer(self.entries(form, "key_result"), (choices | closed).items())

    def is_filled(self, row: Mapping[str, Any]) -> bool:
        """A row without a key result says nothing."""
        return row["key_result"] is not None


class TeamsPage(RowsPage):
    """Who works on it."""

    key, title, form = "teams", "Teams", TeamsForm
    facts = {"teams.count": "teams", "capacity.over_teams": "teams", "teams": "teams"}
    model, field = Team, "teams"
    columns = {
        "unit": "unit_id",
        "effort_days": "effort_days",
        "confirmed": "confirmed",
        "over_capacity": "over_capacity",
    }

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the units."""
        chosen = [row.unit_id for row in listed(Team, project.id)]
        offer_units(self.entries(form, "unit"), chosen=chosen)

    def is_filled(self, row: Mapping[str, Any]) -> bool:
        """A row without a team says nothing."""
        return row["unit"] is not None


def gather_key_results(project: Project, _today: date) -> Gathered:
    """List the linked key results."""
    links = listed(KeyResultLink, project.id)
    lines = okrs.describe(link.key_result_id for link in links)
    known = [lines[link.key_result_id] for link in links]
    return Gathered(
        values={"key_results.count": len(links)},
        collections={
            "key_results": [
                _filled(name=line.name, level=line.level, period=line.period, open=line.open)
                for line in known
            ]
        },
        content={
            "key_results.count": sorted(link.key_result_id for link in links),
            "key_results": [[link.key_result_id, link.contribution] for link in links],
        },
    )


def key_result_lines(project_id: int) -> list[okrs.KeyResultLine]:
    """Return the key results that a project is linked to, in its order."""
    ids = [link.key_result_id for link in listed(KeyResultLink, project_id)]
    lines = okrs.describe(ids)
    return [lines[one] for one in ids]


def key_result_answers(project: Project) -> Sequence[Answer]:
    """Return the key results as people read them."""
    links = listed(KeyResultLink, project.id)
    lines = okrs.describe(link.key_result_id for link in links)
    texts = []
    for link in links:
        line = lines[link.key_result_id]
        name = f"{line.name} ({line.level}, {line.period})"
        texts.append(f"{name}: {link.contribution}" if link.contribution else name)
    return (Answer("key_results", "links", "Key results", "\n".join(texts)),)


def gather_teams(project: Project, _today: date) -> Gathered:
    """List the teams and count those over capacity."""
    rows = listed(Team, project.id)
    names = unit_names(row.unit_id for row in rows)
    over = sum(1 for row in rows if row.over_capacity)
    return Gathered(
        values={"teams.count": len(rows), "capacity.over_teams": over},
        collections={
            "teams": [
                _filled(
                    name=names[row.unit_id],
                    confirmed=row.confirmed,
                    over_capacity=row.over_capacity,
                    effort_days=row.effort_days,
                )
                for row in rows
            ]
        },
        content={
            "teams.count": sorted(row.unit_id for row in rows),
            "teams": [{"unit_id": row.unit_id, "effort_days": row.effort_days} for row in rows],
        },
    )


def team_answers(project: Project) -> Sequence[Answer]:
    """Return the teams as people read them."""
    rows = listed(Team, project.id)
    names = unit_names(row.unit_id for row in rows)
    lines = "\n".join(f"{names[row.unit_id]}: {_words(row)}" for row in rows)
    return (Answer("teams", "teams", "Teams", lines),)


def contributors(
    key_results: Collection[int], reader: int, is_auditor: bool
) -> Mapping[int, Sequence[LinkedProject]]:
    """Return the projects that contribute to these key results and that this person may read."""
    rows = db.session().execute(
        select(
            KeyResultLink.key_result_id,
            Project.reference,
            Project.title,
            KeyResultLink.contribution,
        )
        .join(Project, Project.id == KeyResultLink.project_id)
        .where(
            KeyResultLink.key_result_id.in_(key_results),
            permissions.visible_clause(reader, is_auditor=is_auditor),
        )
        .order_by(Project.id.desc())
        .limit(_MOST_LINKS)
    )
    found: dict[int, list[LinkedProject]] = {}
    for key_result, *about in rows:
        found.setdefault(key_result, []).append(LinkedProject(*about))
    return found


objectives.register_links(contributors)


def _words(row: Team) -> str:
    effort = "effort not said"
    if row.effort_days is not None:
        effort = f"{show_number(row.effort_days)} days"
    agreed = {True: "has agreed", False: "has not agreed", None: "not asked yet"}[row.confirmed]
    room = {True: "over capacity", False: "within capacity", None: "capacity not checked"}
    return f"{effort}, {agreed}, {room[row.over_capacity]}"


def _filled(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None and value != ""}


KEY_RESULTS = Section(
    "key_results",
    "Key results",
    (KeyResultsPage(),),
    gather=gather_key_results,
    answers=key_result_answers,
    tables=(KeyResultLink,),
)
TEAMS = Section(
    "teams", "Teams", (TeamsPage(),), gather=gather_teams, answers=team_answers, tables=(Team,)
)
