"""Where a file is the source of the rules, it alone changes them, and only while it is sound."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.commands import rules as shell
from okrgate.database import db
from okrgate.rulebooks import service
from okrgate.rulebooks.drafts import Draft
from okrgate.watching import incidents
from okrgate.workshop.publishing import arriving, filed, proposals, rollouts
from tests.factories import Factory
from tests.integration.workshop.small import HARDER, KEY, TEXT, hurry


@pytest.fixture
def file(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    hurry(monkeypatch)
    path = tmp_path / "our rules.yaml"
    path.write_text(TEXT, encoding="utf-8")
    settings = app.extensions["okrgate.settings"]
    monkeypatch.setitem(app.extensions, "okrgate.settings", replace(settings, rules_source=path))
    return path


@pytest.fixture
def ada(factory: Factory) -> Person:
    return factory.person("Ada", admin=True)


def numbers() -> list[int]:
    db.session.rollback()
    return sorted(one.number for one in service.versions())


def open_kinds() -> list[str]:
    db.session.rollback()
    return [one.kind for one in incidents.open_ones()]


def test_what_the_file_says_binds(file: Path) -> None:
    filed.follow()
    filed.follow()
    assert numbers() == [1]
    file.write_text(HARDER, encoding="utf-8")
    filed.follow()
    assert numbers() == [1, 2]
    assert service.newest(KEY).note == "From the file our rules.yaml"
    file.write_text(TEXT, encoding="utf-8")
    filed.follow()
    assert (numbers(), service.newest(KEY).text) == ([1, 2, 3], TEXT)


@pytest.mark.parametrize("wrong", [b"okrgate: 1\n", b"\xff\xfe", b"x" * 300_000, None])
def test_a_file_that_is_not_sound_changes_nothing_and_is_told_once(
    file: Path, ada: Person, wrong: bytes | None
) -> None:
    filed.follow()
    if wrong is None:
        file.unlink()
    else:
        file.write_bytes(wrong)
    filed.follow()
    filed.follow()
    assert (numbers(), open_kinds()) == ([1], ["rules_file"])
    file.write_text(HARDER, encoding="utf-8")
    filed.follow()
    assert (numbers(), open_kinds()) == ([1, 2], [])


def test_pages_are_read_only(file: Path, ada: Person, factory: Factory) -> None:
    filed.follow()
    client = factory.browser(ada)
    page = client.get(f"/rules/{KEY}/edit").get_data(as_text=True)
    assert "These pages are read-only" in page
    assert "our rules.yaml" in page
    typed = {"based_on": "1", "text": HARDER, "note": "Say more."}
    assert client.post(f"/rules/{KEY}/edit", data=typed | {"act": "check"}).status_code == 200
    for act in ("keep", "publish", "discard", "merge"):
        assert client.post(f"/rules/{KEY}/edit", data=typed | {"act": act}).status_code == 409
    answer = client.post(f"/rules/{KEY}/publish", data=typed)
    assert answer.status_code == 409
    assert "not changed" in answer.get_data(as_text=True)
    assert client.post("/rules/1/roll-back", data=typed).status_code == 409
    assert numbers() == [1]


def test_what_waited_for_its_day_does_not_bind_beside_a_file(file: Path, ada: Person) -> None:
    filed.follow()
    tomorrow = clock.today() + timedelta(days=1)
    waits = proposals.propose(KEY, Draft(HARDER, "Say more.", 1), by=ada.id, takes_effect=tomorrow)
    with clock.moved_to(clock.now() + timedelta(days=1)):
        arriving.look()
    assert proposals.get(waits.id).state == "stopped"
    assert numbers() == [1]


def test_others_are_still_told_to_leave(file: Path, factory: Factory) -> None:
    filed.follow()
    pat = factory.browser(factory.person("Pat"))
    assert pat.post(f"/rules/{KEY}/publish", data={}).status_code == 403


def test_a_shell_publishes_at_once_and_sees_to_projects(
    ada: Person, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    factory.person("Otto", admin=True)
    service.publish(TEXT, by=None)
    project = factory.project()
    version = rollouts.publish_now(HARDER, by=None, note="From a pipeline", in_flight="migrate")
    rollouts.work()
    db.session.rollback()
    assert (version.number, numbers()) == (2, [1, 2])
    db.session.refresh(project)
    assert project.rulebook_version_id == service.newest(KEY).id
    assert "nobody is asked for approval" in (shell.publish.help or "")
