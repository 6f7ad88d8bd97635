"""All that can happen and that somebody is told of. Frozen facts, past tense.

An event is published inside the transaction that makes it true. It carries everything a mail about it needs
(names, titles, dates as they were), so whoever renders it later reads no table. `recipients` are resolved
before the transaction begins; the one who acted is left out unless the event says otherwise.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from okrgate.database import check_writing


@dataclass(frozen=True)
class Recipient:
    """Somebody to tell, why they in particular, and whether they are asked to act."""

    person_id: int
    why: str
    asked: bool = False


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened. `path` is the page to open; `by` the name of who did it."""

    recipients: tuple[Recipient, ...] = ()
    by: str = "okrgate"
    by_id: int | None = None
    path: str = "/"
    channels: tuple[str, ...] = ("mail", "inbox")


@dataclass(frozen=True, kw_only=True)
class ProjectEvent(Event):
    """Something about one project."""

    project_id: int
    reference: str
    title: str


@dataclass(frozen=True, kw_only=True)
class ProjectMoved(ProjectEvent):
    """A project went from one stage to another. `kind` is the transition's kind; dates are ISO.

    `said` holds who decided what in the round of sign-off that this move ended; `cause` why it was declined, in short;
    `note` what the rules add to the mail.
    """

    kind: str
    transition: str
    source: str
    target: str
    reason: str = ""
    revisit: str = ""
    cause: str = ""
    next_step: str = ""
    due: str = ""
    said: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ProjectCameBack(ProjectEvent):
    """What was declined has a successor: the day came, or the condition came true. `before` is the old reference."""

    before: str
    because: str


@dataclass(frozen=True, kw_only=True)
class HoldOver(ProjectEvent):
    """The day has come on which a parked project was to be looked at again, or it still waits for its condition."""

    since: str
    until: str = ""
    condition: str = ""
    reason: str = ""
    next_step: str = ""


@dataclass(frozen=True, kw_only=True)
class HandedOver(ProjectEvent):
    """A part in a project went from one person to another. `you` says which of them is told: new, former, or neither."""

    part: str
    to: str
    former: str = ""
    note: str = ""
    duties: int = 0
    you: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangeAsked(ProjectEvent):
    """Somebody asks to change what was signed."""

    reason: str
    effect: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChangeDecided(ProjectEvent):
    """A change of what was signed was agreed to, or not."""

    approved: bool
    reason: str = ""
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SignoffAsked(ProjectEvent):
    """A seat waits for these people."""

    gate: str
    ask: str
    due: str = ""
    again: bool = False
    changed: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class SignoffDue(ProjectEvent):
    """A seat still waits for somebody, and its day is near or over; `escalated`: those are told whom the rules name then.

    `suggests_stand_in` says that whoever is away may name somebody in their place.
    """

    gate: str
    ask: str
    due: str
    overdue: bool = False
    escalated: bool = False
    suggests_stand_in: bool = False


@dataclass(frozen=True, kw_only=True)
class SignoffGiven(ProjectEvent):
    """Somebody decided on a gate; `signed_with` names the second factor where the rules ask for one, `meaning` the act."""

    gate: str
    decision: str
    role: str
    reason: str = ""
    conditions: tuple[str, ...] = ()
    still_needed: str = ""
    signed_with: str = ""
    signed_at: str = ""
    meaning: str = ""


@dataclass(frozen=True, kw_only=True)
class SignoffWithdrawn(ProjectEvent):
    """Somebody took their decision on a gate back, and with it the conditions it came with."""

    gate: str
    decision: str
    role: str
    reason: str = ""
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SignoffsVoided(ProjectEvent):
    """Sign-offs lapsed, because what was signed changed or the project went back."""

    gate: str
    because: str


@dataclass(frozen=True, kw_only=True)
class SignoffNotNeeded(ProjectEvent):
    """Somebody was asked to sign and need not any more. `said` holds who decided what meanwhile."""

    gate: str
    because: str
    said: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ConditionSet(ProjectEvent):
    """An approval came with a condition that somebody has to meet."""

    condition: str
    owner: str
    due: str = ""


@dataclass(frozen=True, kw_only=True)
class ConditionClosed(ProjectEvent):
    """A condition of an approval was met."""

    condition: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class WaiverGranted(ProjectEvent):
    """A soft requirement was set aside, with a reason and an end."""

    requirement: str
    reason: str
    expires: str


@dataclass(frozen=True, kw_only=True)
class Nudged(ProjectEvent):
    """Somebody asks somebody else to put a missing requirement right. `facts` say what is needed and what is there."""

    requirement: str
    help: str = ""
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class WaiverAsked(ProjectEvent):
    """Somebody asks those who may to set a soft requirement aside."""

    requirement: str
    reason: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class WaiverRefused(ProjectEvent):
    """Somebody who may set a requirement aside will not."""

    requirement: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PersonNamed(ProjectEvent):
    """Somebody was given a part in a project (lead, accountable, owner of a task …)."""

    part: str
    detail: str = ""
    due: str = ""


