"""The front door of the crossing: start a project here; the rest is by use case in the modules beside."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import directory
from okrgate.audit import service as audit
from okrgate.database import check_writing, db, transaction
from okrgate.errors import Conflict, Invalid
from okrgate.once import once
from okrgate.projects import service as projects
from okrgate.projects.models import Project, Visit
from okrgate.rulebooks import retiring
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import RulebookVersion
from okrgate.stages.editing import save_page
from okrgate.stages.moving import Outcome, move
from okrgate.stages.preparing import Answers
from okrgate.stages.settling import settle, sweep
from okrgate.stages.signing import decide
from okrgate.stages.standing import Ask
from okrgate.stages.waiving import waive

Missing = Callable[[int, int | None], Sequence[str]]

__all__ = [
    "Answers",
    "Ask",
    "Outcome",
    "add_project",
    "decide",
    "missing_roles",
    "move",
    "register_missing",
    "save_page",
    "settle",
    "start",
    "sweep",
    "waive",
]


_missing: list[Missing] = []


def register_missing(find: Missing) -> None:
    """Let `find` say which roles a project under (a rulebook version, in a unit) will need and nobody holds."""
    _missing[:] = [find]


def missing_roles(version_id: int, unit_id: int | None) -> list[str]:
    """Return the roles, in words, that a project of this unit will need on its way and nobody holds."""
    return [role for find in _missing for role in find(version_id, unit_id)]


def start(
    title: str, *, version_id: int, home_unit_id: int | None, by: int, key: str | None = None
) -> Project:
    """Begin a project in the initial stage of a rulebook. The same key twice begins one."""
    return once(lambda: _begun(key, by), lambda: _begin(title, version_id, home_unit_id, by, key))


def _begin(
    title: str, version_id: int, home_unit_id: int | None, by: int, key: str | None
) -> Project:
    binding = {version.id: version for version in retiring.startable()}
    if version_id not in binding:
        raise Invalid("Choose a process.", {"process": "Choose a process."})
    if home_unit_id is not None and home_unit_id not in dict(directory.unit_choices()):
        raise Invalid("Choose a unit.", {"home_unit": "Choose a unit."})
    version = binding[version_id]
    with transaction():
        return add_project(
            title, version=version, home_unit_id=home_unit_id, submitter=by, by=by, key=key
        )


def add_project(
    title: str,
    *,
    version: RulebookVersion,
    home_unit_id: int | None,
    submitter: int,
    by: int | None = None,
    key: str | None = None,
    confidential: bool = False,
    details: Mapping[str, Any] | None = None,
) -> Project:
    """Put a project into the initial stage of a version of the rules, in the open transaction."""
    check_writing()
    session, now = db.session(), clock.now()
    initial = rulebooks.rulebook(version.id).initial
    project = Project(
        reference=projects.next_reference(),
        title=title.strip(),
        process_id=version.process_id,
        rulebook_version_id=version.id,
        home_unit_id=home_unit_id,
        submitter_id=submitter,
        stage=initial.id,
        stage_entered_at=now,
        created_at=now,
        changed_at=now,
        creation_key=key,
        confidential=confidential,
    )
    session.add(project)
    session.flush()
    session.add(Visit(project_id=project.id, stage=initial.id, entered_at=now))
    audit.record(
        "project.started",
        by=by,
        project_id=project.id,
        target=f"stage:{initial.id}",
        details={"title": project.title, "to_label": initial.label, **(details or {})},
    )
    return project


def _begun(key: str | None, by: int) -> Project | None:
    """Return the project that was begun with this key; nobody gets another's."""
    if not key:
        return None
    known = db.session().scalar(select(Project).where(Project.creation_key == key))
    if known is not None and known.submitter_id != by:
        raise Conflict("This page was sent before. Open it again.")
    return known
