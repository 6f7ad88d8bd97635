"""How many people a round takes, and whether one more approval is enough."""

import pytest

from okrgate.approvals.models import Seat
from okrgate.approvals.seating import Word, is_enough, people_needed, seating
from okrgate.gates.conditions import All, Any, Condition, SignoffCondition
from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Rulebook
from tests.factories import SHIPPED

GATE, BOTH = "executive_signoff", "both-executives"
DIRECTOR, VICE = "managing_director", "vice_president"
ONE = Word(1, (DIRECTOR,), "approved")
TWO = Word(2, (VICE,), "approved_with_conditions")
THREE = Word(3, (VICE,), "approved")


def asks(*roles: str, quorum: int = 1) -> SignoffCondition:
    return SignoffCondition(roles, quorum=quorum)


@pytest.mark.parametrize(
    ("condition", "people"),
    [
        (asks("a"), 1),
        (asks("a", quorum=3), 3),
        (Any((asks("a"), asks("b", quorum=2))), 1),
        (All((asks("a"), asks("b"))), 2),
        (All((asks("a"), asks("b"), asks("a", "b", quorum=2))), 2),
        (All((asks("a"), asks("a", "b", quorum=3))), 3),
        (SignoffCondition(("a",), at_most=0, decision="rejected"), 0),
    ],
)
def test_the_fewest_people_that_can_meet_it(condition: Condition, people: int) -> None:
    assert people_needed(condition) == people


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook(SHIPPED.read_text(encoding="utf-8"))


@pytest.fixture
def seats() -> list[Seat]:
    """The seats of a plan that both executives have to sign."""
    asked = ([DIRECTOR], 1), ([VICE], 1), ([DIRECTOR, VICE], 2)
    return [
        Seat(id=place, round_id=1, requirement=BOTH, place=place, roles=roles, need=need, label="…")
        for place, (roles, need) in enumerate(asked)
    ]


def test_each_seat_says_who_filled_it_and_whom_it_waits_for(
    rulebook: Rulebook, seats: list[Seat]
) -> None:
    found = seating(rulebook, GATE, seats, [TWO], {0: {1}})

    assert (found.have, found.need, found.either) == (1, 2, False)
    assert [(line.roles, line.have, line.need) for line in found.lines] == [
        ("Managing Director", 0, 1),
        ("Vice President", 1, 1),
    ]
    assert found.lines[0].waits_for == (1,)
    assert found.lines[1].filled_by == (2,)


def test_two_of_one_role_are_not_one_of_each(rulebook: Rulebook, seats: list[Seat]) -> None:
    assert is_enough(rulebook, GATE, seats, [TWO], ONE)
    assert not is_enough(rulebook, GATE, seats, [TWO], THREE)


def test_whoever_objects_fills_no_seat(rulebook: Rulebook, seats: list[Seat]) -> None:
    objecting = Word(1, (DIRECTOR,), "objected")

    assert seating(rulebook, GATE, seats, [objecting], {}).have == 0
    assert not is_enough(rulebook, GATE, seats, [objecting], TWO)
