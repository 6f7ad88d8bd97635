"""Administrators change gates and requirements in words: in the page, without losing what was typed."""

import re
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
from okrgate.workshop.rows import draft_reading, process_draft
from tests.browsing import read
from tests.factories import Factory
from tests.unit.workshop.small_gates import GATES

ROWS = "/rules/bench/rows"
FILLED = f"{ROWS}/gates/filled"
LOOKED = f"{ROWS}/gates/looked_over"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """These texts are harmless: spare processes of their own, and proofs that no test here is about."""
    monkeypatch.setattr(process_draft, "in_child", lambda work, given, _seconds: work(given))
    monkeypatch.setattr(draft_reading, "check_rulebook", lambda text: read_rulebook(text)[1])


@pytest.fixture
def admin(factory: Factory, tmp_path: Path) -> int:
    path = tmp_path / "small.yaml"
    path.write_text(GATES, encoding="utf-8")
    factory.rulebook(path)
    return factory.person("Ada", admin=True).id


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


def press(ada: FlaskClient, path: str, sent: MultiDict[str, str], button: str) -> str:
    answer = ada.post(path, data=MultiDict([*sent.items(multi=True), ("do", button)]))
    assert answer.status_code == 200
    return answer.text


def draft(admin: int) -> str:
    return drafts.begin("bench", by=admin).text


def whole(admin: int) -> Any:
    return outline(draft(admin))


def requirement(admin: int, gate: str, name: str) -> dict[str, Any]:
    rows = whole(admin)["gates"][gate]["requirements"]
    return next(one for one in rows if one["id"] == name)


def changed_lines(text: str) -> list[str]:
    before = GATES.splitlines()
    return [line for line in text.splitlines() if line not in before]


def test_gates_are_shown_in_the_order_of_the_way(ada: FlaskClient) -> None:
    page = ada.get(ROWS).text
    ids = re.findall(r'id="gate-(\w+)"', page)
    assert ids == ["filled", "looked_over"]
    assert "Above 50,000.00 two have to look" in page
    assert "Quality: sign-off by one person (never Lead)" in page
    assert "Only if: Budget is above 50,000.00" in page
    assert "On trial" in page
    assert "Can be set aside" in page
    assert "Before “Hand in”." in page


def test_only_administrators_change_rules(ada: FlaskClient, factory: Factory, admin: int) -> None:
    pat = factory.browser(factory.person("Pat"))
    for path in (ROWS, f"{FILLED}/told", f"{FILLED}/new", FILLED, f"{FILLED}/told/remove"):
        assert pat.get(path).status_code == 403
        assert pat.post(path, data={"message": "Mine"}).status_code == 403
    assert draft(admin) == GATES


def test_saving_without_a_change_makes_no_draft(ada: FlaskClient, admin: int) -> None:
    for gate, said in outline(GATES)["gates"].items():
        for one in said["requirements"]:
            path = f"{ROWS}/gates/{gate}/{one['id']}"
            answer = ada.post(path, data=form(ada.get(path).text, do="save"))
            assert answer.status_code == 303, path
    assert drafts.begin("bench", by=admin).changed_at is None


def test_only_what_was_changed_is_written(ada: FlaskClient, admin: int) -> None:
    path = f"{FILLED}/linked"
    sent = form(ada.get(path).text, message="Link two key results", do="save")
    sent["if.r-0.typed"] = "2"
    assert ada.post(path, data=sent).status_code == 303
    old = next(line for line in GATES.splitlines() if "id: linked" in line)
    new = old.replace("Link a key result", "Link two key results").replace("gte: 1", "gte: 2")
    assert changed_lines(draft(admin)) == [new]
    assert "Key results linked is at least 2." in ada.get(path).text


