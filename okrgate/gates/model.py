"""A rulebook as values: what one rules file says, checked, with every name resolved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from okrgate.gates.conditions import Condition, SignoffCondition, Value, leaves, reads

FORWARD = "forward"
# Why a project is declined, where a file does not say it in the company's own words.
DECLINE_REASONS = {
    "capacity": "No room for it now",
    "fit": "Does not serve our objectives",
    "value": "Worth too little for what it takes",
    "risk": "Too risky",
    "duplicate": "Somebody does it already",
    "unclear": "Too little is known",
    "other": "Another reason",
}


@dataclass(frozen=True)
class Fact:
    """One thing a rule may ask about. `volatile`: moves by itself, so it never makes a sign-off stale."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    min: Value | None = None
    max: Value | None = None
    always: bool = False
    unit: str = ""
    label: str = ""
    help: str = ""
    volatile: bool = False
    many: bool = False


@dataclass(frozen=True)
class Collection:
    """A list inside a project; its items are called by `name_field`."""

    name: str
    label: str
    name_field: str
    fields: Mapping[str, Fact]
    volatile: bool = False


@dataclass(frozen=True)
class Role:
    """Who may do something: people in a fact of the project, or holders in the directory."""

    id: str
    label: str
    kind: str
    fact: str | None = None
    scope: str = "home"


@dataclass(frozen=True)
class Stage:
    id: str
    label: str
    help: str = ""
    initial: bool = False
    terminal: bool = False
    outcome: str | None = None
    holding: bool = False
    sla_days: int | None = None
    remind_days: int | None = None
    escalate_to: tuple[str, ...] = ()
    sections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    on_enter: tuple[str, ...] = ()


@dataclass(frozen=True)
class Transition:
    """A move from some stages to one, or (`previous`) back to the stage a project was held in."""

    id: str
    label: str
    sources: tuple[str, ...]
    target: str
    by: tuple[str, ...] = ()
    gate: str | None = None
    kind: str = FORWARD
    asks: tuple[str, ...] = ()
    auto: bool = False
    voids_signoffs: bool = False
    notify: tuple[str, ...] = ()
    mail: str = ""


@dataclass(frozen=True)
class WaiverTerms:
    """Who may set a soft requirement aside, with how long a reason, and for how long."""

    by: tuple[str, ...]
    reason_min: int
    expires_days: int


@dataclass(frozen=True)
class Requirement:
    """What a gate asks. `binds_from`: from when one on trial is meant to bind; people are told, nothing turns on it.

    `after`: requirements of the same gate that come first: until they are met nobody is asked to sign for this one.
    """

    id: str
    message: str
    severity: str
    condition: Condition
    help: str = ""
    mode: str = "active"
    when: Condition | None = None
    waiver: WaiverTerms | None = None
    fix: str | None = None
    binds_from: date | None = None
    line: int = 0
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gate:
    """What a move has to pass. `strict`: each decision at it is confirmed with a fresh second factor."""

    id: str
    label: str
    requirements: tuple[Requirement, ...]
    material: tuple[str, ...] | None = None
    strict: bool = False


