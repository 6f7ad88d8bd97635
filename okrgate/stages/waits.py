"""Note since when each requirement keeps a project waiting, and how that ends: what insights and trials count."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update

from okrgate import clock
from okrgate.database import ask, check_writing, db, table_of
from okrgate.gates.model import Rulebook
from okrgate.gates.verdict import Finding
from okrgate.projects.models import Project
from okrgate.stages.judging import Judged
from okrgate.stages.models import RequirementWait, StoredVerdict

_Key = tuple[str, str]
Waits = Mapping[_Key, bool]
_LONGEST = 2**31 - 1


@dataclass(frozen=True)
class _Here:
    """What the gates in front of a project say: of each requirement its finding."""

    findings: Mapping[_Key, Finding]

    def missing(self) -> dict[_Key, bool]:
        """Return what is missing, and whether it is on trial only."""
        return {
            key: one.mode == "evaluate"
            for key, one in self.findings.items()
            if one.status == "missing"
        }


def kept_waits(project: Project, kept: Sequence[StoredVerdict]) -> Waits | None:
    """Return what is missing by the verdicts last kept, and whether on trial only; None where waits may say otherwise."""
    if not kept or any(row.rulebook_version_id != project.rulebook_version_id for row in kept):
        return None
    return {
        (row.verdict["gate"], one["id"]): one["mode"] == "evaluate"
        for row in kept
        if row.position == 0
        for one in row.verdict["findings"]
        if one["status"] == "missing"
    }


def keep(
    project: Project, rulebook: Rulebook, judged: Iterable[Judged], before: Waits | None
) -> None:
    """Begin and end waits, in the open transaction; nothing is asked if the same is missing as `before`."""
    check_writing()
    here = _Here(
        {
            (one.verdict.gate or "", finding.id): finding
            for one in judged
            if one.position == 0
            for finding in one.verdict.findings
        }
    )
    wanted = here.missing()
    if wanted == before:
        return
    waiting = {(row.gate, row.requirement): row for row in ask(_WAITING, {"project": project.id})}
    now = clock.now()
    ended = [
        {
            "wait": row.id,
            "at": now,
            "lasted": min(max(int((now - row.since).total_seconds()), 0), _LONGEST),
            "how": _how(key, here, rulebook, project.stage),
        }
        for key, row in waiting.items()
        if key not in wanted
    ]
    begun = [
        {
            "project_id": project.id,
            "rulebook_version_id": project.rulebook_version_id,
            "gate": gate,
            "requirement": requirement,
            "trial": trial,
            "since": now,
        }
        for (gate, requirement), trial in wanted.items()
        if (gate, requirement) not in waiting
    ]
    if ended:
        db.session().execute(_END, ended)
    if begun:
        db.session().execute(_BEGIN, begun)


def _how(key: _Key, here: _Here, rulebook: Rulebook, stage: str) -> str:
    finding = here.findings.get(key)
    if finding is not None:
        return finding.status
    if not any(one.gate == key[0] and one.target == stage for one in rulebook.transitions.values()):
        return "left"
    # Through the gate: what could have stopped it was met, even if nobody judged it in between.
    return "met" if key in _stopping(rulebook, key[0]) else "passed"


def _stopping(rulebook: Rulebook, gate: str) -> set[_Key]:
    asked = rulebook.gates[gate].requirements if gate in rulebook.gates else ()
    return {(gate, one.id) for one in asked if one.mode == "active" and one.severity != "advisory"}


_WAITS = table_of(RequirementWait)
_WAITING = select(_WAITS).where(
    _WAITS.c.project_id == bindparam("project"), _WAITS.c.until.is_(None)
)
_BEGIN = insert(_WAITS)
_END = (
    update(_WAITS)
    .where(_WAITS.c.id == bindparam("wait"))
    .values(until=bindparam("at"), seconds=bindparam("lasted"), ended_as=bindparam("how"))
)
