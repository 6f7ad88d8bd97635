"""The company that the demo shows: enough of everything, and a tour that arrives."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from okrgate.accounts import personas
from okrgate.accounts.models import Person
from okrgate.app import create_app
from okrgate.approvals.models import Round
from okrgate.comments.models import Comment, Follow
from okrgate.database import db
from okrgate.measurement.bands import BANDS
from okrgate.measurement.models import Checkpoint
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages.change_models import ChangeRequest
from okrgate.stages.hold_models import Hold
from okrgate.stages.models import FindingRequest
from tests.conftest import settings_for


@pytest.fixture
def demo(demo_database: Path, tmp_path: Path) -> Iterator[Flask]:
    """Yield the demo, on a copy of its company."""
    copy = tmp_path / "okrgate.db"
    shutil.copy(demo_database, copy)
    app = create_app(replace(settings_for(f"sqlite:///{copy}", tmp_path), demo=True))
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_sixty_projects_stand_in_all_stages_and_ended_in_all_bands(demo: Flask) -> None:
    with demo.app_context():
        titles = db.session.scalars(select(Project.title)).all()
        stages = set(db.session.scalars(select(Project.stage)))
        version = rulebooks.binding()[0]
        bands = set(
            db.session.scalars(
                select(Checkpoint.band)
                .join(Project, Project.id == Checkpoint.project_id)
                .where(Project.closed_at.is_not(None), Checkpoint.band.is_not(None))
            )
        )

        assert len(titles) == len(set(titles)) == 60
        assert stages == set(rulebooks.rulebook(version.id).stages)
        assert bands == set(BANDS)


def test_something_of_everything_has_happened(demo: Flask) -> None:
    with demo.app_context():

        def counted(what: type, *demands: object) -> int:
            query = select(func.count()).select_from(what).where(*demands)  # type: ignore[arg-type]
            return db.session.execute(query).scalar_one()

        assert counted(Hold, Hold.until.is_not(None), Hold.ended_at.is_(None))
        assert counted(Hold, Hold.condition != "", Hold.ended_at.is_(None))
        assert counted(Round, Round.closed_at.is_(None), Round.number > 1)
        assert counted(ChangeRequest, ChangeRequest.state == "open")
        assert counted(FindingRequest, FindingRequest.closed_at.is_(None))
        assert counted(Follow)
        assert any(db.session.scalars(select(Comment.told)))


def test_every_step_of_the_tour_arrives_on_a_page_about_it(demo: Flask) -> None:
    browser = demo.test_client()

    for number, step in enumerate(personas.welcome()["tour"], start=1):
        for index, place in enumerate(step["places"], start=1):
            answer = browser.post(f"/demo/tour/{number}/{index}")
            page = browser.get(answer.location)

            assert page.status_code == 200, place
            assert answer.location != "/", place
            assert place["who"] in page.text
            assert f"Tour {number} of 5" in page.text


def test_every_persona_is_somebody_of_the_company(demo: Flask) -> None:
    named = {one["name"] for group in personas.welcome()["personas"] for one in group["people"]}
    with demo.app_context():
        assert named <= set(db.session.scalars(select(Person.name)))
