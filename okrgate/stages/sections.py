"""Every section of the guided form, whichever room it lives in, and the pages for a rulebook's own questions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select
from wtforms.validators import ValidationError

from okrgate.database import ask, db
from okrgate.delivery.sections import SECTIONS as DELIVERY
from okrgate.events import Event
from okrgate.gates.model import Question, Rulebook
from okrgate.measurement.forms import Value
from okrgate.measurement.sections import SECTIONS as MEASUREMENT
from okrgate.projects import together
from okrgate.projects.all_sections import SECTIONS as PROJECTS
from okrgate.projects.models import Project, RulebookAnswer
from okrgate.projects.sections import Answer, Page, Section, SectionForm
from okrgate.summaries.sections import SECTIONS as SUMMARIES
from okrgate.web.fields import Choice, Day, Line, YesOrNo

ALL: Mapping[str, Section] = {
    section.key: section for section in (*PROJECTS, *MEASUREMENT, *DELIVERY, *SUMMARIES)
}
QUESTIONS_PAGE = "questions"


def titles() -> dict[str, str]:
    """Return what every section is called, by its key."""
    return {key: section.title for key, section in ALL.items()}


def section_for(rulebook: Rulebook, key: str) -> Section | None:
    """Return a section, with one page more when the rulebook asks questions in it."""
    section = ALL.get(key)
    if section is None:
        return None
    asked = [question for question in rulebook.questions.values() if question.section == key]
    return replace(section, pages=(*section.pages, QuestionsPage(asked))) if asked else section


def place_of(section: Section, fact: str) -> tuple[str, str] | None:
    """Return (page, field) where somebody answers a fact that a rule asks for; nothing if no field of it does.

    A field of a list ("metrics.success") is answered where the whole list is, unless a page says otherwise.
    """
    for wanted in (fact, fact.partition(".")[0]):
        for page in section.pages:
            if wanted in page.facts:
                return page.key, page.facts[wanted]
    return None


def asked_for(page: Page, rulebook: Rulebook) -> frozenset[str]:
    """Return the fields of a page that some gate of these rules looks at: all others may stay empty for good."""
    read = frozenset().union(*(rulebook.gate_reads(gate) for gate in rulebook.gates))
    names = read | {name.partition(".")[0] for name in read}
    return frozenset(field for fact, field in page.facts.items() if fact in names)


class QuestionsPage(Page):
    """The questions of this company's rulebook that belong to one section."""

    key = QUESTIONS_PAGE
    title = "More questions"

    def __init__(self, questions: Sequence[Question]) -> None:
        """Build a form with one field a question."""
        self.questions = tuple(questions)
        fields = {f"q_{question.id}": _field(question) for question in self.questions}
        self.form = type("QuestionsForm", (SectionForm,), fields)  # type: ignore[misc]
        self.facts = {f"answers.{one.id}": f"q_{one.id}" for one in self.questions}  # type: ignore[misc]

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return the answers given so far."""
        given = stored_answers(project.id)
        found: dict[str, Any] = {}
        for question in self.questions:
            value = typed(question, given.get(question.id))
            if value is not None:
                found[f"q_{question.id}"] = value
        return found

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store each answer; an emptied one is taken away."""
        session = db.session()
        rows = {
            row.question: row
            for row in session.scalars(
                select(RulebookAnswer).where(RulebookAnswer.project_id == project.id)
            )
        }
        for question in self.questions:
            value = _plain(data.get(f"q_{question.id}"))
            row = rows.get(question.id)
            if value is None and row is not None:
                session.delete(row)
            elif value is not None and row is None:
                session.add(
                    RulebookAnswer(project_id=project.id, question=question.id, value=value)
                )
            elif row is not None and row.value != value:
                row.value = value
        return ()


def stored_answers(project_id: int) -> dict[str, Any]:
    """Return a project's answers to questions of rulebooks, as stored."""
    rows = together.many(
        RulebookAnswer,
        project_id,
        lambda: list(ask(_ANSWERS, {"project": project_id})),
    )
    return {row.question: row.value for row in rows}


_ANSWERS = select(RulebookAnswer.question, RulebookAnswer.value).where(
    RulebookAnswer.project_id == bindparam("project")
)


def answers_of(section: Section, project: Project, rulebook: Rulebook) -> list[Answer]:
    """Return a section's answers, those to the rulebook's questions last."""
    found = list(section.answers(project))
    asked = [
        question for question in rulebook.questions.values() if question.section == section.key
    ]
    given = stored_answers(project.id) if asked else {}
    for question in asked:
        value = given.get(question.id)
        text = (
            {True: "Yes", False: "No", None: ""}.get(value)
            if value in (True, False, None)
            else str(value)
        )
        is_money = question.type == "money"
        found.append(
            Answer(QUESTIONS_PAGE, f"q_{question.id}", question.label, text or "", private=is_money)
        )
    return found


def typed(question: Question, value: Any) -> Any:
    """Turn a stored answer into the type its fact has; None when it does not fit (any more)."""
    try:
        return _typed(question, value) if value is not None else None
    except (TypeError, ValueError, ArithmeticError):
        return None


def _typed(question: Question, value: Any) -> Any:
    if question.type == "boolean":
        return value if isinstance(value, bool) else None
    if question.type == "integer":
        return int(value)
    if question.type in {"number", "money"}:
        return Decimal(str(value))
    if question.type == "date":
        return date.fromisoformat(value)
    if question.type == "enum":
        return value if value in question.values else None
    return str(value)


def _plain(value: Any) -> Any:
    """Return an answer as it is stored: JSON knows neither exact numbers nor dates."""
    if value == "":
        return None
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return value


class _Number(Value):
    """A number with so many decimals at most, or nothing."""

    def __init__(self, label: str, *, decimals: int, **more: Any) -> None:
        """Limit its decimals."""
        self.decimals = decimals
        super().__init__(label, **more)

    def pre_validate(self, form: Any) -> None:
        """Refuse more decimals than the fact can hold."""
        if self.data is not None and int(self.data.as_tuple().exponent) < -self.decimals:
            most = f"at most {self.decimals} decimals" if self.decimals else "a whole number"
            raise ValidationError(f"Use {most}.")


_DECIMALS = {"integer": 0, "money": 2, "number": 6}


def _field(question: Question) -> Any:
    label = question.label
    shared: dict[str, Any] = {"description": question.help or ""}
    if question.type == "boolean":
        return YesOrNo(label, **shared)
    if question.type == "enum":
        choices = [(value, value.replace("_", " ").capitalize()) for value in question.values]
        return Choice(label, choices, **shared)
    if question.type == "date":
        return Day(label, **shared)
    if question.type in _DECIMALS:
        return _Number(label, decimals=_DECIMALS[question.type], **shared)
    return Line(label, **shared)
