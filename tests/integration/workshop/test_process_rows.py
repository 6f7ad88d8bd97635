"""An administrator changes the process row by row; nothing typed is lost, and no text is spoiled."""

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from okrgate.accounts.models import Person
from okrgate.gates.checks import check_rulebook
from okrgate.gates.revising import Put, outline, revise
from okrgate.rulebooks import drafts
from okrgate.rulebooks.drafts import Draft
from okrgate.workshop import keeping
from okrgate.workshop.rows import process_draft
from okrgate.workshop.rows.process_rows import Process, group
from tests.factories import Factory
from tests.unit.workshop.small_process import SMALL

ROWS = "/rules/bench/rows/process"


class Admin:
    """Ada, her browser, and what she works on."""

    def __init__(self, factory: Factory, key: str) -> None:
        self.person: Person = factory.person("Ada", admin=True)
        self.browser: FlaskClient = factory.browser(self.person)
        self.key = key

    @property
    def draft(self) -> Draft:
        return drafts.begin(self.key, by=self.person.id)

    @property
    def process(self) -> Process:
        return Process(group(outline(self.draft.text)))

    def see(self, path: str) -> str:
        return self.browser.get(path).get_data(as_text=True)

    def send(self, path: str, **typed: Any) -> TestResponse:
        data = {"seen": keeping.digest(self.draft)} | typed
        return self.browser.post(path, data=data)

    def keep(self, text: str) -> None:
        drafts.keep(self.key, Draft(text, "", self.draft.based_on), by=self.person.id)


@pytest.fixture(autouse=True)
def _no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """These texts are harmless: spare the processes that keep others at bay."""
    monkeypatch.setattr(process_draft, "in_child", lambda work, given, _seconds: work(given))


@pytest.fixture
def ada(factory: Factory, tmp_path: Path) -> Admin:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    factory.rulebook(path)
    return Admin(factory, "bench")


STAGE: dict[str, Any] = {"label": "Bench", "place": "way", "on_enter": [], "escalate_to": "quality"}


def test_a_move_has_words_of_its_own_for_the_mail(ada: Admin) -> None:
    move = ada.process.one("move", "refuse") or {}
    typed = {"label": "Refuse", "sources": move["from"], "to": move["to"], "kind": "decline"}
    said = "Ask Quinn: she knows why.\nDo not start anew."
    answer = ada.send(f"{ROWS}/move/refuse", **typed, by="quality", asks=["reason"], mail=said)
    assert answer.status_code == 303, answer.text
    assert (ada.process.one("move", "refuse") or {})["mail"] == said
    page = ada.see(f"{ROWS}/move/refuse")
    assert "Ask Quinn: she knows why.\nDo not start anew.\n\nStep: Refuse" in page
    assert "[OKR-000] An example: declined" in page
    assert "The mail says besides: Ask Quinn" in ada.see(ROWS)
    too_long = ada.send(f"{ROWS}/move/refuse", **typed, by="quality", mail="x" * 1001)
    assert (too_long.status_code, "at most 1,000 characters" in too_long.text) == (422, True)


def test_the_rows_are_shown_in_words(ada: Admin) -> None:
    page = ada.see(ROWS)
    assert "Custodian fills in: Suggested solution, Files." in page
    assert "From Sheet to Bench, by Proposer." in page
    assert "Named in each project: Lead." in page
    assert "Submitted by, and whoever changed what is signed." in page


def test_a_stage_is_changed_and_nothing_else(ada: Admin) -> None:
    answer = ada.send(f"{ROWS}/stage/bench", **STAGE | {"sla_days": "4", "id": "other"})
    assert answer.status_code == 303
    changed = SMALL.replace("escalate_to: [quality], ", "escalate_to: [quality], ", 1)
    assert ada.process.one("stage", "bench") == {
        **(Process(group(outline(changed))).one("stage", "bench") or {}),
        "sla_days": 4,
    }
    assert ada.draft.text.startswith(SMALL[: SMALL.index("  bench: {label: Bench")])
    page = ada.see(answer.location)
    assert "The check finds nothing wrong here" in page
    assert "Should take at most 4 working days" in page


def test_what_is_wrong_is_shown_with_its_row(ada: Admin) -> None:
    ada.keep(SMALL.replace("by: [quality], kind", "by: [qualiti], kind"))
    page = ada.see(f"{ROWS}/move/refuse")
    assert "What the check finds here" in page
    assert "Unknown role qualiti; did you mean quality?" in page
    assert "qualiti (unknown)" in page


