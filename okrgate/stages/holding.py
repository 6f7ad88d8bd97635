"""What a parked project waits for: written down when it is parked, over when it leaves."""

from datetime import date, datetime, timedelta

from sqlalchemy import select

from okrgate import clock
from okrgate.database import check_writing, db
from okrgate.gates.model import Rulebook, Stage, Transition
from okrgate.projects.models import Project
from okrgate.stages.hold_models import Hold
from okrgate.web.filters import show_date

_RESUME = "resume"


def begin(
    project: Project,
    transition: Transition,
    *,
    since: datetime,
    reason: str,
    until: date | None,
    condition: str,
    by: int | None,
) -> None:
    """Write down what a parked project waits for. `since` is when it entered the stage it leaves."""
    check_writing()
    now = clock.now()
    db.session().add(
        Hold(
            project_id=project.id,
            transition=transition.id,
            reason=reason,
            until=until,
            condition=condition,
            began_at=now,
            by_id=by,
            seconds_before=max(0, int((now - since).total_seconds())),
        )
    )


def end(project: Project) -> timedelta:
    """Close the hold; return how long the project had been in its stage before it was parked."""
    check_writing()
    found = open_hold(project.id)
    if found is None:
        return timedelta(0)
    found.ended_at = clock.now()
    return timedelta(seconds=found.seconds_before)


def open_hold(project_id: int) -> Hold | None:
    """Return what a project waits for, if it is parked."""
    return db.session().scalar(
        select(Hold)
        .where(Hold.project_id == project_id, Hold.ended_at.is_(None))
        .order_by(Hold.id.desc())
        .limit(1)
    )


def line_of(project: Project, stage: Stage) -> str:
    """Say what a project waits for; nothing, and nothing asked, unless its stage holds projects."""
    return in_words(open_hold(project.id), stage.label) if stage.holding else ""


def in_words(hold: Hold | None, label: str) -> str:
    """Say in one sentence until when, or until what, and why: "On hold until 4 Dec 2026, because …"."""
    if hold is None:
        return ""
    until = f" until {show_date(hold.until)}" if hold.until else ""
    condition = f" until this has happened: {hold.condition}" if hold.condition else ""
    both = f"{until}, or{condition}" if until and condition else until or condition
    reason = f" Because: {hold.reason}" if hold.reason else ""
    return f"{label}{both}.{reason}".replace("..", ".")


def ways_back(rulebook: Rulebook, stage: str) -> list[Transition]:
    """Return the moves by which a parked project is taken up again."""
    return [one for one in rulebook.transitions_from(stage) if one.kind == _RESUME]
