"""Administrators promise things in rows, and are told by each whether the gates keep it."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from okrgate.accounts.models import Person
from okrgate.database import db
from okrgate.gates.language import read_rulebook
from okrgate.gates.revising import outline
from okrgate.rulebooks import drafts
from okrgate.rulebooks.drafts import Draft
from okrgate.workshop.rows import draft_reading, process_draft, promise_rows
from tests.browsing import read
from tests.factories import Factory
from tests.unit.workshop.small_gates import GATES

HERE = "/rules/bench/rows/promises"
PROMISED = """\
invariants:
  # Nobody works alone.
  - id: looked-at
    label: Nothing is in force before Quality has looked  # for safety
    never_reach: archive
    unless: {signoff: {role: quality, quorum: 1}}
  - {id: told-at-length, label: Enough is told, always: {fact: problem.length, gte: $telling_min}, at: hand_in}
  - {id: told-more, label: Much is told, always: {fact: problem.length, gte: 500}, at: hand_in}
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """These texts are harmless: spare processes of their own."""
    for module in (process_draft, promise_rows):
        monkeypatch.setattr(module, "in_child", lambda work, given, _seconds: work(given))
    monkeypatch.setattr(draft_reading, "check_rulebook", lambda text: read_rulebook(text)[1])


@pytest.fixture
def admin(factory: Factory, tmp_path: Path) -> int:
    path = tmp_path / "small.yaml"
    path.write_text(GATES, encoding="utf-8")
    factory.rulebook(path)
    person = factory.person("Ada", admin=True).id
    drafts.keep("bench", Draft(GATES + PROMISED, "", 1), by=person)
    return person


@pytest.fixture
def ada(factory: Factory, admin: int) -> FlaskClient:
    person = db.session.get(Person, admin)
    assert person is not None
    return factory.browser(person)


def form(page: str, **more: str) -> MultiDict[str, str]:
    """Return what a browser would send of the page's form, without any button."""
    values = next(one.values for one in read(page).forms if "seen" in one.values)
    sent = MultiDict((name, value.removeprefix("\r\n")) for name, value in values.items(multi=True))
    for name, value in more.items():
        sent[name] = value
    return sent


def draft(admin: int) -> str:
    return drafts.begin("bench", by=admin).text


