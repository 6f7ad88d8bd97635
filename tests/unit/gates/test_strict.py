"""A gate may ask for a second factor with each decision: read, checked, and told when it changes."""

import pytest

from okrgate.gates.differing import LOOSER, STRICTER, differ
from okrgate.gates.language import load_rulebook, read_rulebook
from okrgate.rulebooks import wording
from okrgate.stages.migrating import is_same_gate
from okrgate.workshop.publishing.loosening import may_loosen
from tests.unit.gates.test_differing import SMALL

STRICT = SMALL.replace("    label: Second\n", "    label: Second\n    signing: strict\n")


def test_it_is_read_and_off_unless_it_is_said() -> None:
    assert load_rulebook(STRICT).gates["second"].strict
    assert not load_rulebook(SMALL).gates["second"].strict
    simple = STRICT.replace("signing: strict", "signing: simple")
    assert not load_rulebook(simple).gates["second"].strict
    rulebook, problems = read_rulebook(STRICT.replace("signing: strict", "signing: stern"))
    assert rulebook is None
    assert "simple" in problems[0].sentence


def test_where_nobody_signs_it_is_warned_of() -> None:
    text = SMALL.replace("    label: First\n", "    label: First\n    signing: strict\n")
    rulebook, problems = read_rulebook(text)
    assert rulebook is not None
    assert "asks for no sign-off" in problems[0].sentence


@pytest.mark.parametrize("loosens", [False, True])
def test_taking_it_away_is_looser(loosens: bool) -> None:
    texts = (STRICT, SMALL) if loosens else (SMALL, STRICT)
    before, after = map(load_rulebook, texts)
    found = differ(before, after, say=wording.said)
    change = next(one for one in found.changes if one.kind == "factor")
    assert change.direction == (LOOSER if loosens else STRICTER)
    assert "second factor" in change.sentence
    assert may_loosen(before, after, found) is loosens
    assert is_same_gate(before, after, "second") is loosens, "what was signed without lapses"