def test_sign_offs_come_in_steps(ada: FlaskClient, admin: int) -> None:
    path = f"{LOOKED}/looked-twice"
    page = ada.get(path).text
    assert "Which of these have to be there first?" in page
    assert ada.post(path, data=form(page, after="looked", do="save")).status_code == 303
    assert requirement(admin, "looked_over", "looked-twice")["after"] == ["looked"]
    page = ada.get(path).text
    assert read_rulebook(draft(admin))[0] is not None
    sent = form(page, message="Two have to look", do="save")
    assert sent["after"] == "looked"
    assert ada.post(path, data=sent).status_code == 303
    assert requirement(admin, "looked_over", "looked-twice")["after"] == ["looked"]
    sent = form(ada.get(path).text, after="told", do="save")
    assert ada.post(path, data=sent).status_code == 422, "of another gate"
    sent = form(ada.get(path).text, do="save")
    sent.poplist("after")
    assert ada.post(path, data=sent).status_code == 303
    assert "after" not in requirement(admin, "looked_over", "looked-twice")


def test_where_nobody_else_signs_nothing_comes_first(ada: FlaskClient) -> None:
    assert "have to be there first" not in ada.get(f"{FILLED}/told").text
    assert "have to be there first" in ada.get(f"{LOOKED}/new").text


def test_a_condition_is_built_with_buttons_alone(ada: FlaskClient, admin: int) -> None:
    path = f"{FILLED}/new"
    sent = form(ada.get(path).text, message="Let security look at it")
    sent = form(press(ada, path, sent, "add-line:if:r"))
    assert sent["message"] == "Let security look at it"
    sent["if.r-0.fact"] = "scope.budget"
    sent = form(press(ada, path, sent, "fit:if:r-0"))
    assert sent["if.r-0.op"] == "gte"
    sent["if.r-0.op"], sent["if.r-0.against"] = "gt", "$big"
    sent = form(press(ada, path, sent, "add-each:if:r"))
    sent["if.r-1.of"] = "raci"
    sent = form(press(ada, path, sent, "fit:if:r-1"))
    sent["if.r-1-m-0.fact"] = "responsible"
    sent = form(press(ada, path, sent, "fit:if:r-1-m-0"))
    sent["if.r-1-m-0.typed"] = "1"
    sent = form(press(ada, path, sent, "add-seats:if:r"))
    sent["if.r-2.roles"] = "safety"
    sent["if.r-2.exclude"] = "project.lead"
    sent["if.r.how"] = "any"
    sent = form(press(ada, path, sent, "add-line:when:r"))
    sent["when.r-0.fact"] = "project.priority"
    sent = form(press(ada, path, sent, "fit:when:r-0"))
    sent.setlist("when.r-0.chosen", ["must", "should"])
    page = press(ada, path, sent, "fit:if:r")
    assert "Safety: sign-off by one person (never Lead)" in page
    assert drafts.begin("bench", by=admin).changed_at is None
    assert ada.post(path, data=form(page, do="save")).status_code == 303
    assert requirement(admin, "filled", "let-security-look-at-it") == {
        "id": "let-security-look-at-it",
        "message": "Let security look at it",
        "severity": "hard",
        "when": {"fact": "project.priority", "in": ["must", "should"]},
        "if": {
            "any": [
                {"fact": "scope.budget", "gt": "$big"},
                {"each": {"in": "raci", "must": {"fact": "responsible", "gte": 1}, "at_least": 1}},
                {"signoff": {"role": "safety", "quorum": 1, "exclude": ["project.lead"]}},
            ]
        },
    }


def test_what_was_typed_survives_a_change_of_kind(ada: FlaskClient) -> None:
    path = f"{FILLED}/affordable"
    sent = form(ada.get(path).text, help="Round it up")
    sent["if.r-0.typed"] = "12.50"
    for fact in ("project.priority", "project.lead", "scope.end", "scope.budget"):
        sent["if.r-0.fact"] = fact
        sent = form(press(ada, path, sent, "fit:if:r-0"))
    sent["if.r-0.op"] = "gte"
    sent = form(press(ada, path, sent, "wrap:if:r-0"))
    assert sent["if.r-0-0.typed"] == "12.50"
    assert sent["help"] == "Round it up"


