"""From what is true of each requirement to the verdict that people read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from okrgate.gates.conditions import SignoffCondition, leaves
from okrgate.gates.explaining import Asked, reasons
from okrgate.gates.model import Gate, Requirement, Rulebook
from okrgate.gates.typed import TypedFacts
from okrgate.gates.verdict import Finding, Seat, Verdict, Waiver


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found out about one requirement: set aside, met, or neither; and the items at fault."""

    id: str
    aside: bool
    met: bool
    faults: tuple[str, ...] = ()


def verdict_from(
    rulebook: Rulebook, gate: Gate, facts: TypedFacts, outcomes: Iterable[Outcome], case: Asked
) -> Verdict:
    """Return the verdict of a gate: what is missing, waived or set aside, and whether anything blocks."""
    known: Mapping[str, Outcome] = {one.id: one for one in outcomes}
    findings = []
    for requirement in gate.requirements:
        outcome = known.get(requirement.id)
        if requirement.mode == "off":
            continue
        status = status_of(requirement, outcome, facts.waivers)
        findings.append(
            Finding(
                id=requirement.id,
                message=requirement.message,
                help=requirement.help,
                status=status,
                severity=requirement.severity,
                mode=requirement.mode,
                binds_from=requirement.binds_from.isoformat() if requirement.binds_from else "",
                items=outcome.faults if outcome is not None and status != "na" else (),
                why=reasons(case, requirement.condition) if status in {"missing", "waived"} else (),
                fix=requirement.fix,
                waiver=requirement.waiver,
                blocks=status == "missing"
                and requirement.mode == "active"
                and requirement.severity in {"hard", "soft"},
                seats=() if status == "na" else _seats(case, requirement),
            )
        )
    allowed = not any(one.blocks for one in findings)
    return Verdict(gate.id, allowed, tuple(findings), facts.today, rulebook.sha256)


def status_of(requirement: Requirement, outcome: Outcome | None, waivers: Iterable[Waiver]) -> str:
    """Return the status of one requirement; what nobody found out about is missing."""
    if outcome is not None and outcome.aside:
        return "na"
    if outcome is not None and outcome.met:
        return "met"
    return "waived" if _is_waived(requirement, waivers) else "missing"


def _is_waived(requirement: Requirement, waivers: Iterable[Waiver]) -> bool:
    if requirement.severity != "soft" or requirement.waiver is None:
        return False
    by = requirement.waiver.by
    return any(one.requirement == requirement.id and one.role in by for one in waivers)


def _seats(case: Asked, requirement: Requirement) -> tuple[Seat, ...]:
    return tuple(
        Seat(leaf.roles, leaf.quorum, min(case.signers(leaf), leaf.quorum), leaf.exclude)
        for leaf in leaves(requirement.condition)
        if isinstance(leaf, SignoffCondition) and leaf.quorum is not None
    )
