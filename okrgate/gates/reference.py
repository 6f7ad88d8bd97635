"""The plain judge: what the language means, written once more, without any rule engine.

A condition is *provably true* or it is not; it is provably false when its opposite is provably true.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from okrgate.gates.conditions import (
    All,
    Among,
    Any,
    Compare,
    Condition,
    Count,
    Each,
    IsSet,
    Leaf,
    Ref,
    SignoffCondition,
    SomeFails,
    Today,
    Value,
    leaves,
    opposite,
)
from okrgate.gates.model import Gate, Requirement, Rulebook, Signoff
from okrgate.gates.outcome import Outcome, verdict_from
from okrgate.gates.typed import Row, TypedFacts, item_name, type_facts
from okrgate.gates.verdict import EngineDisagreement, Facts, Verdict

_NOTHING: Row = {}


def reference_verdict(
    rulebook: Rulebook, transition_id: str, facts: Facts, *, today: date
) -> Verdict:
    """Return the verdict on a transition, worked out plainly. Raises GateUnjudgeable for facts that do not fit."""
    transition = rulebook.transitions[transition_id]
    if transition.gate is None:
        return Verdict(None, True, (), today, rulebook.sha256)
    gate = rulebook.gates[transition.gate]
    case = Case(rulebook, type_facts(rulebook, facts, today, rulebook.gate_reads(gate.id)))
    outcomes = reference_outcomes(case, gate)
    verdict = verdict_from(rulebook, gate, case.facts, outcomes, case)
    if verdict.allowed != _opens(gate, outcomes, case.facts):
        raise EngineDisagreement("The plain judge contradicts itself, so this gate stays closed.")
    return verdict


def _opens(gate: Gate, outcomes: list[Outcome], facts: TypedFacts) -> bool:
    """Add up once more, apart from what both judges put into words together: does nothing block?"""
    known = {one.id: one for one in outcomes}
    for requirement in gate.requirements:
        if requirement.mode != "active" or requirement.severity == "advisory":
            continue
        found = known[requirement.id]
        if not (found.aside or found.met or _excused(requirement, facts)):
            return False
    return True


def _excused(requirement: Requirement, facts: TypedFacts) -> bool:
    terms = requirement.waiver if requirement.severity == "soft" else None
    return terms is not None and any(
        (one.requirement, one.role) in {(requirement.id, role) for role in terms.by}
        for one in facts.waivers
    )


def reference_outcomes(case: "Case", gate: Gate) -> list[Outcome]:
    """Return what is true of each requirement that is judged."""
    return [case.outcome(one) for one in gate.requirements if one.mode != "off"]


class Case:
    """One project's facts, ready to be asked."""

    def __init__(self, rulebook: Rulebook, facts: TypedFacts) -> None:
        """Take typed facts; nothing is worked out before it is asked."""
        self.rulebook = rulebook
        self.facts = facts

    def outcome(self, requirement: Requirement) -> Outcome:
        """Return whether one requirement is set aside or met, and the items at fault."""
        if requirement.when is not None and self.holds(opposite(requirement.when)):
            return Outcome(requirement.id, aside=True, met=False)
        met = self.holds(requirement.condition)
        return Outcome(
            requirement.id,
            aside=False,
            met=met,
            faults=() if met else self.faults(requirement.condition),
        )

    def holds(self, condition: Condition, row: Row = _NOTHING) -> bool:
        """Tell whether a condition is provably true (of an item, when a row is given)."""
        match condition:
            case All(parts):
                return all(self.holds(part, row) for part in parts)
            case Any(parts):
                return any(self.holds(part, row) for part in parts)
            case Compare():
                return self._compares(condition, row)
            case Among(left, values, inside):
                value = self._value(left, row)
                return value is not None and (value in values) == inside
            case IsSet(left, wanted):
                return (self._value(left, row) is not None) == wanted
            case Each() | SomeFails() | Count():
                return self._holds_of_list(condition)
            case SignoffCondition():
                return self._is_signed(condition)

    def _value(self, ref: Ref, row: Row) -> Value | tuple[str, ...] | None:
        return row.get(ref.name) if ref.of_item else self.facts.values.get(ref.name)

    def _compares(self, one: Compare, row: Row) -> bool:
        left = self._value(one.left, row)
        right: object = one.right
        if isinstance(right, Ref):
            right = self._value(right, row)
        elif isinstance(right, Today):
            right = self.facts.today + timedelta(days=right.plus_days)
        if left is None or right is None:
            return False
        return _ordered(one.op, left, right)

    def rows(self, collection: str) -> tuple[Row, ...] | None:
        """Return the items of a list, None if it is not known."""
        return self.facts.collections.get(collection)

    def _holds_of_list(self, leaf: Each | SomeFails | Count) -> bool:
        each = leaf.each if isinstance(leaf, SomeFails) else leaf
        rows = self.rows(each.collection)
        if rows is None:
            return False
        sure = [row for row in rows if each.where is None or self.holds(each.where, row)]
        maybe = self.not_outside(each.where, rows)
        if isinstance(leaf, SomeFails):
            return any(self.holds(opposite(leaf.each.must), row) for row in sure)
        if isinstance(leaf, Each):
            return len(sure) >= leaf.at_least and all(
                self.holds(leaf.must, rows[at]) for at in maybe
            )
        enough = leaf.gte is None or len(sure) >= leaf.gte
        return enough and (leaf.lte is None or len(maybe) <= leaf.lte)

    def not_outside(self, where: Condition | None, rows: Iterable[Row]) -> list[int]:
        """Return the places of the items that are not provably outside `where`."""
        return [
            at
            for at, row in enumerate(rows)
            if where is None or not self.holds(opposite(where), row)
        ]

    def _is_signed(self, one: SignoffCondition) -> bool:
        if one.quorum is not None:
            return self.signers(one) >= one.quorum
        return self.objectors(one) <= (one.at_most or 0)

    def signers(self, one: SignoffCondition) -> int:
        """Count the people who certainly signed: fresh, not excluded; hands that signed for each other are one."""
        barred = self.barred(one.exclude, never=True)
        if barred is None:
            return 0
        fitting = [each for each in self._said(one) if not each.stale and not _hands(each) & barred]
        return distinct(fitting)

    def objectors(self, one: SignoffCondition) -> int:
        """Count the people who may have said so: a stale word counts until its speaker speaks again."""
        barred = self.barred(one.exclude, never=False)
        known = barred if barred is not None else self.present(one.exclude)
        said = [each for each in self._said(one) if not _hands(each) & known]
        spoke = {
            _principal(each)
            for each in self.facts.signoffs
            if barred is not None
            and each.role in one.roles
            and not each.stale
            and not _hands(each) & barred
        }
        return len(
            {_principal(each) for each in said if not each.stale or _principal(each) not in spoke}
        )

    def barred(self, exclude: Iterable[str], *, never: bool) -> frozenset[str] | None:
        """Return everybody who may not count; None if an excluded fact is not filled in, so nobody can tell."""
        found: set[str] = set()
        for fact in exclude:
            people = self.facts.people(fact)
            if people is None:
                return None
            found.update(people)
        for fact in self.rulebook.never_sign if never else ():
            found.update(self.facts.people(fact) or ())
        return frozenset(found)

    def present(self, exclude: Iterable[str]) -> frozenset[str]:
        """Return the people in those excluded facts that are filled in."""
        return frozenset(person for fact in exclude for person in self.facts.people(fact) or ())

    def _said(self, one: SignoffCondition) -> list[Signoff]:
        return [
            each
            for each in self.facts.signoffs
            if each.role in one.roles and each.decision == one.decision
        ]

    def faults(self, condition: Condition) -> tuple[str, ...]:
        """Return the names of the items that keep a condition from being met."""
        found: dict[str, None] = {}
        for leaf in leaves(condition):
            if not self.holds(leaf):
                found.update(dict.fromkeys(self._fault_names(leaf)))
        return tuple(found)

    def _fault_names(self, leaf: Leaf) -> list[str]:
        if not isinstance(leaf, Each | Count):
            return []
        rows = self.rows(leaf.collection) or ()
        collection = self.rulebook.collections[leaf.collection]
        maybe = self.not_outside(leaf.where, rows)
        if isinstance(leaf, Count):
            too_many = leaf.lte is not None and len(maybe) > leaf.lte and leaf.where is not None
            return [item_name(collection, rows[at], at) for at in maybe] if too_many else []
        return [
            item_name(collection, rows[at], at)
            for at in maybe
            if not self.holds(leaf.must, rows[at])
        ]


def _ordered(op: str, left: object, right: object) -> bool:
    if op == "eq":
        return left == right
    if op == "ne":
        return left != right
    if op in {"lt", "lte"}:
        return left < right or (op == "lte" and left == right)  # type: ignore[operator]
    return left > right or (op == "gte" and left == right)  # type: ignore[operator]


def _principal(signoff: Signoff) -> str:
    return signoff.on_behalf_of or signoff.by


def _hands(signoff: Signoff) -> set[str]:
    return {signoff.by, _principal(signoff)}


def distinct(signoffs: Iterable[Signoff]) -> int:
    """Count distinct people; whoever signs for somebody counts together with them as one."""
    groups: list[set[str]] = []
    for one in signoffs:
        hands = _hands(one)
        apart = [group for group in groups if not group & hands]
        groups = [*apart, hands.union(*(group for group in groups if group & hands))]
    return len(groups)
