"""A role that fills in what is signed cannot sign: that is said before anybody waits for it."""

from okrgate.gates.barring import barred_signers
from okrgate.gates.checks import check_rulebook
from okrgate.gates.language import load_rulebook
from okrgate.gates.revising import Add, Put, Remove, revise
from tests.factories import SHIPPED

TEXT = SHIPPED.read_text("utf-8")
REVIEW = ("gates", "executive_signoff", "material")


def said(text: str) -> list[str]:
    return [one.sentence for one in barred_signers(load_rulebook(text))]


def test_nobody_is_barred_by_the_shipped_rules() -> None:
    assert said(TEXT) == []


def test_a_sign_off_that_covers_everything_bars_whoever_reviewed() -> None:
    """Without its list, the executives' sign-off covers what the reviewers filled in: none of them could agree any more."""
    found = said(revise(TEXT, [Remove(REVIEW)]))

    assert len(found) == 1
    assert found[0].startswith("Management reviewer signs here and fills in ")
    assert "“Management review”" in found[0]
    assert "Final approval covers" in found[0]


def test_only_what_is_filled_in_before_counts() -> None:
    after = revise(
        TEXT, [Put(("stages", "kick_off", "sections", "scope"), {"edit": ["vice_president"]})]
    )
    before = revise(
        TEXT, [Put(("stages", "plan_work", "sections", "scope"), {"edit": ["vice_president"]})]
    )

    assert said(after) == []
    assert [one.split(" signs")[0] for one in said(before)] == ["Vice President"] * len(
        said(before)
    )
    assert said(before)


def test_an_answer_to_a_question_counts() -> None:
    text = revise(
        TEXT,
        [
            Put(
                ("stages", "final_approval", "sections"), {"files": {"edit": ["managing_director"]}}
            ),
            Put(
                ("questions", "risk"),
                {"stage": "final_approval", "section": "files", "type": "string", "label": "Risk?"},
            ),
            Add(REVIEW, "answers.risk"),
        ],
    )

    assert any(
        one.startswith("Managing Director signs here and fills in “Files”") for one in said(text)
    )


def test_the_check_says_so_on_the_line_of_the_sign_off() -> None:
    text = revise(TEXT, [Remove(REVIEW)])
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "reviewer-agrees" in one)

    found = [one for one in check_rulebook(text, prove=False) if "cannot sign" in one.sentence]

    assert [(one.line, one.severity) for one in found] == [(line, "warning")]
