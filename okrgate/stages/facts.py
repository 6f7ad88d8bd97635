"""Gather what the gates may know about one project, and exactly what a signature would cover."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import structlog

from okrgate import clock
from okrgate.accounts import directory
from okrgate.approvals import entitlement
from okrgate.approvals import service as approvals
from okrgate.approvals.models import Condition, Round, WaiverRow
from okrgate.approvals.receipts import hash_of
from okrgate.audit import service as audit
from okrgate.database import Memory, Model, remembered
from okrgate.gates.model import Rulebook
from okrgate.gates.verdict import Facts, GateUnjudgeable, Signoff, Waiver
from okrgate.projects import money, together
from okrgate.projects.models import CoEditor, Edit, Project, RulebookAnswer
from okrgate.projects.search_models import SearchEntry
from okrgate.rulebooks import service as rulebooks
from okrgate.stages.sections import ALL, stored_answers, typed

log = structlog.get_logger()

_ACCOUNTABLE = "raci.accountable"
_CHANGED = "plan.changed_since_signoff"
TABLES: tuple[type[Model], ...] = (
    *(table for section in ALL.values() for table in section.tables),
    # The words it is found by decide nothing; settling wants to know whether they are old.
    *(CoEditor, Edit, RulebookAnswer, Condition, Round, WaiverRow, SearchEntry),
)


@dataclass(frozen=True)
class Snapshot:
    """A project as the judge sees it, at one moment. `seq` is its newest audit row then, `through` the record's.

    `settled` says of each gate when it was last signed by all. `memory` holds what was read for it.
    """

    project_id: int
    stage: str
    version: int
    seq: int
    today: date
    values: Mapping[str, Any]
    collections: Mapping[str, Any]
    content: Mapping[str, Any]
    around: entitlement.Surroundings
    waivers: tuple[Waiver, ...]
    signed: Mapping[str, tuple[Signoff, ...]]
    settled: Mapping[str, datetime]
    through: int
    memory: Memory = field(default_factory=dict, compare=False, repr=False)

    def facts_for(self, gate: str | None) -> Facts:
        """Return the facts for one gate: the shared ones with this gate's own sign-offs."""
        return self._facts.with_signoffs(self.signed.get(gate, ()) if gate else ())

    @cached_property
    def _facts(self) -> Facts:
        return Facts(self.values, self.collections, waivers=self.waivers)

    def material(self, names: Iterable[str]) -> dict[str, Any]:
        """Return the content behind these facts and collections, as plain JSON."""
        found: dict[str, Any] = {}
        for name in sorted(names):
            if name in self.content:
                found[name] = plain(self.content[name])
            elif name in self.values:
                found[name] = plain(self.values[name])
            elif name in self.collections:
                found[name] = plain(self.collections[name])
        return found


def gather(project: Project, rulebook: Rulebook) -> Snapshot:
    """Read everything a gate may ask about. Only facts that the rulebook knows are passed on.

    Raises GateUnjudgeable when what is stored cannot be read: every gate stays closed.
    """
    try:
        return _gather(project, rulebook)
    except (ArithmeticError, TypeError, ValueError) as problem:
        log.error("facts unreadable", project=project.id, exc_info=problem)
        raise GateUnjudgeable(
            "What is stored about this project cannot be read, so its gates stay closed."
        ) from problem


def _gather(project: Project, rulebook: Rulebook) -> Snapshot:
    # Before all else: what is recorded from now on is newer than what is read below.
    through, seq = audit.newest(project.id)
    with together.reading(project.id, TABLES) as memory:
        return read_snapshot(project, rulebook, through, seq, memory)


def read_snapshot(
    project: Project, rulebook: Rulebook, through: int, seq: int, memory: Memory
) -> Snapshot:
    """Return a snapshot from what a block of remembering() knows already, and ask for the rest."""
    today = clock.today()
    never_asked = together.is_empty(Round, project.id)
    values: dict[str, Any] = _own_values(project)
    collections: dict[str, Any] = {}
    content: dict[str, Any] = {}
    for section in ALL.values():
        told = section.gather(project, today)
        values.update({name: value for name, value in told.values.items() if value is not None})
        collections.update(told.collections)
        content.update(told.content)
    collections.update(_conditions(project, today, values))
    values.update(answers_to(project, rulebook))
    unit = directory.unit(project.home_unit_id)
    if unit is not None:
        values["project.home_unit"] = unit.name
        if unit.domain:
            values["project.domain"] = unit.domain
    around = entitlement.surroundings(
        project,
        home_path=unit.path if unit else "",
        team_paths=_team_paths(content.get("teams", ())),
        people=_people(values, rulebook),
    )
    known = {name: value for name, value in values.items() if name in rulebook.facts}
    snapshot = Snapshot(
        project_id=project.id,
        stage=project.stage,
        version=project.version,
        seq=seq,
        today=today,
        values=known,
        collections={
            name: rows for name, rows in collections.items() if name in rulebook.collections
        },
        content=content,
        around=around,
        waivers=()
        if together.is_empty(WaiverRow, project.id)
        else approvals.waivers_for(project, today),
        signed={}
        if never_asked
        else remembered(("signed", project.id), lambda: approvals.signoffs_of(project.id)),
        settled={}
        if never_asked
        else remembered(("settled", project.id), lambda: approvals.last_settled(project.id)),
        through=through,
        memory=memory,
    )
    if _CHANGED in rulebook.facts:
        known[_CHANGED] = _changed_since_signoff(snapshot, rulebook)
    return snapshot


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the fingerprint of material content (sha256 of canonical JSON)."""
    return hash_of(content)


def plain(value: Any) -> Any:
    """Turn a fact into plain JSON: dates and decimals become text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [plain(item) for item in value]
        return sorted(items) if isinstance(value, (set, frozenset)) else items
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value


