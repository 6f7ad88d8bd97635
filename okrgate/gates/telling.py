"""Put the example project that breaks a promise into words."""

from collections.abc import Iterator, Sequence
from datetime import date

from okrgate.gates.conditions import Condition, SignoffCondition, leaves, reads
from okrgate.gates.explaining import reasons, spoken
from okrgate.gates.model import Collection, Rulebook, Signoff
from okrgate.gates.reference import Case
from okrgate.gates.typed import Row, type_facts
from okrgate.gates.verdict import Facts

_MOST = 6
_ROWS = 3
# Everybody understands that a project which came in half-way did not come this way.
_SILENT = {"project.adopted"}


def in_words(rulebook: Rulebook, facts: Facts, today: date, condition: Condition) -> str:
    """Return "a project in which …; missing: …" for a project that fails a condition."""
    case = Case(rulebook, type_facts(rulebook, facts, today))
    asked = reads(condition)
    parts = [
        *(said for name in sorted(asked) for said in _read(case, name)),
        *(
            said
            for name in sorted({*case.facts.values} - asked - _SILENT)
            for said in _read(case, name)
        ),
    ][:_MOST]
    parts += [_signature(rulebook, one) for one in case.facts.signoffs[:_MOST]]
    on_signing = any(isinstance(leaf, SignoffCondition) for leaf in leaves(condition))
    if on_signing and not case.facts.signoffs:
        parts.append("nobody has signed")
    lacking = [
        f"{why.label}: {why.needed} ({why.has or 'not filled in'})"
        for why in reasons(case, condition)
    ]
    said = f"a project in which {_listed(parts)}" if parts else "any project"
    return f"{said}; missing: {_listed(lacking[:_MOST])}" if lacking else said


def _read(case: Case, name: str) -> Iterator[str]:
    collection = case.rulebook.collections.get(name)
    if collection is not None:
        rows = case.rows(name)
        yield f"the list {collection.label} is {_rows(collection, rows)}"
        return
    fact, value = case.rulebook.facts[name], case.facts.values.get(name)
    yield f"{fact.label} is {'not filled in' if value is None else spoken(fact, value)}"


def _rows(collection: Collection, rows: Sequence[Row] | None) -> str:
    if rows is None:
        return "not filled in"
    if not rows:
        return "empty"
    said = [_row(collection, row) for row in rows[:_ROWS]]
    more = [f"{len(rows) - _ROWS} more"] if len(rows) > _ROWS else []
    return _listed([*said, *more])


def _row(collection: Collection, row: Row) -> str:
    known = [
        f"{fact.label} {spoken(fact, row[name])}"
        for name, fact in collection.fields.items()
        if name in row
    ]
    return f"one with {_listed(known)}" if known else "one with nothing filled in"


def _signature(rulebook: Rulebook, one: Signoff) -> str:
    role = rulebook.roles[one.role].label if one.role in rulebook.roles else "somebody else"
    behalf = f" for {one.on_behalf_of}" if one.on_behalf_of else ""
    before = ", before something changed" if one.stale else ""
    return f"{one.by} has said “{one.decision.replace('_', ' ')}” as {role}{behalf}{before}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
