"""The numbers of a draft, as one form."""

from collections.abc import Mapping

from flask import request, url_for
from flask.typing import ResponseReturnValue

from okrgate.web.permissions import admin, requires
from okrgate.web.render import done
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.rows import numbers
from okrgate.workshop.rows.process_draft import Opened
from okrgate.workshop.rows.process_forms import DraftPart
from okrgate.workshop.rows.process_pages import (
    binding_rules,
    found_in,
    kept,
    open_draft,
    show,
    with_readable_draft,
)

_NEW = {"new_label": "A new number", "new_value": "A new number"}


@blueprint.get("/rules/<key>/numbers")
@requires(admin)
@with_readable_draft
def show_numbers(key: str) -> ResponseReturnValue:
    """Show the numbers of my draft."""
    opened = open_draft(key)
    return _page(key, opened, DraftPart(formdata=None, seen=opened.seen), {})


@blueprint.post("/rules/<key>/numbers")
@requires(admin)
@with_readable_draft
def save_numbers(key: str) -> ResponseReturnValue:
    """Keep what was typed in my draft: numbers that changed, one more, or one less."""
    opened, form = open_draft(key), DraftPart()
    known = numbers.read(opened.process, binding_rules(key))
    changes, wrong = numbers.changed(known, request.form)
    more, more_wrong = numbers.added(
        opened.process, request.form.get("new_label", ""), request.form.get("new_value", "")
    )
    wrong |= more_wrong
    gone = request.form.get("remove", "")
    if gone:
        less, refusal = numbers.removed(known, gone)
        if refusal:
            form.form_errors.append(refusal)
        # What was typed of a number that goes is not kept first.
        changes = [one for one in changes if one.path not in {each.path for each in less}]
        more = [*more, *less]
    if not form.validate_on_submit() or wrong or form.form_errors:
        return _page(key, opened, form, wrong, status=422)
    status = kept(key, form, [*changes, *more])
    if status:
        return _page(key, open_draft(key), form, {}, status=status)
    return done("Your numbers are kept in the draft.", url_for(".show_numbers", key=key))


def _page(
    key: str, opened: Opened, form: DraftPart, wrong: Mapping[str, str], *, status: int = 200
) -> ResponseReturnValue:
    shown = numbers.read(opened.process, binding_rules(key))
    labels = shown.labels | _NEW
    return show(
        "workshop/numbers.html",
        key,
        status=status,
        form=form,
        numbers=shown,
        summary=[
            {"text": f"{labels[field]}: {sentence}", "href": f"#{field}"}
            for field, sentence in wrong.items()
        ],
        typed=request.form,
        wrong=wrong,
        findings=found_in(opened),
    )
