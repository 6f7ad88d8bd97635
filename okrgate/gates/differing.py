"""Says what changes between two rulebooks, in sentences a person understands, each with a project that shows it.

Pure: no database, no web. It judges projects, so a text that nobody has run yet is compared in a process of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from okrgate.gates.conditions import Condition
from okrgate.gates.differing_examples import Example, Trial
from okrgate.gates.differing_numbers import Numbers
from okrgate.gates.differing_process import process_changes
from okrgate.gates.differing_strength import (
    LOOSER,
    OTHER,
    SAME,
    STRICTER,
    of_requirement,
    together,
    weight,
)
from okrgate.gates.model import Gate, Requirement, Rulebook

__all__ = ["LOOSER", "OTHER", "STRICTER", "Change", "Meaning", "differ"]

Say = Callable[[Rulebook, Condition], str]
_NOW = {"off": "is not judged", "evaluate": "is on trial", "hard": "must be met",
        "soft": "can be set aside", "advisory": "is only advice"}  # fmt: skip
_THEN = {"off": "was not judged", "evaluate": "was on trial", "hard": "had to be met",
         "soft": "could be set aside", "advisory": "was only advice"}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One thing that changes: of which kind, where, in which direction, and projects that show it.

    `about` is the gate and the requirement, by id, where one requirement changes.
    """

    kind: str
    where: str
    sentence: str
    direction: str = OTHER
    examples: tuple[str, ...] = ()
    about: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Meaning:
    """All that changes, in the order of the file. `stricter` as far as shape and the projects tried show."""

    changes: tuple[Change, ...]

    def count(self, direction: str) -> int:
        """Return how many changes go in a direction."""
        return sum(one.direction == direction for one in self.changes)

    @property
    def loosens(self) -> bool:
        """Tell whether anything may have become easier: in doubt it may."""
        return any(one.direction == LOOSER for one in self.changes)


@dataclass(frozen=True)
class _Pair:
    """A requirement before and after; one of them may not be there."""

    gate: Gate
    before: Requirement | None
    after: Requirement | None

    @property
    def id(self) -> str:
        one = self.after or self.before
        return one.id if one is not None else ""

    @property
    def both(self) -> tuple[Requirement, ...]:
        return tuple(one for one in (self.before, self.after) if one is not None)


def differ(before: Rulebook, after: Rulebook, *, say: Say) -> Meaning:
    """Return what changes from one rulebook to another. `say` puts a condition into words."""
    numbers = Numbers(before, after)
    pairs = list(_pairs(before, after))
    trials = _trials(before, after, pairs)
    return Meaning(
        (
            *_process(before, after, trials),
            *_numbers(numbers, pairs, trials),
            *(
                _requirement(before, after, pair, trials, say)
                for pair in pairs
                if not _only_numbers(numbers, pair)
            ),
        )
    )


def _process(
    before: Rulebook, after: Rulebook, trials: Mapping[str, tuple[Trial, ...]]
) -> Iterator[Change]:
    for one in process_changes(before, after):
        examples = _signing(after, trials, one.direction) if one.kind == "signing" else ()
        yield Change(one.kind, one.where, one.sentence, one.direction, examples)


def _signing(
    after: Rulebook, trials: Mapping[str, tuple[Trial, ...]], direction: str
) -> tuple[str, ...]:
    """Return the first project that shows what another list of those who never sign does."""
    found = (
        one.sentence
        for gate, tried in trials.items()
        for trial in tried
        for one in trial.examples(_signed_at(after, gate if gate in after.gates else None))
        if one.direction == direction
    )
    first = next(found, None)
    return (first,) if first is not None else ()


def _pairs(before: Rulebook, after: Rulebook) -> Iterator[_Pair]:
    """Yield each requirement that is not the same in both, gate by gate."""
    for gate_id in dict.fromkeys([*after.gates, *before.gates]):
        gate = after.gates.get(gate_id) or before.gates[gate_id]
        old = _requirements(before, gate_id)
        new = _requirements(after, gate_id)
        for name in dict.fromkeys([*new, *old]):
            pair = _Pair(gate, old.get(name), new.get(name))
            if _plain(pair.before) != _plain(pair.after):
                yield pair


def _requirements(rulebook: Rulebook, gate_id: str) -> dict[str, Requirement]:
    gate = rulebook.gates.get(gate_id)
    return {one.id: one for one in gate.requirements} if gate is not None else {}


def _plain(one: Requirement | None) -> object:
    if one is None:
        return None
    return (
        one.message, one.help, one.severity, one.mode, one.condition, one.when, one.waiver, one.fix,
        one.binds_from, one.after,
    )  # fmt: skip


def _trials(
    before: Rulebook, after: Rulebook, pairs: Sequence[_Pair]
) -> Mapping[str, tuple[Trial, ...]]:
    """Try every move through a gate that changed, in both rulebooks; by the gate's id."""
    found: dict[str, list[Trial]] = {}
    for name, move in after.transitions.items():
        old = before.transitions.get(name)
        gates = {one.gate for one in (old, move) if one is not None and one.gate}
        changed = [one for pair in pairs if pair.gate.id in gates for one in reversed(pair.both)]
        if before.never_sign != after.never_sign:
            changed += [one for one in _signed_at(after, move.gate) if one not in changed]
        if old is None or not changed:
            continue
        trial = Trial(before, after, name, changed)
        for gate in gates:
            found.setdefault(gate, []).append(trial)
    return {gate: tuple(trials) for gate, trials in found.items()}


def _signed_at(rulebook: Rulebook, gate: str | None) -> list[Requirement]:
    """Return the requirements of a gate that wait for sign-offs: these turn on who never signs."""
    asked = rulebook.gates[gate].requirements if gate else ()
    return [one for one in asked if any(each.quorum for each in rulebook.signoff_conditions(one))]


