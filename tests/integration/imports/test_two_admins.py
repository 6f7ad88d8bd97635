"""Two administrators on one file: nobody starts or changes what they have not seen, and only one is first."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.audit.models import Entry
from okrgate.database import db
from okrgate.imports import running, runs
from okrgate.imports.models import ImportFile
from okrgate.imports.running import _Run
from okrgate.projects.models import Project
from tests.factories import Factory
from tests.integration.imports.test_pages import bring
from tests.machine import PATIENCE

FILE = b"id;name;other\r\nA;Quay;First\r\nB;Bridge;Second"
MONDAY = datetime(2027, 1, 4, 9, tzinfo=UTC)
# What a form sends along to say what its page was made of.
_STAMP = re.compile(r'name="stamp" value="([^"]*)"')


@pytest.fixture(autouse=True)
def _january() -> Iterator[None]:
    with clock.moved_to(MONDAY):
        yield


@pytest.fixture
def ada(factory: Factory) -> Person:
    factory.rulebook()
    return factory.person("Ada", admin=True, unit=factory.unit("Northwind"))


@pytest.fixture
def ben(factory: Factory) -> Person:
    return factory.person("Ben", admin=True)


@pytest.fixture
def hers(factory: Factory, ada: Person) -> FlaskClient:
    return factory.browser(ada)


@pytest.fixture
def his(factory: Factory, ben: Person) -> FlaskClient:
    return factory.browser(ben)


@pytest.fixture
def file_id(hers: FlaskClient) -> int:
    return bring(hers, FILE)


def chosen(ada: Person, title: str = "name", **more: str) -> dict[str, str]:
    """Return choices under which this column is the title."""
    columns = {"id": "key", "name": "", "other": "", title: "title"}
    return {
        "name": "plain",
        "process": "okr_delivery",
        "unit": str(ada.unit_id),
        "dates": "%Y-%m-%d",
        "factor": "1",
        "decimal": ".",
        "stage_none": "ranked_backlog",
        "stage_future": "plan_work",
        "stage_running": "in_execution",
        "stage_past": "measuring",
        **{f"column-{place}": target for place, target in enumerate(columns.values())},
        **more,
    }


def stamp_on(page: str) -> str:
    """Return the one stamp that all forms of a page carry."""
    found = set(_STAMP.findall(page))
    assert len(found) == 1, found
    return str(found.pop())


def opened(browser: FlaskClient, path: str) -> str:
    """Open a page and return its stamp."""
    answer = browser.get(path)
    assert answer.status_code == 200
    return stamp_on(answer.text)


def map_path(file_id: int) -> str:
    return f"/admin/imports/{file_id}"


def run_path(file_id: int) -> str:
    return f"/admin/imports/{file_id}/run"


def map_it(browser: FlaskClient, file_id: int, said: dict[str, str]) -> None:
    """Open the page of the columns, choose, and have every row tried."""
    stamp = opened(browser, map_path(file_id))
    answer = browser.post(map_path(file_id), data=said | {"stamp": stamp})
    assert answer.status_code == 303, answer.text
    running.work()
    db.session.rollback()


def start(stamp: str, reason: str = "Moving here", which: str = "good") -> dict[str, str]:
    return {"stamp": stamp, "reason": reason, "which": which}


def titles() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Project.title).order_by(Project.id)))


def words_of(answer: TestResponse) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def test_every_form_about_a_file_says_what_its_page_was_made_of(
    hers: FlaskClient, ada: Person, file_id: int
) -> None:
    page = hers.get(map_path(file_id)).text
    assert page.count('name="stamp"') == 2
    map_it(hers, file_id, chosen(ada))
    preview = hers.get(run_path(file_id)).text
    assert preview.count('name="stamp"') == 1
    runs.ask_check(file_id, {**runs.get(file_id).choices}, seen=stamp_on(preview), by=ada.id)
    under_way = hers.get(run_path(file_id)).text
    assert under_way.count('name="stamp"') == 1
    assert len({stamp_on(page), stamp_on(preview), stamp_on(under_way)}) == 3


def test_nobody_takes_over_what_was_mapped_anew_since_their_preview(
    hers: FlaskClient, his: FlaskClient, ada: Person, file_id: int
) -> None:
    map_it(hers, file_id, chosen(ada))
    his_preview = opened(his, run_path(file_id))
    with clock.moved_to(MONDAY + timedelta(minutes=1)):
        map_it(hers, file_id, chosen(ada, title="other"))

    refused = his.post(run_path(file_id), data=start(his_preview, "Our <old> list", "all"))

    assert refused.status_code == 409
    said = words_of(refused)
    assert "Somebody changed how this file is read after you opened this page." in said
    assert "Column 3 “other” Title" in said
    assert "Our &lt;old&gt; list</textarea>" in refused.text
    assert re.search(r'value="all" checked', refused.text)
    assert titles() == []
    again = his.post(run_path(file_id), data=start(stamp_on(refused.text)))
    assert again.status_code == 303
    running.work()
    assert titles() == ["First", "Second"]


def test_a_preview_tried_again_is_another_preview(
    hers: FlaskClient, his: FlaskClient, ada: Person, file_id: int
) -> None:
    map_it(hers, file_id, chosen(ada))
    his_preview = opened(his, run_path(file_id))
    with clock.moved_to(MONDAY + timedelta(minutes=1)):
        map_it(hers, file_id, chosen(ada))

    assert his.post(run_path(file_id), data=start(his_preview)).status_code == 409
    assert titles() == []


@pytest.mark.parametrize("sent", ["", "0" * 32, "<script>"])
def test_a_start_without_a_true_stamp_is_refused(
    hers: FlaskClient, ada: Person, file_id: int, sent: str
) -> None:
    map_it(hers, file_id, chosen(ada))

    assert hers.post(run_path(file_id), data=start(sent)).status_code == 409
    assert hers.post(map_path(file_id), data=chosen(ada) | {"stamp": sent}).status_code == 409
    assert (runs.get(file_id).state, titles()) == ("checked", [])


def test_a_mistake_does_not_make_an_old_page_new(
    hers: FlaskClient, his: FlaskClient, ada: Person, file_id: int
) -> None:
    map_it(hers, file_id, chosen(ada))
    his_preview = opened(his, run_path(file_id))
    without_reason = his.post(run_path(file_id), data=start(his_preview, " "))
    assert without_reason.status_code == 422
    with clock.moved_to(MONDAY + timedelta(minutes=1)):
        map_it(hers, file_id, chosen(ada, title="other"))

    assert stamp_on(without_reason.text) == his_preview
    assert his.post(run_path(file_id), data=start(his_preview, " ")).status_code == 409


def test_choices_made_on_an_old_page_stand_beside_what_holds_now(
    hers: FlaskClient, his: FlaskClient, ada: Person, file_id: int
) -> None:
    his_page = opened(his, map_path(file_id))
    map_it(hers, file_id, chosen(ada))
    said = chosen(ada, title="other", name="His list", factor="1000", empty="n/a\nnone")

    refused = his.post(map_path(file_id), data=said | {"stamp": his_page})

    assert refused.status_code == 409
    shown = words_of(refused)
    assert "What you chose and what holds now" in shown
    assert "Column 2 “name” Leave out Title" in shown
    assert "Column 3 “other” Title Leave out" in shown
    assert "Name of this list His list plain" in shown
    assert "Amounts are given in thousands as they are" in shown
    assert "A cell is empty when it begins with n/a, none nothing" in shown
    assert 'value="His list"' in refused.text
    assert re.search(r'id="column-2".*?value="title" selected', refused.text, re.DOTALL)
    db.session.rollback()
    assert runs.get(file_id).choices["name"] == "plain"
    again = his.post(map_path(file_id), data=said | {"stamp": stamp_on(refused.text)})
    assert again.status_code == 303
    db.session.rollback()
    assert runs.get(file_id).choices["name"] == "His list"


def test_a_file_read_another_way_is_not_mapped_nor_taken_over_from_an_old_page(
    hers: FlaskClient, his: FlaskClient, ada: Person, file_id: int
) -> None:
    map_it(hers, file_id, chosen(ada))
    his_page, his_preview = opened(his, map_path(file_id)), opened(his, run_path(file_id))
    anew = {"act": "kind", "encoding": "cp1252", "delimiter": ";"}
    stamp = opened(hers, map_path(file_id))
    assert hers.post(map_path(file_id), data=anew | {"stamp": stamp}).status_code == 303

    started = his.post(run_path(file_id), data=start(his_preview, "Our old list"))
    mapped = his.post(map_path(file_id), data=chosen(ada, name="His") | {"stamp": his_page})
    kind = {"act": "kind", "encoding": "cp850", "delimiter": ";", "stamp": his_page}
    read = his.post(map_path(file_id), data=kind)

    assert [one.status_code for one in (started, mapped, read)] == [409, 409, 409]
    assert "The reason you typed Our old list" in words_of(started)
    assert "It is read another way now" in words_of(started)
    assert 'value="His"' in mapped.text
    for answer in (mapped, read):
        assert "read as Windows, Western Europe (cp1252), Semicolon ;." in words_of(answer)
        assert "Nobody has chosen its columns since." in words_of(answer)
    assert 'value="cp850" selected' in read.text
    db.session.rollback()
    assert runs.get(file_id).kind["encoding"] == "cp1252"


def test_what_was_taken_over_is_told_to_who_comes_late(
    hers: FlaskClient, his: FlaskClient, ada: Person, file_id: int
) -> None:
    map_it(hers, file_id, chosen(ada))
    page, preview = opened(his, map_path(file_id)), opened(his, run_path(file_id))
    assert hers.post(run_path(file_id), data=start(preview)).status_code == 303
    running.work()

    started = his.post(run_path(file_id), data=start(preview, "Mine as well"))
    mapped = his.post(map_path(file_id), data=chosen(ada, name="Late") | {"stamp": page})

    for answer in (started, mapped):
        assert answer.status_code == 409
        assert "Somebody else was faster: the rows of this file were taken over." in words_of(
            answer
        )
    assert "The reason you typed Mine as well" in words_of(started)
    assert 'value="Late"' in mapped.text
    assert titles() == ["Quay", "Bridge"]


def test_nobody_stops_a_run_they_have_not_seen(
    hers: FlaskClient, his: FlaskClient, ada: Person, file_id: int
) -> None:
    map_it(hers, file_id, chosen(ada))
    preview = opened(hers, run_path(file_id))
    runs.ask_check(file_id, dict(runs.get(file_id).choices), seen=preview, by=ada.id)
    trying = opened(his, run_path(file_id))
    running.work()
    over = his.post(run_path(file_id), data={"act": "stop", "stamp": trying})
    assert over.status_code == 303
    runs.ask_adopt(
        file_id,
        reason="Moving here",
        all_or_nothing=False,
        seen=opened(hers, run_path(file_id)),
        by=ada.id,
    )

    refused = his.post(run_path(file_id), data={"act": "stop", "stamp": trying})

    assert refused.status_code == 409
    assert "the rows are being taken over now" in words_of(refused)
    assert "Column 2 “name” Title" in words_of(refused)
    db.session.rollback()
    assert runs.get(file_id).state == "asked"
    seen = {"act": "stop", "stamp": stamp_on(refused.text)}
    assert his.post(run_path(file_id), data=seen).status_code == 303
    db.session.rollback()
    assert runs.get(file_id).state == "stopped"


def test_a_page_that_fetches_its_news_says_that_the_file_is_read_otherwise(
    hers: FlaskClient, his: FlaskClient, ada: Person, file_id: int
) -> None:
    map_it(hers, file_id, chosen(ada))
    runs.ask_check(
        file_id,
        dict(runs.get(file_id).choices),
        seen=opened(hers, run_path(file_id)),
        by=ada.id,
    )
    page = his.get(run_path(file_id)).text
    found = re.search(r'hx-get="([^"]+)"', page)
    assert found is not None
    news = unescape(found[1])
    assert "while you looked at this page" not in his.get(news).text
    running.work()
    assert "while you looked at this page" not in his.get(news).text
    map_it(hers, file_id, chosen(ada, title="other"))

    later = his.get(news)

    assert "Somebody changed how this file is read while you looked" in words_of(later)
    assert "Column 3 “other” Title" in words_of(later)


def test_a_run_that_was_stopped_and_begun_anew_leaves_the_new_one_alone(
    hers: FlaskClient, ada: Person, file_id: int
) -> None:
    map_it(hers, file_id, chosen(ada))
    choices = dict(runs.get(file_id).choices)
    runs.ask_check(file_id, choices, seen=opened(hers, run_path(file_id)), by=ada.id)
    slow = running._take(file_id)
    assert slow is not None
    runs.cancel(file_id, seen=runs.stamp(runs.get(file_id)), by=ada.id)
    with clock.moved_to(MONDAY + timedelta(minutes=2)):
        map_it(hers, file_id, chosen(ada, title="other"))
        runs.ask_adopt(
            file_id,
            reason="Moving here",
            all_or_nothing=False,
            seen=opened(hers, run_path(file_id)),
            by=ada.id,
        )
        quick = running._take(file_id)
        assert quick is not None

        do(slow)

        assert (progress(file_id), titles()) == (("running", "adopt", 0, 0), [])
        do(quick)
        assert (progress(file_id), titles()) == (("done", "adopt", 2, 2), ["First", "Second"])


def do(run: _Run) -> None:
    running._do(run, None)


def progress(file_id: int) -> tuple[str, str, int, int]:
    db.session.rollback()
    file = runs.get(file_id)
    return file.state, file.task, file.done, file.adopted


def at_once(app: Flask, acts: list[Callable[[], Any]]) -> list[Any]:
    """Do all of it at the same moment, each in a thread of its own; return what came of each."""
    ready, moment = Barrier(len(acts)), clock.now()
    db.session.rollback()

    def act_there(act: Callable[[], Any]) -> Any:
        with app.app_context(), clock.moved_to(moment):
            ready.wait(PATIENCE)
            try:
                return act()
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act_there, acts, timeout=PATIENCE))


def test_of_two_starts_at_once_only_one_wins(
    app: Flask, hers: FlaskClient, his: FlaskClient, ada: Person, ben: Person, file_id: int
) -> None:
    map_it(hers, file_id, chosen(ada))
    stamp = opened(hers, run_path(file_id))
    assert opened(his, run_path(file_id)) == stamp

    answers = at_once(
        app,
        [
            lambda: hers.post(run_path(file_id), data=start(stamp, "Hers")),
            lambda: his.post(run_path(file_id), data=start(stamp, "His own reason")),
        ],
    )

    assert sorted(one.status_code for one in answers) == [303, 409]
    refused = next(one for one in answers if one.status_code == 409)
    assert "Somebody else was faster" in words_of(refused)
    running.work()
    assert sorted(titles()) == ["Bridge", "Quay"]
    done = select(func.count()).select_from(Entry).where(Entry.action == "import.done")
    assert db.session.scalar(done) == 1
    file = db.session.get_one(ImportFile, file_id)
    winner = ("Hers", ada.id) if answers[0].status_code == 303 else ("His own reason", ben.id)
    assert (file.reason, file.by_id, file.adopted) == (*winner, 2)


def test_of_a_start_and_new_columns_at_once_only_one_wins(
    app: Flask, hers: FlaskClient, his: FlaskClient, ada: Person, file_id: int
) -> None:
    map_it(hers, file_id, chosen(ada))
    stamp, page = opened(hers, run_path(file_id)), opened(his, map_path(file_id))
    anew = chosen(ada, title="other") | {"stamp": page}

    started, mapped = at_once(
        app,
        [
            lambda: hers.post(run_path(file_id), data=start(stamp)),
            lambda: his.post(map_path(file_id), data=anew),
        ],
    )

    assert sorted([started.status_code, mapped.status_code]) == [303, 409]
    running.work()
    assert titles() == (["Quay", "Bridge"] if started.status_code == 303 else [])
