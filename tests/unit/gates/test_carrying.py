"""An item goes to another list with its comments, and nothing else changes."""

import pytest

from okrgate.gates.places import NoPlace
from okrgate.gates.revising import Carry, outline, revise

TEXT = """\
gates:
  first:
    requirements:
      # Why this one is here,
      # in two lines.
      - id: one
        message: Said  # by whom
        if: {all: [{fact: a, gte: 1},
                   {fact: b, gte: 2}]}
      # About the other.
      - {id: two, message: More}

  second:
      requirements:
          - {id: three, message: Last}  # stays
  none:
    requirements: []  # nothing yet
  row: {requirements: [{id: four}]}
"""


def carried(name: str | int, source: str, target: str) -> str:
    return revise(
        TEXT, [Carry(("gates", source, "requirements", name), ("gates", target, "requirements"))]
    )


def ids(text: str) -> dict[str, list[str]]:
    gates = outline(text)["gates"]
    return {name: [one["id"] for one in said["requirements"]] for name, said in gates.items()}


def test_its_comments_go_along() -> None:
    text = carried("one", "first", "second")
    assert ids(text) == {"first": ["two"], "second": ["three", "one"], "none": [], "row": ["four"]}
    assert (
        """\
          - {id: three, message: Last}  # stays
          # Why this one is here,
          # in two lines.
          - id: one
            message: Said  # by whom
            if: {all: [{fact: a, gte: 1},
                       {fact: b, gte: 2}]}
"""
        in text
    )
    assert "      # About the other.\n      - {id: two, message: More}\n" in text
    assert text.count("Why this one") == 1


def test_out_of_a_list_that_stands_further_in() -> None:
    text = carried(0, "second", "first")
    assert ids(text)["first"] == ["one", "two", "three"]
    assert "      - {id: three, message: Last}  # stays\n" in text
    assert ids(text)["second"] == []


def test_into_a_list_that_has_none() -> None:
    text = carried("two", "first", "none")
    assert "    requirements:\n      # About the other.\n      - {id: two, message: More}" in text
    assert "# nothing yet" in text
    assert ids(text)["none"] == ["two"]


@pytest.mark.parametrize(
    ("name", "source", "target"), [("one", "first", "row"), ("four", "row", "first")]
)
def test_a_row_in_brackets_takes_and_gives_what_it_says(
    name: str, source: str, target: str
) -> None:
    assert name in ids(carried(name, source, target))[target]


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [("one", "first", "first"), ("six", "first", "second"), ("one", "first", "unknown")],
)
def test_what_makes_no_sense_is_refused(name: str, source: str, target: str) -> None:
    with pytest.raises(NoPlace):
        carried(name, source, target)
