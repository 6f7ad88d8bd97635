"""From forms to changes: the text that comes out checks, and says what was asked."""

from typing import Any

import pytest

from okrgate.gates.checks import check_rulebook
from okrgate.gates.revising import outline, revise
from okrgate.workshop.rows import process_changes, process_removing, process_words, stage_adding
from okrgate.workshop.rows.process_names import id_from, is_id, renamed
from okrgate.workshop.rows.process_rows import Process, group
from okrgate.workshop.rows.stage_adding import NEW_ROLE, Wanted, changes_for
from tests.factories import SHIPPED
from tests.unit.workshop.small_process import SMALL


def read(text: str) -> Process:
    return Process(group(outline(text)))


def errors(text: str) -> list[str]:
    return [str(one) for one in check_rulebook(text) if one.severity == "error"]


@pytest.fixture(scope="module")
def process() -> Process:
    return read(SMALL)


LEGAL = Wanted(
    id="legal_review",
    label="Legal review",
    at="report",
    days=5,
    onward_label="Pass legal review",
    signed_by=NEW_ROLE,
    role_label="Counsel",
    role_scope="company",
    told_in=(NEW_ROLE,),
    told_on=("custodian",),
    also=("refuse",),
)


def test_a_stage_between_two_others_is_sound_in_one_go(process: Process) -> None:
    text = revise(SMALL, changes_for(process, LEGAL))

    after = read(text)
    moves = after.named("move")
    assert errors(text) == []
    assert list(after.named("stage"))[2] == "legal_review"
    assert moves["report"]["to"] == "legal_review"
    assert moves["report"]["notify"] == ["quality", "counsel"]
    assert moves["pass_legal_review"]["to"] == "archive"
    assert moves["pass_legal_review"]["auto"] is True
    assert moves["refuse"]["from"] == ["bench", "legal_review"]
    assert moves["return_legal_review"]["by"] == ["counsel"]
    assert after.one("role", "counsel") == {"label": "Counsel", "kind": "org", "scope": "company"}
    assert text.startswith(SMALL[: SMALL.index("signing:")])


def test_a_security_review_fits_between_planning_and_final_approval() -> None:
    shipped = SHIPPED.read_text(encoding="utf-8")
    # Its own tests take long to read, and say nothing of what is added here.
    shipped = shipped[: shipped.index("tests:")]
    before = read(shipped)
    at = "ask_approval"
    review = Wanted(
        id="security_review",
        label="Security review",
        at=at,
        onward_label="Pass it",
        signed_by=NEW_ROLE,
        role_label="CISO",
        also=tuple(one.id for one in stage_adding.side_moves(before, at) if one.likely),
    )
    text = revise(shipped, changes_for(before, review))
    after = read(text)
    entry: dict[str, Any] = {
        "stage": "security_review", "section": "scope", "type": "boolean", "label": "Is it exposed?",
    }  # fmt: skip
    asked = process_changes.answer_asked(after, "exposed", entry)
    text = revise(
        text, [*process_changes.added(after, "question", "exposed", entry, after=None), *asked]
    )

    after = read(text)
    assert errors(text) == []
    assert after.target(after.named("move")[at]) == "Security review"
    assert after.target(after.named("move")["pass_it"]) == "Final approval"
    assert "security_review" in after.named("move")["park_project"]["from"]
    assert text.splitlines()[:10] == shipped.splitlines()[:10]


def test_taking_the_stage_out_again_leaves_what_was_there(process: Process) -> None:
    text = revise(SMALL, changes_for(process, LEGAL))
    after = read(text)
    usual = process_removing.usual_replacement(after, "stage", "legal_review")
    planned = process_removing.plan(after, "stage", "legal_review", usual)

    back = read(revise(text, planned.changes))

    assert planned.open_ == []
    assert back.named("stage") == process.named("stage")
    assert back.named("gate") == process.named("gate")
    assert back.one("move", "report") == {
        **(process.one("move", "report") or {}),
        "notify": ["quality", "counsel"],
    }
    assert set(back.named("move")) == set(process.named("move"))


def test_a_question_can_hold_a_project_until_it_is_answered(process: Process) -> None:
    entry: dict[str, Any] = {
        "stage": "bench", "section": "scope", "type": "date", "label": "When was it tried?",
    }  # fmt: skip
    text = revise(
        SMALL,
        [
            *process_changes.added(process, "question", "tried_on", entry, after=None),
            *process_changes.opened_to(process, "bench", "scope", ["custodian"]),
            *process_changes.answer_asked(process, "tried_on", entry),
        ],
    )

    after = read(text)
    asked = [one for gate, _place, one in after.requirements() if gate == "looked_over"]
    assert errors(text) == []
    assert asked[-1]["if"] == {"fact": "answers.tried_on", "is_set": True}
    assert group(after.one("stage", "bench"))["sections"]["scope"] == {"edit": ["custodian"]}


