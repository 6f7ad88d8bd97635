"""Adopt projects from a file: each cell goes through the very form a person would fill, each row is its own change.

What came in before is known by its key and left alone. Nobody is mailed and no sign-off is invented: a project that
lands in the middle of its life is marked "adopted, not signed".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit, Person
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Invalid
from okrgate.gates.model import Rulebook, Stage
from okrgate.imports.mapping import BadMap, BadValue, FieldMap, Map
from okrgate.imports.offered import row_named, take_labels
from okrgate.imports.reading import Table, column_at
from okrgate.projects import service as projects
from okrgate.projects.models import LONGEST_TITLE, Project, SectionState, Visit
from okrgate.projects.sections import Page, Section
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Process, RulebookVersion
from okrgate.stages.sections import section_for

_LONGEST_KEY = 120
# A row that is only tried belongs to a project that is not there; none has this number.
_NO_PROJECT = 0
_Filled = dict[tuple[str, str], "MultiDict[str, str]"]


@dataclass(frozen=True)
class Refusal:
    """Why a row did not come in. `line` is its number in the file."""

    line: int
    column: str
    sentence: str


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
class _Plan:
    """A map bound to this database and this file."""

    map: Map
    version: RulebookVersion
    rulebook: Rulebook
    unit_id: int
    submitter_id: int
    by: int
    reason: str
    places: Mapping[str | int, int]
    header: Sequence[str]
    pages: Mapping[tuple[str, str], tuple[Section, Page]]


_Act = Callable[[_Plan, int, Sequence[str], str, Report], list[Refusal]]


class Import:
    """A file with the map that reads it, bound to this company: rows may be tried and taken over one by one."""

    def __init__(self, table: Table, mapping: Map, *, by: int, reason: str) -> None:
        """Bind them. Raises BadMap or Unreadable when the map does not fit this file, rulebook or company.

        `by` must be an administrator; `reason` is kept in the audit of every row.
        """
        self.table = table
        self._plan = _plan(table, mapping, by=by, reason=reason.strip())
        self._first = _first_lines(self._plan, table)

    def check(self, place: int, report: Report) -> None:
        """Say of the row at this place (from 0) what taking it over would do. Writes nothing."""
        self._each(place, report, _would_fit)

    def take(self, place: int, report: Report) -> None:
        """Take the row at this place (from 0) over, or say why not. Each row is a change of its own."""
        self._each(place, report, _take_new)

    def _each(self, place: int, report: Report, act: _Act) -> None:
        line, row = self.table.lines[place], self.table.rows[place]
        problems = _take(self._plan, line, row, self._first, report, act)
        report.refused += dict.fromkeys(problems)

    def record(self, adopted: int, known: int, refused: int) -> None:
        """Note in the audit what the import did."""
        with transaction():
            audit.record(
                "import.done",
                by=self._plan.by,
                reason=self._plan.reason,
                details={
                    "map": self._plan.map.name,
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


def _first_lines(plan: _Plan, table: Table) -> dict[str, int]:
    """Return where each key stands first."""
    first: dict[str, int] = {}
    place = plan.places[plan.map.key]
    for line, row in zip(table.lines, table.rows, strict=True):
        if place < len(row) and len(row) == len(table.header):
            first.setdefault(row[place], line)
    return first


def _take(
    plan: _Plan,
    line: int,
    row: Sequence[str],
    first: Mapping[str, int],
    report: Report,
    act: _Act,
) -> list[Refusal]:
    """Do `act` with one row, or return why not. `first` holds the line where each key stands first."""
    if len(row) != len(plan.header):
        return [Refusal(line, "", f"The row has {len(row)} cells, the header {len(plan.header)}.")]
    key = _cell(plan, row, plan.map.key)
    if not key or len(key) > _LONGEST_KEY:
        sentence = f"The key is empty or longer than {_LONGEST_KEY} characters."
        return [Refusal(line, str(plan.map.key), sentence)]
    if first[key] != line:
        sentence = f"“{key}” stands in row {first[key]} already."
        return [Refusal(line, str(plan.map.key), sentence)]
    source_key = f"{plan.map.name}:{key}"
    known = db.session().scalar(select(Project.reference).where(Project.source_key == source_key))
    if known is not None:
        report.known.append(known)
        return []
    return act(plan, line, row, source_key, report)


def _read(
    plan: _Plan, line: int, row: Sequence[str]
) -> tuple[str, str | None, _Filled, list[Refusal]]:
    """Return a row's title, stage and typed values, and what is wrong with them."""
    problems: list[Refusal] = []
    title = " ".join(_cell(plan, row, plan.map.title).split())
    if not title or len(title) > LONGEST_TITLE:
        sentence = f"The title is empty or longer than {LONGEST_TITLE} characters."
        problems.append(Refusal(line, str(plan.map.title), sentence))
    stage = _stage(plan, line, row, problems)
    return title, stage, _filled(plan, line, row, problems), problems