@dataclass(frozen=True, kw_only=True)
class ConfirmationAsked(ProjectEvent):
    """A steward is asked to confirm metrics."""

    metrics: tuple[str, ...] = ()
    due: str = ""


@dataclass(frozen=True, kw_only=True)
class MetricConfirmed(ProjectEvent):
    """A steward answered: the metric can, or cannot, be reported as planned."""

    metric: str
    confirmed: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class KickoffInvited(ProjectEvent):
    """The kick-off session was announced. `starts` and `ends` are ISO moments in UTC."""

    starts: str
    ends: str
    place: str = ""
    sequence: int = 0


@dataclass(frozen=True, kw_only=True)
class StatementAsked(ProjectEvent):
    """A stakeholder is asked how it went. `reminder` counts the reminders before."""

    due: str = ""
    reminder: int = 0


@dataclass(frozen=True, kw_only=True)
class StatementGiven(ProjectEvent):
    """A stakeholder answered."""

    stakeholder: str


@dataclass(frozen=True, kw_only=True)
class StatusPosted(ProjectEvent):
    """The lead said how it goes."""

    status: str
    note: str = ""
    focus: str = ""


@dataclass(frozen=True, kw_only=True)
class CheckpointDue(ProjectEvent):
    """A metric has to be read."""

    metric: str
    due: str


@dataclass(frozen=True, kw_only=True)
class CheckpointRead(ProjectEvent):
    """A metric was read and fell into a band."""

    metric: str
    value: str
    band: str
    late: bool = False


@dataclass(frozen=True, kw_only=True)
class Celebrated(ProjectEvent):
    """The work is done: say thank you."""

    note: str = ""


@dataclass(frozen=True, kw_only=True)
class SummarySent(ProjectEvent):
    """The closing summary went to leadership."""

    summary: str
    results: tuple[str, ...] = ()
    key_results: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RoleUnheld(ProjectEvent):
    """A gate needs a role that nobody holds."""

    role: str
    needed_for: str


@dataclass(frozen=True, kw_only=True)
class AlertRaised(Event):
    """Something is wrong with the machinery. `at` is when it was noticed."""

    kind: str
    sentence: str
    detail: str
    advice: str
    at: str


@dataclass(frozen=True, kw_only=True)
class RecordCheckpointed(Event):
    """The record's head at a moment, to be kept where nobody who could rewrite the record reaches it.

    `rows` were added since the checkpoint before. `whole` tells whether all that can be proved still holds; if not,
    `problem` is what was found first.
    """

    seq: int
    digest: str
    listing: str
    at: str
    rows: int
    whole: bool
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class CommentAdded(ProjectEvent):
    """Somebody said something about a project. `said` is empty when it is private."""

    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Mentioned(ProjectEvent):
    """Somebody was named in a comment. `said` is empty when it is private."""

    said: str = ""


@dataclass(frozen=True, kw_only=True)
class DigestReady(Event):
    """News that somebody wants together: each (what it is about, what happened, its page). `waiting`: sign-offs asked of them."""

    lines: tuple[tuple[str, str, str], ...]
    more: int = 0
    waiting: int = 0


@dataclass(frozen=True, kw_only=True)
class PersonInvited(Event):
    """Somebody may join. The link's secret is kept apart from the event and never stored in it."""

    channels: tuple[str, ...] = ("mail",)
    valid_hours: int = 72


@dataclass(frozen=True, kw_only=True)
class ResetAsked(Event):
    """Somebody wants a new password."""

    channels: tuple[str, ...] = ("mail",)
    valid_hours: int = 2


@dataclass(frozen=True, kw_only=True)
class EmailChangeAsked(Event):
    """Somebody gave a new address and must prove that it is theirs. The mail goes to `address`, not to theirs."""

    address: str
    channels: tuple[str, ...] = ("mail",)
    valid_hours: int = 24


@dataclass(frozen=True, kw_only=True)
class EmailChanged(Event):
    """Somebody's address was changed. The mail goes to `address`, the one they had before."""

    address: str
    channels: tuple[str, ...] = ("mail",)


@dataclass(frozen=True, kw_only=True)
class SecondFactorChanged(Event):
    """A second factor was added, removed, or all were reset; a recovery code was used, or new ones were made.

    `kind` is added, removed, reset, recovery or codes. `person` names whose it was when others are told.
    """

    kind: str
    factor: str = ""
    person: str = ""


@dataclass(frozen=True, kw_only=True)
class RolesChanged(Event):
    """What somebody may do was changed."""

    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DutiesHanded(Event):
    """Somebody leaves, and what waited for them is another's now. Whoever leaves hears of it, too, by their last mail."""

    former: str
    to: str
    duties: tuple[str, ...]
    you_take_over: bool = False
    channels: tuple[str, ...] = ("mail",)


