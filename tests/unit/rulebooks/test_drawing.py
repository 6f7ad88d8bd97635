"""The process map: every stage and every move of a rulebook is on it, and nothing overlaps."""

from pathlib import Path

import pytest

from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Rulebook
from okrgate.rulebooks.drawing import draw

ROOT = Path(__file__).parents[3]
FILES = ["rules/stage_gates.yaml", "rules/examples/device_change.yaml"]


@pytest.fixture(params=FILES)
def rulebook(request: pytest.FixtureRequest) -> Rulebook:
    return load_rulebook((ROOT / request.param).read_text(encoding="utf-8"))


def test_every_stage_stands_on_the_map_once(rulebook: Rulebook) -> None:
    drawn = draw(rulebook)
    labels = [box.label for box in drawn.boxes] + [aside.label for aside in drawn.asides]
    assert sorted(labels) == sorted(stage.label for stage in rulebook.stages.values())


def test_every_way_out_of_a_stage_is_shown(rulebook: Rulebook) -> None:
    drawn = draw(rulebook)
    shown = {(box.label, one.label) for box in drawn.boxes for one in box.exits}
    shown |= {(box.label, step.label) for box, step in zip(drawn.boxes, drawn.steps, strict=False)}
    shown |= {(one.source, one.label) for one in drawn.returns}
    on_the_way = {box.id for box in drawn.boxes}
    wanted = {
        (rulebook.stages[source].label, one.label)
        for one in rulebook.transitions.values()
        for source in one.sources
        if source in on_the_way
    }
    assert shown == wanted


def test_boxes_follow_one_another_without_overlap(rulebook: Rulebook) -> None:
    drawn = draw(rulebook)
    for above, below in zip(drawn.boxes, drawn.boxes[1:], strict=False):
        assert above.y + above.height < below.y
    assert drawn.boxes[-1].y + drawn.boxes[-1].height <= drawn.height


def test_every_gate_of_the_normal_way_stands_between_its_stages(rulebook: Rulebook) -> None:
    drawn = draw(rulebook)
    gates = [step.gate_id for step in drawn.steps if step.gate_id]
    assert gates == [one.gate for one in rulebook.forward_path(rulebook.initial.id) if one.gate]
    for step in drawn.steps:
        assert step.start < step.middle < step.end