def test_bad_input_is_said_at_its_place_and_kept(ada: FlaskClient, admin: int) -> None:
    path = f"{FILLED}/affordable"
    sent = form(ada.get(path).text, message=" ", severity="soft", reason_min="soon", do="save")
    sent["if.r-0.typed"] = "a lot"
    answer = ada.post(path, data=sent)
    assert answer.status_code == 422
    for sentence in (
        "Say in a sentence what is missing.",
        "Tick who may set it aside.",
        "Enter a whole number from 0 to 1,000.",
        "Enter an amount, like 50000.00.",
    ):
        assert sentence in answer.text
    assert 'value="a lot"' in answer.text
    assert 'value="soon"' in answer.text
    assert draft(admin) == GATES


def test_a_requirement_needs_a_condition(ada: FlaskClient) -> None:
    path = f"{FILLED}/new"
    answer = ada.post(path, data=form(ada.get(path).text, message="Hm", do="save"))
    assert answer.status_code == 422
    assert "add at least one condition" in answer.text


ODD = [
    {"do": "explode:if:r"},
    {"do": "remove:nothing:r-0-0-0"},
    {"do": "::::"},
    {"severity": "deadly", "do": "save"},
    {"fix": "nowhere", "do": "save"},
    {"waiver_by": "nobody", "do": "save"},
    {"id": "Not an id", "do": "save"},
    {"if.r-0.op": "maybe", "do": "save"},
    {"if.r-0.fact": "\x00", "do": "save"},
    {"message": "Above {ghost}", "do": "save"},
    {"if.r.kind": "kept", "if.r.plain": '{"=date": "no"}', "do": "save"},
]


def test_no_input_is_an_error_of_ours(ada: FlaskClient, admin: int) -> None:
    path = f"{FILLED}/affordable"
    page = ada.get(path).text
    for odd in ODD:
        answer = ada.post(path, data=form(page, **odd))
        assert answer.status_code == (422 if odd["do"] == "save" else 200), odd
    assert draft(admin) == GATES


def test_groups_too_deep_for_a_file_are_refused(ada: FlaskClient, admin: int) -> None:
    path = f"{FILLED}/affordable"
    sent = form(ada.get(path).text)
    for part in ("r-0", "r-0-0", "r-0-0-0", "r-0-0-0-0"):
        sent = form(press(ada, path, sent, f"wrap:if:{part}"))
        sent = form(press(ada, path, sent, f"add-line:if:{part}"))
        sent[f"if.{part}-1.fact"], sent[f"if.{part}-1.op"] = "project.lead", "set"
    answer = ada.post(path, data=form(press(ada, path, sent, "fit:if:r"), do="save"))
    assert answer.status_code == 422
    assert "nested deeper than the rules can hold" in answer.text
    assert draft(admin) == GATES


def test_a_late_tab_is_told_and_keeps_what_was_typed(ada: FlaskClient, admin: int) -> None:
    path = f"{FILLED}/affordable"
    first, second = (form(ada.get(path).text, do="save") for _ in range(2))
    first["message"], second["message"] = "The first tab", "The second tab"
    assert ada.post(path, data=first).status_code == 303
    answer = ada.post(path, data=second)
    assert answer.status_code == 409
    assert "The first tab" in answer.text
    assert "The second tab" in answer.text
    assert requirement(admin, "filled", "affordable")["message"] == "The first tab"
    assert ada.post(path, data=form(answer.text, do="save")).status_code == 303
    assert requirement(admin, "filled", "affordable")["message"] == "The second tab"


def test_a_draft_that_was_thrown_away_meanwhile_is_told(ada: FlaskClient, admin: int) -> None:
    reworded = GATES.replace("State the budget", "Say what it costs")
    drafts.keep("bench", Draft(reworded, "", 1), by=admin)
    path = f"{FILLED}/affordable"
    sent = form(ada.get(path).text, help="Typed meanwhile", do="save")
    drafts.discard("bench", by=admin)
    answer = ada.post(path, data=sent)
    assert answer.status_code == 409
    assert "State the budget" in answer.text
    assert "Typed meanwhile" in answer.text
    assert draft(admin) == GATES


