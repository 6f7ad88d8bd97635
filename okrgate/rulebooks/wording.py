"""A rulebook in plain words, for those it binds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from okrgate.gates.conditions import (
    All,
    Among,
    Any,
    Compare,
    Condition,
    Count,
    Each,
    IsSet,
    Ref,
    SignoffCondition,
    SomeFails,
    Today,
)
from okrgate.gates.model import (
    Collection,
    Fact,
    Gate,
    Invariant,
    Requirement,
    Role,
    Rulebook,
    Stage,
)
from okrgate.gates.vocabulary import SECTIONS

_WORDS = {
    "eq": "is",
    "ne": "is not",
    "lt": "is below",
    "lte": "is at most",
    "gt": "is above",
    "gte": "is at least",
}
_DAYS = {
    "eq": "is",
    "ne": "is not",
    "lt": "is before",
    "lte": "is by",
    "gt": "is after",
    "gte": "is not before",
}
_SCOPES = {
    "home": "Whoever holds it in the project's unit, or in a unit above",
    "teams": "Whoever holds it in the project's unit or in a unit of its teams, or above",
    "company": "Whoever holds it, in any unit",
}
_EFFECTS_OF_SEVERITY = {"soft": "Can be set aside", "advisory": "Advice"}


class Vocabulary(Protocol):
    """What conditions name: a rulebook has it, and so has a draft that is not sound yet."""

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts of a project, by name."""

    @property
    def collections(self) -> Mapping[str, Collection]:
        """The lists of a project, by name."""

    @property
    def roles(self) -> Mapping[str, Role]:
        """Who may do something, by id."""


@dataclass(frozen=True)
class Rule:
    """One requirement in words."""

    id: str
    message: str
    help: str
    tag: str
    exactly: str
    only_if: str
    waiver: str
    section: str
    on_trial: bool = False
    binds_from: date | None = None


@dataclass(frozen=True)
class Asked:
    """A gate: its rules, in the order of the file."""

    id: str
    label: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Move:
    """A way out of a stage. `gate` is none when an earlier move on the page shows the same one."""

    label: str
    target: str
    who: str
    gate: Asked | None
    same_gate: Asked | None
    voids: bool


@dataclass(frozen=True)
class Step:
    """A stage and what leads on from it."""

    id: str
    label: str
    help: str
    facts: tuple[str, ...]
    moves: tuple[Move, ...]
    ends: bool


@dataclass(frozen=True)
class Promise:
    """What the rules promise of every project, and exactly where."""

    id: str
    label: str
    exactly: str


@dataclass(frozen=True)
class Plain:
    """The whole rulebook."""

    steps: tuple[Step, ...]
    roles: tuple[tuple[str, str], ...]
    numbers: tuple[tuple[str, str], ...]
    never_sign: tuple[str, ...]
    promises: tuple[Promise, ...]


def in_words(rulebook: Rulebook) -> Plain:
    """Say a rulebook in words."""
    shown: set[str] = set()
    steps = tuple(_step(rulebook, stage, shown) for stage in rulebook.stages.values())
    return Plain(
        steps=steps,
        roles=tuple((role.label, _holds(rulebook, role)) for role in rulebook.roles.values()),
        numbers=tuple(
            (name.replace("_", " ").capitalize(), _value(value, ""))
            for name, value in rulebook.params.items()
        ),
        never_sign=tuple(rulebook.facts[name].label for name in rulebook.never_sign),
        promises=tuple(_promise(rulebook, one) for one in rulebook.invariants),
    )


def _promise(rulebook: Rulebook, one: Invariant) -> Promise:
    words = said(rulebook, one.condition)
    if one.at is not None:
        where = f"Whoever takes “{rulebook.transitions[one.at].label}” meets this"
    else:
        where = (
            f"On every way to “{rulebook.stages[one.never_reach or ''].label}” a gate asks for this"
        )
    exactly = f"{where}: {words}."
    return Promise(one.id, one.label or _sentence(words), exactly)


def _step(rulebook: Rulebook, stage: Stage, shown: set[str]) -> Step:
    facts = []
    if stage.sla_days:
        facts.append(f"Should take no longer than {_many(stage.sla_days, 'working day')}.")
    by_role: dict[tuple[str, ...], list[str]] = {}
    for section, roles in stage.sections.items():
        by_role.setdefault(roles, []).append(SECTIONS.get(section, section))
    for roles, sections in by_role.items():
        facts.append(f"{_roles(rulebook, roles)} fills in: {', '.join(sections)}.")
    moves = tuple(
        _move(rulebook, one.id, shown)
        for one in rulebook.transitions.values()
        if stage.id in one.sources
    )
    return Step(stage.id, stage.label, stage.help, tuple(facts), moves, stage.terminal)


def _move(rulebook: Rulebook, transition_id: str, shown: set[str]) -> Move:
    transition = rulebook.transitions[transition_id]
    target = rulebook.stages.get(transition.target)
    gate = _gate(rulebook, rulebook.gates[transition.gate]) if transition.gate else None
    again = gate is not None and gate.id in shown
    if gate is not None:
        shown.add(gate.id)
    return Move(
        label=transition.label,
        target=target.label if target else "where it was",
        who="by itself, as soon as its gate is open"
        if transition.auto
        else f"by {_roles(rulebook, transition.by)}",
        gate=None if again else gate,
        same_gate=gate if again else None,
        voids=transition.voids_signoffs,
    )


def _gate(rulebook: Rulebook, gate: Gate) -> Asked:
    rules = (one for one in gate.requirements if one.mode != "off")
    return Asked(gate.id, gate.label, tuple(_rule(rulebook, one) for one in rules))


