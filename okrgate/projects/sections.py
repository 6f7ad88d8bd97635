"""What a section of the guided form is: pages with one question group each, and the facts they give the gates.

A room that owns a section declares it in its own `sections.py`:

    class ProblemPage(Page):
        key, title, form = "problem", "The problem", ProblemForm
        def load(self, project): ...      # what the form shows
        def save(self, project, data, *, by): ...   # rows, in the open transaction

    PROBLEM = Section("problem", "Problem", (ProblemPage(),), gather=..., answers=...)

`stages/` shows every section with one view, checks who may edit, keeps drafts, finds conflicts, records the
audit row and judges again. A section never does any of that, and never asks who is signed in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import Form

from okrgate.database import Model
from okrgate.events import Event
from okrgate.projects.models import Project


class RowForm(Form):
    """One row of a list inside a page (used in a FieldList of FormFields). `called` is what people call one row.

    `part` is a template shown below the row, as `entry.form`; it follows what is typed, `told` is for `prepare` to fill.
    `titled` are the fields by which people tell one row from another, where the first alone does not.
    """

    called: ClassVar[str] = "Row"
    part: ClassVar[str] = ""
    titled: ClassVar[tuple[str, ...]] = ()
    told: Any = None

    def bands(self) -> Mapping[str, Any] | None:
        """Return what a picture of the row's bands needs, as plain JSON; nothing for a row that has none."""
        return None


class SectionForm(FlaskForm):
    """The fields of one page. The CSRF token and the version it was built on are added by the view."""


@dataclass(frozen=True)
class Gathered:
    """What a section tells the gates, and what exactly would be signed.

    `values`: fact name → bool, int, Decimal (numbers; money in major units), date, str (enum, string, user id as
    text), or absent when not filled in. `collections`: name → rows (field → value). `content`: fact or collection
    name → plain JSON of what a signature covers, where the value alone does not say it (the text behind
    `problem.length`, the people behind RACI counts). What has no `content` is signed by its value.
    """

    values: Mapping[str, bool | int | Decimal | date | str] = field(default_factory=dict)
    collections: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """One answer as people read it: on "check your answers", the project page and the deciding page.

    `private` answers (money, stakeholders' words) are for those involved and auditors. `bands` is what a picture of
    outcome bands needs, where the answer has any.
    """

    page: str
    field: str
    label: str
    text: str
    private: bool = False
    bands: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Agreed:
    """Why what was signed changes after all: the change request, its reason, and whose word was the last one needed."""

    request: int
    reason: str
    by: int


class Page:
    """One question group. Subclasses set the three names and say how rows are read and written."""

    key: ClassVar[str]
    title: ClassVar[str]
    form: ClassVar[type[SectionForm]]
    intro: ClassVar[str] = ""
    template: ClassVar[str] = "stages/section_fields.html"
    # Which field answers a fact that rules ask for: fact, list, or list.field → the form's field.
    facts: ClassVar[Mapping[str, str]] = {}
    # The facts and lists that a signature covers and that are written here; nothing said means those of `facts`.
    signed: ClassVar[frozenset[str] | None] = None
    # What whoever asks for a change after the lock, and whoever agrees to one, has to know.
    on_change: ClassVar[str] = ""

    def prepare(self, form: Any, project: Project) -> None:
        """Fill the choices of select fields (of rows too). Called for GET and POST, before validation."""

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what the form shows: field name → value, a list of dicts for a FieldList."""
        raise NotImplementedError

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store validated data in the open transaction. Return what somebody has to be told of."""
        raise NotImplementedError

    def save_agreed(
        self, project: Project, data: Mapping[str, Any], agreed: Agreed, *, by: int
    ) -> Sequence[Event]:
        """Store what a change request agreed to after the lock. A page that keeps what was agreed before does it here."""
        return self.save(project, data, by=by)

    def stands_on(self, project: Project) -> Mapping[str, Any]:
        """Return what a change request builds on: `content`, and `readings` where it must not overtake one."""
        return {"content": self.load(project)}


def _no_answers(_project: Project) -> Sequence[Answer]:
    return ()


def _nothing(_project: Project, _today: date) -> Gathered:
    return Gathered()


@dataclass(frozen=True)
class Section:
    """A section: its id in rulebooks, its title, its pages, what it tells the gates and how it reads.

    `tables` are those that `gather` and `answers` read rows of the project from: they are read together.
    """

    key: str
    title: str
    pages: tuple[Page, ...]
    gather: Callable[[Project, date], Gathered] = _nothing
    answers: Callable[[Project], Sequence[Answer]] = _no_answers
    intro: str = ""
    tables: tuple[type[Model], ...] = ()

    def page(self, key: str) -> Page | None:
        """Return the page of that key, if there is one."""
        return next((page for page in self.pages if page.key == key), None)
