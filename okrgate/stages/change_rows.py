"""What a change request would change, as people read it: field by field, and row by row where a page has lists."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wtforms import FieldList, HiddenField

from okrgate.database import db
from okrgate.gates.model import Rulebook
from okrgate.projects.models import Project
from okrgate.projects.sections import Page, Section
from okrgate.stages import editing
from okrgate.stages.comparing import shown
from okrgate.stages.facts import digest_of, plain

ADDED, CHANGED, REMOVED = "added", "changed", "removed"


@dataclass(frozen=True)
class Told:
    """What would change. `changes`: label, before, after, private of each field, and whether it stands in a row.

    `rows`: called, title, kind, fields (label, before, after), private, and the bands before and after if it has any.
    """

    changes: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


class _TakenBack(Exception):
    """Nothing was meant to stay."""


def would_change(
    project: Project, rulebook: Rulebook, section: Section, page: Page, data: Any, *, by: int
) -> Told:
    """Return what people would read differently. Writes, reads and takes it back again."""
    told = Told()
    try:
        with db.session().begin_nested():
            answers = editing.read_answers(section, project, rulebook)
            before = stored_form(page, project)
            page.save(project, data, by=by)
            db.session().flush()
            if any(isinstance(one, FieldList) for one in before):
                private = any(one.private for one in answers if one.page == page.key)
                told = compare(before, stored_form(page, project), private=private)
            else:
                after = editing.read_answers(section, project, rulebook)
                told = Told(editing.differences(answers, after))
            raise _TakenBack
    except _TakenBack:
        db.session().expire_all()
    return told


def stored_form(page: Page, project: Project) -> Any:
    """Return the page's form with what is stored."""
    form = page.form(formdata=None, data=dict(page.load(project)), meta={"csrf": False})
    page.prepare(form, project)
    return form


def marks(page: Page, project: Project) -> dict[str, str]:
    """Return a mark of everything a change of this page builds on: what differs later changed meanwhile."""
    return {name: digest_of({name: plain(told)}) for name, told in page.stands_on(project).items()}


def compare(before: Any, after: Any, *, private: bool) -> Told:
    """Return what differs between two forms of one page."""
    told = Told()
    for old in before:
        new = after[old.name]
        if isinstance(old, FieldList):
            for row in _rows(old, new):
                told.rows.append({**row, "private": private})
                told.changes.extend(_lines(row, private))
        elif not isinstance(old, HiddenField) and shown(old) != shown(new):
            told.changes.append(_line(old.label.text, shown(old), shown(new), private))
    return told


def _rows(before: FieldList, after: FieldList) -> Iterator[dict[str, Any]]:
    """Yield the rows that differ, in the order of the new list; those that go last."""
    old, new = _by_id(before), _by_id(after)
    for key in dict.fromkeys([*new, *old]):
        fields = _fields(old.get(key), new.get(key))
        if not fields:
            continue
        form = new.get(key) or old[key]
        yield {
            "called": form.called,
            "title": _title(form),
            "kind": ADDED if key not in old else REMOVED if key not in new else CHANGED,
            "fields": fields,
            "before": old[key].bands() if key in old else None,
            "after": new[key].bands() if key in new else None,
        }


def _by_id(rows: FieldList) -> dict[Any, Any]:
    """Return the stored rows by their id; a row that only invites to type is none."""
    found = {}
    for place, entry in enumerate(rows.entries):
        if "id" not in entry.form:
            found["row", place] = entry.form
        elif entry.form["id"].data:
            found["id", entry.form["id"].data] = entry.form
    return found


def _fields(old: Any, new: Any) -> list[dict[str, str]]:
    told = []
    for one in new if new is not None else old:
        if isinstance(one, HiddenField):
            continue
        before = shown(old[one.short_name]) if old is not None else ""
        after = shown(new[one.short_name]) if new is not None else ""
        if before != after:
            told.append({"label": one.label.text, "before": before, "after": after})
    return told


def _title(form: Any) -> str:
    names = form.titled or [one.short_name for one in form if not isinstance(one, HiddenField)][:1]
    said = [shown(form[name]) for name in names]
    return ", ".join(text for text in said if text) or str(form.called)


def _lines(row: Mapping[str, Any], private: bool) -> list[dict[str, Any]]:
    """Say a row field by field, as it stands in mails and in the record."""
    said = {
        ADDED: f" ({row['called'].lower()} that comes)",
        REMOVED: f" ({row['called'].lower()} that goes)",
    }
    name = f"{row['title']}{said.get(row['kind'], '')}"
    return [
        {**_line(f"{name}: {one['label']}", one["before"], one["after"], private), "in_row": True}
        for one in row["fields"]
    ]


def _line(label: str, before: str, after: str, private: bool) -> dict[str, Any]:
    return {"label": label, "private": private, "before": before, "after": after}
