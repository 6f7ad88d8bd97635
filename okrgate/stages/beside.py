"""What stands beside one missing finding: who can put it right, who was asked today, and what of a waiver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from okrgate.gates.verdict import Finding
from okrgate.stages.judging import CONFIRMED
from okrgate.stages.models import FindingRequest
from okrgate.stages.reading import Loaded
from okrgate.stages.requested import NUDGE, WAIVER

_MOST = 4


@dataclass(frozen=True)
class Beside:
    """One gate's findings as one reader sees them. `asks` is false for a later gate: nobody is asked there yet."""

    loaded: Loaded
    fixing: Mapping[str, Sequence[int]]
    requests: Sequence[FindingRequest]
    names: Mapping[int, str]
    reader: int
    asks: bool

    def fixers(self, finding: Finding) -> dict[str, Any]:
        """Return who can put it right: the reader first, with what each is, and whether they may be nudged."""
        people = sorted(
            self.fixing.get(finding.id, ()),
            key=lambda one: (one != self.reader, self._name(one)),
        )
        nudged = {
            row.person_id: row
            for row in self.requests
            if row.kind == NUDGE and row.requirement == finding.id
        }
        may_nudge = self.asks and self.loaded.involved
        return {
            "people": [
                {
                    "id": one,
                    "name": "you" if one == self.reader else self._name(one),
                    "role": self._role(finding, one),
                    "asked_at": nudged[one].at if one in nudged else None,
                    "asked_by": self._who(nudged[one].by_id) if one in nudged else "",
                    "nudge": may_nudge and one != self.reader and one not in nudged,
                }
                for one in people[:_MOST]
            ],
            "others": max(0, len(people) - _MOST),
            "url": url_for(
                "stages.nudge", reference=self.loaded.project.reference, requirement=finding.id
            ),
        }

    def waiver(self, finding: Finding) -> dict[str, Any] | None:
        """Return what the reader may do about setting it aside, and what was asked of whom; nothing if it is hard."""
        if finding.waiver is None:
            return None
        rows = [
            row for row in self.requests if row.kind == WAIVER and row.requirement == finding.id
        ]
        waiting = [row for row in rows if row.answer is None]
        last = rows[-1] if rows else None
        grants = self._may_grant(finding)
        reference = self.loaded.project.reference
        return {
            "grant_url": url_for("stages.waive", reference=reference, requirement=finding.id)
            if grants
            else None,
            "ask_url": url_for("stages.ask_waiver", reference=reference, requirement=finding.id)
            if not grants and not waiting and self._may_ask()
            else None,
            "asked": {
                "by": self._who(waiting[0].by_id),
                "of": [self._who(row.person_id) for row in waiting[:_MOST]],
                "reason": waiting[0].reason,
            }
            if waiting
            else None,
            "refused": {"by": self._who(last.answered_by_id), "reason": last.answer_reason}
            if last is not None and not waiting
            else None,
            "by": " or ".join(
                self.loaded.rulebook.roles[role].label
                for role in finding.waiver.by
                if role in self.loaded.rulebook.roles
            ),
        }

    def _may_grant(self, finding: Finding) -> bool:
        """Tell whether it is worth offering: the page and the service look closer."""
        by = finding.waiver.by if finding.waiver else ()
        return bool(self.reader and set(by) & self.loaded.roles) and not self._owns()

    def _may_ask(self) -> bool:
        sections = self.loaded.rulebook.stages[self.loaded.project.stage].sections.values()
        return self.asks and (
            self._owns() or any(set(roles) & self.loaded.roles for roles in sections)
        )

    def _owns(self) -> bool:
        project = self.loaded.project
        return self.reader in {project.submitter_id, project.lead_id, *self.loaded.co_editors}

    def _role(self, finding: Finding, person: int) -> str:
        """Return what somebody is, of the roles that can put this right; nothing when it could be several."""
        rulebook, project = self.loaded.rulebook, self.loaded.project
        seats = [role for seat in finding.seats for role in seat.roles]
        editing = rulebook.stages[project.stage].sections.get(finding.fix or "", ())
        roles = [rulebook.roles[one] for one in seats or editing if one in rulebook.roles]
        own: dict[str, set[int | None]] = {
            "project.submitter": {project.submitter_id, *self.loaded.co_editors},
            "project.lead": {project.lead_id},
            "project.sponsor": {project.sponsor_id},
            "project.benefits_owner": {project.benefits_owner_id},
        }
        if person in self.loaded.co_editors and person != project.submitter_id:
            own["project.submitter"].discard(person)
            if any(role.fact == "project.submitter" for role in roles):
                return "Co-editor"
        for role in roles:
            if role.kind == "project" and person in own.get(role.fact or "", ()):
                return role.label
        if any(why.fact == CONFIRMED for why in finding.why):
            return "Steward"
        offices = list(dict.fromkeys(role.label for role in roles if role.kind == "org"))
        return " or ".join(offices) if len(offices) <= 2 else ""

    def _name(self, person: int | None) -> str:
        return self.names.get(person or 0, "Somebody")

    def _who(self, person: int | None) -> str:
        return "you" if person == self.reader else self._name(person)
