"""Save a page of a section as the crossing does: validate what was typed, then store it in a transaction."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask

from okrgate.database import db, transaction
from okrgate.events import Event
from okrgate.projects.models import Project
from okrgate.projects.sections import Page


def form_of(app: Flask, page: Page, project: Project, typed: dict[str, str]) -> Any:
    """Return the form with what was typed, not validated yet."""
    with app.test_request_context(method="POST", data=typed):
        form = page.form()
        page.prepare(form, project)
        form.validate()
        return form


def save(app: Flask, page: Page, project: Project, *, by: int, **typed: str) -> Sequence[Event]:
    """Type this into a page and save it."""
    project_id = project.id
    form = form_of(app, page, project, typed)
    assert not form.errors, form.errors
    with transaction() as session:
        loaded = session.get(Project, project_id)
        assert loaded is not None
        events = page.save(loaded, form.data, by=by)
        session.flush()
    db.session().expire_all()
    return events


def run(project: Project, effect: Callable[..., Sequence[Event]]) -> Sequence[Event]:
    """Run an effect as the crossing does, by nobody in particular."""
    with transaction() as session:
        loaded = session.get(Project, project.id)
        assert loaded is not None
        return effect(loaded, by=None)


def shown(app: Flask, page: Page, project: Project) -> Any:
    """Return a page's form as it is shown first."""
    with app.test_request_context():
        form = page.form(formdata=None, data=dict(page.load(project)))
        page.prepare(form, project)
        return form


def told(events: Sequence[Event]) -> set[int]:
    """Return the ids of everybody these events go to."""
    return {recipient.person_id for event in events for recipient in event.recipients}
