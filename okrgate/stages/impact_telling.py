"""What somebody may be told of an impact: never anything that depends on what they may not read.

Whoever writes a rule chooses the question it asks. Were projects counted that its author may not read, they could ask
again and again, with conditions that leave one project over, and read its money off a count. So these are left out of
every count; a text that others are asked to approve tells of them in groups (impact_report.in_groups).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, ColumnExpressionArgument, and_, false, not_, or_, select

from okrgate.accounts import directory
from okrgate.database import db
from okrgate.projects import permissions
from okrgate.projects.models import Project
from okrgate.stages import replaying
from okrgate.stages.impact_judging import SAME
from okrgate.stages.impact_report import (
    Affected,
    Counted,
    Found,
    Hidden,
    Impact,
    Needed,
    in_groups,
)

if TYPE_CHECKING:
    from okrgate.stages.impact import Looked

_AT_ONCE = 500
ANYBODY = 0  # Reads what everybody reads: nobody has this number.


def tell(
    looked: "Looked",
    *,
    reader: int | None,
    most: int,
    before: int | None = None,
    grouped: bool = False,
) -> Impact:
    """Return what was found as somebody may know it, one page by name. `reader` None: who sees all."""
    told = _told(looked.found, reader)
    hidden = Counter(one.kind for one in looked.found if one.project_id not in told)
    shown = [one for one in looked.found if one.project_id in told]
    counts = Counter((one.closed, one.stage, one.kind) for one in shown)
    changed = [one for one in shown if one.kind != SAME]
    wanted = [one for one in changed if before is None or one.project_id < before]
    page = wanted[:most]
    return report(
        counts,
        hidden if grouped else sum(hidden.values()),
        order=looked.stages,
        affected=named(page),
        older=page[-1].project_id if page and len(wanted) > most else None,
        left_out=looked.left_out,
        replay=replaying.tell(looked.replayed, reader=reader) if before is None else None,
    )


def report(
    counts: Mapping[tuple[bool, str, str], int],
    hidden: Mapping[str, int] | int,
    *,
    order: Iterable[str],
    **more: object,
) -> Impact:
    """Put counts by (closed, stage, kind) together; `hidden` are those the reader may not know, by kind if in groups."""
    open_ones, closed = Counter[str](), Counter[str]()
    by_stage: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (is_closed, stage, kind), count in counts.items():
        (closed if is_closed else open_ones)[kind] += count
        if not is_closed:
            by_stage[stage][kind] += count
    labels = dict.fromkeys([*order, *sorted(by_stage)])
    return Impact(
        open=dict(open_ones),
        closed=dict(closed),
        stages=tuple(
            Counted(one, dict(by_stage[one]))
            for one in labels
            if any(kind != SAME for kind in by_stage.get(one, ()))
        ),
        hidden=Hidden(hidden) if isinstance(hidden, int) else in_groups(hidden),
        **more,  # type: ignore[arg-type]
    )


def named(page: Sequence[Found]) -> tuple[Affected, ...]:
    """Return these with their names and those of the people."""
    query = select(
        Project.id, Project.reference, Project.title, Project.lead_id, Project.submitter_id
    ).where(Project.id.in_([one.project_id for one in page]))
    projects = {row.id: row for row in db.session().execute(query)} if page else {}
    people = {person for one in page for need in one.needed for person in need.people}
    leads = {one.id: one.lead_id or one.submitter_id for one in projects.values()}
    names = directory.names([*people, *leads.values()])
    return tuple(
        Affected(
            project_id=one.project_id,
            kind=one.kind,
            closed=one.closed,
            stage=one.stage,
            reference=projects[one.project_id].reference,
            title=projects[one.project_id].title,
            lead=names.get(leads[one.project_id], ""),
            asked=one.asked,
            dropped=one.dropped,
            needed=tuple(
                Needed(
                    need.gate,
                    need.roles,
                    need.count,
                    tuple(names[person] for person in need.people if person in names),
                )
                for need in one.needed
            ),
            problem=one.problem,
        )
        for one in page
        if one.project_id in projects
    )


def readable(reader: int, private: ColumnExpressionArgument[bool]) -> ColumnElement[bool]:
    """Return what a query for projects must demand so that it finds those a reader is told of.

    `private` says that what is told turns on what only those involved may read.
    """
    clause = permissions.visible_clause(reader, is_auditor=False)
    return and_(clause, or_(not_(private), permissions.reads_all(reader)))


def _told(found: Sequence[Found], reader: int | None) -> set[int]:
    if reader is None:
        return {one.project_id for one in found}
    private = {one.project_id for one in found if one.private}
    told: set[int] = set()
    for start in range(0, len(found), _AT_ONCE):
        ids = [one.project_id for one in found[start : start + _AT_ONCE]]
        query = select(Project.id, permissions.reads_all(reader)).where(
            Project.id.in_(ids), readable(reader, false())
        )
        for number, reads_all in db.session().execute(query):
            if reads_all or number not in private:
                told.add(number)
    return told
