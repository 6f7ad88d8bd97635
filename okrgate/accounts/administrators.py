"""Tell who administers okrgate from now on, or no longer: every administrator hears of it, and whom it concerns."""

from collections.abc import Sequence

from okrgate.accounts import directory
from okrgate.accounts.models import Person
from okrgate.events import AdministratorsChanged, Recipient, publish

_WHY = "you administer okrgate"


def tell(person: Person, *, is_one: bool, by: int, known: Sequence[int]) -> None:
    """Tell it, in the open transaction. `known` are the administrators there were before it.

    Not whoever did it. Whom it concerns is told in words of their own, unless they cannot sign in any more.
    """
    name = directory.names([by]).get(by, "Somebody")
    others = [one for one in known if one not in (by, person.id)]
    told: list[tuple[bool, list[int]]] = [(False, others)]
    if person.active and person.id != by:
        told.append((True, [person.id]))
    for you, people in told:
        if people:
            publish(
                AdministratorsChanged(
                    recipients=tuple(
                        Recipient(one, _WHY if not you or is_one else "you administered okrgate")
                        for one in people
                    ),
                    by=name,
                    by_id=by,
                    path=_path(person.id, is_one=is_one, you=you),
                    person=person.name,
                    is_one=is_one,
                    you=you,
                )
            )


def _path(person_id: int, *, is_one: bool, you: bool) -> str:
    """Return a page that the reader may open."""
    if you:
        return "/admin" if is_one else "/account"
    return f"/admin/people/{person_id}"
