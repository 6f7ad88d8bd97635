"""The gate panel as a page shows it: every requirement, who can fix it and where; then the later gates."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from flask import url_for

from okrgate.approvals import entitlement
from okrgate.errors import Forbidden
from okrgate.gates.conditions import Any as AnyOf
from okrgate.gates.model import Transition
from okrgate.gates.verdict import Finding, Verdict
from okrgate.stages import judging, picture, waiving
from okrgate.stages.beside import Beside
from okrgate.stages.models import FindingRequest, StoredVerdict
from okrgate.stages.reading import Loaded, verdict_of
from okrgate.stages.sections import place_of, section_for


@dataclass(frozen=True)
class Waiving:
    """A finding that may be set aside, and why the reader may not, if so."""

    finding: Finding
    refusal: str


def panels(
    loaded: Loaded,
    verdicts: Sequence[StoredVerdict],
    names: Mapping[int, str],
    requests: Sequence[FindingRequest] = (),
    reader: int | None = None,
) -> dict[str, Any]:
    """Return what the panel shows: `now` (the gates out of this stage) and `later` (the forecast).

    Without a reader nobody can be asked from it.
    """
    links = links_of(loaded)
    now: list[dict[str, Any]] = []
    later: list[dict[str, Any]] = []
    for row in verdicts:
        transition = loaded.rulebook.transitions.get(row.transition)
        if transition is None or transition.gate is None:
            continue
        verdict = verdict_of(row)
        shown: dict[str, Any] = {
            "title": loaded.rulebook.gates[transition.gate].label,
            "transition": transition.label,
            "verdict": _shown(loaded, verdict),
            "links": links,
            "people": {},
            "mine": _concerns(loaded, transition, row, reader),
            "note": f"Opens in {loaded.rulebook.stages[transition.sources[0]].label}.",
        }
        asks = row.position == 0 and reader is not None
        beside = Beside(loaded, row.fixers, requests, names, reader or 0, asks)
        for finding, place in zip(verdict.findings, shown["verdict"]["findings"], strict=True):
            if finding.status == "missing":
                place["fixers"] = beside.fixers(finding)
                place["waiver"] = beside.waiver(finding)
        (now if row.position == 0 else later).append(shown)
    return {"now": now, "later": later}


def _concerns(
    loaded: Loaded, transition: Transition, row: StoredVerdict, reader: int | None
) -> bool:
    """Tell whether the reader has something to do about a gate: pass it, or put right what it misses."""
    fixing = {one for people in row.fixers.values() for one in people}
    return reader is None or reader in fixing or bool(set(transition.by) & loaded.roles)


def people_in(
    verdicts: Sequence[StoredVerdict], requests: Sequence[FindingRequest]
) -> set[int | None]:
    """Return the ids of the people whom the panel names."""
    fixers = {one for row in verdicts for people in row.fixers.values() for one in people}
    asked = {one for row in requests for one in (row.by_id, row.person_id, row.answered_by_id)}
    return fixers | asked


def mark(
    loaded: Loaded,
    verdicts: Sequence[StoredVerdict],
    requests: Sequence[FindingRequest],
    reader: int,
) -> str:
    """Return what changes whenever the panel of one reader may look different: its ETag."""
    parts = (
        reader,
        loaded.project.version,
        loaded.project.rulebook_version_id,
        sorted(loaded.roles),
        loaded.involved,
        [(row.id, row.seq, row.judged_for.isoformat()) for row in verdicts],
        [(row.id, row.answer) for row in requests],
        version("okrgate"),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def wanted_of(
    loaded: Loaded, verdicts: Sequence[StoredVerdict], section: str
) -> list[dict[str, Any]]:
    """Return what the gates out of this stage still miss in one section: each message once, and whether it blocks."""
    found: dict[str, dict[str, Any]] = {}
    for row in verdicts:
        if row.position != 0 or row.transition not in loaded.rulebook.transitions:
            continue
        for finding in verdict_of(row).findings:
            if finding.fix == section and finding.status == "missing":
                found.setdefault(
                    finding.id,
                    {
                        "message": finding.message,
                        "help": finding.help,
                        "blocks": finding.blocks,
                        "url": _field_url(loaded, finding),
                        "why": finding.why,
                    },
                )
    return list(found.values())


def links_of(loaded: Loaded) -> dict[str, str]:
    """Return the page of each section, for the links beside findings."""
    used = {key for stage in loaded.rulebook.stages.values() for key in stage.sections}
    return {
        key: url_for("stages.show_section", reference=loaded.project.reference, section=key)
        for key in used
    }


def shut(loaded: Loaded, verdict: Verdict | None) -> dict[str, Any]:
    """Return the panel of a gate that does not open, or that could not be judged."""
    if verdict is None:
        return {"title": "This gate could not be judged, so it stays closed", "verdict": None}
    gate = loaded.rulebook.gates[verdict.gate or ""]
    return {
        "title": f"“{gate.label}” is still closed",
        "verdict": _shown(loaded, verdict),
        "links": links_of(loaded),
    }


def waiver(loaded: Loaded, requirement: str, person: int) -> Waiving:
    """Return the finding to be set aside and whether this person may. Raises NotFound."""
    project, rulebook = loaded.project, loaded.rulebook
    seen = picture.of(project, rulebook)
    if seen.snapshot is None:
        verdicts = [verdict_of(row) for row in judging.stored(project.id)]
    else:
        verdicts = [one.verdict for one in judging.judge_ahead(project, seen.snapshot, rulebook)]
    finding = waiving.missing_finding(verdicts, requirement)
    roles = entitlement.roles_held(rulebook, loaded.held, seen.around, person)
    try:
        waiving.waives_as(project, rulebook, seen.around, roles, finding, person)
    except Forbidden as refusal:
        return Waiving(finding, refusal.sentence)
    return Waiving(finding, "")


def _field_url(loaded: Loaded, finding: Finding) -> str | None:
    """Return the address of the very field that puts a finding right, for whoever may edit it now."""
    editors = loaded.rulebook.stages[loaded.project.stage].sections.get(finding.fix or "", ())
    section = section_for(loaded.rulebook, finding.fix or "")
    if section is None or not set(editors) & loaded.roles:
        return None
    for why in finding.why:
        place = place_of(section, why.fact)
        if place is not None:
            page, field = place
            return url_for(
                "stages.edit_page",
                reference=loaded.project.reference,
                section=section.key,
                page=page,
                _anchor=field,
            )
    return None


def _alternatives(loaded: Loaded, verdict: Verdict) -> set[str]:
    """Return the requirements of which one reason put right is enough."""
    gate = loaded.rulebook.gates.get(verdict.gate or "")
    return {
        one.id
        for one in (gate.requirements if gate else ())
        if isinstance(one.condition, AnyOf) and len(one.condition.parts) > 1
    }


def _shown(loaded: Loaded, verdict: Verdict) -> dict[str, Any]:
    """Return a verdict for the panel, with a way to set soft requirements aside."""
    findings = []
    either = _alternatives(loaded, verdict)
    for finding in verdict.findings:
        shown: dict[str, Any] = {
            "id": finding.id,
            "message": finding.message,
            "help": finding.help,
            "status": finding.status,
            "mode": finding.mode,
            "severity": finding.severity,
            "items": list(finding.items),
            "why": [
                {"label": one.label, "needed": one.needed, "has": one.has} for one in finding.why
            ],
            "fix": finding.fix,
            "either": finding.id in either,
            "seats": [
                {
                    "roles": [
                        loaded.rulebook.roles[role].label
                        for role in seat.roles
                        if role in loaded.rulebook.roles
                    ],
                    "need": seat.need,
                    "have": seat.have,
                }
                for seat in finding.seats
            ],
            "blocks": finding.blocks,
        }
        if finding.status == "missing":
            shown["url"] = _field_url(loaded, finding)
        findings.append(shown)
    return {"allowed": verdict.allowed, "findings": findings}
