"""Where a project has been, read from its visits."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from okrgate.stages.path import passed_gates, steps


@dataclass
class Stay:
    stage: str
    transition: str | None = None
    kind: str | None = None
    gate: str | None = None


def forward(stage: str) -> Stay:
    return Stay(stage, f"leave-{stage}", "forward", f"gate-{stage}")


def test_a_project_that_only_went_forward_has_passed_every_gate() -> None:
    assert passed_gates([forward("a"), forward("b"), Stay("c")]) == ("gate-a", "gate-b")


def test_being_sent_back_takes_back_the_gates_since() -> None:
    stays = [forward("a"), forward("b"), Stay("c", "back", "return", None), Stay("b")]

    assert passed_gates(stays) == ("gate-a",)


def test_passing_again_after_a_return_counts_again() -> None:
    stays = [forward("a"), forward("b"), Stay("c", "back", "return", None), forward("a"), Stay("b")]

    assert passed_gates(stays) == ("gate-a",)


def test_being_parked_and_resumed_takes_nothing_back() -> None:
    stays = [
        forward("a"),
        Stay("b", "park", "park", None),
        Stay("held", "resume", "resume", None),
        Stay("b"),
    ]

    assert passed_gates(stays) == ("gate-a",)


def test_a_move_without_a_gate_passes_none() -> None:
    assert passed_gates([Stay("a", "go", "forward", None), Stay("b")]) == ()


@given(st.lists(st.sampled_from("abcde"), max_size=30))
def test_no_stage_stands_twice_on_the_way(names: list[str]) -> None:
    taken = [step.stage for step in steps([forward(name) for name in names])]

    assert len(taken) == len(set(taken))
