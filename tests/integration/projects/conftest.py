from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.database import transaction
from okrgate.projects.models import Project
from okrgate.rulebooks.models import Process, RulebookVersion
from tests.factories import Factory

NewProject = Callable[..., Project]
NOON = datetime(2026, 12, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.moved_to(NOON):
        yield


@pytest.fixture
def ann(factory: Factory) -> Person:
    """The submitter."""
    return factory.person("Ann")


@pytest.fixture
def ben(factory: Factory) -> Person:
    """Somebody else."""
    return factory.person("Ben")


@pytest.fixture
def version(app: Flask) -> RulebookVersion:
    """A rulebook that nobody reads here."""
    with transaction() as session:
        process = Process(key="test", title="Test")
        session.add(process)
        session.flush()
        made = RulebookVersion(
            process_id=process.id,
            number=1,
            text="",
            sha256="",
            effective_from=clock.now(),
            published_at=clock.now(),
        )
        session.add(made)
    return made


@pytest.fixture
def new_project(factory: Factory, version: RulebookVersion, ann: Person) -> NewProject:
    """Make projects of Ann's; each was submitted, unless it is a draft."""

    def make(
        title: str = "Renewals in one step", *, draft: bool = False, **columns: Any
    ) -> Project:
        made = factory.project(title, submitter=ann, version=version, stage="idea")
        columns.setdefault("submitted_at", None if draft else clock.now())
        with transaction() as session:
            loaded = session.get(Project, made.id)
            assert loaded is not None
            for name, value in columns.items():
                setattr(loaded, name, value)
        return loaded

    return make


@pytest.fixture
def project(new_project: NewProject) -> Project:
    """One of them."""
    return new_project()
