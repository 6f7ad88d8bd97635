"""Bind a map to this company: its names become people, units, pages and stages; then it reads rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ParamSpec, TypeVar

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from okrgate import clock
from okrgate.accounts import directory
from okrgate.accounts.models import OrgUnit, Person
from okrgate.database import db
from okrgate.errors import Invalid
from okrgate.gates.model import Rulebook
from okrgate.imports.mapping import UNIT, BadMap, BadValue, FieldMap, Map, quoted
from okrgate.imports.offered import row_named
from okrgate.imports.reading import Table, column_at
from okrgate.projects.models import LONGEST_TITLE
from okrgate.projects.sections import Page, Section
from okrgate.rulebooks import retiring
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks.models import Process, RulebookVersion
from okrgate.stages.sections import section_for

_P = ParamSpec("_P")
_T = TypeVar("_T")

# What each page's form gets, by section and page, as if it had been typed.
Typed = dict[tuple[str, str], "MultiDict[str, str]"]


@dataclass(frozen=True)
class Refusal:
    """Why a row did not come in. `line` is its number in the file."""

    line: int
    column: str
    sentence: str


@dataclass(frozen=True)
class ReadRow:
    """What a row says. Without a stage, or with problems, it cannot be taken over."""

    title: str
    stage: str | None
    typed: Typed
    problems: list[Refusal]


@dataclass(frozen=True)
class Binding:
    """A map bound to this company and this file: everything it names was found."""

    map: Map
    version: RulebookVersion
    rulebook: Rulebook
    unit_id: int | None
    submitter_id: int
    by: int
    reason: str
    places: Mapping[str | int, int]
    header: Sequence[str]
    pages: Mapping[tuple[str, str], tuple[Section, Page]]

    def cell(self, row: Sequence[str], column: str | int) -> str:
        """Return the cell of a column that the map names."""
        return row[self.places[column]]

    def read(self, line: int, row: Sequence[str]) -> ReadRow:
        """Return a row's title, stage and typed values, and what is wrong with them."""
        problems: list[Refusal] = []
        title = " ".join(self.cell(row, self.map.title).split())
        if not title or len(title) > LONGEST_TITLE:
            sentence = empty_or_long("title", title, LONGEST_TITLE)
            problems.append(Refusal(line, str(self.map.title), sentence))
        stage = _stage(self, line, row, problems)
        typed = _typed(self, line, row, problems)
        _check_unit(self, line, row, problems)
        return ReadRow(title, stage, typed, problems)

    def column(self, target: str) -> str:
        """Return the column that fills a field, section.page.field; the field where no column does."""
        filling = (one.column for one in self.map.fields if ".".join(one.target) == target)
        return next((str(one) for one in filling if one is not None), target)

    def column_name(self, column: str) -> str:
        """Return what a refusal's column is called in the file."""
        place = self.places.get(int(column)) if column.isdecimal() else None
        return column if place is None else self.header[place]


def bind(table: Table, mapping: Map, *, by: int, reason: str) -> Binding:
    """Find everything that the map names. Raises BadMap or Unreadable when it does not fit this file, rulebook or company.

    BadMap says all that is wrong at once. Raises Invalid unless `by` is an administrator; `reason` is kept in the audit of every row.
    """
    version = next(
        (one for one in retiring.startable() if _process_key(one) == mapping.process), None
    )
    if version is None:
        raise BadMap(f"There is no process “{mapping.process}” here.")
    rulebook = rulebooks.rulebook(version.id)
    rule, problems = mapping.stage, _stage_problems(rulebook, mapping)
    unit_id = _noting(problems, _unit, mapping.unit)
    submitter_id = _noting(problems, _submitter, mapping.submitter, by)
    pages = {one.target[:2]: _noting(problems, _page, rulebook, one) for one in mapping.fields}
    if problems:
        raise BadMap(*problems)
    wanted = {
        mapping.key,
        mapping.title,
        *(one.column for one in mapping.fields),
        rule.start,
        rule.end,
    }
    return Binding(
        map=mapping,
        version=version,
        rulebook=rulebook,
        unit_id=unit_id,
        submitter_id=submitter_id or by,
        by=_administrator(by),
        reason=reason,
        places={one: column_at(table.header, one) for one in wanted if one is not None},
        header=table.header,
        pages={key: found for key, found in pages.items() if found is not None},
    )


