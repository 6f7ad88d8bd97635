"""My work: what waits for me, what I owe, what is mine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from okrgate.approvals import queue
from okrgate.stages import reading
from okrgate.stages.reading import Line, Reader, Wanted


@dataclass(frozen=True)
class Owed:
    """Something one person has to do: in words, where, and by when."""

    text: str
    where: str
    url: str
    due: date | None
    late: bool


@dataclass(frozen=True)
class Work:
    """One person's page."""

    waiting: Sequence[queue.Waiting]
    owed: Sequence[Owed]
    mine: Sequence[Line]


Source = Callable[[int], Sequence[Owed]]
_sources: list[Source] = []


def add_source(source: Source) -> None:
    """Let a room say what somebody owes there. Done once, in app.py."""
    if source not in _sources:
        _sources.append(source)


def of(reader: Reader) -> Work:
    """Return what one person should look at, the most urgent first."""
    owed = [one for source in _sources for one in source(reader.id)]
    owed.sort(key=lambda one: (one.due is None, one.due or date.max, one.text))
    return Work(
        waiting=queue.waiting_for(reader.id, limit=10),
        owed=owed[:30],
        mine=reading.page_of(Wanted(scope="mine"), reader)[:20],
    )