def _examples(
    trials: Mapping[str, tuple[Trial, ...]], pairs: Sequence[_Pair]
) -> tuple[Example, ...]:
    """Return the first example in each direction for these requirements."""
    found: dict[str, Example] = {}
    for gate in dict.fromkeys(pair.gate.id for pair in pairs):
        wanted = [one for pair in pairs if pair.gate.id == gate for one in reversed(pair.both)]
        for trial in trials.get(gate, ()):
            for one in trial.examples(wanted):
                found.setdefault(one.direction, one)
    return tuple(found.values())


def _direction(shape: str, examples: Sequence[Example]) -> str:
    """Return what the shape says; where it does not tell, what every project tried says."""
    shown = together(one.direction for one in examples)
    if shape in (SAME, OTHER):
        return shown if shown != SAME else OTHER
    return shape if shown in (SAME, shape) else OTHER


def _numbers(
    numbers: Numbers, pairs: Sequence[_Pair], trials: Mapping[str, tuple[Trial, ...]]
) -> Iterator[Change]:
    for one in numbers.changed:
        touched = [
            pair
            for pair in pairs
            if pair.before is not None
            and pair.after is not None
            and numbers.moves(one, pair.before)
        ]
        examples = _examples(trials, touched)
        shape = together(
            of_requirement(pair.before, pair.after)
            for pair in touched
            if pair.before is not None and pair.after is not None
        )
        where = ", ".join(dict.fromkeys(pair.gate.label for pair in touched))
        yield Change(
            "number", where, one.sentence, _direction(shape, examples), _sentences(examples)
        )


def _only_numbers(numbers: Numbers, pair: _Pair) -> bool:
    """Tell whether a requirement differs by nothing but the numbers that changed: those are told once."""
    if pair.before is None or pair.after is None:
        return False
    return _plain(numbers.moved(pair.before)) == _plain(pair.after)


def _requirement(
    before: Rulebook,
    after: Rulebook,
    pair: _Pair,
    trials: Mapping[str, tuple[Trial, ...]],
    say: Say,
) -> Change:
    examples = _examples(trials, [pair])
    if pair.before is None and pair.after is not None:
        sentence = f"New: “{pair.after.message}”. It {_NOW[_binding(pair.after)]}."
        shape = STRICTER if weight(pair.after) > 1 else OTHER
    elif pair.after is None and pair.before is not None:
        sentence = f"“{pair.before.message}” is no longer asked."
        shape = LOOSER if weight(pair.before) > 1 else OTHER
    else:
        sentence, shape = _altered(before, after, pair, say)
    return Change(
        "requirement",
        pair.gate.label,
        sentence,
        _direction(shape, examples),
        _sentences(examples),
        about=(pair.gate.id, pair.id),
    )


def _sentences(examples: Sequence[Example]) -> tuple[str, ...]:
    return tuple(one.sentence for one in examples)


def _altered(before: Rulebook, after: Rulebook, pair: _Pair, say: Say) -> tuple[str, str]:
    old, new = pair.before, pair.after
    if old is None or new is None:
        return "", SAME
    parts = []
    if _binding(old) != _binding(new):
        parts.append(f"{_NOW[_binding(new)]} now; before, it {_THEN[_binding(old)]}")
    if old.condition != new.condition:
        asked = say(after, new.condition), say(before, old.condition)
        parts.append(f"asks now: {asked[0]}; before: {asked[1]}")
    if old.when != new.when:
        parts.append(f"is asked {_when(after, new, say)} now; before, {_when(before, old, say)}")
    if old.waiver != new.waiver and old.waiver is not None and new.waiver is not None:
        terms = _waiver(after, new), _waiver(before, old)
        parts.append(f"can be set aside in another way. Now {terms[0]}; before, {terms[1]}")
    if old.after != new.after:
        parts.append(f"is asked {_order(after, new)} now; before, {_order(before, old)}")
    if not parts:
        return _worded(old, new), OTHER
    return f"“{new.message}” {'. It '.join(parts)}.", of_requirement(old, new)


def _binding(one: Requirement) -> str:
    """Return how a requirement binds: its mode, and when it is active its severity."""
    return one.severity if one.mode == "active" else one.mode


def _worded(old: Requirement, new: Requirement) -> str:
    if old.severity != new.severity:
        return f"“{new.message}” is to bind in another way once it is judged in earnest."
    if old.message != new.message:
        return f"“{old.message}” is worded “{new.message}”."
    if old.binds_from != new.binds_from:
        return f"“{new.message}” is on trial and {_planned(new)}."
    what = "is explained differently" if old.help != new.help else "is filled in elsewhere"
    return f"“{new.message}” {what}."


def _planned(one: Requirement) -> str:
    day = one.binds_from
    return f"planned to bind from {day.day} {day:%b %Y}" if day else "no longer planned to bind"


def _when(rulebook: Rulebook, one: Requirement, say: Say) -> str:
    return f"only if {say(rulebook, one.when)}" if one.when is not None else "always"


def _order(rulebook: Rulebook, one: Requirement) -> str:
    messages = {
        each.id: each.message for gate in rulebook.gates.values() for each in gate.requirements
    }
    first = " and ".join(f"“{messages.get(name, name)}”" for name in one.after)
    return f"after {first}" if first else "in any order"


def _waiver(rulebook: Rulebook, one: Requirement) -> str:
    terms = one.waiver
    if terms is None:
        return "nobody may set it aside"
    who = " or ".join(rulebook.roles[role].label for role in terms.by)
    return (
        f"{who} may set it aside with a reason of {terms.reason_min} characters, "
        f"for {terms.expires_days} days"
    )
