"""The sections of this room: retrospective, lessons, summary."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from okrgate.database import db
from okrgate.delivery.people import names_for
from okrgate.delivery.rows import day_or, offer_people, store_rows
from okrgate.events import Event
from okrgate.projects.models import Project
from okrgate.projects.rows import find_one, listed
from okrgate.projects.sections import Answer, Gathered, Page, Section
from okrgate.summaries import looking_back, wording
from okrgate.summaries.forms import LessonsForm, RetrospectiveForm, SummaryForm
from okrgate.summaries.models import ClosingSummary, Lesson, Retrospective
from okrgate.summaries.wording import JUDGEMENTS, REPEATS
from okrgate.web.fields import TITLE

_TEXTS = ("attendees", "why", "learned", "differently")


def retrospective_of(project_id: int) -> Retrospective | None:
    """Return what was said when looking back, once something was."""
    return find_one(Retrospective, project_id)


def lessons_of(project_id: int) -> list[Lesson]:
    """Return a project's lessons in their order."""
    return listed(Lesson, project_id)


def summary_of(project_id: int) -> ClosingSummary | None:
    """Return the closing summary, once it was saved."""
    return find_one(ClosingSummary, project_id)


class RetrospectivePage(Page):
    """Promise, results and statements side by side, then the judgement."""

    key, title, form = "retrospective", "Retrospective", RetrospectiveForm
    facts = {"retro.held_on": "held_on", "retro.judgement": "judgement", "retro.repeat": "repeat"}
    template = "summaries/retrospective_fields.html"

    def prepare(self, form: Any, project: Project) -> None:
        """Put what was promised, observed and said above the questions."""
        form.told = looking_back.look_back(project)

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what was said so far."""
        found = retrospective_of(project.id)
        if found is None:
            return {}
        names = ("held_on", "judgement", "repeat", *_TEXTS)
        return {name: getattr(found, name) for name in names}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store it."""
        found = retrospective_of(project.id)
        if found is None:
            found = Retrospective(project_id=project.id)
            db.session().add(found)
        found.held_on = data["held_on"]
        found.judgement, found.repeat = data["judgement"], data["repeat"]
        for name in _TEXTS:
            setattr(found, name, data[name] or "")
        return ()


