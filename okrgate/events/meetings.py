"""News of gate meetings."""

from dataclasses import dataclass

from okrgate.events.telling import Event


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
