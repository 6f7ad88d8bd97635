"""Who may still read what they are told about."""

from collections.abc import Callable, Iterable

from okrgate.errors import Refused

MayRead = Callable[[int, int], bool]
_asked: list[MayRead] = []


def ask(may_read: MayRead) -> None:
    """Ask `may_read(person_id, project_id)` before a mail about a project is sent or its news is shown."""
    _asked[:] = [may_read]


def may_read(person_id: int, project_id: int) -> bool:
    """Tell whether the person may read the project. Doubt says no; raises RuntimeError if nobody can tell."""
    if not _asked:
        raise RuntimeError("Nobody said who may read a project: rights.ask() was not called.")
    try:
        return _asked[0](person_id, project_id)
    except Refused:
        return False


def readable(person_id: int, project_ids: Iterable[int | None]) -> set[int]:
    """Return those of these projects that the person may read."""
    wanted = {one for one in project_ids if one is not None}
    return {one for one in wanted if may_read(person_id, one)}