def _would_fit(
    plan: _Plan, line: int, row: Sequence[str], source_key: str, report: Report
) -> list[Refusal]:
    title, stage, filled, problems = _read(plan, line, row)
    if stage is not None:
        project = _new(plan, "", source_key, title or "Untitled", plan.rulebook.stages[stage])
        project.id = _NO_PROJECT
        problems += [
            problem for _, _, _, wrong in _forms(plan, project, line, filled) for problem in wrong
        ]
    if not problems:
        report.adopted.append("")
    return problems


def _take_new(
    plan: _Plan, line: int, row: Sequence[str], source_key: str, report: Report
) -> list[Refusal]:
    title, stage, filled, problems = _read(plan, line, row)
    if problems or stage is None:
        return problems
    try:
        with transaction():
            project = _begin(plan, source_key, title, plan.rulebook.stages[stage])
            _fill(plan, project, line, filled)
            reference = project.reference
    except _RowRefused as refused:
        return refused.problems
    report.adopted.append(reference)
    return []


def _new(plan: _Plan, reference: str, source_key: str, title: str, stage: Stage) -> Project:
    now = clock.now()
    return Project(
        reference=reference,
        title=title,
        process_id=plan.version.process_id,
        rulebook_version_id=plan.version.id,
        home_unit_id=plan.unit_id,
        submitter_id=plan.submitter_id,
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


def _begin(plan: _Plan, source_key: str, title: str, stage: Stage) -> Project:
    project = _new(plan, projects.next_reference(), source_key, title, stage)
    db.session().add(project)
    db.session().flush()
    db.session().add(
        Visit(project_id=project.id, stage=stage.id, entered_at=project.stage_entered_at)
    )
    audit.record(
        "project.adopted",
        by=plan.by,
        project_id=project.id,
        target=f"stage:{stage.id}",
        reason=plan.reason,
        details={"source": source_key, "to_label": stage.label},
    )
    return project


def _fill(plan: _Plan, project: Project, line: int, filled: _Filled) -> None:
    """Put the values through the forms of their pages. Raises _RowRefused with all that a form would not take."""
    problems: list[Refusal] = []
    for section, page, form, wrong in _forms(plan, project, line, filled):
        problems += wrong
        if not wrong:
            page.save(project, form.data, by=plan.by)
            db.session().flush()
            _mark_saved(plan, project, section, page.key)
    if problems:
        raise _RowRefused(problems)


def _forms(
    plan: _Plan, project: Project, line: int, filled: _Filled
) -> Iterator[tuple[str, Page, Any, list[Refusal]]]:
    """Yield each page's section and filled form, with what it would not take."""
    for (section, page_key), typed in filled.items():
        _section, page = plan.pages[section, page_key]
        typed.setdefault("title", project.title)
        form = page.form(formdata=typed, meta={"csrf": False})
        page.prepare(form, project)
        take_labels(form)
        form.validate()
        wrong = [
            Refusal(line, f"{section}.{page_key}.{name}", "; ".join(_flat(errors)))
            for name, errors in form.errors.items()
        ]
        yield section, page, form, wrong


def _mark_saved(plan: _Plan, project: Project, section: str, page: str) -> None:
    state = db.session().scalar(
        select(SectionState).where(
            SectionState.project_id == project.id, SectionState.section == section
        )
    )
    if state is None:
        state = SectionState(project_id=project.id, section=section, version=0, pages_saved=[])
        db.session().add(state)
    state.version += 1
    state.saved_at, state.saved_by_id = clock.now(), plan.by
    state.pages_saved = sorted({*state.pages_saved, page})
    db.session().flush()


def _filled(plan: _Plan, line: int, row: Sequence[str], problems: list[Refusal]) -> _Filled:
    """Return what each page's form gets, as if it had been typed."""
    found: _Filled = {}
    for one in plan.map.fields:
        try:
            value = _value(plan, row, one)
        except BadValue as problem:
            problems.append(Refusal(line, str(one.column), f"{problem}."))
            continue
        if value:
            section, page, name = one.target
            found.setdefault((section, page), MultiDict())[name] = value
    return found


def _value(plan: _Plan, row: Sequence[str], one: FieldMap) -> str:
    cell = one.value if one.column is None else _cell(plan, row, one.column)
    if one.kind == "text":
        return cell
    if plan.map.blank(cell):
        return ""
    if one.kind == "date":
        day = plan.map.read_date(cell)
        return day.isoformat() if day else ""
    if one.kind == "money":
        return f"{plan.map.read_money(cell):.2f}"
    return str(_person(cell)) if one.kind == "person" else cell


def _person(email: str) -> int:
    found = directory.by_email(email)
    if found is None:
        raise BadValue(f"There is nobody with the address “{email[:60]}”")
    return found


def _stage(plan: _Plan, line: int, row: Sequence[str], problems: list[Refusal]) -> str | None:
    """Return the stage that follows from the dates: future, running, past or none."""
    rule = plan.map.stage
    dates: dict[str, date | None] = {}
    for name, column in (("start", rule.start), ("end", rule.end)):
        try:
            dates[name] = (
                plan.map.read_date(_cell(plan, row, column)) if column is not None else None
            )
        except BadValue as problem:
            problems.append(Refusal(line, str(column), f"{problem}."))
            return None
    start, end, today = dates["start"], dates["end"], clock.today()
    if start and end and end < start:
        problems.append(Refusal(line, str(rule.end), "It ends before it starts."))
        return None
    if start is None and end is None:
        return rule.none
    if start and start > today:
        return rule.future
    return rule.past if end and end < today else rule.running


def _cell(plan: _Plan, row: Sequence[str], column: str | int) -> str:
    return row[plan.places[column]]


def _plan(table: Table, mapping: Map, *, by: int, reason: str) -> _Plan:
    version = next(
        (one for one in rulebooks.binding() if _process_key(one) == mapping.process), None
    )
    if version is None:
        raise BadMap(f"There is no process “{mapping.process}” here.")
    rulebook = rulebooks.rulebook(version.id)
    rule = mapping.stage
    for stage in (rule.future, rule.running, rule.past, rule.none):
        if stage not in rulebook.stages:
            raise BadMap(f"The process has no stage “{stage}”.")
        if rulebook.stages[stage].holding:
            raise BadMap(f"“{stage}” only holds projects that came from another stage.")
    wanted = {
        mapping.key,
        mapping.title,
        *(one.column for one in mapping.fields),
        rule.start,
        rule.end,
    }
    return _Plan(
        map=mapping,
        version=version,
        rulebook=rulebook,
        unit_id=_unit(mapping.unit),
        submitter_id=_submitter(mapping.submitter, by),
        by=_administrator(by),
        reason=reason,
        places={one: column_at(table.header, one) for one in wanted if one is not None},
        header=table.header,
        pages={one.target[:2]: _page(rulebook, one) for one in mapping.fields},
    )


def _page(rulebook: Rulebook, one: FieldMap) -> tuple[Section, Page]:
    section = section_for(rulebook, one.target[0])
    page = section.page(one.target[1]) if section else None
    if section is None or page is None:
        raise BadMap(f"There is no page “{one.target[0]}.{one.target[1]}”.")
    if not hasattr(page.form, one.target[2]):
        raise BadMap(f"The page “{one.target[0]}.{one.target[1]}” has no field “{one.target[2]}”.")
    return section, page


def _process_key(version: RulebookVersion) -> str | None:
    return db.session().scalar(select(Process.key).where(Process.id == version.process_id))


def _unit(name: str) -> int:
    """Return the unit of this name, or of this number when it is written as `#12`."""
    number = row_named(name)
    wanted = OrgUnit.name == name if number is None else OrgUnit.id == number
    found = list(db.session().scalars(select(OrgUnit.id).where(wanted, OrgUnit.active)))
    if len(found) != 1:
        raise BadMap(f"There is {'no' if not found else 'more than one'} unit “{name}”.")
    return found[0]


def _submitter(email: str, by: int) -> int:
    if not email:
        return by
    number = row_named(email)
    wanted = Person.email == email.lower() if number is None else Person.id == number
    found = db.session().scalar(select(Person.id).where(wanted, Person.active))
    if found is None:
        raise BadMap(f"There is nobody active with the address {email}.")
    return found


def _administrator(by: int) -> int:
    person = db.session().get(Person, by)
    if person is None or not person.active or not person.is_admin:
        raise Invalid("Only an administrator may take projects over.")
    return by


def _flat(errors: Any) -> list[str]:
    if isinstance(errors, Mapping):
        return [text for value in errors.values() for text in _flat(value)]
    if isinstance(errors, (list, tuple)):
        return [text for value in errors for text in _flat(value)]
    return [str(errors)]
