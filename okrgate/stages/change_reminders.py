"""What somebody owes to those who asked for a change of what was signed."""

from collections.abc import Sequence

from flask import url_for
from sqlalchemy import select

from okrgate.database import db
from okrgate.projects.models import Project
from okrgate.stages.change_models import OPEN, ChangeRequest, ChangeSeat
from okrgate.stages.work import Owed

_MOST = 20


def owed(person: int) -> Sequence[Owed]:
    """Return the changes that wait for this person's decision."""
    rows = db.session().execute(
        select(ChangeRequest.id, Project.reference, Project.title)
        .join(ChangeSeat, ChangeSeat.request_id == ChangeRequest.id)
        .join(Project, Project.id == ChangeRequest.project_id)
        .where(
            ChangeSeat.person_id == person, ChangeSeat.decision == "", ChangeRequest.state == OPEN
        )
        .order_by(ChangeRequest.id)
        .limit(_MOST)
    )
    return [
        Owed(
            "Decide on a change of what was signed",
            f"{reference} {title}",
            url_for("stages.show_change", reference=reference, request_id=one),
            None,
            False,
        )
        for one, reference, title in rows
    ]
