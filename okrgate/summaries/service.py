"""The one-page summary of a project: what is shown, and what was sent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

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
    judgement, repeat, written = (
        db.session()
        .execute(
            select(Retrospective.judgement, Retrospective.repeat, ClosingSummary.text)
            .select_from(Project)
            .outerjoin(Retrospective, Retrospective.project_id == Project.id)
            .outerjoin(ClosingSummary, ClosingSummary.project_id == Project.id)
            .where(Project.id == project.id)
        )
        .one()
    )
    sent = last_sent(project.id)
    return Summary(
        text=sent.text if sent else written or "",
        looked=looked,
        judgement=dict(JUDGEMENTS).get(judgement or "", ""),
        repeat=dict(REPEATS).get(repeat or "", ""),
        effect=wording.effect(looked.promises),
        sent=sent,
    )


def last_sent(project_id: int) -> Sent | None:
    """Return the summary that was sent last."""
    found = (
        db.session()
        .execute(
            select(SentSummary, Person.name)
            .outerjoin(Person, Person.id == SentSummary.by_id)
            .where(SentSummary.project_id == project_id)
            .order_by(SentSummary.id.desc())
            .limit(1)
        )
        .first()
    )
    if found is None:
        return None
    row, by = found
    return Sent(
        at=row.at,
        by=by or "okrgate",
        text=row.text,
        results=tuple(row.results),
        key_results=tuple(row.key_results),
        readers=len(row.audience),
    )