def _noting(
    problems: list[str], find: Callable[_P, _T], *arguments: _P.args, **more: _P.kwargs
) -> _T | None:
    """Return what `find` finds; note why it does not, and go on: all that is wrong is said at once."""
    try:
        return find(*arguments, **more)
    except BadMap as problem:
        problems += problem.sentences
        return None


def _stage_problems(rulebook: Rulebook, mapping: Map) -> list[str]:
    rule = mapping.stage
    found = []
    for stage in dict.fromkeys((rule.future, rule.running, rule.past, rule.none)):
        if stage not in rulebook.stages:
            found.append(f"The process has no stage “{stage}”.")
        elif rulebook.stages[stage].holding:
            found.append(f"“{stage}” only holds projects that came from another stage.")
    return found


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


def _unit(name: str) -> int | None:
    """Return the unit of this name, or of this number when it is written as `#12`; none for no name."""
    if not name:
        return None
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


def empty_or_long(what: str, text: str, most: int) -> str:
    """Return the sentence for a text that is not there, or that is too long."""
    return (
        f"The {what} {quoted(text)} is longer than {most} characters."
        if text
        else f"The {what} is empty."
    )


def _check_unit(binding: Binding, line: int, row: Sequence[str], problems: list[Refusal]) -> None:
    """Ask for the unit of a row that names none, where none is chosen for such rows."""
    filling = next((one for one in binding.map.fields if ".".join(one.target) == UNIT), None)
    if binding.unit_id is not None or filling is None or filling.column is None:
        return
    if binding.map.blank(binding.cell(row, filling.column)):
        sentence = "The unit is empty, and no unit is chosen for rows without one."
        problems.append(Refusal(line, str(filling.column), sentence))


def _typed(binding: Binding, line: int, row: Sequence[str], problems: list[Refusal]) -> Typed:
    """Return what each page's form gets, as if it had been typed."""
    found: Typed = {}
    for one in binding.map.fields:
        try:
            value = _value(binding, row, one)
        except BadValue as problem:
            problems.append(Refusal(line, str(one.column), f"{problem}."))
            continue
        if value:
            section, page, name = one.target
            found.setdefault((section, page), MultiDict())[name] = value
    return found


def _value(binding: Binding, row: Sequence[str], one: FieldMap) -> str:
    cell = one.value if one.column is None else binding.cell(row, one.column)
    if one.kind == "text":
        return cell
    if binding.map.blank(cell):
        return ""
    if one.kind == "date":
        day = binding.map.read_date(cell)
        return day.isoformat() if day else ""
    if one.kind == "money":
        return f"{binding.map.read_money(cell):.2f}"
    return str(_person(cell)) if one.kind == "person" else cell


def _person(email: str) -> int:
    found = directory.by_email(email)
    if found is None:
        raise BadValue(f"There is nobody with the address {quoted(email)}")
    return found


def _ends_first(binding: Binding, row: Sequence[str]) -> str:
    rule = binding.map.stage
    start, end = (
        quoted(binding.cell(row, column)) if column is not None else ""
        for column in (rule.start, rule.end)
    )
    return f"It ends before it starts: {end} comes before {start}."


def _stage(binding: Binding, line: int, row: Sequence[str], problems: list[Refusal]) -> str | None:
    """Return the stage that follows from the dates: future, running, past or none."""
    rule = binding.map.stage
    dates: dict[str, date | None] = {}
    for name, column in (("start", rule.start), ("end", rule.end)):
        try:
            dates[name] = (
                binding.map.read_date(binding.cell(row, column)) if column is not None else None
            )
        except BadValue as problem:
            problems.append(Refusal(line, str(column), f"{problem}."))
            return None
    start, end, today = dates["start"], dates["end"], clock.today()
    if start and end and end < start:
        problems.append(Refusal(line, str(rule.end), _ends_first(binding, row)))
        return None
    if start is None and end is None:
        return rule.none
    if start and start > today:
        return rule.future
    return rule.past if end and end < today else rule.running
