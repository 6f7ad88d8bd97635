"""The one-page summary of a project: what is shown, and what was sent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from okrgate.accounts.models import Person
from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.summaries import looking_back, wording
from okrgate.summaries.models import ClosingSummary, Retrospective, SentSummary
from okrgate.summaries.wording import JUDGEMENTS, REPEATS, LookBack


@dataclass(frozen=True)
class Sent:
    """A summary as it was sent."""

    at: datetime
    by: str
    text: str
    results: tuple[str, ...]
    key_results: tuple[str, ...]
    readers: int


@dataclass(frozen=True)
class Summary:
    """The one page. `text` is the sent one, else the one being written; `effect` is in fixed words."""

    text: str
    looked: LookBack
    judgement: str
    repeat: str
    effect: str
    sent: Sent | None


def summary_for(project: Project) -> Summary:
    """Return a project's summary with the data of now beside it."""
    looked = looking_back.look_back(project)
    newest = select(func.max(SentSummary.id)).where(SentSummary.project_id == project.id)
    judgement, repeat, written, row, by = (
        db.session()
        .execute(
            select(
                Retrospective.judgement,
                Retrospective.repeat,
                ClosingSummary.text,
                SentSummary,
                Person.name,
            )
            .select_from(Project)
            .outerjoin(Retrospective, Retrospective.project_id == Project.id)
            .outerjoin(ClosingSummary, ClosingSummary.project_id == Project.id)
            .outerjoin(SentSummary, SentSummary.id == newest.scalar_subquery())
            .outerjoin(Person, Person.id == SentSummary.by_id)
            .where(Project.id == project.id)
        )
        .one()
    )
    sent = _sent(row, by) if row is not None else None
    return Summary(
        text=sent.text if sent else written or "",
        looked=looked,
        judgement=dict(JUDGEMENTS).get(judgement or "", ""),
        repeat=dict(REPEATS).get(repeat or "", ""),
        effect=wording.effect(looked.promises),
        sent=sent,
    )


def _sent(row: SentSummary, by: str | None) -> Sent:
    return Sent(
        at=row.at,
        by=by or "okrgate",
        text=row.text,
        results=tuple(row.results),
        key_results=tuple(row.key_results),
        readers=len(row.audience),
    )