@dataclass(frozen=True)
class Question:
    """An extra form field of this company; its answer is the fact `answers.<id>`."""

    id: str
    stage: str
    section: str
    type: str
    label: str
    help: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Invariant:
    """A promise about the whole process: never in a stage, or never through a transition, without a condition."""

    id: str
    condition: Condition
    never_reach: str | None = None
    at: str | None = None
    label: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Signoff:
    """What somebody said in a role; a delegate signs `by` themselves, `on_behalf_of` the one stood in for."""

    role: str
    by: str
    decision: str = "approved"
    stale: bool = False
    on_behalf_of: str | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A valid exception to one soft requirement."""

    requirement: str
    role: str
    by: str


@dataclass(frozen=True)
class Example:
    """A project as tests write it down: typed facts, lists, signatures, and the day it is."""

    id: str
    today: date | None
    values: Mapping[str, Value | tuple[str, ...]]
    collections: Mapping[str, tuple[Mapping[str, Value], ...]]
    signoffs: tuple[Signoff, ...] | None = None
    waivers: tuple[Waiver, ...] | None = None


@dataclass(frozen=True)
class Expectation:
    allowed: bool | None = None
    missing: frozenset[str] | None = None
    met: frozenset[str] = frozenset()
    waived: frozenset[str] = frozenset()
    na: frozenset[str] = frozenset()
    items: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class EmbeddedTest:
    name: str
    transition: str
    fixture: str
    changes: Example
    unset: tuple[str, ...]
    expect: Expectation
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Rulebook:
    """Everything one rules file says. Values never change after loading; `sha256` is that of the text."""

    id: str
    title: str
    owner: str | None
    review_by: date | None
    change_note: str | None
    effective_from: date | None
    in_flight: str
    vocabulary: str
    sha256: str
    text: str
    params: Mapping[str, Value]
    roles: Mapping[str, Role]
    never_sign: tuple[str, ...]
    editors_barred: bool
    facts: Mapping[str, Fact]
    collections: Mapping[str, Collection]
    stages: Mapping[str, Stage]
    transitions: Mapping[str, Transition]
    gates: Mapping[str, Gate]
    questions: Mapping[str, Question]
    invariants: tuple[Invariant, ...]
    fixtures: Mapping[str, Example]
    tests: tuple[EmbeddedTest, ...]
    decline_reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def reasons_to_decline(self) -> Mapping[str, str]:
        """Return what a project may be declined for, in the company's words or in ours: id → label."""
        return self.decline_reasons or DECLINE_REASONS

    @cached_property
    def initial(self) -> Stage:
        """Return the stage where every project begins."""
        return next(stage for stage in self.stages.values() if stage.initial)

    def transitions_from(self, stage_id: str) -> list[Transition]:
        """Return the moves out of a stage, as listed in the file."""
        return [one for one in self.transitions.values() if stage_id in one.sources]

    def gates_of(self, stage_id: str) -> list[Gate]:
        """Return the gates on the moves out of a stage."""
        return [self.gates[one.gate] for one in self.transitions_from(stage_id) if one.gate]

    def forward_path(self, stage_id: str) -> list[Transition]:
        """Return the moves from a stage to the normal end: at each stage the first forward one listed wins.

        A move through a gate goes before one without, and a move to a stage before one to an end: "drop it"
        is not the way forward, wherever the file lists it.
        """
        path: list[Transition] = []
        seen = {stage_id}
        while (step := self._next_forward(stage_id)) is not None and step.target not in seen:
            path.append(step)
            stage_id = step.target
            seen.add(stage_id)
        return path

    def _next_forward(self, stage_id: str) -> Transition | None:
        ahead = [
            one
            for one in self.transitions_from(stage_id)
            if one.kind == FORWARD and one.target in self.stages
        ]
        return min(
            ahead,
            key=lambda one: (one.gate is None, self.stages[one.target].terminal),
            default=None,
        )

    def gate_reads(self, gate_id: str) -> frozenset[str]:
        """Return every fact and list a gate looks at, those whose people never sign included."""
        return self._reads[gate_id]

    @cached_property
    def _reads(self) -> Mapping[str, frozenset[str]]:
        never = frozenset(self.never_sign)
        return {
            gate.id: never.union(*(read_by(one) for one in gate.requirements if one.mode != "off"))
            for gate in self.gates.values()
        }

    def material_of(self, gate_id: str) -> frozenset[str]:
        """Return what a signature at this gate covers: its list, or all it and the forward gates before it read."""
        return self._material[gate_id]

    @cached_property
    def _material(self) -> Mapping[str, frozenset[str]]:
        return {gate.id: self._material_for(gate) for gate in self.gates.values()}

    def _material_for(self, gate: Gate) -> frozenset[str]:
        if gate.material is not None:
            return frozenset(gate.material)
        names: set[str] = set()
        for one in self._gates_up_to(gate.id):
            for requirement in one.requirements:
                names |= read_by(requirement)
        return frozenset(name for name in names if not self._is_volatile(name))

    def _is_volatile(self, name: str) -> bool:
        known = self.facts.get(name) or self.collections.get(name)
        return known is None or known.volatile

    def _gates_up_to(self, gate_id: str) -> Iterator[Gate]:
        """Yield the gates on the forward way up to and including this one (only itself when it lies off the way)."""
        passed = [step.gate for step in self.forward_path(self.initial.id) if step.gate is not None]
        before = passed[: passed.index(gate_id)] if gate_id in passed else []
        if not before:
            before = self._gates_leading_to(gate_id) if gate_id not in passed else []
        for one in dict.fromkeys([*before, gate_id]):
            yield self.gates[one]

    def _gates_leading_to(self, gate_id: str) -> list[str]:
        """Return the gates on the forward way to the stage where an off-way gate stands."""
        stages = {
            stage
            for one in self.transitions.values()
            if one.gate == gate_id
            for stage in one.sources
        }
        passed: list[str] = []
        here = self.initial.id
        for step in self.forward_path(here):
            if here in stages:
                return passed
            if step.gate is not None:
                passed.append(step.gate)
            here = step.target
        return passed if here in stages else []

    def signoff_conditions(self, requirement: Requirement) -> tuple[SignoffCondition, ...]:
        """Return the seats a requirement asks to be filled, in the order of the file."""
        return tuple(
            leaf for leaf in leaves(requirement.condition) if isinstance(leaf, SignoffCondition)
        )


def read_by(requirement: Requirement) -> frozenset[str]:
    """Return every fact and collection that one requirement looks at."""
    found = reads(requirement.condition)
    return found if requirement.when is None else found | reads(requirement.when)
