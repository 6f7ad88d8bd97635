"""Either judge broken on purpose: the other one notices, and no gate opens that was closed."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from okrgate.gates import asking, compiler, engine, outcome, reference
from okrgate.gates.checks import facts_of
from okrgate.gates.conditions import All as AllOf
from okrgate.gates.conditions import Any as AnyOf
from okrgate.gates.conditions import Compare, Each
from okrgate.gates.engine import judge_twice
from okrgate.gates.verdict import EngineDisagreement
from tests.unit.gates.guessing import TODAY
from tests.unit.gates.test_many_answers import BOOKS, Question, questions

MORE = 60  # random questions besides the rulebooks' own tests
Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def fresh_engine(monkeypatch: Patch) -> Iterator[None]:
    """Keep what is compiled here to the test."""
    mine: OrderedDict[tuple[str, str], engine.Ruleset] = OrderedDict()
    monkeypatch.setattr(engine, "_rulesets", mine)
    yield
    for one in mine.values():
        one.delete()


def _asked() -> Iterator[Question]:
    for rulebook in BOOKS:
        for test in rulebook.tests:
            facts = facts_of(test, rulebook.fixtures[test.fixture])
            yield rulebook, test.transition, facts, False
    yield from (one for one in questions(3, MORE) if not one[3])


ASKED = list(_asked())


def _opens(question: Question) -> bool | None:
    """Return whether a gate opens; None if the judges disagree."""
    rulebook, transition, facts, _ = question
    try:
        return judge_twice(rulebook, transition, facts, today=TODAY).allowed
    except EngineDisagreement:
        return None


@pytest.fixture(scope="module")
def untouched() -> list[bool]:
    """Return what sound judges say."""
    found = [_opens(one) for one in ASKED]
    assert None not in found
    assert 50 < sum(one is True for one in found) < len(found) - 50
    return [bool(one) for one in found]


def instead(place: Any, name: str, make: Callable[[Any], Any]) -> Callable[[Patch], None]:
    """Return what puts something made of the original in its place."""
    return lambda patch: patch.setattr(place, name, make(getattr(place, name)))


def _operators(**flipped: str) -> Callable[[Patch], None]:
    return instead(compiler, "_OPS", lambda sound: {**sound, **flipped})


def _rules(change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Callable[[Patch], None]:
    return instead(compiler, "_rule", lambda sound: lambda *parts: sound(*change(parts)))


def _without(key: str) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    return lambda parts: tuple(one for one in parts if key not in {name[:2] for name in one})


def _every_whole_is_met(sound: Any) -> Any:
    def write(self: Any, name: str, condition: Any) -> str:
        self.definitions[name] = compiler._rule({"k": self.key})
        return name

    return write


def _smaller_quorum(sound: Any) -> Any:
    def leaf(compiled: Any, plan: Any, one: Any) -> Any:
        written = sound(compiled, plan, one)
        quorum = getattr(one, "quorum", None)
        return {"$gte": dict.fromkeys(written["$gte"], quorum - 1)} if quorum else written

    return leaf


def _without_at_least(sound: Any) -> Any:
    def leaf(compiled: Any, plan: Any, one: Any) -> Any:
        written = sound(compiled, plan, one)
        return written["$and"][0] if isinstance(one, Each) else written

    return leaf


def _any_for_all(sound: Any) -> Any:
    return lambda one, express: sound(AnyOf(one.parts) if isinstance(one, AllOf) else one, express)


def _every_rule_fires(sound: Any) -> Any:
    def fired(self: Any) -> Iterator[tuple[str, str]]:
        for rule, fact in sound(self):
            names = [rule] if fact == "s" else self._names
            yield from ((name, fact) for name in names)

    return fired


def _only_the_first_fires(sound: Any) -> Any:
    return lambda self: list(sound(self))[:1]


def _answers_of_the_state_before(sound: Any) -> Any:
    kept: list[Any] = []

    def fired(self: Any) -> list[Any]:
        found = list(sound(self))
        if ("ready", "s") in found:
            return found
        kept.append(found)
        return kept[-2] if len(kept) > 1 else found

    return fired


def _lose_the_last_signoff(sound: Any) -> Any:
    return lambda compiled, case, questions: sound(compiled, _with_signoffs(case, -1), questions)


def _with_signoffs(case: Any, end: int) -> Any:
    return reference.Case(case.rulebook, replace(case.facts, signoffs=case.facts.signoffs[:end]))


def _nothing_is_zero(sound: Any) -> Any:
    return {
        **sound,
        "value": lambda *of: 0 if (value := sound["value"](*of)) is None else value,
        "difference": lambda *of: sound["difference"](*of) or 0,
    }


def _in_cents_once_more(sound: Any) -> Any:
    return lambda kind, value: sound(
        kind, value * 100 if isinstance(value, Decimal) else value
    )  # a scale too large


def _a_comparison_is_true(sound: Any) -> Any:
    return lambda self, one, *row: isinstance(one, Compare) or sound(self, one, *row)


def _no_opposite(sound: Any) -> Any:
    return lambda condition: condition


def _nobody(sound: Any) -> Any:
    return lambda self, exclude, *, never: frozenset()


def _everybody_counts(sound: Any) -> Any:
    return lambda signoffs: len(list(signoffs))


def _every_waiver(sound: Any) -> Any:
    return lambda requirement, waivers: bool(list(waivers)) or sound(requirement, waivers)


def _no_waiver(sound: Any) -> Any:
    return lambda requirement, waivers: False


def _forget_a_requirement(sound: Any) -> Any:
    return lambda rulebook, gate, facts, outcomes, case: sound(
        rulebook, replace(gate, requirements=gate.requirements[1:]), facts, outcomes, case
    )


def _all_is_well(sound: Any) -> Any:
    return lambda *parts: [replace(one, met=True, faults=()) for one in sound(*parts)]


BROKEN: dict[str, Callable[[Patch], None]] = {
    "compiler: at least is more than": _operators(gte="$gt"),
    "compiler: more than is at least": _operators(gt="$gte"),
    "compiler: less is more": _operators(lt="$gt", lte="$gte"),
    "compiler: different is more": _operators(ne="$gt"),
    "compiler: a whole is always met": instead(compiler._Writer, "_whole", _every_whole_is_met),
    "compiler: one of all is enough": instead(compiler, "expression", _any_for_all),
    "compiler: a requirement less": instead(
        compiler,
        "_compile_requirement",
        lambda sound: lambda compiled, one, number: number and sound(compiled, one, number),
    ),
    "compiler: a smaller quorum": instead(compiler, "_requirement_leaf", _smaller_quorum),
    "compiler: a list of any length": instead(compiler, "_requirement_leaf", _without_at_least),
    "compiler: stale words count": _rules(_without("st")),
    "compiler: the excluded count": _rules(_without("b0")),
    "compiler: any decision will do": _rules(_without("de")),
    "compiler: constants in the wrong scale": instead(compiler, "scaled", _in_cents_once_more),
    "asking: facts in the wrong scale": instead(asking, "scaled", _in_cents_once_more),
    "asking: nothing is zero": instead(asking, "_WORKED_OUT", _nothing_is_zero),
    "asking: a sign-off is lost": instead(asking, "_tell_signoffs", _lose_the_last_signoff),
    "asking: everybody counts": instead(asking, "_distinct", _everybody_counts),
    "asking: nobody is excluded": instead(
        asking, "_excluded", lambda _: lambda *_: (frozenset(), frozenset(), frozenset())
    ),
    "engine: every rule fires": instead(engine._State, "fired", _every_rule_fires),
    "engine: it falls silent": instead(engine._State, "fired", _only_the_first_fires),
    "engine: it answers the question before": instead(
        engine._State, "fired", _answers_of_the_state_before
    ),
    "engine: all is well": instead(engine, "ask", _all_is_well),
    "reference: comparisons are true": instead(reference.Case, "holds", _a_comparison_is_true),
    "reference: less is more": instead(
        reference, "_ordered", lambda sound: lambda op, left, right: sound(op, right, left)
    ),
    "reference: no opposite": instead(reference, "opposite", _no_opposite),
    "reference: nobody is excluded": instead(reference.Case, "barred", _nobody),
    "reference: everybody counts": instead(reference, "distinct", _everybody_counts),
    "reference: all is well": instead(reference, "reference_outcomes", _all_is_well),
    "reference: a requirement less": instead(reference, "verdict_from", _forget_a_requirement),
    "both: every waiver is good": instead(outcome, "_is_waived", _every_waiver),
    "both: no waiver is good": instead(outcome, "_is_waived", _no_waiver),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_judge_is_noticed_and_opens_nothing(
    broken: str, untouched: list[bool], monkeypatch: Patch
) -> None:
    BROKEN[broken](monkeypatch)

    found = [_opens(one) for one in ASKED]

    assert found.count(None) > 0
    opened = [place for place, one in enumerate(found) if one and not untouched[place]]
    assert opened == []
    agreed = [one == sound for one, sound in zip(found, untouched, strict=True) if one is not None]
    assert all(agreed)
