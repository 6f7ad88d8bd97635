"""Roles that can hardly sign, because people in them fill in what is signed: whoever changes that never signs."""

from collections.abc import Iterator

from okrgate.gates.model import Gate, Requirement, Rulebook
from okrgate.gates.problems import Problem
from okrgate.gates.vocabulary import SECTIONS, section_of


def barred_signers(rulebook: Rulebook) -> list[Problem]:
    """Warn of each sign-off whose role fills in, up to there, what any sign-off of the process covers."""
    covered = _covered(rulebook)
    found = []
    for gate, requirement, role in _signing(rulebook):
        sections: dict[str, list[str]] = {}
        for section, by in _filled_in_before(rulebook, gate, role, covered):
            named = sections.setdefault(rulebook.gates[by].label, [])
            if (label := SECTIONS.get(section, section)) not in named:
                named.append(label)
        for covering, labels in sections.items():
            sentence = (
                f"{rulebook.roles[role].label} signs here and fills in {_joined(labels)} before, which a sign-off at "
                f"{covering} covers: whoever fills that in cannot sign. Say under material what {covering} is to cover"
            )
            found.append(Problem(requirement.line, 1, "warning", sentence))
    return found


def _joined(labels: list[str]) -> str:
    quoted = [f"“{one}”" for one in labels]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _signing(rulebook: Rulebook) -> Iterator[tuple[Gate, Requirement, str]]:
    """Yield each role that has to sign at a gate, with the requirement that says so."""
    for gate in rulebook.gates.values():
        for requirement in gate.requirements:
            if requirement.mode != "active":
                continue
            for asked in rulebook.signoff_conditions(requirement):
                if asked.quorum:
                    yield from ((gate, requirement, role) for role in asked.roles)


def _covered(rulebook: Rulebook) -> dict[str, str]:
    """Return the form's sections of which a sign-off covers something, each with the first such gate."""
    found: dict[str, str] = {}
    for gate in dict.fromkeys(gate.id for gate, _, _ in _signing(rulebook)):
        for name in rulebook.material_of(gate):
            section = _section(rulebook, name)
            if section is not None:
                found.setdefault(section, gate)
    return found


def _section(rulebook: Rulebook, name: str) -> str | None:
    question = rulebook.questions.get(name.removeprefix("answers."))
    return question.section if question is not None else section_of(name)


def _filled_in_before(
    rulebook: Rulebook, gate: Gate, role: str, covered: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield the covered sections that a role edits in the stage of a gate or in one before it."""
    stages = {
        stage
        for one in rulebook.transitions.values()
        if one.gate == gate.id
        for stage in one.sources
    }
    ahead = [
        rulebook.initial.id,
        *(step.target for step in rulebook.forward_path(rulebook.initial.id)),
    ]
    last = max((ahead.index(one) for one in stages if one in ahead), default=-1)
    for name in ahead[: last + 1]:
        for section, roles in rulebook.stages[name].sections.items():
            if role in roles and section in covered:
                yield section, covered[section]
