"""The promises of a draft: what is never reached, what is always met, and whether the proof agrees."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.gates.reading_conditions import Names
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.rows import conditions_forms as conditions
from okrgate.workshop.rows import promise_changes, promise_rows
from okrgate.workshop.rows.conditions_pages import Shown, fitted
from okrgate.workshop.rows.conditions_parts import Group
from okrgate.workshop.rows.conditions_reading import parts_of
from okrgate.workshop.rows.conditions_words import names_of
from okrgate.workshop.rows.conditions_writing import Faults, is_too_deep, plain_of
from okrgate.workshop.rows.process_draft import Opened
from okrgate.workshop.rows.process_forms import DraftPart
from okrgate.workshop.rows.process_pages import kept, open_draft, show, with_readable_draft
from okrgate.workshop.rows.process_rows import text
from okrgate.workshop.rows.promise_forms import PromiseForm, shown
from okrgate.workshop.rows.requirement_work import pressed, reshaped

_PREFIX = "if"
_TAKEN = "Another promise has this name in the file."
_TOO_DEEP = "The groups are nested deeper than the rules can hold: take one of them apart."


@dataclass(frozen=True)
class _Work:
    """A promise in work: the draft, where it stands (None: nowhere yet), and what the form says of it."""

    opened: Opened
    names: Names
    place: int | None
    before: Mapping[str, Any]
    form: PromiseForm
    condition: Group
    faults: Faults


@blueprint.get("/rules/<key>/rows/promises")
@requires(admin)
@with_readable_draft
def show_promises(key: str) -> ResponseReturnValue:
    """Show every promise of my draft, with what the proof says."""
    opened = open_draft(key)
    return show(
        "workshop/promises.html",
        key,
        rows=promise_rows.rows(opened.process, promise_rows.proofs(opened.draft.text)),
    )


@blueprint.get("/rules/<key>/rows/promises/new")
@requires(admin)
@with_readable_draft
def new_promise(key: str) -> ResponseReturnValue:
    """Ask what is promised."""
    return _page(key, _begun(key, None), None)


@blueprint.post("/rules/<key>/rows/promises/new")
@requires(admin)
@with_readable_draft
def add_promise(key: str) -> ResponseReturnValue:
    """Change the shape of a new promise, or add it."""
    work = _sent(key, None)
    if reshaped():
        return _page(key, work, None)
    process, form = work.opened.process, work.form
    if not _is_sound(work):
        return _page(key, work, None, status=422)
    name = form.id.data or promise_changes.new_id(process, form.label.data or "")
    wanted = form.wanted(name, plain_of(work.condition, work.names)[0])
    status = kept(key, form, promise_changes.added(process, wanted))
    if status:
        return _page(key, work, None, status=status)
    return _kept_in_draft(key, name, "The promise is in your draft.")


@blueprint.get("/rules/<key>/rows/promises/<token>")
@requires(admin)
@with_readable_draft
def edit_promise(key: str, token: str) -> ResponseReturnValue:
    """Show one promise to change."""
    return _page(key, _begun(key, token), token)


@blueprint.post("/rules/<key>/rows/promises/<token>")
@requires(admin)
@with_readable_draft
def save_promise(key: str, token: str) -> ResponseReturnValue:
    """Change the shape of a promise, or keep it."""
    work = _sent(key, token)
    if reshaped():
        return _page(key, work, token)
    if not _is_sound(work) or work.place is None:
        return _page(key, work, token, status=422)
    name = work.form.id.data or text(work.before.get("id"))
    wanted = work.form.wanted(name, plain_of(work.condition, work.names)[0])
    changes = promise_changes.edited(work.opened.process, work.place, wanted)
    status = kept(key, work.form, changes)
    if status:
        return _page(key, work, token, status=status)
    return _kept_in_draft(key, name, "Kept in your draft." if changes else "Nothing was changed.")


@blueprint.get("/rules/<key>/rows/promises/<token>/remove")
@requires(admin)
@with_readable_draft
def remove_promise_page(key: str, token: str) -> ResponseReturnValue:
    """Say what it means to take a promise away."""
    opened = open_draft(key)
    return _removal_page(key, opened, token, DraftPart(formdata=None, seen=opened.seen))


@blueprint.post("/rules/<key>/rows/promises/<token>/remove")
@requires(admin)
@with_readable_draft
def remove_promise(key: str, token: str) -> ResponseReturnValue:
    """Take a promise away; the gates stay as they are."""
    opened, form = open_draft(key), DraftPart()
    place = _place(opened, token)
    status = 422
    if form.validate_on_submit():
        status = kept(key, form, promise_changes.removed(opened.process, place))
        if not status:
            return done("The promise is gone from your draft.", url_for(".show_promises", key=key))
    return _removal_page(key, opened, token, form, status=status)


def _kept_in_draft(key: str, name: str, sentence: str) -> ResponseReturnValue:
    return done(sentence, url_for(".show_promises", key=key, _anchor=f"promise-{name}"))


def _begun(key: str, token: str | None) -> _Work:
    """Return a promise as the draft says it."""
    opened = open_draft(key)
    place, before = _said(opened, token)
    names = names_of(opened.process.whole)
    form = PromiseForm(formdata=None, seen=opened.seen, **(shown(before) if before else {}))
    form.offer(opened.process, names, before)
    kind = promise_rows.CONDITION[promise_rows.kind_of(before)]
    return _Work(
        opened, names, place, before, form, fitted(parts_of(before.get(kind), names), names), {}
    )


def _sent(key: str, token: str | None) -> _Work:
    """Return a promise as the form sent it, after the button that was pressed."""
    opened = open_draft(key)
    place, before = _said(opened, token)
    names = names_of(opened.process.whole)
    form = PromiseForm()
    form.offer(opened.process, names, before)
    verb, prefix, path = pressed()
    found = conditions.read(request.form, _PREFIX)
    if prefix == _PREFIX:
        found = conditions.after(found, verb, path)
    if reshaped():
        return _Work(opened, names, place, before, form, fitted(found, names), {})
    return _Work(opened, names, place, before, form, found, plain_of(found, names)[1])


def _said(opened: Opened, token: str | None) -> tuple[int | None, Mapping[str, Any]]:
    if token is None:
        return None, {}
    place = _place(opened, token)
    return place, promise_rows.promises(opened.process)[place]


def _place(opened: Opened, token: str) -> int:
    place = promise_rows.found_by(opened.process, token)
    if place is None:
        abort(404)
    return place


def _is_sound(work: _Work) -> bool:
    form = work.form
    is_valid = form.validate_on_submit()
    others = {
        text(one.get("id"))
        for place, one in enumerate(promise_rows.promises(work.opened.process))
        if place != work.place
    }
    if form.id.data in others:
        form.id.errors = [_TAKEN]
        return False
    if not work.condition.parts:
        form.form_errors.append("Say what is promised: add at least one condition.")
        return False
    if is_too_deep(plain_of(work.condition, work.names)[0]):
        form.form_errors.append(_TOO_DEEP)
        return False
    return is_valid and not work.faults


def _page(key: str, work: _Work, token: str | None, *, status: int = 200) -> ResponseReturnValue:
    action = url_for(".edit_promise" if token else ".new_promise", key=key, token=token)
    plain, faults = plain_of(work.condition, work.names)
    proof = None
    if work.place is not None and status == 200 and not reshaped():
        found = promise_rows.rows(work.opened.process, promise_rows.proofs(work.opened.draft.text))
        proof = found[work.place].proof
    said = ""
    if plain is not None and not faults:
        said = promise_rows.sentence(work.opened.process, work.form.wanted("", plain))
    return show(
        "workshop/promise.html",
        key,
        status=status,
        form=work.form,
        token=token,
        name=text(work.before.get("id")),
        action=action,
        condition=Shown(_PREFIX, work.names, work.faults, action).view(work.condition),
        wrong=[
            {
                "text": fault,
                "href": "#" + conditions.field_name(_PREFIX, path, "part").replace(".", "-"),
            }
            for path, fault in work.faults.items()
        ],
        said=said,
        proof=proof,
        reshaped=request.method == "POST",
    )


def _removal_page(
    key: str, opened: Opened, token: str, form: DraftPart, *, status: int = 200
) -> ResponseReturnValue:
    place = _place(opened, token)
    row = promise_rows.rows(opened.process, None)[place]
    return show(
        "workshop/promise_remove.html",
        key,
        status=status,
        form=form,
        row=row,
    )