def test_rubbish_is_kept_and_named(ada: Admin) -> None:
    for path, typed, sentence in (
        ("stage/bench", STAGE | {"label": " "}, "Say what people call this stage."),
        ("stage/bench", STAGE | {"sla_days": "soon"}, "whole number from 1"),
        ("stage/bench", STAGE | {"escalate_to": "nobody"}, "Choose from the list."),
        ("stage/bench", STAGE | {"place": "terminal"}, "Say how a project ended"),
        ("move/report", {"label": "Go <on>"}, "Choose where it leads."),
        ("role/quality", {"label": "Q", "kind": "project"}, "Choose which person"),
        ("question/tag", {"label": "Q?", "type": "enum"}, "at least one answer"),
    ):
        answer = ada.send(f"{ROWS}/{path}", **typed)
        assert answer.status_code == 422
        assert sentence in answer.get_data(as_text=True)
    assert "Go &lt;on&gt;" in ada.send(f"{ROWS}/move/report", label="Go <on>").get_data(
        as_text=True
    )
    assert ada.draft.text == SMALL


def test_two_tabs_lose_nothing(ada: Admin) -> None:
    seen = keeping.digest(ada.draft)
    assert ada.send(f"{ROWS}/stage/bench", **STAGE | {"help": "One."}).status_code == 303
    answer = ada.send(f"{ROWS}/stage/bench", seen=seen, **STAGE | {"help": "Another."})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Another." in page
    assert "changed elsewhere" in page
    assert keeping.digest(ada.draft) in page
    assert group(ada.process.one("stage", "bench"))["help"] == "One."


def test_a_draft_that_cannot_be_read_says_where(ada: Admin) -> None:
    ada.keep(SMALL.replace("params: {", "params: ["))
    for path in (ROWS, f"{ROWS}/stage/bench", "/rules/bench/numbers"):
        answer = ada.browser.get(path)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert "Line 4," in page
        assert 'href="/rules/bench/edit"' in page


def test_rows_move_and_are_copied(ada: Admin) -> None:
    assert ada.send(ROWS, act="down stage bench").status_code == 303
    assert list(ada.process.named("stage")) == ["sheet", "archive", "bench", "refused"]
    answer = ada.send(ROWS, act="copy role safety")
    assert answer.location.endswith("/role/safety_copy")
    assert ada.process.label("role", "safety_copy") == "Safety (copy)"
    for act in ("", "up", "up stage", "up stage nowhere", "burn stage bench", "up gate filled"):
        assert ada.send(ROWS, act=act).status_code == 422


def test_what_nobody_works_by_yet_can_be_renamed(ada: Admin) -> None:
    answer = ada.send(f"{ROWS}/new/role", label="Counsel", kind="org", scope="company")
    assert answer.location.endswith("/role/counsel")
    typed = {"label": "Counsel", "kind": "org", "scope": "company"}
    assert ada.send(f"{ROWS}/role/counsel", **typed, id="no good").status_code == 422
    assert ada.send(f"{ROWS}/role/counsel", **typed, id="safety").status_code == 422
    answer = ada.send(f"{ROWS}/role/counsel", **typed, id="legal")
    assert answer.location.endswith("/role/legal")
    assert ada.send(f"{ROWS}/role/safety", **typed, id="safe").location.endswith("/role/safety")


def test_sections_are_opened_by_ticks(ada: Admin) -> None:
    path = f"{ROWS}/stage/bench/sections"
    assert 'value="files custodian"' in ada.see(path)
    assert ada.send(path, open=["files custodian", "scope quality"]).status_code == 303
    assert group(ada.process.one("stage", "bench"))["sections"] == {
        "files": {"edit": ["custodian"]},
        "scope": {"edit": ["quality"]},
    }
    assert ada.send(path, open=["nothing custodian"]).status_code == 422


def test_who_never_signs_is_chosen(ada: Admin) -> None:
    path = f"{ROWS}/signing"
    assert ada.send(path, never=["project.submitter", "project.lead"]).status_code == 303
    assert ada.process.whole["signing"] == {"never": ["project.submitter", "project.lead"]}
    assert ada.send(path, never=["scope.budget"]).status_code == 422


def test_taking_a_stage_out_says_what_breaks(ada: Admin) -> None:
    path = f"{ROWS}/stage/bench/remove"
    page = ada.see(path)
    assert "“Hand in” leads to In force." in page
    assert "The promise “Nothing is in force unseen” goes." in page
    assert ada.send(path, act="remove").status_code == 422
    assert "bench: {label: Bench" in ada.draft.text
    assert ada.send(path, act="remove", instead="elsewhere").status_code == 422
    assert ada.send(path, act="remove", instead="archive").status_code == 303
    assert list(ada.process.named("stage")) == ["sheet", "archive", "refused"]
    for gone in (path, f"{ROWS}/gate/filled", f"{ROWS}/new/gate", f"{ROWS}/stage/nowhere"):
        assert ada.browser.get(gone).status_code == 404


