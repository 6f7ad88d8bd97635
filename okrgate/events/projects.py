"""News of projects: where they go, how they come on, what came of them, what people say."""

from dataclasses import dataclass

from okrgate.events.telling import ProjectEvent


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
class CommentAdded(ProjectEvent):
    """Somebody said something about a project. `said` is empty when it is private."""

    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Mentioned(ProjectEvent):
    """Somebody was named in a comment. `said` is empty when it is private."""

    said: str = ""
