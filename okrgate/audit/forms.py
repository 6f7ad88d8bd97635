"""What to look for in the record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from okrgate import clock
from okrgate.audit import service
from okrgate.audit.reading import sources, words_for

_YEARS = range(2000, 2101)


@dataclass
class Search:
    """A filter as typed, what it means, and what is wrong with it."""

    typed: dict[str, str]
    wanted: service.Filter
    faults: list[str] = field(default_factory=list)


def read(values: Mapping[str, str]) -> Search:
    """Read a filter from an address or a form. What makes no sense finds nothing and is said."""
    names = ("project", "person", "action", "since", "until")
    typed = {name: values.get(name, "").strip()[:100] for name in names}
    faults: list[str] = []
    since = _day(typed["since"], "From", faults)
    until = _day(typed["until"], "Until", faults)
    if since and until and until < since:
        faults.append("“Until” is before “From”.")
    wanted = service.Filter(
        project_id=_project(typed["project"], faults),
        actor_id=_number(typed["person"], faults),
        action=typed["action"],
        since=_start_of(since),
        until=_start_of(until + timedelta(days=1)) if until else None,
    )
    return Search(typed, wanted, faults)


def action_choices() -> Sequence[tuple[str, str]]:
    """Return the kinds of action seen so far, in words."""
    return [("", "Everything"), *((action, words_for(action)) for action in service.actions())]


def _project(reference: str, faults: list[str]) -> int | None:
    if not reference:
        return None
    found = sources.project_named(reference)
    if found is None:
        faults.append("There is no project with this reference.")
    return found


def _number(text: str, faults: list[str]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    faults.append("Choose a person of the list.")
    return None


def _day(text: str, label: str, faults: list[str]) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        faults.append(f"“{label}”: enter a day like 2026-12-04.")
        return None
    return found


def _start_of(day: date | None) -> datetime | None:
    if day is None:
        return None
    return datetime.combine(day, time(), tzinfo=clock.company_zone()).astimezone(UTC)
