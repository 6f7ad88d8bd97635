"""Who may act for a role of the rulebook in one project, and who never signs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select

from okrgate.accounts import directory
from okrgate.approvals import stand_ins
from okrgate.approvals.stand_ins import StandIn
from okrgate.database import db
from okrgate.gates.model import Role, Rulebook
from okrgate.projects import together
from okrgate.projects.models import CoEditor, Edit, Project

_SUBMITTER = "project.submitter"
_STANDS_IN = "You stand in for somebody with a part in this project, so somebody else has to sign."


@dataclass(frozen=True)
class Surroundings:
    """What decides who may act: where the project is at home, its teams, and the people in its facts.

    `edited` says who changed material content, and when last; None when nobody looked.
    """

    home_path: str
    team_paths: tuple[str, ...]
    people: Mapping[str, frozenset[int]]
    co_editors: frozenset[int]
    edited: Mapping[int, datetime] | None = None


def surroundings(
    project: Project,
    *,
    home_path: str,
    team_paths: Iterable[str],
    people: Mapping[str, frozenset[int]],
) -> Surroundings:
    """Collect what `holders` needs for one project."""
    return Surroundings(
        home_path,
        tuple(team_paths),
        people,
        frozenset(together.many(CoEditor, project.id, lambda: _co_editors(project.id), "people")),
        editors_of(project.id),
    )


def _co_editors(project_id: int) -> list[int]:
    return list(
        db.session().scalars(select(CoEditor.person_id).where(CoEditor.project_id == project_id))
    )


def editors_of(project_id: int) -> dict[int, datetime]:
    """Return who ever changed a project's material content, and when they did so last."""
    rows = together.many(
        Edit, project_id, lambda: list(db.session().execute(_EDITORS, {"project": project_id}))
    )
    return {row[0]: row[1] for row in rows}


_EDITORS = (
    select(Edit.person_id, func.max(Edit.at))
    .where(Edit.project_id == bindparam("project"), Edit.material)
    .group_by(Edit.person_id)
)


def roles_held(
    rulebook: Rulebook,
    held: Iterable[directory.Holding],
    around: Surroundings,
    person: int,
) -> frozenset[str]:
    """Return the roles that somebody active has in a project, given what they hold today. Asks nothing."""
    held = tuple(held)
    return frozenset(
        role.id
        for role in rulebook.roles.values()
        if (
            any(one.role == role.id and _reaches(one, role, around) for one in held)
            if role.kind == "org"
            else person in _named(role, around)
        )
    )


def org_roles(rulebook: Rulebook) -> list[str]:
    """Return the roles that are held in units."""
    return [role.id for role in rulebook.roles.values() if role.kind == "org"]


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
            found[role.id] = _named(role, around)
            named |= found[role.id]
    # Whoever asks for themselves is signed in, and so active.
    active = directory.active(named) if only is None else {only}
    return {
        role.id: found[role.id] if role.kind == "org" else frozenset(found[role.id] & active)
        for role in roles
    }


def barred(
    project: Project,
    rulebook: Rulebook,
    around: Surroundings,
    *,
    since: datetime | None = None,
    delegations: Sequence[StandIn] | None = None,
) -> dict[int, str]:
    """Return who never signs for this project, and the sentence that says why.

    The floor holds whatever the rulebook says: the submitter and co-editors, the lead, the accountable people and
    whoever changed material content, or handed it over, since `since` (the moment the gate's last round was settled;
    always, if none); and whoever stands in for one of them where they would be asked to sign, while that lasts.
    `delegations` are those of today, when the caller knows all that matter.
    """
    found: dict[int, str] = {}
    for fact in rulebook.never_sign:
        for person in around.people.get(fact, ()):
            found[person] = "The rules say that you do not sign for this project."
    edited = around.edited if around.edited is not None else editors_of(project.id)
    for person, at in edited.items():
        if since is None or at > since:
            found[person] = (
                "You changed what is to be signed, or gave it away, so somebody else has to sign."
            )
    for person in around.people.get("raci.accountable", ()):
        found[person] = "You are accountable for this project, so somebody else has to sign."
    if project.lead_id is not None:
        found[project.lead_id] = "You lead this project, so somebody else has to sign."
    for person in around.co_editors:
        found[person] = "You wrote parts of this project, so somebody else has to sign."
    found[project.submitter_id] = "You submitted this project, so somebody else has to sign."
    known = stand_ins.in_force() if delegations is None else delegations
    theirs = [one for one in known if one.person_id in found]
    if not theirs:
        return found
    return dict.fromkeys(_in_place(project, rulebook, around, theirs, found), _STANDS_IN) | found


def _in_place(
    project: Project,
    rulebook: Rulebook,
    around: Surroundings,
    theirs: Iterable[StandIn],
    never: Collection[int],
) -> set[int]:
    """Return who could sign in place of those who may not: the delegation reaches the project and a role of its seats.

    Any other has nothing to pass on here, and naming a signer must not be a way to be rid of them.
    """
    roles = [
        role
        for gate in rulebook.gates.values()
        for requirement in gate.requirements
        for asked in rulebook.signoff_conditions(requirement)
        for role in asked.roles
    ]
    held = holders(rulebook, roles, around)
    here = stand_ins.covering(project, around.home_path, never)
    return {
        one.stand_in_id
        for one in theirs
        if stand_ins.covers(one, here, (role for role, who in held.items() if one.person_id in who))
    }


def _named(role: Role, around: Surroundings) -> frozenset[int]:
    people = around.people.get(role.fact or "", frozenset())
    return people | around.co_editors if role.fact == _SUBMITTER else people


def _reaches(held: directory.Holding, role: Role, around: Surroundings) -> bool:
    if role.scope == "company":
        return True
    paths = [around.home_path] if around.home_path else []
    if role.scope == "teams":
        paths += around.team_paths
    return directory.covers(held, paths)
