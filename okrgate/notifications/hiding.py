"""Leave out of news about several projects what its reader may not read any more."""

from dataclasses import replace
from typing import Any

from okrgate.events import Event
from okrgate.notifications import rights


def as_read_now(event: Event, person_id: int) -> Event:
    """Return the event with each guarded line exchanged, or left out, whose project this person may not read now."""
    if not event.guarded:
        return event
    readable = rights.readable(person_id, (project for _, _, project, _ in event.guarded))
    lines: dict[str, list[Any]] = {}
    for name, place, project, instead in event.guarded:
        if project not in readable:
            lines.setdefault(name, list(getattr(event, name)))[place] = instead
    shown = {name: tuple(one for one in found if one is not None) for name, found in lines.items()}
    changes: dict[str, Any] = shown
    return replace(event, **changes)
