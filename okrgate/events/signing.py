"""News of signing: what is asked, decided, withdrawn, waived and stood in for."""

from dataclasses import dataclass

from okrgate.events.telling import Event, ProjectEvent


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
class ConditionDue(ProjectEvent):
    """A condition is still to be met, and its day is near or over. Told once each, however often it is published."""

    condition_id: int
    condition: str
    due: str
    overdue: bool = False


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
class Nudged(ProjectEvent):
    """Somebody asks somebody else to put a missing requirement right. `facts` say what is needed and what is there."""

    requirement: str
    help: str = ""
    facts: tuple[tuple[str, str], ...] = ()


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
class RoleUnheld(ProjectEvent):
    """A gate needs a role that nobody holds."""

    role: str
    needed_for: str


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
