"""What changes around the requirements: stages, moves, roles, who never signs, questions, promises, tests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from okrgate.gates.differing_numbers import Numbers
from okrgate.gates.differing_strength import LOOSER, OTHER, STRICTER, by_parts, by_size
from okrgate.gates.model import Gate, Rulebook, Stage, Transition
from okrgate.gates.vocabulary import SECTIONS

_SCOPES = {
    "home": "in the project's unit or above",
    "teams": "in the project's unit, its teams' units or above",
    "company": "in any unit",
}
_KINDS = {
    "forward": "leads on", "return": "sends back", "park": "puts on hold", "resume": "resumes",
    "decline": "declines", "withdraw": "withdraws", "stop": "stops",
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """One change: its kind, where it is, the sentence, its direction."""

    kind: str
    where: str
    sentence: str
    direction: str = OTHER


def process_changes(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    """Yield every change but those of numbers and requirements."""
    parts = (
        _ruleset, _roles, _signing, _stages, _moves, _gates, _questions, _declines, _promises, _tests,
    )  # fmt: skip
    for of in parts:
        yield from of(before, after)


def _declines(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    old, new = before.reasons_to_decline, after.reasons_to_decline
    for one, label in new.items():
        if one not in old:
            yield Told("process", "", f"New reason to decline: {label}.")
        elif old[one] != label:
            yield Told("process", "", f"The reason to decline “{old[one]}” is now called {label}.")
    for one, label in old.items():
        if one not in new:
            yield Told("process", "", f"No reason to decline any more: {label}.")


def _ruleset(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    for name, what in (
        ("title", "The title"),
        ("owner", "The owner of the rules"),
        ("review_by", "The day to review the rules"),
        ("effective_from", "The day from which the rules count"),
        ("in_flight", "What becomes of open projects"),
        ("vocabulary", "The vocabulary"),
    ):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield Told("process", "", f"{what}: {_or_none(old)} → {_or_none(new)}.")


def _roles(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    for one in _new(before.roles, after.roles):
        yield Told("role", "", f"New role: {one.label}.")
    for one in _new(after.roles, before.roles):
        yield Told("role", "", f"The role {one.label} is gone.")
    for old, new in _kept(before.roles, after.roles):
        if old.label != new.label:
            yield Told("role", "", f"The role {old.label} is called {new.label}.")
        if (old.kind, old.fact) != (new.kind, new.fact):
            yield Told("role", "", f"Who is {new.label} is found in another way.")
        if old.scope != new.scope:
            wider = ("home", "teams", "company")
            direction = by_size(wider.index(new.scope), wider.index(old.scope))
            sentence = (
                f"{new.label}: counts if held {_SCOPES[new.scope]}; before {_SCOPES[old.scope]}."
            )
            yield Told("role", "", sentence, direction)


def _signing(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    for name in after.never_sign:
        if name not in before.never_sign:
            yield Told("signing", "", f"{_fact(after, name)} never signs now.", STRICTER)
    for name in before.never_sign:
        if name not in after.never_sign:
            sentence = f"{_fact(before, name)} may sign, unless the gate itself says otherwise."
            yield Told("signing", "", sentence, LOOSER)
    if before.editors_barred != after.editors_barred:
        sentence = (
            "Whoever changed what is signed may not sign it."
            if after.editors_barred
            else "The rules no longer keep whoever changed what is signed from signing it."
        )
        yield Told("signing", "", sentence, STRICTER if after.editors_barred else LOOSER)


def _stages(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    for one in _new(before.stages, after.stages):
        yield Told("stage", one.label, f"New stage: {one.label}.")
    for one in _new(after.stages, before.stages):
        yield Told("stage", one.label, f"The stage {one.label} is gone.")
    for old, new in _kept(before.stages, after.stages):
        yield from _stage(before, after, old, new)
    known = [name for name in before.stages if name in after.stages]
    if known != [name for name in after.stages if name in before.stages]:
        yield Told("stage", "", "The stages are listed in another order.")


def _stage(before: Rulebook, after: Rulebook, old: Stage, new: Stage) -> Iterator[Told]:
    def told(sentence: str) -> Told:
        return Told("stage", new.label, sentence)

    if old.label != new.label:
        yield told(f"The stage {old.label} is called {new.label}.")
    if old.help != new.help:
        yield told(f"{new.label} is explained differently.")
    for name, what in (
        ("sla_days", "working days it should take at most"),
        ("remind_days", "working days until a reminder"),
        ("outcome", "outcome"),
    ):
        first, second = getattr(old, name), getattr(new, name)
        if first != second:
            yield told(f"{new.label}, {what}: {_or_none(first)} → {_or_none(second)}.")
    if (old.initial, old.terminal, old.holding) != (new.initial, new.terminal, new.holding):
        yield told(f"{new.label} is {_place(new)} now; before it was {_place(old)}.")
    yield from _duties(before, after, old, new)


def _duties(before: Rulebook, after: Rulebook, old: Stage, new: Stage) -> Iterator[Told]:
    def told(sentence: str) -> Told:
        return Told("stage", new.label, sentence)

    if old.escalate_to != new.escalate_to:
        who = f"{_roles_of(before, old.escalate_to)} → {_roles_of(after, new.escalate_to)}"
        yield told(f"{new.label}, told when it takes too long: {who}.")
    if old.on_enter != new.on_enter:
        yield told(f"What happens by itself on entering {new.label} changes.")
    for section in dict.fromkeys([*new.sections, *old.sections]):
        first, second = old.sections.get(section, ()), new.sections.get(section, ())
        if first != second:
            label = SECTIONS.get(section, section)
            who = f"{_roles_of(before, first)} → {_roles_of(after, second)}"
            yield told(f"{new.label}, who fills in “{label}”: {who}.")


def _moves(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    for one in _new(before.transitions, after.transitions):
        yield Told("move", _gate(after, one.gate), _way(after, one, "New move"))
    for one in _new(after.transitions, before.transitions):
        yield Told("move", _gate(before, one.gate), _way(before, one, "No longer possible"))
    for old, new in _kept(before.transitions, after.transitions):
        for sentence, direction in _move(before, after, old, new):
            yield Told("move", _gate(after, new.gate), f"“{new.label}”: {sentence}.", direction)


def _move(
    before: Rulebook, after: Rulebook, old: Transition, new: Transition
) -> Iterator[tuple[str, str]]:
    if old.label != new.label:
        yield f"was called “{old.label}”", OTHER
    if old.sources != new.sources:
        first, second = _stages_of(before, old.sources), _stages_of(after, new.sources)
        yield f"starts from {second}; before from {first}", OTHER
    if old.target != new.target:
        first, second = _stages_of(before, [old.target]), _stages_of(after, [new.target])
        yield f"leads to {second}; before to {first}", OTHER
    if old.gate != new.gate:
        yield _through(before, after, old, new)
    if old.by != new.by:
        who = f"{_roles_of(before, old.by)} → {_roles_of(after, new.by)}"
        yield f"who may do it: {who}", by_parts(old.by, new.by, more=LOOSER)
    yield from _course(before, after, old, new)


def _course(
    before: Rulebook, after: Rulebook, old: Transition, new: Transition
) -> Iterator[tuple[str, str]]:
    if old.kind != new.kind:
        yield f"{_KINDS[new.kind]} now; before it {_KINDS[old.kind]}", OTHER
    if old.auto != new.auto:
        yield f"{'happens by itself now' if new.auto else 'no longer happens by itself'}", OTHER
    if old.asks != new.asks:
        direction = by_parts(old.asks, new.asks, more=STRICTER)
        yield f"asks for {_words(old.asks)} → {_words(new.asks)}", direction
    if old.voids_signoffs != new.voids_signoffs:
        if new.voids_signoffs:
            yield "voids the sign-offs given before", STRICTER
        else:
            yield "no longer voids the sign-offs given before", LOOSER
    if old.notify != new.notify:
        yield (
            f"who is told: {_roles_of(before, old.notify)} → {_roles_of(after, new.notify)}",
            OTHER,
        )
    if old.mail != new.mail:
        yield f"its mail says besides: {new.mail or 'nothing'}", OTHER


def _through(
    before: Rulebook, after: Rulebook, old: Transition, new: Transition
) -> tuple[str, str]:
    if new.gate is None:
        return f"needs no gate any more; before “{_gate(before, old.gate)}”", LOOSER
    if old.gate is None:
        return f"needs the gate “{_gate(after, new.gate)}” now; before none", STRICTER
    return f"needs the gate “{_gate(after, new.gate)}”; before “{_gate(before, old.gate)}”", OTHER


def _gates(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    for one in _new(before.gates, after.gates):
        yield Told("gate", one.label, f"New gate: {one.label}.")
    for one in _new(after.gates, before.gates):
        yield Told("gate", one.label, f"The gate {one.label} is gone.")
    for old, new in _kept(before.gates, after.gates):
        if old.label != new.label:
            yield Told("gate", new.label, f"The gate {old.label} is called {new.label}.")
        if old.strict != new.strict:
            yield _strictness(new)
        yield from _material(before, after, new.id)


def _strictness(gate: Gate) -> Told:
    if gate.strict:
        sentence = f"Whoever decides at {gate.label} confirms it with a second factor."
        return Told("factor", gate.label, sentence, STRICTER)
    sentence = f"Whoever decides at {gate.label} no longer needs a second factor."
    return Told("factor", gate.label, sentence, LOOSER)


def _material(before: Rulebook, after: Rulebook, gate: str) -> Iterator[Told]:
    """Tell what a sign-off covers: a change of it makes the sign-off stale."""
    old, new = before.material_of(gate), after.material_of(gate)
    label = after.gates[gate].label
    if new - old:
        names = ", ".join(_fact(after, name) for name in sorted(new - old))
        sentence = f"A sign-off at {label} goes stale with a change of {names}, too."
        yield Told("material", label, sentence, STRICTER)
    if old - new:
        names = ", ".join(_fact(before, name) for name in sorted(old - new))
        sentence = f"A sign-off at {label} stays valid when {names} changes."
        yield Told("material", label, sentence, LOOSER)


def _questions(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    for one in _new(before.questions, after.questions):
        yield Told("question", _stage_label(after, one.stage), f"New question: “{one.label}”.")
    for one in _new(after.questions, before.questions):
        where = _stage_label(before, one.stage)
        yield Told("question", where, f"“{one.label}” is no longer a question of the form.")
    for old, new in _kept(before.questions, after.questions):
        if old != new:
            sentence = f"The question “{new.label}” changes: {_question(old, new)}."
            yield Told("question", _stage_label(after, new.stage), sentence)


def _question(old: Any, new: Any) -> str:
    said = []
    if old.label != new.label:
        said.append(f"it was worded “{old.label}”")
    if old.type != new.type:
        said.append(f"its answer is of another type ({old.type} → {new.type})")
    if old.values != new.values:
        said.append(f"its answers: {_words(old.values)} → {_words(new.values)}")
    if (old.stage, old.section) != (new.stage, new.section):
        said.append("it is asked elsewhere")
    return ", ".join(said) or "its explanation"


def _promises(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    old = {one.id: one for one in before.invariants}
    new = {one.id: one for one in after.invariants}
    for one in _new(old, new):
        yield Told(
            "promise", "", f"New promise about the whole process: {one.label or one.id}.", STRICTER
        )
    for one in _new(new, old):
        yield Told("promise", "", f"No longer promised: {one.label or one.id}.", LOOSER)
    numbers = Numbers(before, after)
    for first, second in _kept(old, new):
        kept = replace(
            first,
            condition=numbers.put_into(first.condition),
            label=numbers.put_into_words(first.label),
            line=0,
        )
        if kept != replace(second, line=0):
            yield Told(
                "promise", "", f"The promise “{second.label or second.id}” says something else."
            )


def _tests(before: Rulebook, after: Rulebook) -> Iterator[Told]:
    old = {one.name: one for one in before.tests}
    new = {one.name: one for one in after.tests}
    expects = sum(a.expect != b.expect for a, b in _kept(old, new))
    parts = [
        f"{count} {what}"
        for count, what in (
            (len(new.keys() - old.keys()), "new"),
            (len(old.keys() - new.keys()), "gone"),
            (expects, "with another result"),
        )
        if count
    ]
    if parts:
        yield Told("tests", "", f"The file's own tests: {', '.join(parts)}.")


def _new(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Any]:
    return [one for name, one in after.items() if name not in before]


def _kept(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    return [(before[name], one) for name, one in after.items() if name in before]


def _way(rulebook: Rulebook, one: Transition, word: str) -> str:
    gate = f", through the gate “{_gate(rulebook, one.gate)}”" if one.gate else ""
    return (
        f"{word}: “{one.label}” from {_stages_of(rulebook, one.sources)} "
        f"to {_stages_of(rulebook, [one.target])}{gate}."
    )


def _gate(rulebook: Rulebook, gate: str | None) -> str:
    return rulebook.gates[gate].label if gate else ""


def _fact(rulebook: Rulebook, name: str) -> str:
    known = rulebook.facts.get(name) or rulebook.collections.get(name)
    return known.label if known is not None else name


def _stage_label(rulebook: Rulebook, name: str) -> str:
    return rulebook.stages[name].label if name in rulebook.stages else "where it was"


def _stages_of(rulebook: Rulebook, names: Iterable[str]) -> str:
    return _words([_stage_label(rulebook, one) for one in names])


def _roles_of(rulebook: Rulebook, names: Iterable[str]) -> str:
    return _words([rulebook.roles[one].label for one in names])


def _place(stage: Stage) -> str:
    marks: tuple[tuple[bool, str], ...] = (
        (stage.initial, "the beginning"),
        (stage.terminal, "an end"),
        (stage.holding, "a place to wait"),
    )
    return " and ".join(words for is_so, words in marks if is_so) or "on the way"


def _words(words: Iterable[str]) -> str:
    return ", ".join(words) or "nobody"


def _or_none(value: object) -> str:
    return "none" if value is None else str(value)
