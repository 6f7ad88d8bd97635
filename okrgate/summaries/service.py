"""The one-page summary of a project: what is shown, and what was sent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from okrgate.accounts import directory
from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.summaries import looking_back, wording
from okrgate.summaries.forms import JUDGEMENTS, REPEATS
from okrgate.summaries.models import SentSummary
from okrgate.summaries.sections import retrospective_of, summary_of
from okrgate.summaries.wording import LookBack


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
    retrospective = retrospective_of(project.id)
    sent = last_sent(project.id)
    written = summary_of(project.id)
    text = sent.text if sent else (written.text if written else "")
    return Summary(
        text=text,
        looked=looked,
        judgement=dict(JUDGEMENTS).get(retrospective.judgement or "", "") if retrospective else "",
        repeat=dict(REPEATS).get(retrospective.repeat or "", "") if retrospective else "",
        effect=wording.effect(looked.promises),
        sent=sent,
    )


def last_sent(project_id: int) -> Sent | None:
    """Return the summary that was sent last."""
    row = db.session().scalar(
        select(SentSummary)
        .where(SentSummary.project_id == project_id)
        .order_by(SentSummary.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    by = (
        directory.names([row.by_id]).get(row.by_id, "Somebody")
        if row.by_id is not None
        else "okrgate"
    )
    return Sent(row.at, by, row.text, tuple(row.results), tuple(row.key_results), len(row.audience))
