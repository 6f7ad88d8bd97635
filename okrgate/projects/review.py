"""The section of the management review."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, or_, select

from okrgate.database import db
from okrgate.events import Event
from okrgate.projects.choosing import offer
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Review
from okrgate.projects.review_forms import FITS, PRIORITIES, CapacityForm, FitForm, PriorityForm
from okrgate.projects.rows import change, find_one, one_for
from okrgate.projects.sections import Answer, Gathered, Page, Section
from okrgate.web.filters import show_date

_ANSWERED = {True: "Yes", False: "No", None: ""}


class ReviewPage(Page):
    """A page whose fields are columns of the review; `columns` maps one to the other."""

    columns: Mapping[str, str]

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what is stored."""
        found = find_one(Review, project.id)
        if found is None:
            return {}
        return {name: getattr(found, column) for name, column in self.columns.items()}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store it."""
        row = one_for(Review, project.id)
        change(row, {column: data[name] for name, column in self.columns.items()})
        return ()


class FitPage(ReviewPage):
    """Whether it fits and can be done."""

    key, title, form = "fit", "Fit and feasibility", FitForm
    facts = {"review.team_fit": "team_fit", "review.feasible": "technical"}
    columns = {name: name for name in ("team_fit", "technical", "operational", "feasibility")}


class CapacityPage(ReviewPage):
    """Whether there is room."""

    key, title, form = "capacity", "Capacity", CapacityForm
    facts = {"review.fits": "fits", "review.later_start": "later_start", "review.yields": "yields"}
    columns = {"fits": "fits", "later_start": "later_start", "yields": "yields_id"}

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the other open projects of the same process that everybody may read."""
        offer((form.yields,), _may_yield(project))


class PriorityPage(ReviewPage):
    """How important it is."""

    key, title, form = "priority", "Priority", PriorityForm
    facts = {"project.priority": "priority"}
    columns = {"priority": "priority", "note": "note"}


def gather(project: Project, _today: date) -> Gathered:
    """Return what the review said, and the project that yields by its name."""
    found = _review(project)
    yields = db.session().get(Project, found.yields_id) if found.yields_id else None
    values = {
        "review.team_fit": found.team_fit,
        "review.feasible": _feasible(found),
        "review.fits": found.fits,
        "review.later_start": found.later_start,
        "review.yields": _name(yields) if yields else None,
        "project.priority": found.priority,
    }
    return Gathered(
        values={name: value for name, value in values.items() if value is not None},
        content={
            "review.feasible": [found.technical, found.operational, found.feasibility],
            "review.yields": found.yields_id,
            "project.priority": [found.priority, found.note],
        },
    )


def answers(project: Project) -> Sequence[Answer]:
    """Return the review as people read it."""
    found = _review(project)
    yields = db.session().get(Project, found.yields_id) if found.yields_id else None
    later = show_date(found.later_start) if found.later_start else ""
    return (
        Answer("fit", "team_fit", "Fits the teams' objectives", _ANSWERED[found.team_fit]),
        Answer("fit", "technical", "Technically feasible", _ANSWERED[found.technical]),
        Answer("fit", "operational", "Operationally feasible", _ANSWERED[found.operational]),
        Answer("fit", "feasibility", "About feasibility", found.feasibility),
        Answer("capacity", "fits", "Enough capacity", dict(FITS).get(found.fits or "", "")),
        Answer("capacity", "later_start", "Later start", later),
        Answer("capacity", "yields", "Project that yields", _name(yields) if yields else ""),
        Answer("priority", "priority", "Priority", dict(PRIORITIES).get(found.priority or "", "")),
        Answer("priority", "note", "Why", found.note),
    )


def _review(project: Project) -> Review:
    return find_one(Review, project.id) or Review(feasibility="", note="")


def _feasible(found: Review) -> bool | None:
    """Return no if either is no, yes if both are yes."""
    both = (found.technical, found.operational)
    if False in both:
        return False
    return True if both == (True, True) else None


def _name(project: Any) -> str:
    """Name a project; of a confidential one only the reference."""
    return project.reference if project.confidential else f"{project.reference} {project.title}"


def _may_yield(project: Project) -> list[tuple[int, str]]:
    found = find_one(Review, project.id)
    open_to_all = and_(
        Project.process_id == project.process_id,
        Project.submitted_at.is_not(None),
        Project.closed_at.is_(None),
        Project.confidential.is_(False),
    )
    chosen = Project.id == (found.yields_id if found else None)
    query = (
        select(Project.id, Project.reference, Project.title, Project.confidential)
        .where(Project.id != project.id, or_(chosen, open_to_all))
        .order_by(Project.id.desc())
    )
    return [(row.id, _name(row)) for row in db.session().execute(query)]


REVIEW = Section(
    "review",
    "Management review",
    (FitPage(), CapacityPage(), PriorityPage()),
    gather=gather,
    answers=answers,
    tables=(Review,),
    intro="Decide whether the idea is worth planning, and how it fits with everything else.",
)
