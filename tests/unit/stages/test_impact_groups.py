"""Of projects that somebody may not read, only groups are told: none so small, or so alike, that it tells of one."""

from collections.abc import Mapping
from itertools import product

import pytest

from okrgate.stages.impact_report import LEAST, Hidden, in_groups


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({}, {}),
        ({"blocked": 1}, {}),
        ({"blocked": 4, "same": 4}, {}),
        ({"blocked": 30}, {}),
        ({"blocked": 5, "same": 30}, {"blocked": 5, "same": 30}),
        ({"blocked": 5, "same": 5, "freed": 5}, {"blocked": 5, "same": 5, "freed": 5}),
        ({"blocked": 3, "freed": 3, "same": 30}, {"same": 30}),
        ({"blocked": 1, "freed": 7, "same": 30}, {"same": 30}),
        ({"blocked": 1, "same": 30}, {}),
    ],
)
def test_groups_are_large_and_leave_no_small_rest(
    counts: Mapping[str, int], told: Mapping[str, int]
) -> None:
    assert in_groups(counts) == Hidden(sum(counts.values()), told)


def test_nothing_small_can_be_worked_out_from_any_answer() -> None:
    for blocked, freed, same in product(range(8), repeat=3):
        hidden = in_groups({"blocked": blocked, "freed": freed, "same": same})
        assert hidden.groups is not None
        parts = [*hidden.groups.values(), *([hidden.rest] if hidden.rest else [])]
        if hidden.groups:
            assert min(parts) >= LEAST
            assert len(parts) > 1


def test_one_project_more_or_less_is_not_seen_in_a_small_group() -> None:
    said = {in_groups({"blocked": count, "same": 4 - count}).sentence for count in range(5)}
    assert len(said) == 1


def test_it_is_said_in_words() -> None:
    assert in_groups({"blocked": 6, "same": 20}).sentence == (
        "26 projects that you may not read: 6 newly blocked, 20 unchanged."
    )
    assert in_groups({"blocked": 3, "freed": 3, "same": 20}).sentence == (
        "26 projects that you may not read: 20 unchanged, 6 not told apart."
    )
    assert "would tell of single ones" in in_groups({"blocked": 1}).sentence
    assert Hidden(0).sentence == ""