def promises(admin: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = outline(draft(admin)).get("invariants", [])
    return found


def test_each_says_whether_it_is_kept(ada: FlaskClient) -> None:
    page = ada.get(HERE).text
    assert "Nothing reaches “In force” unless: Quality: sign-off by one person" in page
    assert "Whoever passes “Hand in” meets this" in page
    assert page.count("Proved") == 2
    assert page.count("Broken") == 1
    assert "Hand in is open to" in page
    assert "What the proof says" in ada.get(f"{HERE}/told-more").text


def test_what_cannot_be_read_is_not_proved(ada: FlaskClient, admin: int) -> None:
    broken = (GATES + PROMISED).replace("from: sheet", "from: nowhere")
    drafts.keep("bench", Draft(broken, "", 1), by=admin)
    page = ada.get(HERE).text
    assert page.count("Not checked") == 3
    assert "Mend the errors" in page


def test_saving_without_a_change_changes_nothing(ada: FlaskClient, admin: int) -> None:
    before = draft(admin)
    for name in ("looked-at", "told-at-length", "told-more"):
        answer = ada.post(f"{HERE}/{name}", data=form(ada.get(f"{HERE}/{name}").text, do="save"))
        assert answer.status_code == 303
    assert draft(admin) == before


def test_one_is_added_from_a_form(ada: FlaskClient, admin: int) -> None:
    sent = form(ada.get(f"{HERE}/new").text, label="Nobody hands in without a budget")
    page = ada.post(
        f"{HERE}/new", data=MultiDict([*sent.items(multi=True), ("do", "add-line:if:r")])
    )
    assert page.status_code == 200
    sent = form(page.text, kind="always", move="hand_in", do="save")
    line = next(name for name in sent if name.endswith(".fact"))
    sent[line], sent[line.replace(".fact", ".op")] = "scope.budget", "gte"
    sent[line.replace(".fact", ".typed")] = "0"
    answer = ada.post(f"{HERE}/new", data=sent)
    assert answer.status_code == 303, answer.text
    assert promises(admin)[-1] == {
        "id": "nobody-hands-in-without-a-budget",
        "label": "Nobody hands in without a budget",
        "at": "hand_in",
        "always": {"fact": "scope.budget", "gte": 0},
    }
    assert ada.get(HERE).text.count("Proved") == 3
    assert "# Nobody works alone." in draft(admin)


def test_the_first_one_begins_the_list(ada: FlaskClient, admin: int) -> None:
    drafts.keep("bench", Draft(GATES, "", 1), by=admin)
    assert "No promises yet" in ada.get(HERE).text
    page = ada.post(f"{HERE}/new", data=form(ada.get(f"{HERE}/new").text, do="add-seats:if:r")).text
    sent = form(page, label="Looked at", stage="archive", do="save")
    sent["if.r-0.roles"] = "quality"
    answer = ada.post(f"{HERE}/new", data=sent)
    assert answer.status_code == 303, answer.text
    (one,) = promises(admin)
    assert one["never_reach"] == "archive"
    assert one["unless"] == {"signoff": {"role": "quality", "quorum": 1}}


def test_it_can_become_of_the_other_kind(ada: FlaskClient, admin: int) -> None:
    sent = form(ada.get(f"{HERE}/looked-at").text, kind="always", move="report", do="save")
    assert ada.post(f"{HERE}/looked-at", data=sent).status_code == 303
    first = promises(admin)[0]
    assert set(first) == {"id", "label", "at", "always"}
    assert "# Nobody works alone." in draft(admin)
    assert "# for safety" in draft(admin)


def test_one_goes_and_the_others_stay(ada: FlaskClient, admin: int) -> None:
    for name in ("told-more", "looked-at", "told-at-length"):
        page = ada.get(f"{HERE}/{name}/remove").text
        assert ada.post(f"{HERE}/{name}/remove", data=form(page)).status_code == 303
    assert draft(admin) == GATES
    assert ada.get(f"{HERE}/looked-at").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": ""},
        {"stage": ""},
        {"kind": "x"},
        {"id": "told-more"},
        {"id": "No"},
        {"label": "{x}"},
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    ada: FlaskClient, admin: int, wrong: dict[str, str]
) -> None:
    before = draft(admin)
    sent = form(ada.get(f"{HERE}/looked-at").text, **{"label": "Mine", "do": "save", **wrong})
    answer = ada.post(f"{HERE}/looked-at", data=sent)
    assert answer.status_code == 422
    assert draft(admin) == before
    assert wrong.get("label", "Mine") in answer.text


def test_of_two_tabs_nothing_is_lost(ada: FlaskClient, admin: int) -> None:
    first = form(ada.get(f"{HERE}/looked-at").text, label="First", do="save")
    second = form(ada.get(f"{HERE}/looked-at").text, label="Second", do="save")
    assert ada.post(f"{HERE}/looked-at", data=first).status_code == 303
    answer = ada.post(f"{HERE}/looked-at", data=second)
    assert answer.status_code == 409
    assert "Second" in answer.text
    assert promises(admin)[0]["label"] == "First"


def test_a_requirement_goes_to_another_gate(ada: FlaskClient, admin: int) -> None:
    path = "/rules/bench/rows/gates/looked_over/looked/move"
    page = ada.get(path).text
    assert "nobody looked" in page
    assert ada.post(path, data=form(page)).status_code == 422
    assert ada.post(path, data=form(page, gate="looked_over")).status_code == 422
    assert ada.post(path, data=form(page, gate="filled")).status_code == 303
    gates = outline(draft(admin))["gates"]
    assert [one["id"] for one in gates["looked_over"]["requirements"]] == ["looked-twice"]
    assert gates["filled"]["requirements"][-1]["id"] == "looked"
    assert "# Quality looks at everything.\n      - {id: looked," in draft(admin)
