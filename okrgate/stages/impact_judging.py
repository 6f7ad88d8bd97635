"""Judges projects by two rulebooks, in a process of its own: nobody has run the new one yet.

Only what changed is judged: a gate that asks the same of the same facts gives the same verdict. Of each gate the first
projects are judged by engine and reference, which have to agree; the others by the reference alone, three times as fast.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from okrgate.gates.checks import in_child
from okrgate.gates.differing_examples import known_to
from okrgate.gates.engine import judge_twice
from okrgate.gates.model import Gate, Requirement, Rulebook, Transition, read_by
from okrgate.gates.reference import reference_verdict
from okrgate.gates.verdict import Facts, Finding, GateUnjudgeable, Signoff, Verdict, Waiver

BLOCKED, FREED, OTHERWISE, SAME = "blocked", "freed", "otherwise", "same"
UNJUDGED, STAGELESS = "unjudged", "stageless"
TWICE = 50
_TOLD = "statements"
_ANSWERS = "answers."


@dataclass(frozen=True)
class Standing:
    """A project as it is judged: where it stands, under which version, and its facts; `answers` to new questions."""

    project_id: int
    version: int
    stage: str
    closed: bool
    today: date
    values: Mapping[str, Any]
    answers: Mapping[str, Any]
    collections: Mapping[str, Any]
    waivers: tuple[Waiver, ...]
    signed: Mapping[str, tuple[Signoff, ...]]


@dataclass(frozen=True)
class Place:
    """A sign-off that is needed now: at which gate, in which roles, from how many more, without whom."""

    gate: str
    roles: tuple[str, ...]
    need: int
    excluded: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """What a draft does to one project: what it now lacks and no longer lacks, and where.

    `private`: what is asked otherwise turns on what only those involved may read.
    """

    project_id: int
    kind: str
    asked: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    problem: str = ""
    private: bool = False


def judge_all(
    rulebooks: Mapping[int, Rulebook], draft: Rulebook, projects: list[Standing], *, seconds: float
) -> list[Result] | str:
    """Return what a draft does to each project, or a sentence that says why it cannot be told."""
    known = {number: portable(one) for number, one in rulebooks.items()}
    found: list[Result] | str = in_child(_judge_all, (known, portable(draft), projects), seconds)
    return found


def portable(rulebook: Rulebook) -> Rulebook:
    """Return the same rulebook as another process can be given: to read its text again would take longer."""
    return replace(
        rulebook,
        facts=dict(rulebook.facts),
        collections={
            name: replace(one, fields=dict(one.fields))
            for name, one in rulebook.collections.items()
        },
    )


def _judge_all(
    given: tuple[Mapping[int, Rulebook], Rulebook, list[Standing]],
) -> list[Result]:
    rulebooks, draft, projects = given
    judge = Judge()
    return [_result(one, rulebooks[one.version], draft, judge) for one in projects]


class Judge:
    """Judges many projects: the first of each gate by engine and reference, the others by the reference alone."""

    def __init__(self) -> None:
        """Begin with no gate judged."""
        self._twice: Counter[tuple[str, str]] = Counter()
        self._pairs: dict[tuple[str, str, bool], list[Pair]] = {}

    def pairs(self, own: Rulebook, draft: Rulebook, stage: str, *, closed: bool) -> list["Pair"]:
        """Return the moves to judge, found once for every project of a version that stands there."""
        key = own.sha256, stage, closed
        if key not in self._pairs:
            self._pairs[key] = pairs(own, draft, stage, closed=closed)
        return self._pairs[key]

    def verdict(self, rulebook: Rulebook, transition: str, facts: Facts, today: date) -> Verdict:
        """Return a verdict that binds nobody. Raises GateUnjudgeable."""
        key = rulebook.sha256, transition
        self._twice[key] += 1
        if self._twice[key] <= TWICE:
            return judge_twice(rulebook, transition, facts, today=today)
        return reference_verdict(rulebook, transition, facts, today=today)


def _result(one: Standing, own: Rulebook, draft: Rulebook, judge: Judge) -> Result:
    if not one.closed and one.stage not in draft.stages:
        return Result(one.project_id, STAGELESS)
    judged = judge.pairs(own, draft, one.stage, closed=one.closed)
    private = any(pair.private or pair.revived & one.answers.keys() for pair in judged)
    try:
        return replace(_compared(one, own, draft, judge), private=private)
    except GateUnjudgeable as problem:
        return Result(one.project_id, UNJUDGED, problem=problem.sentence, private=private)


def _compared(one: Standing, own: Rulebook, draft: Rulebook, judge: Judge) -> Result:
    kinds: set[str] = set()
    asked: dict[str, None] = {}
    dropped: dict[str, None] = {}
    places: dict[Place, None] = {}
    for pair in judge.pairs(own, draft, one.stage, closed=one.closed):
        before = _verdict(one, own, pair.before, judge)
        after = _verdict(one, draft, pair.after, judge)
        old, new = _blocking(before), _blocking(after)
        asked.update(dict.fromkeys(new[name].message for name in new.keys() - old.keys()))
        dropped.update(dict.fromkeys(old[name].message for name in old.keys() - new.keys()))
        for name in new.keys() - old.keys():
            places.update(dict.fromkeys(_places(draft, after, new[name])))
        if pair.decides:
            kinds.add(_turn(before, after))
        elif old.keys() != new.keys():
            kinds.add(OTHERWISE)
    kind = next((each for each in (BLOCKED, FREED, OTHERWISE) if each in kinds), SAME)
    if kind == SAME and (asked or dropped):
        kind = OTHERWISE
    return Result(one.project_id, kind, tuple(sorted(asked)), tuple(sorted(dropped)), tuple(places))


def _turn(before: Verdict | None, after: Verdict | None) -> str:
    was, is_now = before is None or before.allowed, after is None or after.allowed
    if was == is_now:
        return SAME
    return BLOCKED if was else FREED


def _verdict(
    one: Standing, rulebook: Rulebook, move: Transition | None, judge: Judge
) -> Verdict | None:
    if move is None or move.gate is None:
        return None
    values = {**one.values, **one.answers}
    facts = known_to(rulebook, Facts(values, one.collections, waivers=one.waivers))
    signed = tuple(each for each in one.signed.get(move.gate, ()) if each.role in rulebook.roles)
    return judge.verdict(rulebook, move.id, facts.with_signoffs(signed), one.today)


def _blocking(verdict: Verdict | None) -> dict[str, Finding]:
    return {one.id: one for one in verdict.blocking} if verdict is not None else {}


def _places(draft: Rulebook, verdict: Verdict | None, finding: Finding) -> Iterator[Place]:
    """Yield the seats that are not filled; one that others of the same requirement fill is left out."""
    label = draft.gates[verdict.gate].label if verdict is not None and verdict.gate else ""
    single = {seat.roles[0] for seat in finding.seats if len(seat.roles) == 1}
    for seat in finding.seats:
        if seat.have < seat.need and (len(seat.roles) == 1 or not single.issuperset(seat.roles)):
            yield Place(label, seat.roles, seat.need - seat.have, seat.excluded)


@dataclass(frozen=True)
class Pair:
    """One move as it was and as it would be. `decides`: it is judged whether the project can go on now.

    `private`: what its gate asks otherwise turns on what only those involved may read. `revived` names answers that it
    reads and the rules in force do not ask: one that is stored all the same may have been given as money.
    """

    before: Transition | None
    after: Transition | None
    decides: bool
    private: bool
    revived: frozenset[str]


def pairs(own: Rulebook, draft: Rulebook, stage: str, *, closed: bool) -> list[Pair]:
    """Return the moves whose gate asks something else of a project in this stage.

    Of an open one: those out of its stage, then the way to the end. Of a closed one: the whole way.
    """
    start = (own.initial.id, draft.initial.id) if closed else (stage, stage)
    old, new = _ahead(own, start[0]), _ahead(draft, start[1])
    named = [(old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new])]
    next_ones = (
        next(iter(own.forward_path(start[0])), None),
        next(iter(draft.forward_path(start[1])), None),
    )
    if None not in next_ones and next_ones[0] != next_ones[1]:
        lonely = {
            one for one in next_ones if one is not None and not (one.id in old and one.id in new)
        }
        named = [pair for pair in named if not (lonely & {*pair})]
        named += [next_ones] if lonely else []
    return [
        Pair(
            before,
            after,
            decides=_decides(before, after, start[0], closed=closed),
            private=turns_on_private(own, before, draft, after),
            revived=_revived(own, before, draft, after),
        )
        for before, after in named
        if (_gate(own, before) or _gate(draft, after)) and not is_same(own, before, draft, after)
    ]


def _ahead(rulebook: Rulebook, stage: str) -> dict[str, Transition]:
    """Return the moves out of a stage, then those of the way to the end, by id."""
    ahead = (*rulebook.transitions_from(stage), *rulebook.forward_path(stage))
    return {one.id: one for one in ahead}


def _decides(
    before: Transition | None, after: Transition | None, stage: str, *, closed: bool
) -> bool:
    if before is None or after is None:
        return False
    return closed or stage in before.sources


def _gate(rulebook: Rulebook, move: Transition | None) -> Gate | None:
    return rulebook.gates[move.gate] if move is not None and move.gate else None


def is_same(
    own: Rulebook, before: Transition | None, draft: Rulebook, after: Transition | None
) -> bool:
    """Tell whether two gates must give the same verdict on any facts."""
    old, new = _gate(own, before), _gate(draft, after)
    if old is None or new is None or old.id != new.id:
        return False
    if own.never_sign != draft.never_sign or _asks(old) != _asks(new):
        return False
    names = own.gate_reads(old.id)
    return names == draft.gate_reads(new.id) and _are_alike(names, own, draft)


def turns_on_private(
    own: Rulebook, before: Transition | None, draft: Rulebook, after: Transition | None
) -> bool:
    """Tell whether a requirement that differs reads money or what stakeholders said: they are for those involved."""
    return any(
        any(_is_private(name, own, draft) for name in read)
        and (differs or not _are_alike(read, own, draft))
        for read, differs in _readings(own, before, draft, after)
    )


def _revived(
    own: Rulebook, before: Transition | None, draft: Rulebook, after: Transition | None
) -> frozenset[str]:
    return frozenset(
        name
        for read, _ in _readings(own, before, draft, after)
        for name in read
        if name.startswith(_ANSWERS) and name not in own.facts
    )


def _readings(
    own: Rulebook, before: Transition | None, draft: Rulebook, after: Transition | None
) -> Iterator[tuple[set[str], bool]]:
    """Yield what each requirement reads, as it is and as it would be, and whether these differ."""
    old, new = _by_id(_gate(own, before)), _by_id(_gate(draft, after))
    for name in {*old, *new}:
        pair = old.get(name), new.get(name)
        read = {each for one in pair if one is not None for each in read_by(one)}
        yield read, pair[0] != pair[1]


def _is_private(name: str, own: Rulebook, draft: Rulebook) -> bool:
    facts = own.facts.get(name), draft.facts.get(name)
    return name == _TOLD or any(one is not None and one.type == "money" for one in facts)


def _are_alike(names: Iterable[str], own: Rulebook, draft: Rulebook) -> bool:
    return all(
        own.facts.get(name) == draft.facts.get(name)
        and own.collections.get(name) == draft.collections.get(name)
        for name in names
    )


def _by_id(gate: Gate | None) -> dict[str, Requirement]:
    return {one.id: replace(one, line=0) for one in gate.requirements} if gate is not None else {}


def _asks(gate: Gate) -> list[object]:
    return [replace(one, line=0) for one in gate.requirements]
