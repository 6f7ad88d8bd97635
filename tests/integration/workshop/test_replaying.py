"""Past passages judged again by a draft: which would not have opened, as far as it was recorded."""

import pytest
from sqlalchemy import func, select

from okrgate.approvals.models import Receipt
from okrgate.database import db, transaction
from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Rulebook
from okrgate.gates.revising import Add, Change, Put, revise
from okrgate.projects import permissions
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import replay_judging, replaying
from okrgate.stages.impact_report import Replay
from tests.counting import statements
from tests.factories import SHIPPED
from tests.integration.conftest import Arrive
from tests.integration.journey.company import Company
from tests.integration.journey.stops import PROBLEM

KEY = "okr_delivery"
TEXT = SHIPPED.read_text("utf-8")


@pytest.fixture
def company(arrive: Arrive, monkeypatch: pytest.MonkeyPatch) -> Company:
    # A process of its own judges alike and takes a second to begin.
    monkeypatch.setattr(replay_judging, "in_child", lambda work, given, _seconds: work(given))
    return arrive("at the kick-off")


def drafted(*changes: Change) -> Rulebook:
    return load_rulebook(revise(TEXT, changes))


def told(draft: Rulebook, *, reader: int | None) -> Replay:
    return replaying.tell(replaying.look(KEY, draft), reader=reader)


def passages() -> int:
    query = select(func.count()).select_from(Receipt).where(Receipt.kind == "passage")
    return db.session.scalar(query) or 0


def test_what_would_not_have_opened_is_named_with_what_was_lacking(company: Company) -> None:
    draft = drafted(Put(("params", "problem_min"), len(PROBLEM) + 1))

    found = told(draft, reader=None)

    assert (found.refused, found.untold, found.left_out) == (1, 0, 0)
    assert found.looked + found.same == passages()
    (one,) = found.passages
    assert (one.reference, one.gate) == (company.reference, "Idea complete")
    assert one.lacked == (f"Describe the problem in at least {len(PROBLEM) + 1} characters",)
    assert "1 would not have opened" in found.sentence


def test_the_same_rules_would_have_opened_every_gate(company: Company) -> None:
    softer = told(drafted(Put(("params", "problem_min"), len(PROBLEM))), reader=None)
    same = told(load_rulebook(TEXT), reader=None)

    assert (softer.looked, softer.refused) == (1, 0)
    assert (same.looked, same.same) == (0, passages())


def test_every_passage_is_judged_as_it_was_then(company: Company) -> None:
    """A requirement that is always met makes every gate another one, and no verdict."""
    asked = {
        "id": "",
        "message": "Be there",
        "severity": "hard",
        "if": {"fact": "stage.days", "gte": 0},
    }
    gates = load_rulebook(TEXT).gates
    draft = drafted(
        *(
            Add(("gates", name, "requirements"), {**asked, "id": f"there-{name.replace('_', '-')}"})
            for name in gates
        )
    )

    found = told(draft, reader=None)

    assert (found.looked, found.same, found.refused, found.untold) == (passages(), 0, 0, 0)


def test_what_nobody_recorded_then_is_not_held_against_anybody(company: Company) -> None:
    draft = drafted(
        Put(("roles", "ciso"), {"label": "CISO", "kind": "org"}),
        Add(
            ("gates", "plan_complete", "requirements"),
            {
                "id": "safe",
                "message": "The CISO agrees",
                "severity": "hard",
                "if": {"signoff": {"role": "ciso", "quorum": 1}},
            },
        ),
        Put(
            ("questions", "vendor"),
            {
                "stage": "intake_form",
                "section": "problem",
                "type": "string",
                "label": "Which vendor?",
            },
        ),
        Add(
            ("gates", "idea_complete", "requirements"),
            {
                "id": "vendor",
                "message": "Name the vendor",
                "severity": "hard",
                "if": {"fact": "answers.vendor", "is_set": True},
            },
        ),
    )

    found = told(draft, reader=None)

    assert (found.refused, found.untold) == (0, 2)
    assert "cannot be told" in found.sentence


def test_it_names_only_what_the_reader_may_see(company: Company) -> None:
    with transaction():
        company.project().confidential = True
    draft = drafted(Put(("params", "problem_min"), 5000))

    found = told(draft, reader=company.ids["Pat"])

    assert (found.looked, found.refused, found.hidden, found.passages) == (0, 0, 1, ())
    assert "1 turn on what you may not read" in found.sentence


def test_what_money_turns_on_is_named_for_those_involved(company: Company) -> None:
    asked = {"id": "dear", "message": "Dear", "severity": "hard"}
    draft = drafted(
        Add(
            ("gates", "idea_complete", "requirements"),
            {**asked, "if": {"fact": "value.amount", "gte": 10**9}},
        )
    )
    outsider = next(
        number
        for number in company.ids.values()
        if number not in permissions.readers(company.project().id)
    )

    whole = told(draft, reader=None)
    less = told(draft, reader=outsider)

    assert [(one.reference, bool(one.at)) for one in whole.passages] == [(company.reference, True)]
    # Whether it would have been refused says how dear it is: not even a count does.
    assert (whole.refused, less.refused, less.hidden, less.passages) == (1, 0, 1, ())
    assert told(draft, reader=company.project().submitter_id).passages == whole.passages


def test_it_asks_little_and_only_for_the_newest(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MOST", 1)
    draft = drafted(Put(("params", "big_budget"), 1), Put(("params", "problem_min"), 5000))

    with statements() as asked:
        found = told(draft, reader=None)

    assert (found.looked, found.left_out) == (1, 1)
    assert "oldest 1 were not looked at" in found.sentence
    assert len(asked) <= 6
    assert rulebooks.binding()
