"""Adopt projects from a file: each cell goes through the very form a person would fill, each row is its own change.

What came in before is known by its key and left alone. Nobody is mailed and no sign-off is invented: a project that
lands in the middle of its life is marked "adopted, not signed".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from okrgate import clock
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Invalid
from okrgate.gates.model import Stage
from okrgate.imports.binding import Binding, Refusal, Typed, bind, empty_or_long
from okrgate.imports.mapping import UNIT, Map, quoted
from okrgate.imports.reading import Table
from okrgate.imports.saying import take_words
from okrgate.projects import service as projects
from okrgate.projects.models import Project, SectionState, Visit
from okrgate.projects.sections import Page

_LONGEST_KEY = 120
_KEY_WORDS = "cell that tells the projects apart"
# A row that is only tried belongs to a project that is not there; none has this number.
_NO_PROJECT = 0


class _RowRefused(Exception):
    """Takes a row's half-made project back."""

    def __init__(self, problems: list[Refusal]) -> None:
        super().__init__("row refused")
        self.problems = problems


@dataclass
class Report:
    """What an import did."""

    adopted: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    @property
    def refused_rows(self) -> int:
        """Return how many rows did not come in: a row may be refused for several reasons."""
        return len({one.line for one in self.refused})


@dataclass(frozen=True)
class Coming:
    """A project as a row would make it: `values` holds what its fields would, by section.page.field."""

    line: int
    title: str
    stage: str
    values: Mapping[str, Any]


_Act = Callable[[Binding, int, Sequence[str], str, Report], list[Refusal]]


class Import:
    """A file with the map that reads it, bound to this company: rows may be tried and taken over one by one."""

    def __init__(self, table: Table, mapping: Map, *, by: int, reason: str) -> None:
        """Bind them. Raises BadMap or Unreadable when the map does not fit this file, rulebook or company.

        `by` must be an administrator; `reason` is kept in the audit of every row.
        """
        self.table = table
        self._binding = bind(table, mapping, by=by, reason=reason.strip())
        self._first = _first_lines(self._binding, table)

    def check(self, place: int, report: Report) -> None:
        """Say of the row at this place (from 0) what taking it over would do. Writes nothing."""
        self._each(place, report, _would_fit)

    def take(self, place: int, report: Report) -> None:
        """Take the row at this place (from 0) over, or say why not. Each row is a change of its own."""
        self._each(place, report, _take_new)

    def first(self, most: int, *, among: int) -> list[Coming]:
        """Return the first projects that would come in, looking at no more than so many rows. Writes nothing."""
        found: list[Coming] = []

        def see(
            binding: Binding, line: int, row: Sequence[str], source_key: str, _report: Report
        ) -> list[Refusal]:
            problems, coming = _try(binding, line, row, source_key)
            if not problems:
                found.append(coming)
            return problems

        for place in range(min(among, len(self.table.rows))):
            self._each(place, Report(), see)
            if len(found) == most:
                break
        return found

    def _each(self, place: int, report: Report, act: _Act) -> None:
        line, row = self.table.lines[place], self.table.rows[place]
        problems = _take(self._binding, line, row, self._first, report, act)
        report.refused += dict.fromkeys(problems)

    def column_name(self, refusal: Refusal) -> str:
        """Return what the column of a refusal is called in the file."""
        return self._binding.column_name(refusal.column)

    def record(self, adopted: int, known: int, refused: int) -> None:
        """Note in the audit what the import did."""
        with transaction():
            audit.record(
                "import.done",
                by=self._binding.by,
                reason=self._binding.reason,
                details={
                    "map": self._binding.map.name,
                    "adopted": adopted,
                    "known": known,
                    "refused": refused,
                },
            )


def adopt(table: Table, mapping: Map, *, by: int, reason: str) -> Report:
    """Take all the projects of a file over. Raises what `Import` raises."""
    check_reason(reason)
    bound = Import(table, mapping, by=by, reason=reason)
    report = Report()
    for place in range(len(table.rows)):
        bound.take(place, report)
    bound.record(len(report.adopted), len(report.known), report.refused_rows)
    return report


def check_reason(reason: str) -> None:
    """Raise Invalid for a reason that says nothing."""
    if len(reason.strip()) < 3:
        raise Invalid(
            "Say why these projects are taken over.", {"reason": "Say why, in a few words."}
        )


def _first_lines(binding: Binding, table: Table) -> dict[str, int]:
    """Return where each key stands first."""
    first: dict[str, int] = {}
    place = binding.places[binding.map.key]
    for line, row in zip(table.lines, table.rows, strict=True):
        if place < len(row) and len(row) == len(table.header):
            first.setdefault(row[place], line)
    return first


def _take(
    binding: Binding,
    line: int,
    row: Sequence[str],
    first: Mapping[str, int],
    report: Report,
    act: _Act,
) -> list[Refusal]:
    """Do `act` with one row, or return why not. `first` holds the line where each key stands first."""
    if len(row) != len(binding.header):
        return [
            Refusal(line, "", f"The row has {len(row)} cells, the header {len(binding.header)}.")
        ]
    key = binding.cell(row, binding.map.key)
    if not key or len(key) > _LONGEST_KEY:
        sentence = empty_or_long(_KEY_WORDS, key, _LONGEST_KEY)
        return [Refusal(line, str(binding.map.key), sentence)]
    if first[key] != line:
        sentence = f"{quoted(key)} stands in row {first[key]} already."
        return [Refusal(line, str(binding.map.key), sentence)]
    source_key = f"{binding.map.name}:{key}"
    known = db.session().scalar(select(Project.reference).where(Project.source_key == source_key))
    if known is not None:
        report.known.append(known)
        return []
    return act(binding, line, row, source_key, report)


