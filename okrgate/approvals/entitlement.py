"""Who may act for a role of the rulebook in one project, and who never signs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.database import db
from okrgate.gates.model import Role, Rulebook
from okrgate.projects.models import CoEditor, Edit, Project

_SUBMITTER = "project.submitter"


@dataclass(frozen=True)
class Surroundings:
    """What decides who may act: where the project is at home, its teams, and the people in its facts."""

    home_path: str
    team_paths: tuple[str, ...]
    people: Mapping[str, frozenset[int]]
    co_editors: frozenset[int]


def surroundings(
    project: Project,
    *,
    home_path: str,
    team_paths: Iterable[str],
    people: Mapping[str, frozenset[int]],
) -> Surroundings:
    """Collect what `holders` needs for one project."""
    query = select(CoEditor.person_id).where(CoEditor.project_id == project.id)
    return Surroundings(
        home_path, tuple(team_paths), people, frozenset(db.session().scalars(query))
    )


def holders(
    rulebook: Rulebook, role_ids: Iterable[str], around: Surroundings, *, only: int | None = None
) -> dict[str, frozenset[int]]:
    """Return, for each role, the active people who hold it for this project (or whether `only` does).

    A project role is held by the people in its fact (the submitter's also by co-editors); an org role by those
    who hold it in the project's home unit or above (`home`), in or above a team's unit (`teams`), or anywhere
    (`company`).
    """
    roles = [rulebook.roles[one] for one in dict.fromkeys(role_ids)]
    org = directory.holdings((role.id for role in roles if role.kind == "org"), person=only)
    found: dict[str, frozenset[int]] = {}
    named: set[int] = set()
    for role in roles:
        if role.kind == "org":
            found[role.id] = frozenset(
                held.person_id
                for held in org
                if held.role == role.id and _reaches(held, role, around)
            )
        else:
            people = around.people.get(role.fact or "", frozenset())
            found[role.id] = people | around.co_editors if role.fact == _SUBMITTER else people
            named |= found[role.id]
    # Whoever asks for themselves is signed in, and so active.
    active = directory.active(named) if only is None else {only}
    return {
        role.id: found[role.id] if role.kind == "org" else frozenset(found[role.id] & active)
        for role in roles
    }


def barred(
    project: Project, rulebook: Rulebook, around: Surroundings, *, since: object = None
) -> dict[int, str]:
    """Return who never signs for this project, and the sentence that says why.

    The floor holds whatever the rulebook says: the submitter and co-editors, the lead, the accountable people and
    whoever changed material content since `since` (the moment the gate's last round was settled; always, if none).
    """
    found: dict[int, str] = {}
    for fact in rulebook.never_sign:
        for person in around.people.get(fact, ()):
            found[person] = "The rules say that you do not sign for this project."
    query = select(Edit.person_id).where(Edit.project_id == project.id, Edit.material).distinct()
    if since is not None:
        query = query.where(Edit.at > since)
    for person in db.session().scalars(query):
        found[person] = "You changed what is to be signed, so somebody else has to sign."
    for person in around.people.get("raci.accountable", ()):
        found[person] = "You are accountable for this project, so somebody else has to sign."
    if project.lead_id is not None:
        found[project.lead_id] = "You lead this project, so somebody else has to sign."
    for person in around.co_editors:
        found[person] = "You wrote parts of this project, so somebody else has to sign."
    found[project.submitter_id] = "You submitted this project, so somebody else has to sign."
    return found


def _reaches(held: directory.Holding, role: Role, around: Surroundings) -> bool:
    if role.scope == "company":
        return True
    paths = [around.home_path] if around.home_path else []
    if role.scope == "teams":
        paths += around.team_paths
    return directory.covers(held, paths)
