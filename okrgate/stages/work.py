"""My work: what waits for me, what I owe, what I began to type, what is mine, what I follow, and what is new in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from okrgate import clock
from okrgate.accounts.models import Person, RoleGrant
from okrgate.approvals import stand_ins
from okrgate.approvals.models import Round
from okrgate.comments import following
from okrgate.comments.models import Look
from okrgate.database import db
from okrgate.projects import permissions
from okrgate.projects.models import CoEditor, Draft, Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import changes
from okrgate.stages.changes import Changed
from okrgate.stages.models import StoredVerdict
from okrgate.stages.reading import Reader
from okrgate.stages.sections import section_for

SHOWN = 20
_PROJECTS = 60


@dataclass(frozen=True)
class Owed:
    """Something one person has to do: in words, where, and by when."""

    text: str
    where: str
    url: str
    due: date | None
    late: bool


@dataclass(frozen=True)
class Decision:
    """A round that waits for this person's decision."""

    round_id: int
    reference: str
    title: str
    gate: str
    submitter: str
    since: datetime
    due: date | None
    late: bool


@dataclass(frozen=True)
class Begun:
    """Something this person typed and did not save. `open` says whether it can still be saved."""

    part: str
    reference: str
    title: str
    at: datetime
    url: str
    open: bool


@dataclass(frozen=True)
class Mine:
    """A project of mine, or one that I follow. `parts` are mine in it; `new` counts what I have not seen."""

    id: int
    reference: str
    title: str
    parts: tuple[str, ...]
    follows: bool
    stage: str
    missing: int | None
    days: int
    new: int = 0


@dataclass(frozen=True)
class Work:
    """One person's page. `decides` says whether they hold a role somewhere, so that decisions may come."""

    waiting: Sequence[Decision]
    owed: Sequence[Owed]
    drafts: Sequence[Begun]
    mine: Sequence[Mine]
    followed: Sequence[Mine]
    changed: Sequence[Changed]
    decides: bool


Source = Callable[[int], Sequence[Owed]]
_sources: list[Source] = []


def add_source(source: Source) -> None:
    """Let a room say what somebody owes there. Done once, in app.py."""
    if source not in _sources:
        _sources.append(source)


def of(reader: Reader) -> Work:
    """Return what one person should look at, the most urgent first."""
    owed = [one for source in _sources for one in source(reader.id)]
    owed.sort(key=lambda one: (one.due is None, one.due or date.max, one.text))
    waiting, decides = _decisions(reader.id)
    rows = _projects(reader)
    changed = changes.unseen(
        [changes.Watched(row.Project, row.seq or 0, bool(row.involved)) for row in rows], reader
    )
    new = {one.project_id: one.count for one in changed}
    found = [_mine(row, reader.id, new.get(row.Project.id, 0)) for row in rows]
    ended = {row.Project.id for row in rows if row.Project.closed_at is not None}
    return Work(
        waiting=waiting,
        owed=owed[:30],
        drafts=drafts(reader),
        mine=[one for one in found if one.parts and one.id not in ended][:SHOWN],
        followed=[one for one in found if one.follows and not one.parts][:SHOWN],
        changed=changed,
        decides=decides,
    )


def drafts(reader: Reader) -> list[Begun]:
    """Return what this person typed and did not save, the newest first."""
    query = (
        select(Draft, Project)
        .join(Project, Project.id == Draft.project_id)
        .where(
            Draft.person_id == reader.id,
            permissions.visible_clause(reader.id, is_auditor=reader.is_auditor),
        )
        .order_by(Draft.saved_at.desc(), Draft.id.desc())
        .limit(SHOWN)
    )
    found = (_begun(row.Draft, row.Project) for row in db.session().execute(query))
    return [one for one in found if one is not None]


def _begun(draft: Draft, project: Project) -> Begun | None:
    rulebook = rulebooks.rulebook(project.rulebook_version_id)
    section = section_for(rulebook, draft.section)
    page = section.page(draft.page) if section else None
    if section is None or page is None:
        return None
    stage = rulebook.stages.get(project.stage)
    is_open = stage is not None and draft.section in stage.sections
    where: dict[str, Any] = {"reference": project.reference, "section": draft.section}
    return Begun(
        part=section.title if page.title == section.title else f"{section.title}: {page.title}",
        reference=project.reference,
        title=project.title,
        at=draft.saved_at,
        url=url_for("stages.edit_page", **where, page=draft.page)
        if is_open
        else url_for("stages.show_section", **where),
        open=is_open,
    )


