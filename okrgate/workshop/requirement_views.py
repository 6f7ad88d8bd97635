"""One requirement at a time: what it says, what it needs, when it applies. The conditions are built with buttons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.gates.reading_conditions import Names
from okrgate.gates.reading_gates import spoken
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done
from okrgate.workshop import conditions_forms as conditions
from okrgate.workshop import gate_changes, gate_rows, process_draft
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.conditions_pages import Shown, fitted
from okrgate.workshop.conditions_parts import Group
from okrgate.workshop.conditions_reading import parts_of
from okrgate.workshop.conditions_words import in_words, names_of
from okrgate.workshop.conditions_writing import Faults, is_too_deep, plain_of
from okrgate.workshop.gate_forms import RequirementForm, shown
from okrgate.workshop.gate_messages import filled
from okrgate.workshop.plain_words import PlainWords
from okrgate.workshop.process_draft import Opened
from okrgate.workshop.process_forms import DraftPart
from okrgate.workshop.process_pages import kept, open_draft, show, with_readable_draft
from okrgate.workshop.process_rows import group, listed, text

_KEYS = ("if", "when")
_TOO_DEEP = "The groups are nested deeper than the rules can hold: take one of them apart."


@dataclass(frozen=True)
class Work:
    """A requirement in work: the draft, where it stands (None: nowhere yet), and what the form says of it."""

    key: str
    opened: Opened
    names: Names
    gate: str
    place: int | None
    before: Mapping[str, Any]
    form: RequirementForm
    conditions: Mapping[str, Group]
    faults: Mapping[str, Faults]

    @property
    def wrong(self) -> bool:
        """Tell whether something in the conditions has to be mended."""
        return any(self.faults.values())


@blueprint.get("/rules/<key>/rows/gates/<gate>/new")
@requires(admin)
@with_readable_draft
def new_requirement(key: str, gate: str) -> ResponseReturnValue:
    """Ask what a new requirement says."""
    return _page(_begun(key, gate, None))


@blueprint.post("/rules/<key>/rows/gates/<gate>/new")
@requires(admin)
@with_readable_draft
def add_requirement(key: str, gate: str) -> ResponseReturnValue:
    """Change the shape of a new requirement, or add it."""
    work = _sent(key, gate, None)
    if _reshaped():
        return _page(work)
    if not _is_sound(work):
        return _page(work, status=422)
    process, form = work.opened.process, work.form
    name = form.id.data or gate_changes.new_id(process, form.message.data)
    if name in gate_changes.taken(process):
        form.id.errors = ["Another requirement has this name in the file."]
        return _page(work, status=422)
    wanted = {"id": name, **form.wanted({}), **_plain(work)}
    status = kept(key, form, gate_changes.added(gate, wanted))
    if status:
        return _page(_sent(key, gate, None, form=form), status=status)
    return done(
        "The requirement is in your draft.",
        url_for(".edit_requirement", key=key, gate=gate, token=name),
    )


@blueprint.get("/rules/<key>/rows/gates/<gate>/<token>")
@requires(admin)
@with_readable_draft
def edit_requirement(key: str, gate: str, token: str) -> ResponseReturnValue:
    """Show one requirement to change."""
    return _page(_begun(key, gate, token))


@blueprint.post("/rules/<key>/rows/gates/<gate>/<token>")
@requires(admin)
@with_readable_draft
def save_requirement(key: str, gate: str, token: str) -> ResponseReturnValue:
    """Change the shape of a requirement, or keep it."""
    work = _sent(key, gate, token)
    if _reshaped():
        return _page(work)
    if not _is_sound(work):
        return _page(work, status=422)
    process, form = work.opened.process, work.form
    assert work.place is not None  # noqa: S101 - _sent found it
    old = text(work.before.get("id"))
    to = form.id.data or old
    if to != old and to in gate_changes.taken(process):
        form.id.errors = ["Another requirement has this name in the file."]
        return _page(work, status=422)
    wanted = {**form.wanted(work.before), **_plain(work)}
    changes = gate_changes.edited(process, gate, work.place, wanted, to=to)
    status = kept(key, form, changes)
    if status:
        return _page(_sent(key, gate, token, form=form), status=status)
    said = "Kept in your draft." if changes else "Nothing was changed."
    token = to if to != old else token
    return done(said, url_for(".edit_requirement", key=key, gate=gate, token=token))


@blueprint.get("/rules/<key>/rows/gates/<gate>/<token>/remove")
@requires(admin)
@with_readable_draft
def remove_requirement_page(key: str, gate: str, token: str) -> ResponseReturnValue:
    """Say what goes along with a requirement before it is taken away."""
    opened = open_draft(key)
    form = DraftPart(formdata=None, seen=opened.seen)
    return _removal_page(key, opened, gate, token, form)


@blueprint.post("/rules/<key>/rows/gates/<gate>/<token>/remove")
@requires(admin)
@with_readable_draft
def remove_requirement(key: str, gate: str, token: str) -> ResponseReturnValue:
    """Take a requirement away, with all that tests say of it."""
    opened, form = open_draft(key), DraftPart()
    place = _place(opened, gate, token)
    status = 422
    if form.validate_on_submit():
        status = kept(key, form, gate_changes.removed(opened.process, gate, place))
        if not status:
            page = url_for(".show_gates", key=key, _anchor=f"gate-{gate}")
            return done("The requirement is gone.", page)
    return _removal_page(key, open_draft(key), gate, token, form, status=status)


# what is in work


def _begun(key: str, gate: str, token: str | None) -> Work:
    """Return a requirement as the draft says it."""
    opened = open_draft(key)
    place, before = _before(opened, gate, token)
    names = names_of(opened.process.whole)
    form = RequirementForm(formdata=None, seen=opened.seen, **(shown(before) if before else {}))
    form.offer(opened.process, names, before)
    parts = {name: fitted(parts_of(before.get(name), names), names) for name in _KEYS}
    return Work(key, opened, names, gate, place, before, form, parts, {})


def _sent(key: str, gate: str, token: str | None, *, form: RequirementForm | None = None) -> Work:
    """Return a requirement as the form sent it, after the button that was pressed."""
    opened = open_draft(key)
    place, before = _before(opened, gate, token)
    names = names_of(opened.process.whole)
    form = form or RequirementForm()
    form.offer(opened.process, names, before)
    verb, prefix, path = _pressed()
    parts = {}
    for name in _KEYS:
        found = conditions.read(request.form, name)
        if name == prefix:
            found = conditions.after(found, verb, path)
        parts[name] = fitted(found, names) if _reshaped() else found
    faults = {} if _reshaped() else {name: plain_of(parts[name], names)[1] for name in _KEYS}
    return Work(key, opened, names, gate, place, before, form, parts, faults)


def _before(opened: Opened, gate: str, token: str | None) -> tuple[int | None, Mapping[str, Any]]:
    if opened.process.one("gate", gate) is None:
        abort(404)
    if token is None:
        return None, {}
    place = _place(opened, gate, token)
    rows = listed((opened.process.one("gate", gate) or {}).get("requirements"))
    return place, group(rows[place])


def _place(opened: Opened, gate: str, token: str) -> int:
    place = gate_rows.found_by(opened.process, gate, token)
    if place is None:
        abort(404)
    return place


def _pressed() -> tuple[str, str, tuple[str, ...]]:
    """Return which button was pressed: what it does, in which condition, at which part."""
    verb, _, rest = request.form.get("do", "save").partition(":")
    prefix, _, path = rest.partition(":")
    return verb, prefix, tuple(path.split("-"))


def _reshaped() -> bool:
    """Tell whether a button was pressed that only changes what the page shows."""
    return _pressed()[0] != "save"


def _is_sound(work: Work) -> bool:
    is_valid = work.form.validate_on_submit()
    if not work.conditions["if"].parts:
        work.form.form_errors.append("Say what it needs: add at least one condition.")
        return False
    if any(is_too_deep(one) for one in _plain(work).values()):
        work.form.form_errors.append(_TOO_DEEP)
        return False
    return is_valid and not work.wrong


def _plain(work: Work) -> dict[str, Any]:
    return {name: plain_of(work.conditions[name], work.names)[0] for name in _KEYS}


# pages


def _page(work: Work, *, status: int = 200) -> ResponseReturnValue:
    process = work.opened.process
    is_old = work.place is not None
    found = process_draft.findings(work.opened.draft.text) if is_old and status == 200 else None
    token = gate_rows.token_of(process, work.gate, work.place) if work.place is not None else ""
    name = text(work.before.get("id"))
    return show(
        "workshop/requirement.html",
        work.key,
        status=status,
        form=work.form,
        gate=work.gate,
        gate_label=process.label("gate", work.gate),
        token=token,
        name=name,
        before=work.before,
        message=filled(text(work.before.get("message")), work.names),
        conditions={
            key: Shown(key, work.names, work.faults.get(key, {})).view(work.conditions[key])
            for key in _KEYS
        },
        wrong=_wrong(work),
        words=_words(work),
        stored={key: in_words(work.before.get(key), work.names) for key in _KEYS},
        found=PlainWords(process).of(found.of("requirement", f"{work.gate} {work.place}"), name)
        if found
        else [],
        checked=found is not None,
        reshaped=request.method == "POST",
        tests=gate_rows.tests_of(process, name) if name else [],
        numbers=[(param, spoken(value)) for param, value in work.names.params.items()],
    )


def _wrong(work: Work) -> list[dict[str, str]]:
    """Return what is wrong with the conditions, for the summary at the top."""
    return [
        {
            "text": fault,
            "href": "#" + conditions.field_name(key, path, "part").replace(".", "-"),
        }
        for key, faults in work.faults.items()
        for path, fault in faults.items()
    ]


def _words(work: Work) -> dict[str, str]:
    """Return in words what the form says now, where it says anything that is sound."""
    said = {}
    for key in _KEYS:
        plain, faults = plain_of(work.conditions[key], work.names)
        said[key] = in_words(plain, work.names) if plain is not None and not faults else ""
    return said


def _removal_page(
    key: str, opened: Opened, gate: str, token: str, form: DraftPart, *, status: int = 200
) -> ResponseReturnValue:
    place = _place(opened, gate, token)
    one = group(listed((opened.process.one("gate", gate) or {}).get("requirements"))[place])
    message = filled(text(one.get("message")), names_of(opened.process.whole))
    return show(
        "workshop/remove_rule.html",
        key,
        status=status,
        form=form,
        heading=f"Remove “{message or token}”?",
        action=url_for(".remove_requirement", key=key, gate=gate, token=token),
        back=url_for(".show_gates", key=key, _anchor=f"rule-{gate}-{token}"),
        rules=0,
        moves=[],
        tests=gate_rows.tests_of(opened.process, text(one.get("id"))),
    )