def facts_as_json(facts: Facts) -> dict[str, Any]:
    """Return facts in the shape of a fixture, for a receipt that can be judged again."""
    return {
        "facts": plain(dict(facts.values)),
        **{name: plain(rows) for name, rows in facts.collections.items()},
        "signoffs": [
            {"role": one.role, "by": one.by, "decision": one.decision, "stale": one.stale}
            | ({"on_behalf_of": one.on_behalf_of} if one.on_behalf_of else {})
            for one in facts.signoffs
        ],
        "waivers": [
            {"requirement": one.requirement, "role": one.role, "by": one.by}
            for one in facts.waivers
        ],
    }


def _own_values(project: Project) -> dict[str, Any]:
    entered = project.stage_entered_at.astimezone(clock.company_zone()).date()
    values: dict[str, Any] = {
        "project.submitter": str(project.submitter_id),
        "project.title_length": len(project.title.strip()),
        "project.currency": money.company_currency(),
        "project.adopted": project.adopted,
        "project.confidential": project.confidential,
        "stage.days": max(0, (clock.today() - entered).days),
    }
    for name, person in (
        ("project.lead", project.lead_id),
        ("project.sponsor", project.sponsor_id),
        ("project.benefits_owner", project.benefits_owner_id),
    ):
        if person is not None:
            values[name] = str(person)
    if project.outcome:
        values["project.outcome"] = project.outcome
    return values


def _conditions(project: Project, today: date, values: dict[str, Any]) -> dict[str, Any]:
    counts, rows = approvals.condition_facts(project.id, today)
    values.update(counts)
    return {"conditions": rows}


def _changed_since_signoff(snapshot: Snapshot, rulebook: Rulebook) -> bool:
    if not snapshot.settled:
        return False
    project_id = snapshot.project_id
    signed = remembered(("satisfied", project_id), lambda: approvals.last_satisfied(project_id))
    if signed is None:
        return False
    # What a signature covers is said by the rules it was given under: the project may have moved to others.
    own = rulebooks.rulebook(signed.rulebook_version_id)
    if signed.gate not in own.gates:
        return False
    now = snapshot.material(own.material_of(signed.gate))
    return digest_of(_still_known(now, rulebook)) != digest_of(
        _still_known(signed.content, rulebook)
    )


def _still_known(content: Mapping[str, Any], rulebook: Rulebook) -> dict[str, Any]:
    """Leave out answers to questions that the rules no longer ask."""
    return {
        name: value
        for name, value in content.items()
        if name in rulebook.facts or not name.startswith("answers.")
    }


def answers_to(project: Project, rulebook: Rulebook) -> dict[str, Any]:
    """Return a project's answers to the questions of a rulebook, as facts."""
    given = stored_answers(project.id) if rulebook.questions else {}
    found = {
        f"answers.{question.id}": typed(question, given.get(question.id))
        for question in rulebook.questions.values()
    }
    return {name: value for name, value in found.items() if value is not None}


def _team_paths(teams: Any) -> list[str]:
    ids = [row["unit_id"] for row in teams if isinstance(row, Mapping) and row.get("unit_id")]
    return [unit.path for unit in directory.units(ids).values()]


def _people(values: Mapping[str, Any], rulebook: Rulebook) -> dict[str, frozenset[int]]:
    """Return the people behind each user fact; the accountable ones always, for they never sign."""
    found: dict[str, frozenset[int]] = {}
    for name, value in values.items():
        listed = value if isinstance(value, (tuple, list)) else (value,)
        ids = {int(one) for one in listed if isinstance(one, str) and one.isdecimal()}
        known = rulebook.facts.get(name)
        if ids and (name == _ACCOUNTABLE or (known is not None and known.type == "user")):
            found[name] = frozenset(ids)
    return found
