"""What the check finds is said in the words of people."""

import pytest

from okrgate.gates.problems import Problem
from okrgate.gates.revising import outline
from okrgate.workshop.rows.plain_words import PlainWords
from okrgate.workshop.rows.process_rows import Process, group
from tests.unit.workshop.small_gates import GATES

WORDS = PlainWords(Process(group(outline(GATES))))


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (
            "no test shows looked-twice missing",
            "no test shows “Above 50,000.00 two have to look” missing",
        ),
        ("the gate looked_over cannot be judged", "the gate “Looked over” cannot be judged"),
        ("scope.budget is a money", "“Budget” is a money"),
        ("told is met whenever looked is", "told is met whenever looked is"),
        (
            "unknown fact scope.budge; did you mean scope.budget?",
            "unknown fact scope.budge; did you mean scope.budget?",
        ),
        ("no-such and scope.ghost stay", "no-such and scope.ghost stay"),
        ("$big.small and “hand_in” stay", "$big.small and “hand_in” stay"),
    ],
)
def test_ids_are_said_as_labels(sentence: str, said: str) -> None:
    assert WORDS.said(sentence) == said


def test_beside_its_own_row_a_requirement_is_this_one() -> None:
    found = [Problem(3, 1, "warning", "no test shows told missing")]
    assert WORDS.of(found, "told")[0].sentence == "no test shows this requirement missing"
    assert WORDS.of(found)[0] == found[0]


def test_a_draft_full_of_faults_has_words_too() -> None:
    whole = {"gates": {"g": 7, "h": {"requirements": [3, {"id": ["x"]}]}}, "stages": "none"}
    assert PlainWords(Process(whole)).said("the gate h_h is odd") == "the gate h_h is odd"


def test_a_promise_is_called_by_its_words() -> None:
    whole = {"invariants": [{"id": "none-unseen", "label": "Nothing unseen"}, 3, {"label": [1]}]}
    words = PlainWords(Process(whole))
    assert (
        words.said("the promise none-unseen is broken") == "the promise “Nothing unseen” is broken"
    )