class LessonsPage(Page):
    """What will be done differently, and by whom."""

    key, title, form = "lessons", "Lessons", LessonsForm
    facts = {"lessons.unowned": "lessons", "lessons": "lessons"}

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the owners."""
        owners = [entry.form.owner for entry in form.lessons]
        offer_people(owners, also=lambda: [row.owner_id for row in lessons_of(project.id)])

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return the rows."""
        rows = lessons_of(project.id)
        return {
            "lessons": [{"id": row.id, "lesson": row.lesson, "owner": row.owner_id} for row in rows]
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the rows."""
        session = db.session()

        def make() -> Lesson:
            row = Lesson(project_id=project.id, position=-1)
            session.add(row)
            return row

        def fill(row: Lesson, typed: Mapping[str, Any]) -> None:
            row.lesson, row.owner_id = typed["lesson"], typed["owner"]

        rows = [row for row in data["lessons"] if row["lesson"]]
        store_rows(lessons_of(project.id), rows, make=make, fill=fill, drop=session.delete)
        return ()


class SummaryPage(Page):
    """The text for leadership."""

    key, title, form = "summary", "Summary for leadership", SummaryForm
    facts = {"summary.length": "text"}

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return the text; before there is one, a proposal built from the data."""
        found = summary_of(project.id)
        if found is not None:
            return {"text": found.text}
        looked = looking_back.look_back(project)
        retrospective = retrospective_of(project.id)
        judgement = retrospective.judgement if retrospective else None
        return {"text": wording.proposal(project.title, looked, judgement)}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the text."""
        found = summary_of(project.id)
        text = data["text"] or ""
        if found is None and text:
            db.session().add(ClosingSummary(project_id=project.id, text=text))
        elif found is not None:
            found.text = text
        return ()


def gather_retrospective(project: Project, _today: date) -> Gathered:
    """Tell what the judgement is; a signature covers the reasons with it."""
    found = retrospective_of(project.id)
    if found is None:
        return Gathered()
    values: dict[str, Any] = {}
    if found.held_on is not None:
        values["retro.held_on"] = found.held_on
    if found.judgement:
        values["retro.judgement"] = found.judgement
    if found.repeat:
        values["retro.repeat"] = found.repeat
    held = found.held_on.isoformat() if found.held_on else None
    return Gathered(
        values=values,
        content={
            "retro.held_on": {"held_on": held, "attendees": found.attendees},
            "retro.judgement": {
                "judgement": found.judgement,
                "why": found.why,
                "learned": found.learned,
            },
            "retro.repeat": {"repeat": found.repeat, "differently": found.differently},
        },
    )


def gather_lessons(project: Project, _today: date) -> Gathered:
    """List the lessons and count those without an owner."""
    rows = lessons_of(project.id)
    return Gathered(
        values={"lessons.unowned": sum(1 for row in rows if row.owner_id is None)},
        collections={"lessons": [_lesson_fact(row) for row in rows]},
        content={"lessons": [[row.lesson, row.owner_id] for row in rows]},
    )


def gather_summary(project: Project, _today: date) -> Gathered:
    """Tell how long the text is; a signature covers the text."""
    found = summary_of(project.id)
    text = found.text if found else ""
    return Gathered(values={"summary.length": len(text)}, content={"summary.length": text})


def retrospective_answers(project: Project) -> Sequence[Answer]:
    """Return the retrospective as people read it."""
    found = retrospective_of(project.id) or Retrospective(**dict.fromkeys(_TEXTS, ""))
    page = RetrospectivePage.key
    return (
        Answer(page, "held_on", "Held on", day_or(found.held_on, "")),
        Answer(page, "attendees", "Took part", found.attendees),
        Answer(page, "judgement", "Judgement", dict(JUDGEMENTS).get(found.judgement or "", "")),
        Answer(page, "repeat", "Again?", dict(REPEATS).get(found.repeat or "", "")),
        Answer(page, "why", "Why did it work, or why not?", found.why),
        Answer(page, "learned", "What have we learned?", found.learned),
        Answer(page, "differently", "What would we do differently?", found.differently),
    )


def lessons_answers(project: Project) -> Sequence[Answer]:
    """Return the lessons as people read them."""
    rows = lessons_of(project.id)
    names = names_for(row.owner_id for row in rows)
    text = "\n".join(f"{row.lesson}: {names[row.owner_id]}" for row in rows)
    return (Answer(LessonsPage.key, "lessons", "Lessons", text),)


def summary_answers(project: Project) -> Sequence[Answer]:
    """Return the text as people read it."""
    found = summary_of(project.id)
    return (Answer(SummaryPage.key, "text", "Summary for leadership", found.text if found else ""),)


def _lesson_fact(row: Lesson) -> dict[str, Any]:
    fact: dict[str, Any] = {"name": row.lesson[:TITLE]}
    return fact | ({"owner": str(row.owner_id)} if row.owner_id is not None else {})


SECTIONS = (
    Section(
        "retrospective",
        "Retrospective",
        (RetrospectivePage(),),
        gather=gather_retrospective,
        answers=retrospective_answers,
        tables=(Retrospective,),
    ),
    Section(
        "lessons",
        "Lessons",
        (LessonsPage(),),
        gather=gather_lessons,
        answers=lessons_answers,
        tables=(Lesson,),
    ),
    Section(
        "summary",
        "Leadership summary",
        (SummaryPage(),),
        gather=gather_summary,
        answers=summary_answers,
        tables=(ClosingSummary,),
    ),
)