def _rule(rulebook: Rulebook, one: Requirement) -> Rule:
    waiver = ""
    if one.waiver is not None:
        waiver = (
            f"{_roles(rulebook, one.waiver.by)} may set it aside, with a reason of at least "
            f"{_many(one.waiver.reason_min, 'character')}, for {_many(one.waiver.expires_days, 'day')}."
        )
    return Rule(
        id=one.id,
        message=one.message,
        help=one.help,
        tag="Trial" if one.mode == "evaluate" else _EFFECTS_OF_SEVERITY.get(one.severity, ""),
        exactly=_sentence(said(rulebook, one.condition)),
        only_if=_sentence(said(rulebook, one.when)) if one.when is not None else "",
        waiver=waiver,
        section=SECTIONS.get(one.fix or "", ""),
        on_trial=one.mode == "evaluate",
        binds_from=one.binds_from,
    )


def said(rulebook: Vocabulary, condition: Condition, item: Collection | None = None) -> str:
    """Return a condition in words, without a capital or a full stop."""
    match condition:
        case All(parts):
            return _joined(rulebook, parts, " and ", item)
        case Any(parts):
            return _joined(rulebook, parts, " or ", item)
        case Compare() | Among() | IsSet():
            return _compared(rulebook, condition, item)
        case Each():
            return _each(rulebook, condition)
        case SomeFails(each):
            return f"not {_each(rulebook, each)}"
        case Count():
            return _count(rulebook, condition)
        case SignoffCondition():
            return _signoff(rulebook, condition)


def _joined(
    rulebook: Vocabulary, parts: Iterable[Condition], word: str, item: Collection | None
) -> str:
    words = [
        f"({said(rulebook, part, item)})"
        if isinstance(part, All | Any) and len(part.parts) > 1
        else said(rulebook, part, item)
        for part in parts
    ]
    return word.join(words)


def _compared(rulebook: Vocabulary, leaf: Compare | Among | IsSet, item: Collection | None) -> str:
    fact = _fact(rulebook, leaf.left, item)
    name = fact.label[:1].lower() + fact.label[1:] if item is not None else fact.label
    if isinstance(leaf, IsSet):
        return f"{name} is {'' if leaf.wanted else 'not '}filled in"
    if isinstance(leaf, Among):
        listed = " or ".join(_value(one, fact.unit, fact.type) for one in leaf.values)
        return f"{name} is {'' if leaf.inside else 'none of '}{listed}"
    words = _DAYS if fact.type == "date" else _WORDS
    return f"{name} {words[leaf.op]} {_right(rulebook, leaf, fact, item)}"


def _right(rulebook: Vocabulary, leaf: Compare, fact: Fact, item: Collection | None) -> str:
    if isinstance(leaf.right, Ref):
        return _fact(rulebook, leaf.right, item).label
    if isinstance(leaf.right, Today):
        days = leaf.right.plus_days
        if not days:
            return "today"
        return f"{_many(abs(days), 'day')} {'from now' if days > 0 else 'ago'}"
    return _value(leaf.right, fact.unit, fact.type)


def _each(rulebook: Vocabulary, leaf: Each) -> str:
    collection = rulebook.collections[leaf.collection]
    where = f" where {said(rulebook, leaf.where, collection)}" if leaf.where else ""
    least = f", and there is at least {leaf.at_least}" if leaf.at_least else ""
    return f"for every one of {collection.label}{where}: {said(rulebook, leaf.must, collection)}{least}"


def _count(rulebook: Vocabulary, leaf: Count) -> str:
    collection = rulebook.collections[leaf.collection]
    bounds = [f"at least {leaf.gte}"] if leaf.gte is not None else []
    bounds += [f"at most {leaf.lte}"] if leaf.lte is not None else []
    where = f" where {said(rulebook, leaf.where, collection)}" if leaf.where else ""
    return f"{collection.label}{where}: {' and '.join(bounds)}"


def _signoff(rulebook: Vocabulary, leaf: SignoffCondition) -> str:
    who = _roles(rulebook, leaf.roles)
    barred = " or ".join(rulebook.facts[name].label for name in leaf.exclude)
    besides = f" (never {barred})" if barred else ""
    if leaf.quorum is None:
        most = f"at most {_many(leaf.at_most, 'objection')}" if leaf.at_most else "no objection"
        return f"{most} from {who}{besides}"
    people = "one person" if leaf.quorum == 1 else f"{leaf.quorum} different people"
    return f"{who}: sign-off by {people}{besides}"


def _holds(rulebook: Rulebook, role: Role) -> str:
    if role.kind == "org":
        return _SCOPES.get(role.scope, "")
    fact = rulebook.facts.get(role.fact or "")
    return f"Named in the project: {fact.label}" if fact else "Named in the project"


def _fact(rulebook: Vocabulary, ref: Ref, item: Collection | None) -> Fact:
    return item.fields[ref.name] if ref.of_item and item is not None else rulebook.facts[ref.name]


def _roles(rulebook: Vocabulary, ids: Iterable[str]) -> str:
    return " or ".join(rulebook.roles[one].label for one in ids)


def _value(value: object, unit: str, kind: str = "") -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return f"{value.day} {value:%b %Y}"
    if isinstance(value, int | Decimal):
        if kind == "money":
            return f"{value:,.2f} in the company's currency"
        return f"{_plain(value)} {unit}" if unit else _plain(value)
    return str(value)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _plain(value: int | Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
