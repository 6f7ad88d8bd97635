"""One requirement at a time: what it says, what it needs, when it applies. The conditions are built with buttons."""

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from okrgate.gates.reading_gates import spoken
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.rows import conditions_forms as conditions
from okrgate.workshop.rows import gate_changes, gate_rows, process_draft
from okrgate.workshop.rows.conditions_pages import Shown
from okrgate.workshop.rows.conditions_words import in_words, names_of
from okrgate.workshop.rows.conditions_writing import is_too_deep, plain_of
from okrgate.workshop.rows.gate_messages import filled
from okrgate.workshop.rows.plain_words import PlainWords
from okrgate.workshop.rows.process_draft import Opened
from okrgate.workshop.rows.process_forms import DraftPart
from okrgate.workshop.rows.process_pages import kept, open_draft, show, with_readable_draft
from okrgate.workshop.rows.process_rows import group, listed, text
from okrgate.workshop.rows.requirement_work import KEYS, Work, begun, place_of, reshaped, sent

_GONE = (
    "This requirement is not in your draft any more: it was removed or got another name, perhaps in another tab. "
    "What you typed is still here; you can add it as a new one."
)
_TOO_DEEP = "The groups are nested deeper than the rules can hold: take one of them apart."


@blueprint.get("/rules/<key>/rows/gates/<gate>/new")
@requires(admin)
@with_readable_draft
def new_requirement(key: str, gate: str) -> ResponseReturnValue:
    """Ask what a new requirement says."""
    return _page(begun(key, gate, None))


@blueprint.post("/rules/<key>/rows/gates/<gate>/new")
@requires(admin)
@with_readable_draft
def add_requirement(key: str, gate: str) -> ResponseReturnValue:
    """Change the shape of a new requirement, or add it."""
    work = sent(key, gate, None)
    if reshaped():
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
        return _page(sent(key, gate, None, form=form), status=status)
    return done(
        "The requirement is in your draft.",
        url_for(".edit_requirement", key=key, gate=gate, token=name),
    )


@blueprint.get("/rules/<key>/rows/gates/<gate>/<token>")
@requires(admin)
@with_readable_draft
def edit_requirement(key: str, gate: str, token: str) -> ResponseReturnValue:
    """Show one requirement to change."""
    return _page(begun(key, gate, token))


@blueprint.post("/rules/<key>/rows/gates/<gate>/<token>")
@requires(admin)
@with_readable_draft
def save_requirement(key: str, gate: str, token: str) -> ResponseReturnValue:
    """Change the shape of a requirement, or keep it."""
    work = sent(key, gate, token)
    if work.place is None:
        work.form.form_errors.append(_GONE)
        work.form.seen.data = work.opened.seen
        return _page(work, status=409)
    if reshaped():
        return _page(work)
    if not _is_sound(work):
        return _page(work, status=422)
    process, form = work.opened.process, work.form
    old = text(work.before.get("id"))
    to = form.id.data or old
    if to != old and to in gate_changes.taken(process):
        form.id.errors = ["Another requirement has this name in the file."]
        return _page(work, status=422)
    wanted = {**form.wanted(work.before), **_plain(work)}
    changes = gate_changes.edited(process, gate, work.place, wanted, to=to)
    status = kept(key, form, changes)
    if status:
        return _page(sent(key, gate, token, form=form), status=status)
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
    place = place_of(opened, gate, token)
    status = 422
    if form.validate_on_submit():
        status = kept(key, form, gate_changes.removed(opened.process, gate, place))
        if not status:
            page = url_for(".show_gates", key=key, _anchor=f"gate-{gate}")
            return done("The requirement is gone.", page)
    return _removal_page(key, open_draft(key), gate, token, form, status=status)


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
    return {name: plain_of(work.conditions[name], work.names)[0] for name in KEYS}


# pages


def _page(work: Work, *, status: int = 200) -> ResponseReturnValue:
    process = work.opened.process
    is_old = work.place is not None
    found = process_draft.findings(work.opened.draft.text) if is_old and status == 200 else None
    token = gate_rows.token_of(process, work.gate, work.place) if work.place is not None else ""
    name = text(work.before.get("id"))
    page = ".edit_requirement" if token else ".new_requirement"
    action = url_for(page, key=work.key, gate=work.gate, token=token or None)
    return show(
        "workshop/requirement.html",
        work.key,
        status=status,
        form=work.form,
        gate=work.gate,
        gate_label=process.label("gate", work.gate),
        token=token,
        action=action,
        name=name,
        before=work.before,
        message=filled(text(work.before.get("message")), work.names),
        conditions={
            key: Shown(key, work.names, work.faults.get(key, {}), action).view(work.conditions[key])
            for key in KEYS
        },
        wrong=_wrong(work),
        words=_words(work),
        stored={key: in_words(work.before.get(key), work.names) for key in KEYS},
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
    for key in KEYS:
        plain, faults = plain_of(work.conditions[key], work.names)
        said[key] = in_words(plain, work.names) if plain is not None and not faults else ""
    return said


def _removal_page(
    key: str, opened: Opened, gate: str, token: str, form: DraftPart, *, status: int = 200
) -> ResponseReturnValue:
    place = place_of(opened, gate, token)
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
