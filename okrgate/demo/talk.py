"""What people of the story do beside the way: say something, follow, ask, hand over, and ask to change what is signed."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from okrgate.accounts.models import Person
from okrgate.comments import following
from okrgate.comments import service as comments
from okrgate.database import db
from okrgate.demo.company import Company
from okrgate.demo.story import Story
from okrgate.gates.model import Rulebook
from okrgate.projects.models import Project
from okrgate.projects.sections import Page, Section
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import asking, change_requests, handing, listing, saved_views
from okrgate.stages import service as stages
from okrgate.stages.reading import Reader
from okrgate.stages.sections import section_for

Said = Mapping[str, Any]


def page_named(rulebook: Rulebook, name: str) -> tuple[Section, Page]:
    """Return the page that the story calls `section/page`."""
    section_key, _, page_key = name.partition("/")
    section = section_for(rulebook, section_key)
    page = section.page(page_key) if section else None
    if section is None or page is None:
        raise LookupError(f"The demo fills {name}, which does not exist.")
    return section, page


def as_typed(page: Page, project: Project, words: Mapping[str, str]) -> "MultiDict[str, str]":
    """Return what a browser would send of a page in which only these fields were changed."""
    shown: Any = page.form(formdata=None, data=dict(page.load(project)), meta={"csrf": False})
    page.prepare(shown, project)
    typed = MultiDict(_held(shown))
    for name, text in words.items():
        typed[name] = text
    return typed


def _comment(project_id: int, said: Said, by: int) -> None:
    reference = db.session().get_one(Project, project_id).reference
    seen = comments.find_project(reference, reader=by, is_auditor=False)
    words = comments.Words(
        said["text"], section=said.get("section", ""), private=said.get("private") == "True"
    )
    comments.add(seen, words, by=by)


def _follow(project_id: int, _said: Said, by: int) -> None:
    following.follow(project_id, by=by)


def _nudge(project_id: int, said: Said, by: int) -> None:
    asking.nudge(project_id, said["requirement"], _person(said["whom"]), by=by)


def _ask_waiver(project_id: int, said: Said, by: int) -> None:
    asking.ask_for_waiver(project_id, said["requirement"], reason=said["reason"], by=by)


def _waive(project_id: int, said: Said, by: int) -> None:
    stages.waive(project_id, said["requirement"], reason=said["reason"], by=by)


def _write_along(project_id: int, said: Said, by: int) -> None:
    handing.add_co_editor(project_id, _person(said["whom"]), by=by, admin=False)


def _hand_over(project_id: int, said: Said, by: int) -> None:
    handing.hand_over(
        project_id,
        said["part"],
        to=_person(said["whom"]),
        note=said["note"],
        version=db.session().get_one(Project, project_id).version,
        by=by,
        admin=False,
    )


def _change(project_id: int, said: Said, by: int) -> None:
    project = db.session().get_one(Project, project_id)
    section, page = page_named(rulebooks.rulebook(project.rulebook_version_id), said["page"])
    typed = as_typed(page, project, said["with"])
    asked = change_requests.Asked(
        typed=list(typed.items(multi=True)),
        reason=said["reason"],
        effect=said["effect"],
        key=secrets.token_hex(16),
    )
    change_requests.ask(project_id, section, page, asked, by=by)


def _agree(project_id: int, said: Said, by: int) -> None:
    newest = change_requests.of_project(project_id)[0]
    change_requests.decide(newest.id, approve=True, reason=said["reason"], by=by)


def keep_views(story: Story, company: Company) -> None:
    """Keep the lists of the list of projects that the story names."""
    for one in story.raw["views"]:
        asked = {
            **one["asked"],
            "unit": company.units.get(one["asked"].get("unit", "")),
            "lead": company.people.get(one["asked"].get("lead", "")),
        }
        args = MultiDict((key, str(value)) for key, value in asked.items() if value)
        by = Reader(company.people[one["by"]], is_admin=bool(one.get("shared")))
        saved_views.save(
            one["name"],
            listing.read(args),
            shared=bool(one.get("shared")),
            start=False,
            replace=False,
            by=by,
        )


# Each takes the project, what the story says of the act, and who acts.
ACTS: Mapping[str, Callable[[int, Said, int], None]] = {
    "comment": _comment,
    "follow": _follow,
    "nudge": _nudge,
    "ask_waiver": _ask_waiver,
    "waive": _waive,
    "write_along": _write_along,
    "hand_over": _hand_over,
    "change": _change,
    "agree": _agree,
}


def _person(name: str) -> int:
    if name.isdecimal():
        return int(name)
    return db.session().execute(select(Person.id).where(Person.name == name)).scalar_one()


def _held(form: Any) -> list[tuple[str, str]]:
    """Return what a browser would send back of a form that nobody touched."""
    held: list[tuple[str, str]] = []
    for field in form:
        if hasattr(field, "entries"):
            for entry in field.entries:
                held += _held(entry.form)
        elif field.type == "BooleanField":
            held += [(field.name, "y")] if field.data else []
        elif field.type == "CSRFTokenField":
            continue
        else:
            value = field._value() if hasattr(field, "_value") else field.data
            held.append((field.name, _sent(value)))
    return held


def _sent(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
