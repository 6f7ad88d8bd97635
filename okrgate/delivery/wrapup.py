"""The end of the work: what became of it, and whom to ask how it went."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from okrgate.database import db
from okrgate.delivery import statements
from okrgate.delivery.forms import ResultForm, StakeholdersForm
from okrgate.delivery.models import Statement, WrapUp
from okrgate.delivery.people import name_of, stakeholders
from okrgate.delivery.rows import offer_people
from okrgate.events import Event
from okrgate.projects.models import Project
from okrgate.projects.rows import find_one
from okrgate.projects.sections import Answer, Gathered, Page, Section
from okrgate.web.filters import show_date, show_number


def wrap_up_of(project_id: int) -> WrapUp | None:
    """Return how a project's work ended, once something is known of it."""
    return find_one(WrapUp, project_id)


class ResultPage(Page):
    """How the work ended."""

    key, title, form = "result", "How the work ended", ResultForm
    facts = {"wrapup.finished": "finished", "wrapup.actual_effort_days": "actual_effort_days"}

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what is known."""
        found = wrap_up_of(project.id)
        if found is None:
            return {}
        return {
            "finished": found.finished,
            "actual_effort_days": found.actual_effort_days,
            "what_happened": found.what_happened,
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store it."""
        found = _wrap_up_for(project.id)
        found.finished = data["finished"]
        found.actual_effort_days = data["actual_effort_days"]
        found.what_happened = data["what_happened"] or ""
        return ()


class StakeholdersPage(Page):
    """Whom to ask."""

    key, title, form = "stakeholders", "Stakeholders' statements", StakeholdersForm
    facts = {
        "wrapup.missing_reason_length": "missing_reason",
        "statements.asked": "stakeholders",
        "statements": "stakeholders",
    }

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the people; who answered stays."""
        rows = statements.rows_of(project.id)
        offer_people(
            [entry.form.person for entry in form.stakeholders],
            also=lambda: [row.person_id for row, _ in rows],
        )
        form.lead_id = project.lead_id
        form.answered = {row.person_id: name for row, name in rows if row.answered_at is not None}

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return who is asked; before anybody is, those with a part in the project."""
        listed = [row.person_id for row, _ in statements.rows_of(project.id)]
        found = wrap_up_of(project.id)
        return {
            "stakeholders": [
                {"person": one} for one in listed or stakeholders(project, lead=False)
            ],
            "missing_reason": found.missing_reason if found else "",
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the reason; ask whoever is new on the list, and no longer those taken off it."""
        reason = data["missing_reason"] or ""
        found = wrap_up_of(project.id)
        if found is not None or reason:
            found = found or _wrap_up_for(project.id)
            found.missing_reason = reason
        wanted = {row["person"]: "" for row in data["stakeholders"] if row["person"] is not None}
        session = db.session()
        for row, _name in statements.rows_of(project.id):
            if row.person_id not in wanted and row.answered_at is None:
                session.delete(row)
        session.flush()
        return statements.ask(project, wanted, by=by)


def gather(project: Project, _today: date) -> Gathered:
    """Tell how it ended and who answered."""
    found = wrap_up_of(project.id)
    rows = statements.rows_of(project.id)
    values: dict[str, Any] = {
        "statements.asked": len(rows),
        "statements.answered": sum(1 for row, _ in rows if row.answered_at is not None),
        "statements.reminded": sum(1 for row, _ in rows if row.reminders),
        "wrapup.missing_reason_length": len(found.missing_reason) if found else 0,
    }
    if found is not None and found.finished is not None:
        values["wrapup.finished"] = found.finished
    if found is not None and found.actual_effort_days is not None:
        values["wrapup.actual_effort_days"] = found.actual_effort_days
    return Gathered(
        values=values,
        collections={
            "statements": [
                {
                    "name": name,
                    "answered": row.answered_at is not None,
                    "second_hand": row.second_hand,
                    "reminders": row.reminders,
                }
                for row, name in rows
            ]
        },
        content={
            "statements": sorted(row.person_id for row, _ in rows),
            "wrapup.missing_reason_length": found.missing_reason if found else "",
        },
    )


def answers(project: Project) -> Sequence[Answer]:
    """Return the wrap-up as people read it; what stakeholders said is for those involved."""
    found = wrap_up_of(project.id) or WrapUp(what_happened="", missing_reason="")
    rows = statements.rows_of(project.id)
    finished = {None: "", True: "Yes", False: "No"}[found.finished]
    effort = found.actual_effort_days
    return (
        Answer("result", "finished", "Finished", finished),
        Answer(
            "result",
            "actual_effort_days",
            "Actual effort",
            "" if effort is None else f"{show_number(effort)} days",
        ),
        Answer("result", "what_happened", "What happened", found.what_happened),
        Answer(
            "stakeholders",
            "stakeholders",
            "Asked how it went",
            "\n".join(f"{name}: {_state(row)}" for row, name in rows),
        ),
        Answer(
            "stakeholders",
            "missing_reason",
            "Why some statements are missing",
            found.missing_reason,
        ),
        Answer(
            "stakeholders",
            "said",
            "What they said",
            "\n\n".join(_words(row, name) for row, name in rows if row.answered_at is not None),
            private=True,
        ),
    )


def _state(row: Statement) -> str:
    if row.answered_at is not None:
        return "answered through the lead" if row.second_hand else "answered"
    reminded = f", reminded {row.reminders} times" if row.reminders > 1 else ", reminded once"
    return f"asked, answer due {show_date(row.due)}{reminded if row.reminders else ''}"


def _words(row: Statement, name: str) -> str:
    again = {None: "", True: "Would do it again.", False: "Would not do it again."}[row.again]
    through = f" (as told to {name_of(row.entered_by_id)})" if row.second_hand else ""
    parts = [
        f"{name}{through}: {row.rating} of 5.",
        f"Went well: {row.went_well}" if row.went_well else "",
        f"Did not: {row.went_badly}" if row.went_badly else "",
        again,
    ]
    return " ".join(part for part in parts if part)


def _wrap_up_for(project_id: int) -> WrapUp:
    found = wrap_up_of(project_id)
    if found is None:
        found = WrapUp(project_id=project_id, what_happened="", missing_reason="")
        db.session().add(found)
    return found


WRAPUP = Section(
    "wrapup",
    "Wrap-up",
    (ResultPage(), StakeholdersPage()),
    gather=gather,
    answers=answers,
    tables=(WrapUp, Statement),
)
