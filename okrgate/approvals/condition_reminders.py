"""Remind those who own a condition: once a working day before it is due, and once when it is over.

Nobody is reminded on a day on which they do not work, and nobody on the day on which the condition was set.
"""

from datetime import date, timedelta

from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.accounts.working_days import Calendar, calendar_of
from okrgate.approvals.models import Condition, SignoffRow
from okrgate.database import remembering, transaction
from okrgate.events import ConditionDue, Recipient, publish
from okrgate.projects.models import Project

# So far a reminder is made up for that fell on days off, or on days on which no worker ran.
_LATEST = timedelta(days=30)
# More than any weekend and holidays in a row.
_EARLIEST = timedelta(days=21)


def remind_of_conditions() -> int:
    """Publish what is near or over of the open conditions in force of projects under way; return how many these are.

    Each is told once, however often this runs: the outbox knows a reminder by its condition and day.
    """
    today = clock.today()
    with transaction() as session, remembering({}):
        rows = session.execute(
            select(
                Condition,
                Project,
                func.coalesce(Person.unit_id, Project.home_unit_id).label("unit_id"),
            )
            .join(Project, Project.id == Condition.project_id)
            .join(Person, Person.id == Condition.owner_id)
            .join(SignoffRow, SignoffRow.id == Condition.signoff_id)
            .where(
                Condition.closed_at.is_(None),
                Condition.due_on >= today - _LATEST,
                Condition.due_on <= today + _EARLIEST,
                SignoffRow.at < clock.now() - timedelta(hours=12),
                Project.closed_at.is_(None),
                SignoffRow.withdrawn_at.is_(None),
            )
            .order_by(Condition.id)
        ).all()
        news = [
            _news(condition, project, condition.due_on)
            for condition, project, unit in rows
            if condition.due_on is not None and _is_time(calendar_of(unit), condition.due_on, today)
        ]
        for event in news:
            publish(event)
    return len(news)


def _is_time(calendar: Calendar, due: date, today: date) -> bool:
    return calendar.works(today) and calendar.before(due) <= today


def _news(condition: Condition, project: Project, due: date) -> ConditionDue:
    return ConditionDue(
        recipients=(Recipient(condition.owner_id, "you own this condition", asked=True),),
        path=f"/conditions/{condition.id}",
        project_id=project.id,
        reference=project.reference,
        title=project.title,
        condition_id=condition.id,
        condition=condition.text,
        due=due.isoformat(),
        overdue=due < clock.today(),
    )
