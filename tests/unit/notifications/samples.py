"""One event of every kind, as the rooms would publish it."""

from typing import Any

from okrgate import events
from okrgate.events import Event, Recipient

PROJECT: dict[str, Any] = {"project_id": 7, "reference": "OKR-042", "title": "Renewals in one step"}
COMMON: dict[str, Any] = {"by": "Vera Vance", "by_id": 3, "path": "/projects/7"}
OWN: dict[type[Event], dict[str, Any]] = {
    events.ProjectMoved: {
        "kind": "return",
        "transition": "Send back",
        "source": "Sign-off",
        "target": "Planning",
        "reason": "The baseline is from last year.",
        "next_step": "Add a new baseline.",
        "due": "2031-12-04",
        "said": ("Vera Vance sent it back",),
        "note": "Ask the process office for the numbers.",
    },
    events.ProjectCameBack: {"before": "OKR-007", "because": "Its day has come: 4 Dec 2031."},
    events.HoldOver: {
        "since": "2031-11-04",
        "until": "2031-12-04",
        "condition": "The contract is signed",
        "reason": "No budget this year",
        "next_step": "Resume",
    },
    events.HandedOver: {
        "part": "lead",
        "to": "Nora New",
        "former": "Fay Former",
        "note": "The data are in the shared folder",
        "duties": 2,
        "you": "new",
    },
    events.ChangeAsked: {
        "reason": "The supplier raised its price",
        "effect": "Two weeks later",
        "changes": ("Budget: € 20,000 → € 25,000",),
    },
    events.ChangeDecided: {
        "approved": False,
        "reason": "Find another supplier first",
        "changes": ("Budget",),
    },
    events.SignoffAsked: {
        "gate": "Sign-off",
        "ask": "Three people for a quarter",
        "due": "2031-12-04",
        "again": True,
        "changed": ("Baseline: 10 % → 12 %",),
        "facts": (("Objective", "Keep more customers"), ("Effort", "40 days")),
    },
    events.SignoffDue: {
        "gate": "Sign-off",
        "ask": "Sign off “Renewals in one step” so that it can go on to Kick-off.",
        "due": "2031-12-04",
        "overdue": True,
    },
    events.SignoffGiven: {
        "gate": "Sign-off",
        "decision": "approved_with_conditions",
        "role": "Vice President",
        "reason": "Worth it",
        "conditions": ("Ask legal first",),
        "still_needed": "one Managing Director",
    },
    events.SignoffWithdrawn: {
        "gate": "Sign-off",
        "decision": "approved_with_conditions",
        "role": "Vice President",
        "reason": "I had missed the new price",
        "conditions": ("Ask legal first",),
    },
    events.SignoffsVoided: {"gate": "Sign-off", "because": "the baseline changed"},
    events.SignoffNotNeeded: {
        "gate": "Sign-off",
        "because": "It went on to Execution.",
        "said": ("Mia approved",),
    },
    events.ConditionSet: {"condition": "Ask legal first", "owner": "Lea Lead", "due": "2031-12-04"},
    events.ConditionDue: {
        "condition_id": 1,
        "condition": "Ask legal first",
        "due": "2031-12-04",
        "overdue": True,
    },
    events.ConditionClosed: {"condition": "Ask legal first", "evidence": "Their answer of Monday"},
    events.WaiverGranted: {
        "requirement": "Two steering sessions",
        "reason": "Small project",
        "expires": "2031-12-31",
    },
    events.Nudged: {
        "requirement": "Describe the problem in at least 80 characters",
        "help": "Who has it, and how often?",
        "facts": (("Length of the problem", "needs at least 80, has 12"),),
    },
    events.WaiverAsked: {
        "requirement": "Two steering sessions",
        "reason": "Small project",
        "facts": (("Sessions", "needs 2, none yet"),),
    },
    events.WaiverRefused: {"requirement": "Two steering sessions", "reason": "One is too few"},
    events.PersonNamed: {"part": "lead", "detail": "Whole project", "due": "2031-12-04"},
    events.ConfirmationAsked: {"metrics": ("Sign-ups", "Churn"), "due": "2031-12-04"},
    events.MetricConfirmed: {"metric": "Sign-ups", "confirmed": False, "note": "Not by region"},
    events.MeetingCalled: {
        "meeting_id": 3,
        "name": "Approvals of December",
        "chair": "Gerd Great",
        "starts": "2031-12-04T09:00:00+00:00",
        "ends": "2031-12-04T10:00:00+00:00",
        "place": "Room 4",
        "agenda": ("OKR-042 Renewals in one step, 10 minutes",),
    },
    events.MeetingChanged: {
        "meeting_id": 3,
        "name": "Approvals of December",
        "chair": "Gerd Great",
        "starts": "2031-12-05T09:00:00+00:00",
        "ends": "2031-12-05T10:00:00+00:00",
        "sequence": 1,
        "agenda": ("OKR-042 Renewals in one step, 10 minutes",),
        "changed": ("The time",),
    },
    events.MeetingCancelled: {
        "meeting_id": 3,
        "name": "Approvals of December",
        "chair": "Gerd Great",
        "starts": "2031-12-05T09:00:00+00:00",
        "ends": "2031-12-05T10:00:00+00:00",
        "sequence": 2,
        "reason": "Nothing is ready",
    },
    events.MinutesSent: {
        "name": "Approvals of December",
        "held": "2031-12-04T09:02:00+00:00",
        "chair": "Gerd Great",
        "here": ("Gerd Great", "Vera Vance"),
        "away": ("Lea Lead",),
        "items": (("OKR-042 Renewals in one step", ("Vera Vance approved",)),),
        "not_reached": ("A confidential project",),
    },
    events.KickoffInvited: {
        "starts": "2031-12-04T13:00:00+00:00",
        "ends": "2031-12-04T14:00:00+00:00",
        "place": "Room 4",
    },
    events.StatementAsked: {"due": "2031-12-04", "reminder": 1},
    events.StatementGiven: {"stakeholder": "Sam Stake"},
    events.StatusPosted: {"status": "at_risk", "note": "Late data", "focus": "Get the data"},
    events.AlertRaised: {
        "kind": "worker",
        "sentence": "No worker is working",
        "detail": "The last sign of life was at 2031-11-04 08:00 UTC",
        "advice": "Start “okrgate worker”.",
        "at": "2031-11-04T08:15:00+00:00",
    },
    events.RecordCheckpointed: {
        "seq": 1407,
        "digest": "4f" * 32,
        "listing": "a1" * 32,
        "at": "2031-11-04T00:05:00+00:00",
        "rows": 212,
        "whole": True,
    },
    events.CommentAdded: {"said": "Which region first?"},
    events.Mentioned: {"said": "@lea, can you say why?"},
    events.CheckpointDue: {"metric": "Sign-ups", "due": "2031-12-04"},
    events.CheckpointRead: {"metric": "Sign-ups", "value": "120", "band": "success", "late": True},
    events.Celebrated: {"note": "You were great"},
    events.SummarySent: {
        "summary": "It worked.",
        "results": ("Sign-ups: success",),
        "key_results": ("1,000 sign-ups: 90 %",),
    },
    events.RoleUnheld: {"role": "Vice President", "needed_for": "Sign-off"},
    events.DigestReady: {
        "lines": (
            ("[OKR-042] Renewals", "now in Planning", "/projects/OKR-042"),
            ("", "The rules change", "/rules"),
        ),
        "more": 3,
        "waiting": 2,
    },
    events.PersonInvited: {},
    events.ResetAsked: {},
    events.EmailChangeAsked: {"address": "new@example.com"},
    events.EmailChanged: {"address": "old@example.com"},
    events.SecondFactorChanged: {"kind": "added", "factor": "the passkey “Phone”"},
    events.RolesChanged: {"gained": ("Vice President in Acme",), "lost": ("Steward in Acme",)},
    events.DutiesHanded: {
        "former": "Fay Former",
        "to": "Nora New",
        "duties": ("Projects they lead: 2", "Conditions to meet: 1"),
        "you_take_over": True,
    },
    events.StandInSet: {
        "person": "Ada Away",
        "stand_in": "Bea Beside",
        "starts": "2031-12-04",
        "ends": "2031-12-18",
        "scope": "all projects, up to a budget of € 50,000",
        "note": "Call me for anything larger",
        "you_stand_in": True,
    },
    events.StandInEnded: {"person": "Ada Away", "stand_in": "Bea Beside"},
    events.RulesApprovalAsked: {
        "process": "Stage gates",
        "note": "Shorter waits",
        "changes": ("looser: The problem needs 40 characters, before 80.",),
        "impact": ("3 open projects under the new text: 3 unchanged.",),
        "in_flight": "Open projects keep their rules.",
        "counts_from": "2031-12-04T00:00:00+00:00",
        "needed": 2,
        "loosens": True,
    },
    events.RulesProposalDecided: {
        "process": "Stage gates",
        "note": "Shorter waits",
        "outcome": "refused",
        "reason": "Not before the audit",
    },
    events.RulesForYou: {
        "process": "Stage gates",
        "version": 4,
        "note": "Shorter waits",
        "changes": ("looser: The problem needs 40 characters, before 80.",),
        "projects": ("OKR-042 Renewals in one step: keeps version 3.",),
        "more": 2,
        "signs": ("Security review: your sign-off as CISO",),
    },
    events.PublishingChanged: {
        "before": "1 approval; never the author's own.",
        "after": "Nobody has to approve; every administrator is told.",
        "counts_from": "2031-12-04T00:00:00+00:00",
    },
    events.AdministratorsChanged: {"person": "Otto Ohm", "is_one": True},
    events.ProcessRetired: {"process": "Vendors", "reason": "Purchasing does it now."},
    events.RulesPublished: {"process": "Stage gates", "version": 4, "note": "Shorter waits"},
}


def sample(kind: type[Event], /, *people: int, asked: bool = False, **changes: Any) -> Event:
    """Make an event of this kind for these people (person 1 if none is named)."""
    recipients = tuple(
        Recipient(person, "You lead this project.", asked) for person in people or (1,)
    )
    project = PROJECT if issubclass(kind, events.ProjectEvent) else {}
    return kind(**COMMON | project | OWN[kind] | {"recipients": recipients} | changes)
