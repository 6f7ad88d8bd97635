"""What a parked or declined project waits for, written down with the move; `coming_back` looks whether it came true."""

from dataclasses import dataclass, replace

from sqlalchemy import select, update
from sqlalchemy.orm import aliased

from okrgate import clock
from okrgate.database import check_writing, db
from okrgate.gates.model import Rulebook, Stage, Transition
from okrgate.projects.models import Project
from okrgate.stages.comeback_models import Comeback
from okrgate.stages.preparing import Answers
from okrgate.stages.reaching import Reach, in_words
from okrgate.web.filters import show_date

DECLINE = "decline"


def begin(
    project: Project, transition: Transition, target: Stage, answers: Answers, *, by: int | None
) -> None:
    """Write down what brings a project back, in the open transaction; nothing when it is not said."""
    check_writing()
    declined = transition.kind == DECLINE
    if not (target.holding and answers.reach is not None) and not declined:
        return
    reach = answers.reach
    db.session().add(
        Comeback(
            project_id=project.id,
            parked=target.holding,
            code=answers.code if declined else "",
            until=answers.date,
            key_result_id=reach.key_result_id if reach else None,
            at_least=reach.at_least if reach else True,
            value=reach.value if reach else None,
            by_id=by,
            began_at=clock.now(),
        )
    )


def end_hold(project_id: int) -> None:
    """Wait no more: the project was taken up again."""
    check_writing()
    db.session().execute(
        update(Comeback)
        .where(Comeback.project_id == project_id, Comeback.parked, Comeback.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def said(answers: Answers) -> str:
    """Say in one line until when, or until what: in words, a day, a key result."""
    parts = (
        answers.revisit.strip() or answers.condition.strip(),
        show_date(answers.date) if answers.date else "",
        f"when {in_words(answers.reach)}" if answers.reach else "",
    )
    return ", or ".join(one for one in parts if one)


def reach_of(row: Comeback) -> Reach | None:
    """Return the key result that is waited for, if one is."""
    if row.key_result_id is None or row.value is None:
        return None
    return Reach(row.key_result_id, row.at_least, row.value)


@dataclass(frozen=True)
class Again:
    """Why a project was declined, which project came of it, and of which it came; empty what is not so."""

    code: str = ""
    after: str = ""
    before: str = ""


def again(project: Project, rulebook: Rulebook) -> Again:
    """Return what became of a declined project, or what this one came of. One query."""
    old, new = aliased(Project), aliased(Project)
    rows = db.session().execute(
        select(Comeback, old.reference, new.reference)
        .join(old, old.id == Comeback.project_id)
        .outerjoin(new, new.id == Comeback.successor_id)
        .where(
            ~Comeback.parked,
            (Comeback.project_id == project.id) | (Comeback.successor_id == project.id),
        )
        .order_by(Comeback.id)
    )
    found = Again()
    for row, before, after in rows:
        if row.successor_id == project.id:
            found = replace(found, before=before)
        else:
            code = rulebook.reasons_to_decline.get(row.code, row.code)
            found = replace(found, code=code, after=after or "")
    return found