def test_a_requirement_that_went_meanwhile_can_be_added_anew(ada: FlaskClient, admin: int) -> None:
    path = f"{FILLED}/affordable"
    sent = form(ada.get(path).text, message="Typed meanwhile", do="save")
    sent["if.r-0.typed"] = "77"
    assert ada.post(f"{path}/remove", data=form(ada.get(f"{path}/remove").text)).status_code == 303
    answer = ada.post(path, data=sent)
    assert answer.status_code == 409
    assert "is not in your draft any more" in answer.text
    assert f'action="{FILLED}/new"' in answer.text
    again = form(answer.text, do="save")
    assert ada.post(f"{FILLED}/new", data=again).status_code == 303
    added = requirement(admin, "filled", "typed-meanwhile")
    assert added["if"] == {"fact": "scope.budget", "gte": 77}


def test_an_unreadable_draft_says_its_line(ada: FlaskClient, admin: int) -> None:
    broken = GATES.replace("label: Looked over", "label: [Looked over")
    drafts.keep("bench", Draft(broken, "", 1), by=admin)
    for path in (ROWS, f"{FILLED}/new", f"{FILLED}/told", FILLED):
        answer = ada.get(path)
        assert answer.status_code == 422
        assert re.search(r"Line \d+, column \d+", answer.text)
        assert "Open the file" in answer.text


def test_a_draft_that_is_wrong_is_shown_all_the_same(ada: FlaskClient, admin: int) -> None:
    wrong = GATES.replace("{fact: problem.length", "{fact: problem.lenth")
    wrong = wrong.replace("severity: hard, if: {fact: scope.budget, gte: 0}", "if: 7")
    drafts.keep("bench", Draft(wrong, "", 1), by=admin)
    page = ada.get(ROWS).text
    assert "nknown fact problem.lenth; did you mean problem.length?" in page
    assert "errors to mend before this can be published" in page
    path = f"{FILLED}/affordable"
    page = ada.get(path).text
    assert "This part cannot be shown as a form." in page
    assert ada.post(path, data=form(page, message="State it", do="save")).status_code == 303
    assert requirement(admin, "filled", "affordable")["if"] == 7
    path = f"{FILLED}/told"
    answer = ada.post(path, data=form(ada.get(path).text, do="save"))
    assert answer.status_code == 422
    assert "Nobody knows “problem.lenth”" in answer.text


def test_a_severity_changes_the_waiver_with_it(ada: FlaskClient, admin: int) -> None:
    path = f"{FILLED}/linked"
    sent = form(ada.get(path).text, severity="hard", mode="evaluate", do="save")
    assert ada.post(path, data=sent).status_code == 303
    said = requirement(admin, "filled", "linked")
    assert list(said) == ["id", "message", "severity", "mode", "if"]
    sent = form(ada.get(path).text, severity="soft", expires_days="7", do="save")
    sent["waiver_by"] = "safety"
    assert ada.post(path, data=sent).status_code == 303
    said = requirement(admin, "filled", "linked")
    assert said["waiver"] == {"by": ["safety"], "expires_days": 7}


def test_another_name_follows_into_the_tests(ada: FlaskClient, admin: int) -> None:
    for old, new in (("linked", "bound"), ("planned", "shared-out")):
        answer = ada.post(
            f"{FILLED}/{old}", data=form(ada.get(f"{FILLED}/{old}").text, id=new, do="save")
        )
        assert answer.location == f"{FILLED}/{new}"
    text = GATES
    for old, new in (("linked", "bound"), ("planned", "shared-out")):
        text = re.sub(rf"(?<=[ \[{{]){old}(?=[,\]:])", new, text)
    assert outline(draft(admin)) == outline(text)
    sent = form(ada.get(f"{FILLED}/told").text, id="bound", do="save")
    answer = ada.post(f"{FILLED}/told", data=sent)
    assert answer.status_code == 422
    assert "Another requirement has this name" in answer.text


