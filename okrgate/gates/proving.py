"""What z3 shows of a rulebook: gates that cannot be passed, rules that do nothing, and promises kept or broken."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from okrgate.gates.answering import Answer, Asker, Question, stands
from okrgate.gates.conditions import (
    All,
    Any,
    Compare,
    Condition,
    Ref,
    SignoffCondition,
    leaves,
    opposite,
    reads,
)
from okrgate.gates.model import Gate, Invariant, Requirement, Rulebook
from okrgate.gates.problems import Problem
from okrgate.gates.promises import Way, broken_way
from okrgate.gates.telling import in_words

ADOPTED = "project.adopted"


def prove(rulebook: Rulebook) -> list[Problem]:
    """Return what is wrong or doubtful about the gates and promises of a file that is sound otherwise."""
    asker = Asker(rulebook)
    found = prove_promises(rulebook, asker)
    for gate in rulebook.gates.values():
        found += _alone(asker, gate)
        found += _together(asker, gate)
    return found


def prove_promises(rulebook: Rulebook, asker: Asker | None = None) -> list[Problem]:
    """Return the promises that are broken, each with a way and an example project, or not decided."""
    asker = asker or Asker(rulebook)
    return [problem for one in rulebook.invariants for problem in _promise(asker, one)]


# requirements


def _alone(asker: Asker, gate: Gate) -> Iterator[Problem]:
    for one in gate.requirements:
        if one.mode == "off":
            continue
        before = asker.undecided
        if asker.ask(hold=[one.condition]).possible is False:
            yield _error(one, f"{one.id} can never be met")
        elif asker.ask(fail=[one.condition], sure=True).possible is False:
            yield _warning(one, f"{one.id} is always met")
        if one.when is not None:
            yield from _applying(asker, one, one.when)
        if asker.undecided > before:
            yield _warning(one, f"could not decide whether {one.id} is ever, or always, met")


def _applying(asker: Asker, one: Requirement, when: Condition) -> Iterator[Problem]:
    if asker.ask(hold=[opposite(when)], sure=True).possible is False:
        yield _warning(one, f"{one.id} always applies: its when can be left out")
    elif asker.ask(hold=[when], sure=True).possible is False:
        yield _warning(one, f"{one.id} never applies: its when is never true")


def _together(asker: Asker, gate: Gate) -> Iterator[Problem]:
    """Yield what is wrong with hard requirements side by side: contradictions first, then what adds nothing."""
    for group in groups(binding(gate)):
        before = asker.undecided
        if len(group) > 1:
            yield from _clash(asker, group) or _redundant(asker, group)
        if asker.undecided > before:
            listed = ", ".join(one.id for one in group)
            yield _warning(group[0], f"could not decide whether these fit together: {listed}")


def _clash(asker: Asker, group: Sequence[Requirement]) -> list[Problem]:
    every = range(len(group))
    question = Question(asker, [stands(one) for one in group], sure=False)
    if question.possible(every) is not False:
        return []
    core = [group[at] for at in question.fewest(every)]
    if len(core) == 1:
        # That it can never be met was said of it alone.
        return []
    listed = _listed([one.id for one in core])
    return [_error(core[-1], f"{listed} can never be met together")]


def _redundant(asker: Asker, group: Sequence[Requirement]) -> list[Problem]:
    found: list[Problem] = []
    question = Question(asker, [stands(one) for one in group], sure=True)
    kept = list(range(len(group)))
    for at in reversed(range(len(group))):
        others = [other for other in kept if other != at]
        if question.possible(others, [at]) is not False:
            continue
        kept = others
        core = [group[other].id for other in question.fewest(others, [at])]
        if core:
            sentence = f"{group[at].id} adds nothing: whatever meets {_listed(core)} meets it, too"
            found.append(_warning(group[at], sentence))
    return found


def binding(gate: Gate) -> list[Requirement]:
    """Return the requirements that nobody gets around: hard, active ones."""
    return [one for one in gate.requirements if one.severity == "hard" and one.mode == "active"]


def groups(requirements: Iterable[Requirement]) -> list[list[Requirement]]:
    """Put together the requirements that speak of the same facts, lists or roles."""
    found: list[tuple[set[str], list[Requirement]]] = []
    for one in requirements:
        names, members = touched(stands(one)), [one]
        apart = []
        for group in found:
            if group[0] & names:
                names, members = names | group[0], [*group[1], *members]
            else:
                apart.append(group)
        found = [*apart, (names, members)]
    return [sorted(members, key=lambda one: one.line) for _, members in found]


def touched(condition: Condition) -> set[str]:
    """Return the facts, lists and signing roles a condition speaks of."""
    roles = {
        f"role {role}"
        for leaf in leaves(condition)
        if isinstance(leaf, SignoffCondition)
        for role in leaf.roles
    }
    return {*reads(condition), *roles}


def _near(gate: Gate, condition: Condition) -> list[Condition]:
    """Return what the binding requirements say that have a bearing on a condition."""
    names = touched(condition)
    return [
        stands(one)
        for group in groups(binding(gate))
        if any(touched(stands(each)) & names for each in group)
        for one in group
    ]


# promises


def _promise(asker: Asker, promise: Invariant) -> Iterator[Problem]:
    # What is promised together may be asked for by one gate after the other.
    parts = promise.condition.parts if isinstance(promise.condition, All) else [promise.condition]
    for part in parts:
        one = replace(promise, condition=part)
        found = list(_never(asker, one) if one.at is None else _at(asker, one, one.at))
        yield from found
        if found:
            return


def _never(asker: Asker, promise: Invariant) -> Iterator[Problem]:
    goal, sure = _or_adopted(asker.rulebook, promise.condition), _sure(asker.rulebook)
    at_all = asker.ask(fail=[goal], sure=sure).possible
    if at_all is False:
        return
    answers = {
        gate.id: asker.ask(hold=near, fail=[goal], sure=sure).possible if near else at_all
        for gate in asker.rulebook.gates.values()
        for near in [_near(gate, goal)]
    }
    stage = promise.never_reach or ""
    way = broken_way(asker.rulebook, stage, lambda gate: answers[gate.id] is not True)
    if way is not None:
        told = _broken(asker, way, goal, promise.condition)
        yield Problem(promise.line, 1, "error", f"the promise {promise.id} is broken: {told}")
    elif broken_way(asker.rulebook, stage, lambda gate: answers[gate.id] is False) is not None:
        yield _undecided(promise)


def _at(asker: Asker, promise: Invariant, transition: str) -> Iterator[Problem]:
    rulebook = asker.rulebook
    move = rulebook.transitions[transition]
    goal = promise.condition
    near = _near(rulebook.gates[move.gate], goal) if move.gate else []
    answer = asker.ask(hold=near, fail=[goal], sure=_sure(rulebook), show=True)
    if answer.possible is None:
        yield _undecided(promise)
    elif answer.possible:
        told = f"{move.label} is open to {_example(rulebook, answer, goal)}"
        yield Problem(promise.line, 1, "error", f"the promise {promise.id} is broken: {told}")


def _broken(asker: Asker, way: Way, goal: Condition, condition: Condition) -> str:
    rulebook = asker.rulebook
    path = " → ".join(rulebook.stages[stage].label for stage in way.stages)
    gates = [rulebook.gates[gate] for gate in way.gates]
    near = [one for gate in gates for one in _near(gate, goal)]
    sure = _sure(rulebook)
    answer = asker.ask(hold=near, fail=[goal], sure=sure, show=True)
    if answer.possible is not True and gates:
        # No single project fails it at all of these gates; the last one lets this one through.
        answer = asker.ask(hold=_near(gates[-1], goal), fail=[goal], sure=sure, show=True)
        example = _example(rulebook, answer, condition)
        return (
            f"on the way {path} no single gate asks for all of it; the last lets through {example}"
        )
    return f"the way {path} is open to {_example(rulebook, answer, condition)}"


def _example(rulebook: Rulebook, answer: Answer, condition: Condition) -> str:
    if answer.example is None:
        return "a project that does not keep it"
    return in_words(rulebook, answer.example.facts, answer.example.today, condition)


def _or_adopted(rulebook: Rulebook, condition: Condition) -> Condition:
    fact = rulebook.facts.get(ADOPTED)
    if fact is None or fact.type != "boolean":
        return condition
    return Any((condition, Compare(Ref(ADOPTED, "boolean"), "eq", True)))


def _sure(rulebook: Rulebook) -> bool:
    """Tell whether what is said to be always there is: okrgate fills in its own facts, or the gate is not judged."""
    return rulebook.vocabulary == "application"


def _undecided(promise: Invariant) -> Problem:
    sentence = f"could not decide whether the promise {promise.id} is kept"
    return Problem(promise.line, 1, "warning", sentence)


def _error(one: Requirement, sentence: str) -> Problem:
    return Problem(one.line, 1, "error", sentence)


def _warning(one: Requirement, sentence: str) -> Problem:
    return Problem(one.line, 1, "warning", sentence)


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
