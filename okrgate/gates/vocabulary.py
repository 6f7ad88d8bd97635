"""What a rule may speak about: the facts and lists okrgate gathers for every project, and the closed lists of the language."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from okrgate.gates.model import Collection, Fact

KINDS = ("forward", "return", "park", "resume", "decline", "withdraw", "stop")
ASKS = ("reason", "revisit", "condition", "date")
EFFECTS = (
    "freeze_bands",
    "create_checkpoints",
    "ask_steward",
    "ask_stakeholders",
    "invite_kickoff",
    "send_summary",
    "celebrate",
)
SEVERITIES = ("hard", "soft", "advisory")
MODES = ("active", "evaluate", "off")
STRICT = "strict"
SIGNING = ("simple", STRICT)
SCOPES = ("home", "teams", "company")

SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "problem": "Problem",
        "value": "Potential value",
        "solution": "Suggested solution",
        "metrics": "Target metrics",
        "key_results": "Key results",
        "teams": "Teams",
        "review": "Management review",
        "backlog": "Backlog",
        "people": "People and unit",
        "raci": "RACI",
        "scope": "Scope and resources",
        "dependencies": "Dependencies",
        "files": "Files",
        "measurement": "Measurement plan",
        "kickoff": "Kick-off",
        "delivery": "Delivery",
        "wrapup": "Wrap-up",
        "readings": "Checkpoint readings",
        "retrospective": "Retrospective",
        "lessons": "Lessons",
        "summary": "Leadership summary",
    }
)


def _facts(section: str, *rows: tuple[Any, ...]) -> list[tuple[str, Fact]]:
    """Build facts from (name, type, label[, details])."""
    found = []
    for name, kind, label, *more in rows:
        details: dict[str, Any] = dict(more[0]) if more else {}
        found.append((section, Fact(name=name, type=kind, label=label, **details)))
    return found


_LENGTH = {"min": 0, "always": True, "unit": "characters"}
_COUNT = {"min": 0, "always": True, "volatile": True}
_MADE = {"min": 0, "always": True}

_ALL: list[tuple[str, Fact]] = [
    *_facts(
        "problem",
        ("project.title_length", "integer", "Length of the title", _LENGTH),
        ("problem.length", "integer", "Length of the problem", _LENGTH),
    ),
    *_facts(
        "solution", ("solution.length", "integer", "Length of the suggested solution", _LENGTH)
    ),
    *_facts(
        "people",
        ("project.submitter", "user", "Submitted by", {"always": True}),
        ("project.lead", "user", "Lead"),
        ("project.sponsor", "user", "Sponsor"),
        ("project.benefits_owner", "user", "Benefits owner"),
        ("project.home_unit", "string", "Unit"),
        ("project.domain", "string", "Domain"),
        ("project.confidential", "boolean", "Confidential"),
        ("project.currency", "string", "Currency"),
        ("project.adopted", "boolean", "Adopted in mid-course", {"volatile": True}),
        ("project.outcome", "string", "Outcome", {"volatile": True}),
        (
            "stage.days",
            "integer",
            "Days in this stage",
            {"min": 0, "volatile": True, "unit": "days"},
        ),
    ),
    *_facts(
        "value",
        ("value.user_length", "integer", "Length of the value to users", _LENGTH),
        ("value.customer_length", "integer", "Length of the value to customers", _LENGTH),
        ("value.business_length", "integer", "Length of the value to the business", _LENGTH),
        ("value.platform_length", "integer", "Length of the value to the platform", _LENGTH),
        ("value.discovery_entries", "integer", "Discovery entries", _MADE),
        ("value.amount", "money", "Estimated value", {"min": 0}),
        ("value.reach", "integer", "People reached", {"min": 0, "unit": "people"}),
        ("value.first_value_by", "date", "First value by"),
    ),
    *_facts("key_results", ("key_results.count", "integer", "Key results linked", _MADE)),
    *_facts(
        "teams",
        ("teams.count", "integer", "Teams", _MADE),
        ("capacity.over_teams", "integer", "Teams over capacity", _COUNT),
    ),
    *_facts(
        "metrics",
        ("metrics.count", "integer", "Target metrics", _MADE),
        (
            "bands.changed_since_signoff",
            "boolean",
            "Outcome bands changed since the sign-off",
            {"volatile": True},
        ),
    ),
    *_facts(
        "review",
        (
            "project.priority",
            "enum",
            "Priority",
            {"values": ("must", "should", "could", "wont")},
        ),
        ("review.fits", "enum", "Fits the teams", {"values": ("quarter", "half", "later", "no")}),
        ("review.team_fit", "boolean", "Fits the teams' objectives"),
        ("review.feasible", "boolean", "Technically and operationally feasible"),
        ("review.later_start", "date", "Later start"),
        ("review.yields", "string", "Project that yields"),
    ),
    *_facts("backlog", ("project.backlog", "string", "Backlog")),
    *_facts(
        "raci",
        ("raci.accountable", "user", "Accountable people", {"many": True}),
    ),
    *_facts(
        "scope",
        ("scope.effort_days", "number", "Effort", {"min": 0, "unit": "days"}),
        ("scope.budget", "money", "Budget", {"min": 0}),
        ("scope.start", "date", "Planned start"),
        ("scope.end", "date", "Planned end"),
        ("scope.people", "integer", "People needed", {"min": 0, "unit": "people"}),
        (
            "plan.changed_since_signoff",
            "boolean",
            "Plan changed since the sign-off",
            {"volatile": True},
        ),
    ),
    *_facts("files", ("files.count", "integer", "Files", _MADE)),
    *_facts(
        "measurement",
        ("metrics.reported", "integer", "Metrics with a report", _COUNT),
        ("metrics.confirmed", "integer", "Metrics confirmed by their steward", _COUNT),
        ("metrics.stale", "integer", "Metrics without fresh numbers", _COUNT),
    ),
    *_facts(
        "kickoff",
        ("kickoff.held_on", "date", "Kick-off held on"),
        ("kickoff.attendees", "integer", "People at the kick-off", {"min": 0, "unit": "people"}),
        (
            "kickoff.tasks_unowned",
            "integer",
            "Tasks without an owner",
            {"min": 0, "volatile": True},
        ),
        ("sprints.count", "integer", "Sprints", {"min": 0, "volatile": True}),
        ("sprints.undated", "integer", "Sprints without dates", {"min": 0, "volatile": True}),
    ),
    *_facts(
        "delivery",
        ("tasks.open", "integer", "Open tasks", _COUNT),
        ("blockers.open", "integer", "Open blockers", _COUNT),
        ("conditions.open", "integer", "Open conditions of approvals", _COUNT),
        ("conditions.overdue", "integer", "Overdue conditions of approvals", _COUNT),
    ),
    *_facts(
        "wrapup",
        ("wrapup.finished", "boolean", "Work finished"),
        (
            "wrapup.missing_reason_length",
            "integer",
            "Length of the reason for missing statements",
            {"min": 0, "unit": "characters"},
        ),
        ("wrapup.actual_effort_days", "number", "Effort in fact", {"min": 0, "unit": "days"}),
        ("statements.asked", "integer", "Stakeholders asked", _COUNT),
        ("statements.answered", "integer", "Stakeholders who answered", _COUNT),
        ("statements.reminded", "integer", "Stakeholders reminded", _COUNT),
    ),
    *_facts(
        "readings",
        ("checkpoints.due_unread", "integer", "Checkpoints due and not read", _COUNT),
        ("checkpoints.unread", "integer", "Checkpoints not read", _COUNT),
    ),
    *_facts(
        "retrospective",
        ("retro.held_on", "date", "Retrospective held on"),
        ("retro.judgement", "enum", "Judgement", {"values": ("success", "partial", "failure")}),
        ("retro.repeat", "enum", "Do it again?", {"values": ("more", "same", "never")}),
    ),
    *_facts("lessons", ("lessons.unowned", "integer", "Lessons without an owner", _COUNT)),
    *_facts(
        "summary",
        ("summary.length", "integer", "Length of the summary", {"min": 0, "unit": "characters"}),
    ),
]

APPLICATION_FACTS: Mapping[str, Fact] = MappingProxyType({fact.name: fact for _, fact in _ALL})


def _collection(
    name: str, label: str, *fields: tuple[Any, ...], volatile: bool = False
) -> Collection:
    """Build a collection from (name, type, label[, details]); the first field names its items."""
    found = {}
    for field, kind, title, *more in fields:
        details: dict[str, Any] = dict(more[0]) if more else {}
        found[field] = Fact(name=field, type=kind, label=title, **details)
    return Collection(name, label, fields[0][0], MappingProxyType(found), volatile)


_NAME = ("name", "string", "Name", {"always": True})
_OWNER = ("owner", "user", "Owner")
_DUE = ("due", "date", "Due")
_OPEN = ("open", "boolean", "Open")
_START_END = (("start", "date", "Start"), ("end", "date", "End"))
_HOWMANY = {"min": 0, "always": True, "unit": "people"}

APPLICATION_COLLECTIONS: Mapping[str, Collection] = MappingProxyType(
    {
        one.name: one
        for one in (
            _collection(
                "metrics",
                "Target metric",
                _NAME,
                ("direction", "enum", "Direction", {"values": ("up", "down")}),
                ("baseline", "number", "Baseline"),
                ("success", "number", "Success threshold"),
                ("partial", "number", "Partial success threshold"),
                ("negative", "number", "Negative impact threshold"),
                ("consistent", "boolean", "Bands without gaps or overlaps"),
                ("frozen", "boolean", "Bands frozen"),
                ("confirmed", "boolean", "Confirmed by its steward"),
                ("report_attached", "boolean", "Report attached"),
                ("power_ok", "boolean", "Target can be seen at all"),
                _OWNER,
                ("steward", "user", "Steward"),
                ("checkpoints", "integer", "Checkpoints", {"min": 0}),
            ),
            _collection(
                "checkpoints",
                "Checkpoint",
                _NAME,
                _DUE,
                ("read", "boolean", "Read"),
                ("written_off", "boolean", "Written off"),
                ("band", "enum", "Band", {"values": ("success", "partial", "none", "negative")}),
                _OWNER,
                volatile=True,
            ),
            _collection(
                "raci",
                "RACI line",
                ("activity", "string", "Activity", {"always": True}),
                ("responsible", "integer", "Responsible", _HOWMANY),
                ("accountable", "integer", "Accountable", _HOWMANY),
                ("consulted", "integer", "Consulted", _HOWMANY),
                ("informed", "integer", "Informed", _HOWMANY),
            ),
            _collection(
                "key_results",
                "Key result",
                _NAME,
                ("level", "enum", "Level", {"values": ("company", "region", "domain", "team")}),
                ("period", "string", "Period"),
                _OPEN,
            ),
            _collection(
                "teams",
                "Team",
                _NAME,
                ("confirmed", "boolean", "Confirmed"),
                ("over_capacity", "boolean", "Over capacity"),
                ("effort_days", "number", "Effort", {"min": 0, "unit": "days"}),
            ),
            _collection("tasks", "Task", _NAME, _OWNER, _DUE, *_START_END, _OPEN, volatile=True),
            _collection(
                "sprints", "Sprint", _NAME, _OWNER, _DUE, *_START_END, _OPEN, volatile=True
            ),
            _collection(
                "blockers", "Blocker", _NAME, _OWNER, _DUE, *_START_END, _OPEN, volatile=True
            ),
            _collection(
                "statements",
                "Stakeholder",
                _NAME,
                ("answered", "boolean", "Answered"),
                ("second_hand", "boolean", "Told by somebody else"),
                ("reminders", "integer", "Reminders", {"min": 0}),
                volatile=True,
            ),
            _collection(
                "conditions",
                "Condition",
                _NAME,
                _OWNER,
                _DUE,
                ("closed", "boolean", "Closed"),
                ("gate", "string", "Gate"),
                volatile=True,
            ),
            _collection("lessons", "Lesson", _NAME, _OWNER, volatile=True),
            _collection(
                "dependencies",
                "Dependency",
                _NAME,
                ("accepted", "boolean", "Accepted"),
                volatile=True,
            ),
        )
    }
)

_SECTION_OF: Mapping[str, str] = {
    **{fact.name: section for section, fact in _ALL},
    "metrics": "metrics",
    "checkpoints": "readings",
    "raci": "raci",
    "key_results": "key_results",
    "teams": "teams",
    "tasks": "kickoff",
    "sprints": "kickoff",
    "blockers": "delivery",
    "statements": "wrapup",
    "conditions": "delivery",
    "lessons": "lessons",
    "dependencies": "dependencies",
}

# Fields of a list that another section than the list's own fills in.
_FIELD_SECTION: Mapping[tuple[str, str], str] = {
    **{
        ("metrics", one): "measurement"
        for one in ("confirmed", "report_attached", "power_ok", "steward", "checkpoints")
    },
    ("tasks", "open"): "delivery",
    ("sprints", "open"): "delivery",
    ("teams", "confirmed"): "review",
    ("teams", "over_capacity"): "review",
}


def section_of(name: str, fields: Iterable[str] = ()) -> str | None:
    """Return the form section that sets a fact or list; `fields` (of a list) may point to a later section."""
    for field in fields:
        if (name, field) in _FIELD_SECTION:
            return _FIELD_SECTION[name, field]
    return _SECTION_OF.get(name)