def _would_fit(
    binding: Binding, line: int, row: Sequence[str], source_key: str, report: Report
) -> list[Refusal]:
    problems, _coming = _try(binding, line, row, source_key)
    if not problems:
        report.adopted.append("")
    return problems


def _try(
    binding: Binding, line: int, row: Sequence[str], source_key: str
) -> tuple[list[Refusal], Coming]:
    """Return what is wrong with a row, and what would come of it. Writes nothing."""
    said = binding.read(line, row)
    problems = list(said.problems)
    values: dict[str, Any] = {UNIT: binding.unit_id}
    stage = None if said.stage is None else binding.rulebook.stages[said.stage]
    if stage is not None:
        project = _new(binding, "", source_key, said.title or "Untitled", stage)
        project.id = _NO_PROJECT
        for section, page, form, wrong in _forms(binding, project, line, said.typed):
            problems += wrong
            values |= {f"{section}.{page.key}.{name}": value for name, value in form.data.items()}
    return problems, Coming(line, said.title, stage.label if stage else "", values)


def _take_new(
    binding: Binding, line: int, row: Sequence[str], source_key: str, report: Report
) -> list[Refusal]:
    said = binding.read(line, row)
    if said.problems or said.stage is None:
        return said.problems
    try:
        with transaction():
            project = _begin(binding, source_key, said.title, binding.rulebook.stages[said.stage])
            _fill(binding, project, line, said.typed)
            reference = project.reference
    except _RowRefused as refused:
        return refused.problems
    report.adopted.append(reference)
    return []


def _new(binding: Binding, reference: str, source_key: str, title: str, stage: Stage) -> Project:
    now = clock.now()
    return Project(
        reference=reference,
        title=title,
        process_id=binding.version.process_id,
        rulebook_version_id=binding.version.id,
        home_unit_id=binding.unit_id,
        submitter_id=binding.submitter_id,
        stage=stage.id,
        stage_entered_at=now,
        submitted_at=now,
        outcome=stage.outcome,
        closed_at=now if stage.terminal else None,
        adopted=True,
        source_key=source_key,
        created_at=now,
        changed_at=now,
    )


def _begin(binding: Binding, source_key: str, title: str, stage: Stage) -> Project:
    project = _new(binding, projects.next_reference(), source_key, title, stage)
    db.session().add(project)
    db.session().flush()
    db.session().add(
        Visit(project_id=project.id, stage=stage.id, entered_at=project.stage_entered_at)
    )
    audit.record(
        "project.adopted",
        by=binding.by,
        project_id=project.id,
        target=f"stage:{stage.id}",
        reason=binding.reason,
        details={"source": source_key, "to_label": stage.label},
    )
    return project


def _fill(binding: Binding, project: Project, line: int, filled: Typed) -> None:
    """Put the values through the forms of their pages. Raises _RowRefused with all that a form would not take."""
    problems: list[Refusal] = []
    for section, page, form, wrong in _forms(binding, project, line, filled):
        problems += wrong
        if not wrong:
            page.save(project, form.data, by=binding.by)
            db.session().flush()
            _mark_saved(binding, project, section, page.key)
    if problems:
        raise _RowRefused(problems)


def _forms(
    binding: Binding, project: Project, line: int, filled: Typed
) -> Iterator[tuple[str, Page, Any, list[Refusal]]]:
    """Yield each page's section and filled form, with what it would not take."""
    for (section, page_key), typed in filled.items():
        _section, page = binding.pages[section, page_key]
        cells = typed.to_dict()
        typed.setdefault("title", project.title)
        # A row without a unit of its own keeps the one chosen for such rows.
        kept = {"home_unit": project.home_unit_id}
        form = page.form(formdata=typed, data=kept, meta={"csrf": False})
        page.prepare(form, project)
        unnamed = take_words(form, cells)
        form.validate()
        wrong = [
            Refusal(
                line,
                binding.column(f"{section}.{page_key}.{name}"),
                unnamed.get(name) or _complaint(cells.get(name, ""), errors),
            )
            for name, errors in form.errors.items()
        ]
        yield section, page, form, wrong


def _mark_saved(binding: Binding, project: Project, section: str, page: str) -> None:
    state = db.session().scalar(
        select(SectionState).where(
            SectionState.project_id == project.id, SectionState.section == section
        )
    )
    if state is None:
        state = SectionState(project_id=project.id, section=section, version=0, pages_saved=[])
        db.session().add(state)
    state.version += 1
    state.saved_at, state.saved_by_id = clock.now(), binding.by
    state.pages_saved = sorted({*state.pages_saved, page})
    db.session().flush()


def _complaint(cell: str, errors: Any) -> str:
    said = "; ".join(_flat(errors))
    return f"{quoted(cell)}: {said}" if cell and quoted(cell) not in said else said


def _flat(errors: Any) -> list[str]:
    if isinstance(errors, Mapping):
        return [text for value in errors.values() for text in _flat(value)]
    if isinstance(errors, (list, tuple)):
        return [text for value in errors for text in _flat(value)]
    return [str(errors)]