def test_a_security_review_is_added_without_a_word_of_yaml(ada: Admin) -> None:
    page = ada.see(f"{ROWS}/add-stage?at=hand_in")
    assert "Add a stage after Sheet, before Bench" in page

    answer = ada.send(
        f"{ROWS}/add-stage",
        at="hand_in",
        label="Security review",
        days="5",
        into_label="Ask for the security review",
        signed_by="+",
        role_label="CISO",
        role_scope="company",
        quorum="1",
        objections="y",
        how="itself",
        onward_label="Pass the security review",
        told_in="+",
        told_on="custodian",
        sent_back="y",
        also="refuse",
    )
    assert answer.location.endswith("/stage/security_review")
    answer = ada.send(
        f"{ROWS}/new/question",
        label="How exposed is it?",
        type="enum",
        values="low\nhigh",
        stage="security_review",
        section="scope",
        roles="custodian",
        must="y",
    )
    assert answer.location.endswith("/question/how_exposed_is_it")

    moves = ada.process.named("move")
    assert [str(one) for one in check_rulebook(ada.draft.text) if one.severity == "error"] == []
    assert moves["hand_in"]["to"] == "security_review"
    assert moves["pass_the_security_review"]["from"] == "security_review"
    assert moves["pass_the_security_review"]["to"] == "bench"
    page = ada.see(f"{ROWS}/stage/security_review")
    assert "The check finds nothing wrong here" in page
    assert "Mail to Quality, Safety and CISO." in page


def test_a_stage_needs_what_holds_it(ada: Admin) -> None:
    whole = {"at": "hand_in", "label": "Review", "into_label": "Hand in", "onward_label": "Go on"}
    for typed, sentence in (
        ({"signed_by": "", "how": "itself"}, "Nobody signs here, so nothing would hold it"),
        ({"signed_by": "+", "how": "itself"}, "Say what people call the new role."),
        ({"signed_by": "quality", "how": "somebody"}, "Choose who may move it on."),
        ({"signed_by": "king", "how": "itself"}, "Choose from the list."),
    ):
        answer = ada.send(f"{ROWS}/add-stage", **whole | typed)
        assert answer.status_code == 422
        assert sentence in answer.get_data(as_text=True)
    assert ada.send(f"{ROWS}/add-stage", at="nowhere").status_code == 422


ODD = """\
okrgate: 1
ruleset: {id: bench, title: 7}
params: {a: [1], b: null, c: true, d: 2027-01-04, "odd/one": "$x", e: "{a} {b}"}
roles: {r: 3, "": {label: x}, "a/b c": {label: "<b>", kind: project, fact: [1]}}
stages:
  "Two Words": {label: {x: 1}, sections: {raci: 3, "": {edit: r}}, on_enter: [1, odd], escalate_to: {a: 1}}
  s: [1, 2]
  t: {label: T, terminal: true, outcome: 3, sla_days: soon}
transitions:
  m: {from: [s, 3, [x]], to: t, by: r, asks: 3, gate: nowhere, kind: sideways, notify: {a: 1}, reason: required}
  n: {from: s, to: [t]}
  o: 1
gates: {g: {requirements: [1, {waiver: {reason_min: [], expires_days: "$a"}}, {waiver: 3, if: "$c"}]}, h: 2}
questions: {q: {type: [1], values: {a: 1}, stage: 3}}
invariants: {a: 1}
tests: [1, {expect: 3, set: 4}]
fixtures: [1]
signing: 3
"""


def test_a_draft_of_odd_shapes_breaks_no_page(ada: Admin) -> None:
    ada.keep(ODD)
    paths = ["", "/signing", "/add-stage", "/add-stage?at=m", "/new/move?stage=s", "/new/question"]
    rows = (
        ("stage", "s"), ("stage", "t"), ("stage", "Two Words"), ("move", "m"), ("move", "n"),
        ("move", "o"), ("role", "r"), ("role", "a/b c"), ("question", "q"),
    )  # fmt: skip
    for kind, name in rows:
        paths += [f"/{kind}/{name}", f"/{kind}/{name}/remove"]
    for path in [
        *(ROWS + one for one in paths),
        f"{ROWS}/stage/s/sections",
        "/rules/bench/numbers",
    ]:
        assert ada.browser.get(path).status_code in {200, 404}, path
    for kind, name in rows:
        for path in (f"{ROWS}/{kind}/{name}", f"{ROWS}/{kind}/{name}/remove"):
            for typed in ({}, {"label": "New", "act": "remove", "instead": "t"}):
                assert ada.send(path, **typed).status_code in {200, 303, 404, 422}, path
        ada.keep(ODD)
    odd = {"params.c": "maybe", "params.d": "soon", "new_label": "\x00", "remove": "a"}
    assert ada.send("/rules/bench/numbers", **odd).status_code == 422
    typed = {"at": "m", "label": "S", "into_label": "i", "onward_label": "o", "how": "itself"}
    assert ada.send(f"{ROWS}/add-stage", **typed, signed_by="r").status_code == 422


@pytest.mark.parametrize("broken", ["-1", "{a: 1}", "[]", "[[]]"])
def test_a_move_from_nowhere_breaks_no_page(ada: Admin, broken: str) -> None:
    first = next(iter(ada.process.forward))
    text = revise(ada.draft.text, [Put(("transitions", first, "from"), "HERE")])
    ada.keep(text.replace("from: HERE", f"from: {broken}"))

    for path in ("", "/add-stage", f"/add-stage?at={first}"):
        assert ada.browser.get(f"/rules/{ada.key}/rows/process{path}").status_code == 200