@dataclass(frozen=True, kw_only=True)
class StandInSet(Event):
    """Somebody stands in for somebody else on these days (ISO). `you_stand_in` says which of the two is told."""

    person: str
    stand_in: str
    starts: str
    ends: str
    scope: str
    note: str = ""
    you_stand_in: bool = False


@dataclass(frozen=True, kw_only=True)
class StandInEnded(Event):
    """Somebody stands in no longer, before the last day came."""

    person: str
    stand_in: str
    you_stand_in: bool = False


@dataclass(frozen=True, kw_only=True)
class RulesPublished(Event):
    """A new version of a rulebook binds projects."""

    process: str
    version: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class RulesApprovalAsked(Event):
    """Somebody wants to publish rules, and these people may say yes or no. `counts_from` is ISO, empty: at once."""

    process: str
    note: str
    changes: tuple[str, ...] = ()
    impact: tuple[str, ...] = ()
    in_flight: str = ""
    counts_from: str = ""
    needed: int = 1
    loosens: bool = False


@dataclass(frozen=True, kw_only=True)
class RulesProposalDecided(Event):
    """Somebody spoke on rules that are to be published, or the day came on which they could not be.

    `outcome` is approved, scheduled, refused, withdrawn or stopped; `reason` says why. `counts_from` is ISO.
    """

    process: str
    note: str
    outcome: str
    reason: str = ""
    counts_from: str = ""
    still_needed: int = 0


@dataclass(frozen=True, kw_only=True)
class RulesForYou(Event):
    """New rules bind, and this is what they mean for one person: their projects, and where their word is needed now.

    `projects` says of each project what becomes of it; `more` were left out.
    """

    process: str
    version: int
    note: str
    changes: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    more: int = 0
    signs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PublishingChanged(Event):
    """How many approvals rules need was changed. `counts_from` is ISO, empty: at once."""

    before: str
    after: str
    counts_from: str = ""


@dataclass(frozen=True, kw_only=True)
class AdministratorsChanged(Event):
    """Somebody administers okrgate from now on, or no longer. `you`: it is the reader of this."""

    person: str
    is_one: bool
    you: bool = False


@dataclass(frozen=True, kw_only=True)
class ProcessRetired(Event):
    """No new project starts in a process from now on; or, `back`, some do again."""

    process: str
    reason: str
    back: bool = False


@dataclass(frozen=True, kw_only=True)
class MeetingEvent(Event):
    """Something about one gate meeting. `starts` and `ends` are ISO moments in UTC."""

    meeting_id: int
    name: str
    chair: str
    starts: str
    ends: str
    place: str = ""
    sequence: int = 0
    agenda: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class MeetingCalled(MeetingEvent):
    """Somebody is invited to a gate meeting."""


@dataclass(frozen=True, kw_only=True)
class MeetingChanged(MeetingEvent):
    """A gate meeting has another time, place or name; `changed` says which."""


@dataclass(frozen=True, kw_only=True)
class MeetingCancelled(MeetingEvent):
    """There is no such gate meeting any more, or not for these people."""


@dataclass(frozen=True, kw_only=True)
class MinutesSent(Event):
    """A gate meeting is over. `items` holds, one for each project, what it is called and what was decided and said."""

    name: str
    held: str
    chair: str
    here: tuple[str, ...] = ()
    away: tuple[str, ...] = ()
    items: tuple[tuple[str, tuple[str, ...]], ...] = ()
    not_reached: tuple[str, ...] = ()


Listener = Callable[[Event], None]
Hearers = Callable[[Event], Iterable[Recipient]]


@dataclass
class _Listeners:
    all: list[Listener] = field(default_factory=list)
    hearers: list[Hearers] = field(default_factory=list)


_listeners = _Listeners()


def subscribe(listener: Listener) -> None:
    """Hear every event, inside its transaction. Done once, in app.py; a second time changes nothing."""
    if listener not in _listeners.all:
        _listeners.all.append(listener)


def add_hearers(hearers: Hearers) -> None:
    """Let a room name more people who hear of an event: those who follow a project. Done once, in app.py."""
    if hearers not in _listeners.hearers:
        _listeners.hearers.append(hearers)


def publish(event: Event) -> None:
    """Tell the listeners. Raises RuntimeError outside a transaction: news without its cause is a rumour."""
    check_writing()
    heard = _with_hearers(event)
    for listener in _listeners.all:
        listener(heard)


def _with_hearers(event: Event) -> Event:
    """Add those who hear of it besides; whoever is told already keeps the reason they have."""
    known = {one.person_id for one in event.recipients}
    more = {
        one.person_id: one
        for hearers in _listeners.hearers
        for one in hearers(event)
        if one.person_id not in known
    }
    return replace(event, recipients=(*event.recipients, *more.values())) if more else event