def _projects(reader: Reader) -> Sequence[Any]:
    """Return the projects this person has a part in or follows, open or ended of late; one query."""
    lately = clock.now() - timedelta(days=changes.DAYS)
    missing = (
        select(func.min(StoredVerdict.missing))
        .where(StoredVerdict.project_id == Project.id, StoredVerdict.position == 0)
        .correlate(Project)
        .scalar_subquery()
    )
    edits = Project.id.in_(select(CoEditor.project_id).where(CoEditor.person_id == reader.id))
    follows = following.followed_by(reader.id)
    query = (
        select(
            Project,
            Look.seq,
            missing.label("missing"),
            follows.label("follows"),
            edits.label("edits"),
            permissions.reads_all(reader.id).label("involved"),
        )
        .outerjoin(Look, and_(Look.project_id == Project.id, Look.person_id == reader.id))
        .where(
            permissions.visible_clause(reader.id, is_auditor=reader.is_auditor),
            or_(_has_part(reader.id), edits, follows),
            or_(Project.closed_at.is_(None), Project.changed_at >= lately),
        )
        .order_by(Project.changed_at.desc(), Project.id.desc())
        .limit(_PROJECTS)
    )
    return db.session().execute(query).all()


def _has_part(person: int) -> ColumnElement[bool]:
    return or_(
        Project.submitter_id == person,
        Project.lead_id == person,
        Project.sponsor_id == person,
        Project.benefits_owner_id == person,
    )


def _mine(row: Any, person: int, new: int) -> Mine:
    project: Project = row.Project
    stage = rulebooks.rulebook(project.rulebook_version_id).stages.get(project.stage)
    parts = (
        ("lead", project.lead_id == person),
        ("submitter", project.submitter_id == person),
        ("co-editor", bool(row.edits)),
        ("sponsor", project.sponsor_id == person),
        ("owner of the benefits", project.benefits_owner_id == person),
    )
    return Mine(
        id=project.id,
        reference=project.reference,
        title=project.title,
        parts=tuple(word for word, is_so in parts if is_so),
        follows=bool(row.follows),
        stage=stage.label if stage else project.stage,
        missing=row.missing,
        days=(clock.now() - project.stage_entered_at).days,
        new=new,
    )


def _decisions(person: int) -> tuple[list[Decision], bool]:
    """Return the rounds that wait for this person, by due date, and whether they hold a role anywhere; one query."""
    waits = stand_ins.rounds_asked(person)
    submitter = aliased(Person)
    query = (
        select(
            Round,
            Project,
            submitter.name.label("submitter"),
            Person.id.in_(select(RoleGrant.person_id).where(RoleGrant.person_id == person)).label(
                "holds_role"
            ),
        )
        .select_from(Person)
        .outerjoin(Round, and_(Round.id.in_(waits), Round.closed_at.is_(None)))
        .outerjoin(Project, Project.id == Round.project_id)
        .outerjoin(submitter, submitter.id == Project.submitter_id)
        .where(Person.id == person)
        .order_by(Round.due_on.is_(None), Round.due_on, Round.opened_at, Round.id)
        .limit(SHOWN)
    )
    rows = db.session().execute(query).all()
    found = [_decision(row) for row in rows if row.Round is not None]
    return found, bool(found) or any(row.holds_role for row in rows)


def _decision(row: Any) -> Decision:
    found: Round = row.Round
    gates = rulebooks.rulebook(found.rulebook_version_id).gates
    return Decision(
        round_id=found.id,
        reference=row.Project.reference,
        title=row.Project.title,
        gate=gates[found.gate].label if found.gate in gates else found.gate,
        submitter=row.submitter,
        since=found.opened_at,
        due=found.due_on,
        late=found.due_on is not None and found.due_on < clock.today(),
    )
