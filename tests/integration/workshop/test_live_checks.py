"""The check that runs while somebody types: quick, bounded, and only of the newest text."""

import threading
import time

import pytest
from flask.testing import FlaskClient

from okrgate.gates.checks import in_child
from okrgate.gates.problems import Problem
from okrgate.workshop import live_checks
from tests.factories import Factory
from tests.integration.workshop.small import TEXT

CHECK = "/rules/okr_delivery/check"


@pytest.fixture
def ada(factory: Factory) -> FlaskClient:
    factory.rulebook()
    return factory.browser(factory.person("Ada", admin=True))


@pytest.fixture
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        live_checks, "in_child", lambda work, given, _seconds, _is_wanted: work(given)
    )


@pytest.mark.usefixtures("_here")
def test_errors_are_named_by_line_and_nothing_is_stored(ada: FlaskClient) -> None:
    wrong = TEXT.replace("problem.length, gte", "problem.lenght, gte")

    answer = ada.post(CHECK, data={"text": wrong.replace("\n", "\r\n"), "quick": "1"})
    page = answer.get_data(as_text=True)

    line = 1 + TEXT[: TEXT.index("problem.length, gte")].count("\n")
    assert answer.status_code == 200
    assert "1 error" in page
    assert f'<a href="#line-{line}">Line {line}</a>: unknown fact problem.lenght' in page
    assert "<html" not in page
    assert "This is your draft" not in ada.get("/rules/okr_delivery/edit").get_data(as_text=True)


@pytest.mark.usefixtures("_here")
def test_a_quick_answer_says_that_the_proofs_come(ada: FlaskClient) -> None:
    quick = ada.post(CHECK, data={"text": TEXT, "quick": "1"}).get_data(as_text=True)
    full = ada.post(CHECK, data={"text": TEXT}).get_data(as_text=True)

    assert "the proofs are under way" in quick
    assert "no test shows long-enough met or missing" in quick
    assert "under way" not in full
    assert "no test of long-enough would fail if this were not asked at all" in full


@pytest.mark.usefixtures("_here")
def test_another_process_is_refused(ada: FlaskClient) -> None:
    page = ada.post(CHECK, data={"text": TEXT.replace("id: okr_delivery", "id: other")})

    assert "must stay okr_delivery" in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty"),
        ("x: [" * 5000, "nested more than 12 levels deep"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "anchors are not allowed"),
        ("é" * 140_000, "larger than 256 KB"),
        ("- \t: !!python/object:os.system x", "this is not YAML"),
    ],
)
@pytest.mark.usefixtures("_here")
def test_any_text_gets_a_kind_answer(ada: FlaskClient, text: str, sentence: str) -> None:
    answer = ada.post(CHECK, data={"text": text})

    assert answer.status_code == 200
    assert sentence in answer.get_data(as_text=True)


def test_a_bomb_ends_only_its_own_process(ada: FlaskClient) -> None:
    started = time.monotonic()

    answer = ada.post(
        CHECK, data={"text": f"okrgate: 1\nparams: {{{'a: ' * 60_000}}}", "quick": "1"}
    )

    assert answer.status_code == 200
    assert "error" in answer.get_data(as_text=True)
    assert time.monotonic() - started < 60


def test_only_the_newest_text_of_a_person_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, newer = threading.Event(), threading.Event()

    def slowly(
        _work: object, given: tuple[str, str, bool], _seconds: float, is_wanted: object
    ) -> object:
        if given[1] == "old":
            begun.set()
            newer.wait(20)
            assert callable(is_wanted)
            assert not is_wanted()
        elif given[1] == "new":
            newer.set()
        return (Problem(1, 1, "error", given[1]),)

    monkeypatch.setattr(live_checks, "in_child", slowly)
    answers: list[object] = []
    old = threading.Thread(
        target=lambda: answers.append(live_checks.check("k", "old", full=True, by=1))
    )
    old.start()
    assert begun.wait(20)
    other = live_checks.check("k", "another person's", full=True, by=2)
    new = live_checks.check("k", "new", full=True, by=1)
    old.join(20)

    assert answers == [None]
    assert [one.problems[0].sentence for one in (new, other) if one] == ["new", "another person's"]
    assert live_checks._newest == {}


def test_what_nobody_wants_any_more_is_ended() -> None:
    started = time.monotonic()

    said = in_child(time.sleep, 600, 30, lambda: False)

    assert isinstance(said, str)
    assert time.monotonic() - started < 60


def test_only_administrators_are_answered(ada: FlaskClient, factory: Factory) -> None:
    pat = factory.browser(factory.person("Pat"))

    assert pat.post(CHECK, data={"text": TEXT}).status_code == 403
    assert ada.post("/rules/no_such_process/check", data={"text": TEXT}).status_code == 404
