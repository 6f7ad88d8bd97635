"""Finds a project that shows what a change of a gate does, and says it in words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from okrgate.gates.conditions import (
    Count,
    Each,
    SignoffCondition,
    SomeFails,
    leaves,
    reads,
    refs,
)
from okrgate.gates.differing_cases import Case, cases
from okrgate.gates.differing_strength import LOOSER, STRICTER
from okrgate.gates.engine import judge_twice
from okrgate.gates.model import Fact, Requirement, Rulebook, Signoff
from okrgate.gates.reference import reference_verdict
from okrgate.gates.verdict import Facts, Finding, GateUnjudgeable, Verdict

_MOST_FACTS = 4
_MOST_TRIED = 5
_DECISIONS = {"approved": "approval", "rejected": "objection"}


@dataclass(frozen=True)
class Example:
    """A project at which two rulebooks differ: in which direction, the sentence about it, whether its gate turns."""

    direction: str
    sentence: str
    turns: bool


@dataclass(frozen=True)
class _Tried:
    case: Case
    before: Verdict
    after: Verdict


class Trial:
    """The two verdicts of two rulebooks on every case of one transition."""

    def __init__(
        self,
        before: Rulebook,
        after: Rulebook,
        transition: str,
        changed: Sequence[Requirement],
    ) -> None:
        """Try them all, by the plain judge: whatever is shown is judged again by both."""
        self.before, self.after, self.transition = before, after, transition
        self._tried = list(self._try(cases(before, after, transition, changed)))

    def examples(self, requirements: Sequence[Requirement]) -> list[Example]:
        """Return one example for each direction in which these requirements changed, the clearest there is.

        Where one way the gate itself turns, the other way counts only if it does so, too.
        """
        ids = [one.id for one in requirements]
        found = [
            one
            for direction in (STRICTER, LOOSER)
            if (one := self._clearest(direction, ids, requirements)) is not None
        ]
        turns = any(one.turns for one in found)
        return [one for one in found if one.turns or not turns]

    def _try(self, tried: Iterable[Case]) -> Iterator[_Tried]:
        for case in tried:
            try:
                old = self._judge(self.before, case)
                new = self._judge(self.after, case)
            except GateUnjudgeable:
                continue
            if _marks(old) != _marks(new):
                yield _Tried(case, old, new)

    def _judge(self, rulebook: Rulebook, case: Case) -> Verdict:
        facts = known_to(rulebook, case.facts)
        return reference_verdict(rulebook, self.transition, facts, today=case.today)

    def _clearest(
        self, direction: str, ids: Sequence[str], requirements: Sequence[Requirement]
    ) -> Example | None:
        ranked = sorted(
            (rank, place)
            for place, one in enumerate(self._tried)
            if (rank := _rank(direction, one, ids))
        )
        for rank, place in ranked[:_MOST_TRIED]:
            one = self._tried[place]
            if self._is_sure(one):
                sentence = self._sentence(direction, rank, one, requirements)
                return Example(direction, sentence, turns=rank == 1)
        return None

    def _is_sure(self, one: _Tried) -> bool:
        try:
            for rulebook, said in ((self.before, one.before), (self.after, one.after)):
                facts = known_to(rulebook, one.case.facts)
                again = judge_twice(rulebook, self.transition, facts, today=one.case.today)
                if _marks(again) != _marks(said):
                    return False
        except GateUnjudgeable:
            return False
        return True

    def _sentence(
        self, direction: str, rank: int, one: _Tried, requirements: Sequence[Requirement]
    ) -> str:
        known = (
            self.after if any(each in _all(self.after) for each in requirements) else self.before
        )
        who = f"a project {_with(known, one.case, requirements, self._signs())}"
        label = f"“{self.after.transitions[self.transition].label}”"
        if rank == 1:
            return f"{who} {'no longer passes' if direction == STRICTER else 'now passes'} {label}"
        if rank == 2:
            now = "now stands" if direction == STRICTER else "no longer stands"
            return f"with {who} this {now} in the way of {label}"
        return f"{who} {'now lacks this' if direction == STRICTER else 'no longer lacks this'}, which only is shown"

    def _signs(self) -> bool:
        return any(
            isinstance(leaf, SignoffCondition) and leaf.quorum
            for rulebook in (self.before, self.after)
            for one in _gate_of(rulebook, self.transition)
            for leaf in leaves(one.condition)
        )


def known_to(rulebook: Rulebook, facts: Facts) -> Facts:
    """Return only what a rulebook knows of these facts; what is not known cannot be judged."""
    return replace(
        facts,
        values={name: value for name, value in facts.values.items() if name in rulebook.facts},
        collections={
            name: rows for name, rows in facts.collections.items() if name in rulebook.collections
        },
    )


def _gate_of(rulebook: Rulebook, transition: str) -> tuple[Requirement, ...]:
    gate = rulebook.transitions[transition].gate
    return rulebook.gates[gate].requirements if gate else ()


def _all(rulebook: Rulebook) -> list[Requirement]:
    return [one for gate in rulebook.gates.values() for one in gate.requirements]


def _marks(verdict: Verdict) -> tuple[bool, frozenset[tuple[str, str, bool]]]:
    return verdict.allowed, frozenset((one.id, one.status, one.blocks) for one in verdict.findings)


def _rank(direction: str, one: _Tried, ids: Sequence[str]) -> int:
    """Return how clear a case is: 1 the gate itself turns, 2 a requirement blocks or not, 3 it is shown or not; 0 none."""
    first, second = (one.before, one.after) if direction == STRICTER else (one.after, one.before)
    if _blocking(second, ids) and not _blocking(first, ids):
        return 1 if first.allowed and not second.allowed else 2
    return 3 if _missing(second, ids) - _missing(first, ids) and not _blocking(first, ids) else 0


def _blocking(verdict: Verdict, ids: Sequence[str]) -> set[str]:
    return {one.id for one in _of(verdict, ids) if one.blocks}


def _missing(verdict: Verdict, ids: Sequence[str]) -> set[str]:
    return {one.id for one in _of(verdict, ids) if one.status == "missing"}


def _of(verdict: Verdict, ids: Sequence[str]) -> list[Finding]:
    return [one for one in verdict.findings if one.id in ids]


def _with(rulebook: Rulebook, case: Case, requirements: Sequence[Requirement], signs: bool) -> str:
    parts = [*_facts(rulebook, case, requirements), *_lists(rulebook, case, requirements)]
    if signs:
        parts.append(_signatures(rulebook, case))
    parts += [f"a waiver by the {_role(rulebook, one.role)}" for one in case.facts.waivers]
    return "with " + _listed(parts) if parts else "that has nothing else filled in"


def _facts(rulebook: Rulebook, case: Case, requirements: Sequence[Requirement]) -> Iterator[str]:
    names = dict.fromkeys(
        ref.name
        for one in requirements
        for condition in (one.when, one.condition)
        if condition is not None
        for leaf in leaves(condition)
        if not isinstance(leaf, Each | Count | SomeFails | SignoffCondition)
        for ref in refs(leaf)
    )
    shown = [rulebook.facts[name] for name in names if name in rulebook.facts]
    people: set[object] = set()
    for fact in shown[:_MOST_FACTS]:
        value = case.facts.values.get(fact.name)
        if value is None:
            yield f"no {fact.label}"
        elif fact.type == "user":
            yield f"the same person as {fact.label}" if value in people else f"a {fact.label}"
            people.add(value)
        else:
            yield f"{fact.label} {spoken(fact, value)}"


def _lists(rulebook: Rulebook, case: Case, requirements: Sequence[Requirement]) -> Iterator[str]:
    names = dict.fromkeys(
        name
        for one in requirements
        for condition in (one.when, one.condition)
        if condition is not None
        for name in sorted(reads(condition))
        if name in rulebook.collections
    )
    for name in names:
        collection = rulebook.collections[name]
        rows = list(case.facts.collections.get(name) or ())
        if not rows:
            yield f"nothing under {collection.label}"
            continue
        said = _item(rulebook, name, rows[0], requirements) if len(rows) == 1 else ""
        count = "one entry" if len(rows) == 1 else f"{len(rows)} entries"
        yield f"{count} under {collection.label}{said}"


def _item(rulebook: Rulebook, name: str, row: object, requirements: Sequence[Requirement]) -> str:
    fields = rulebook.collections[name].fields
    said = []
    for key in _fields_read(name, requirements):
        value = row.get(key) if isinstance(row, dict) else None
        if key in fields:
            said.append(
                f"{fields[key].label}: {'empty' if value is None else spoken(fields[key], value)}"
            )
    return f" ({', '.join(said)})" if said else ""


def _fields_read(name: str, requirements: Sequence[Requirement]) -> list[str]:
    found: dict[str, None] = {}
    for one in requirements:
        for leaf in leaves(one.condition):
            each = leaf.each if isinstance(leaf, SomeFails) else leaf
            if isinstance(each, Each | Count) and each.collection == name:
                parts = [each.where, each.must if isinstance(each, Each) else None]
                for part in parts:
                    for inside in leaves(part) if part is not None else ():
                        if not isinstance(inside, Each | Count | SomeFails | SignoffCondition):
                            found.update(dict.fromkeys(ref.name for ref in refs(inside)))
    return list(found)


def _signatures(rulebook: Rulebook, case: Case) -> str:
    if not case.facts.signoffs:
        return "no approval"
    counts: dict[str, int] = {}
    for one in case.facts.signoffs:
        words = f"{_kind(one)} of the {_role(rulebook, one.role)}{_part(rulebook, case, one)}"
        counts[words] = counts.get(words, 0) + 1
    said = [
        f"one {words}" if count == 1 else f"{count} {words.replace(' of ', 's of ', 1)}"
        for words, count in counts.items()
    ]
    people = {one.by for one in case.facts.signoffs}
    same = ", all by one person" if len(people) == 1 and len(case.facts.signoffs) > 1 else ""
    return _listed(said) + same


def _kind(one: Signoff) -> str:
    word = _DECISIONS.get(one.decision, f"“{one.decision}”")
    return f"outdated {word}" if one.stale else word


def _part(rulebook: Rulebook, case: Case, one: Signoff) -> str:
    """Say which part in the project whoever signed has: the reason why it may not count."""
    for name, value in case.facts.values.items():
        fact = rulebook.facts.get(name)
        if fact is not None and fact.type == "user" and value == one.by:
            return f", who is its {fact.label}"
    return ""


def _role(rulebook: Rulebook, role: str) -> str:
    known = rulebook.roles.get(role)
    return known.label if known is not None else role


def spoken(fact: Fact, value: object) -> str:
    """Return a value as a sentence says it: 30,000.01; 1 Feb 2027; yes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    if isinstance(value, int | Decimal):
        if fact.type == "money":
            return f"{value:,.2f}"
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"“{value}”"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