def test_a_rename_is_followed_by_whatever_speaks_of_it(process: Process) -> None:
    for kind, name in (
        ("stage", "bench"),
        ("move", "report"),
        ("gate", "looked_over"),
        ("role", "quality"),
        ("question", "tag"),
    ):
        text = revise(SMALL, renamed(process, kind, name, "something_else"))
        assert errors(text) == []
        assert f"{name}:" not in text
        assert read(text).one(kind, "something_else") is not None


def test_a_row_that_says_the_same_changes_nothing(process: Process) -> None:
    wanted = {
        "label": "Refuse", "from": "bench", "to": "refused", "by": ["quality"],
        "kind": "decline", "asks": ["reason"], "auto": False, "notify": [], "gate": "", "voids_signoffs": False,
    }  # fmt: skip
    assert process_changes.edited(process, "move", "refuse", wanted) == []


def test_another_beginning_ends_the_first(process: Process) -> None:
    wanted = {"label": "Bench", **process_changes.place_words("initial")}
    text = revise(SMALL, process_changes.edited(process, "stage", "bench", wanted))
    beginnings = [
        name for name, one in read(text).named("stage").items() if one.get("initial") is True
    ]
    assert beginnings == ["bench"]


def test_sections_are_opened_and_closed(process: Process) -> None:
    changes = process_changes.stage_sections(
        process, "bench", {"files": ["custodian"], "scope": ["quality"]},
        ["solution", "files", "scope", "raci"],
    )  # fmt: skip
    after = read(revise(SMALL, changes))
    assert group(after.one("stage", "bench"))["sections"] == {
        "files": {"edit": ["custodian"]},
        "scope": {"edit": ["quality"]},
    }
    gone = process_changes.stage_sections(process, "bench", {}, ["solution", "files"])
    assert "sections" not in group(read(revise(SMALL, gone)).one("stage", "bench"))


def test_a_role_is_not_taken_out_while_something_needs_it(process: Process) -> None:
    alone = process_removing.plan(process, "role", "quality")
    assert any("“Quality has to look at it”" in one for one in alone.open_)

    planned = process_removing.plan(process, "role", "quality", "safety")
    text = revise(SMALL, planned.changes)
    assert planned.open_ == []
    assert "quality" not in text.replace("label: Quality", "")


def test_a_question_goes_with_what_asks_for_it(process: Process) -> None:
    planned = process_removing.plan(process, "question", "tag")
    text = revise(SMALL, planned.changes)
    assert planned.open_ == []
    assert any("Say which device it is" in one for one in planned.said)
    assert "answers.tag" not in text
    assert errors(text) == []


def test_an_end_goes_with_the_moves_that_lead_there(process: Process) -> None:
    usual = process_removing.usual_replacement(process, "stage", "refused")
    planned = process_removing.plan(process, "stage", "refused", usual)
    text = revise(SMALL, planned.changes)
    assert planned.said == ["The move “Refuse” goes."]
    assert errors(text) == []


def test_the_beginning_stays(process: Process) -> None:
    planned = process_removing.plan(process, "stage", "sheet", "bench")
    assert "Every project begins here: make another stage the beginning first." in planned.open_


def test_a_copy_has_a_name_of_its_own(process: Process) -> None:
    name, changes = process_changes.copied(process, "stage", "sheet")
    stage = group(read(revise(SMALL, changes)).one("stage", name))
    assert (name, stage["label"]) == ("sheet_copy", "Sheet (copy)")
    assert "initial" not in stage


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Security review", "security_review"),
        ("Übergabe & Prüfung!", "ubergabe_prufung"),
        ("2nd look", "nd_look"),
        ("检查", "new"),
        ("Previous", "previous_2"),
        ("Taken", "taken_2"),
        ("x" * 200, "x" * 55),
    ],
)
def test_ids_are_made_of_labels(label: str, name: str) -> None:
    assert id_from(label, {"taken"}) == name
    assert is_id(name)


@pytest.mark.parametrize(
    "said",
    [
        {"stages": ["a", 1], "transitions": "x", "roles": None},
        {"stages": {"a": None, "b": {"label": 3, "sections": [1], "escalate_to": {}, "sla_days": "x"}}},
        {"transitions": {"m": {"from": [None, {"x": 1}], "to": ["b"], "by": "r", "asks": 4}}},
        {"roles": {"r": {"kind": "project", "fact": 3}}, "questions": {"q": {"values": "a"}}},
        {"gates": {"g": {"requirements": [1, None, {"id": 3}]}, "h": []}, "tests": {"a": 1}},
    ],
)  # fmt: skip
def test_a_draft_may_say_anything(said: dict[str, Any]) -> None:
    process = Process(said)
    for kind in ("stage", "move", "role", "question"):
        for row in process_words.rows(process, kind):
            plan = process_removing.plan(process, kind, row.id)
            assert plan.changes
    assert stage_adding.positions(process) == []