def test_rows_are_copied_moved_and_removed(ada: FlaskClient, admin: int) -> None:
    def ids() -> list[str]:
        return [one["id"] for one in whole(admin)["gates"]["looked_over"]["requirements"]]

    copied = ada.post(ROWS, data=form(ada.get(ROWS).text, act="copy looked_over looked"))
    assert copied.location == f"{LOOKED}/quality-has-to-look-at"
    assert ids() == ["looked", "quality-has-to-look-at", "looked-twice"]
    up = ada.post(ROWS, data=form(ada.get(ROWS).text, act="up looked_over looked-twice"))
    assert up.status_code == 303
    assert ids() == ["looked", "looked-twice", "quality-has-to-look-at"]
    page = ada.get(f"{LOOKED}/looked/remove").text
    assert "nobody looked" in page
    assert "a full sheet" not in page
    assert ada.post(f"{LOOKED}/looked/remove", data=form(page)).status_code == 303
    assert ids() == ["looked-twice", "quality-has-to-look-at"]
    assert whole(admin)["tests"][-1]["expect"] == {"missing": [], "na": ["looked-twice"]}
    late = ada.post(ROWS, data=form(ada.get(ROWS).text, act="up looked_over looked"))
    assert late.status_code == 422


def test_what_tests_say_goes_with_a_requirement(ada: FlaskClient, admin: int) -> None:
    for name in ("linked", "planned"):
        path = f"{FILLED}/{name}/remove"
        assert ada.post(path, data=form(ada.get(path).text)).status_code == 303
        assert name not in draft(admin)
    now = whole(admin)
    assert now["fixtures"]["first"]["waivers"] == []
    assert now["tests"][2]["set"]["waivers"] == []
    assert now["tests"][3]["expect"] == {"missing": [], "waived": [], "items": {}}
    assert not [one for one in read_rulebook(draft(admin))[1] if one.severity == "error"]


def test_a_gate_is_added_changed_and_removed(ada: FlaskClient, admin: int) -> None:
    sent = form(ada.get(f"{ROWS}/new-gate").text, label="Worth stopping", move="stop_it")
    answer = ada.post(f"{ROWS}/new-gate", data=sent)
    assert answer.location == f"{ROWS}/gates/worth_stopping/new"
    assert whole(admin)["transitions"]["stop_it"]["gate"] == "worth_stopping"
    assert "has no requirement" in ada.get(ROWS).text
    gate = f"{ROWS}/gates/worth_stopping"
    sent = form(ada.get(gate).text, label="Stop it?", covers="these")
    assert ada.post(gate, data=sent).status_code == 422
    sent["material"] = "scope.budget"
    assert ada.post(gate, data=sent).status_code == 303
    assert whole(admin)["gates"]["worth_stopping"] == {
        "label": "Stop it?",
        "material": ["scope.budget"],
        "requirements": [],
    }
    page = ada.get(f"{gate}/remove").text
    assert "Stop it" in page
    assert ada.post(f"{gate}/remove", data=form(page)).status_code == 303
    assert whole(admin) == outline(GATES)


def test_a_gate_is_made_strict_and_usual_again(
    ada: FlaskClient, admin: int, factory: Factory
) -> None:
    before = whole(admin)["gates"]["looked_over"]
    sent = form(ada.get(LOOKED).text, strict="y")
    assert ada.post(LOOKED, data=sent).status_code == 303
    assert whole(admin)["gates"]["looked_over"] == {**before, "signing": "strict"}
    page = ada.get(LOOKED).text
    assert "Cannot sign at a strict gate yet" not in page, "nobody holds the role"
    sent = form(page)
    assert sent["strict"] == "y"
    del sent["strict"]
    assert ada.post(LOOKED, data=sent).status_code == 303
    assert whole(admin)["gates"]["looked_over"] == before


def test_a_gate_takes_what_tests_say_of_it_along(ada: FlaskClient, admin: int) -> None:
    path = f"{FILLED}/remove"
    assert ada.post(path, data=form(ada.get(path).text)).status_code == 303
    now = whole(admin)
    assert list(now["gates"]) == ["looked_over"]
    assert "gate" not in now["transitions"]["hand_in"]
    assert now["tests"][3]["expect"] == {"missing": [], "waived": [], "items": {}}
    assert now["tests"][4] == outline(GATES)["tests"][4]


def test_what_is_not_there_is_not_found(ada: FlaskClient) -> None:
    for gone in ("ghost", "ghost/new", "filled/ghost", "ghost/remove", "filled/ghost/remove"):
        assert ada.get(f"{ROWS}/gates/{gone}").status_code == 404, gone
    assert ada.get(f"{ROWS}/gates/filled/99").status_code == 404
