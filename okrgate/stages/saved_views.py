"""Saved views of the list: kept by one person, seen by them alone unless an administrator shared them with all."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_, select, update
from werkzeug.datastructures import MultiDict

from okrgate import clock
from okrgate.audit import service as audit
from okrgate.database import db, transaction
from okrgate.errors import Forbidden, Invalid, NotFound
from okrgate.stages import listing
from okrgate.stages.listing import Wanted
from okrgate.stages.reading import Reader
from okrgate.stages.view_models import SavedView

MOST = 20
_PASSING = {"view", "before"}


def for_reader(reader: Reader) -> list[SavedView]:
    """Return the reader's own views, then those shared with all, by name."""
    query = (
        select(SavedView)
        .where(or_(SavedView.person_id == reader.id, SavedView.shared))
        .order_by(SavedView.person_id != reader.id, SavedView.name, SavedView.id)
    )
    return list(db.session().scalars(query))


def wanted(args: "MultiDict[str, str]", views: Sequence[SavedView]) -> Wanted:
    """Read what an address of the list asks for: by itself, by naming a view, or, saying nothing, the view to start with."""
    said = set(args) - _PASSING
    if not said:
        number = listing.read(args).view
        found = [one for one in views if (one.id == number if number is not None else one.start)]
        if found:
            return as_asked(found[0])
    return listing.read(args)


def as_asked(view: SavedView) -> Wanted:
    """Return what a view asks for."""
    args: MultiDict[str, str] = MultiDict()
    for key, value in view.asked.items():
        args.setlist(key, [str(one) for one in (value if isinstance(value, list) else [value])])
    args["view"] = str(view.id)
    return listing.read(args)


def own(view_id: int, by: Reader) -> SavedView:
    """Return one of the reader's own views, or a shared one for an administrator. Raises NotFound."""
    found = db.session().get(SavedView, view_id)
    if found is None or not (found.person_id == by.id or (found.shared and by.is_admin)):
        raise NotFound
    return found


def save(name: str, asked: Wanted, *, shared: bool, start: bool, replace: bool, by: Reader) -> int:
    """Keep a list under a name; return the view's id. `replace` lets an own view of that name go."""
    _check_may_share(shared, by)
    with transaction() as session:
        view = _named(name, by.id)
        if view is not None and not replace:
            raise _taken("You have a view of this name. Choose another name, or replace it.")
        if view is None:
            _check_room(by.id)
            view = SavedView(person_id=by.id, name=name, start=False)
            session.add(view)
        view.asked, view.changed_at, view.shared = _kept(asked), clock.now(), shared
        session.flush()
        _start_with(view, start)
        audit.record(
            "list_view.saved",
            by=by.id,
            target=name,
            details={"shared": shared, "asked": view.asked},
        )
        return view.id


def change(view_id: int, name: str, *, shared: bool, start: bool, by: Reader) -> None:
    """Give a view another name, share it or not, start with it or not."""
    with transaction():
        view = own(view_id, by)
        mine = view.person_id == by.id
        before = [view.name, view.shared, view.start]
        _check_may_share(shared or view.shared, by)
        other = _named(name, view.person_id)
        if other is not None and other.id != view.id:
            raise _taken("There is a view of this name already.")
        view.name, view.shared = name, shared
        if mine:
            _start_with(view, start)
        after = [view.name, view.shared, view.start]
        if after != before:
            view.changed_at = clock.now()
            audit.record(
                "list_view.changed", by=by.id, target=name, details={"view": [before, after]}
            )


def delete(view_id: int, *, by: Reader) -> str:
    """Let a view go; return the name it had."""
    with transaction() as session:
        view = own(view_id, by)
        session.delete(view)
        audit.record("list_view.deleted", by=by.id, target=view.name)
        return view.name


def _kept(asked: Wanted) -> dict[str, Any]:
    return listing.arguments(asked, view=None)


def _named(name: str, person: int) -> SavedView | None:
    return db.session().scalar(
        select(SavedView).where(SavedView.person_id == person, SavedView.name == name)
    )


def _start_with(view: SavedView, start: bool) -> None:
    if start and not view.start:
        others = update(SavedView).where(SavedView.person_id == view.person_id, SavedView.start)
        db.session().execute(others.values(start=False))
    view.start = start


def _check_room(person: int) -> None:
    counted = select(func.count()).where(SavedView.person_id == person)
    if db.session().execute(counted).scalar_one() >= MOST:
        raise _taken(f"You have {MOST} views, which is the most. Delete one first.")


def _check_may_share(shared: bool, by: Reader) -> None:
    if shared and not by.is_admin:
        raise Forbidden("Only an administrator may share a view with everybody.")


def _taken(sentence: str) -> Invalid:
    return Invalid(sentence, {"name": sentence})
