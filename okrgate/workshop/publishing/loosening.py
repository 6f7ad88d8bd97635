"""Tells whether new rules may let something through that the old ones stopped. In doubt they may."""

from dataclasses import replace

from okrgate.gates.differing import LOOSER, OTHER, Change, Meaning
from okrgate.gates.differing_strength import weight
from okrgate.gates.model import Requirement, Rulebook, Stage, Transition

_DOUBTFUL = frozenset({"number", "signing", "material", "promise", "gate"})


def may_loosen(before: Rulebook, after: Rulebook, meaning: Meaning) -> bool:
    """Tell whether anything may have become easier: what only changes words, or adds to what is asked, does not."""
    if any(one.direction == LOOSER for one in meaning.changes):
        return True
    unclear = [one for one in meaning.changes if one.direction == OTHER]
    return (
        not _DOUBTFUL.isdisjoint(one.kind for one in unclear)
        or _asks_otherwise(before, after, unclear)
        or _moves_otherwise(before, after)
        or _roles_otherwise(before, after)
        or _stages_otherwise(before, after)
        or _questions_otherwise(before, after)
    )


def _asks_otherwise(before: Rulebook, after: Rulebook, unclear: list[Change]) -> bool:
    """Tell whether one of these requirements, each looked at by itself, is neither worded nor without weight."""
    old, new = _requirements(before), _requirements(after)
    return any(
        not _is_harmless(old.get(one.about), new.get(one.about))
        for one in unclear
        if one.kind == "requirement"
    )


def _is_harmless(one: Requirement | None, other: Requirement | None) -> bool:
    """Tell whether a requirement differs in words alone, or never stopped anything and does not now."""
    there = [each for each in (one, other) if each is not None]
    if not there:
        return False
    return max(weight(each) for each in there) <= 1 or (len(there) == 2 and _worded(*there))


def _worded(one: Requirement, other: Requirement) -> bool:
    plain = [
        replace(each, message="", help="", fix=None, line=0, binds_from=None)
        for each in (one, other)
    ]
    return plain[0] == plain[1]


def _requirements(rulebook: Rulebook) -> dict[tuple[str, str], Requirement]:
    return {(gate.id, one.id): one for gate in rulebook.gates.values() for one in gate.requirements}


def _moves_otherwise(before: Rulebook, after: Rulebook) -> bool:
    """Tell whether a move is new, or starts, ends or happens in another way."""
    return any(
        name not in before.transitions or _wordless(move) != _wordless(before.transitions[name])
        for name, move in after.transitions.items()
    )


def _wordless(move: Transition) -> Transition:
    return replace(move, label="", notify=(), mail="")


def _roles_otherwise(before: Rulebook, after: Rulebook) -> bool:
    """Tell whether another kind of person holds a role that was there."""
    return any(
        name in before.roles and replace(role, label="") != replace(before.roles[name], label="")
        for name, role in after.roles.items()
    )


def _stages_otherwise(before: Rulebook, after: Rulebook) -> bool:
    """Tell whether a stage that was there is another place, does other things by itself, or is filled in by others."""
    return any(
        name in before.stages and _place(stage) != _place(before.stages[name])
        for name, stage in after.stages.items()
    )


def _place(stage: Stage) -> Stage:
    return replace(stage, label="", help="", sla_days=None, remind_days=None, escalate_to=())


def _questions_otherwise(before: Rulebook, after: Rulebook) -> bool:
    """Tell whether a question that was there is asked elsewhere or takes other answers."""
    return any(
        name in before.questions
        and replace(question, label="", help="")
        != replace(before.questions[name], label="", help="")
        for name, question in after.questions.items()
    )
