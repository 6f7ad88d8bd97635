"""Ask a requirement at another gate: it keeps its name, its comments and all that it says."""

from flask import url_for
from flask.typing import ResponseReturnValue

from okrgate.gates.revising import Carry
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.rows import gate_rows
from okrgate.workshop.rows.conditions_words import names_of
from okrgate.workshop.rows.gate_messages import filled
from okrgate.workshop.rows.process_draft import Opened
from okrgate.workshop.rows.process_forms import DraftPart, Pick
from okrgate.workshop.rows.process_pages import kept, open_draft, show, with_readable_draft
from okrgate.workshop.rows.process_rows import group, listed, text
from okrgate.workshop.rows.requirement_work import place_of


class MoveForm(DraftPart):
    """Where a requirement is asked from now on."""

    gate = Pick("Which gate asks it from now on?", needed="Choose a gate.")


@blueprint.get("/rules/<key>/rows/gates/<gate>/<token>/move")
@requires(admin)
@with_readable_draft
def move_requirement_page(key: str, gate: str, token: str) -> ResponseReturnValue:
    """Say what goes along with a requirement, and what does not."""
    opened = open_draft(key)
    return _page(key, opened, gate, token, MoveForm(formdata=None, seen=opened.seen))


@blueprint.post("/rules/<key>/rows/gates/<gate>/<token>/move")
@requires(admin)
@with_readable_draft
def move_requirement(key: str, gate: str, token: str) -> ResponseReturnValue:
    """Take a requirement to another gate, as its last."""
    opened, form = open_draft(key), MoveForm()
    place = place_of(opened, gate, token)
    _offer(opened, gate, form)
    status = 422
    if form.validate_on_submit():
        there = ("gates", form.gate.data, "requirements")
        status = kept(key, form, [Carry(("gates", gate, "requirements", place), there)])
        if not status:
            label = opened.process.label("gate", form.gate.data)
            return done(
                f"“{label}” asks it now, in your draft.",
                url_for(".show_gates", key=key, _anchor=f"rule-{form.gate.data}-{token}"),
            )
    return _page(key, open_draft(key), gate, token, form, status=status)


def _offer(opened: Opened, gate: str, form: MoveForm) -> None:
    others = [one for one in opened.process.choices("gate") if one[0] != gate]
    form.gate.choices = [("", "Choose from the list"), *others]


def _page(
    key: str, opened: Opened, gate: str, token: str, form: MoveForm, *, status: int = 200
) -> ResponseReturnValue:
    place = place_of(opened, gate, token)
    _offer(opened, gate, form)
    process = opened.process
    one = group(listed((process.one("gate", gate) or {}).get("requirements"))[place])
    return show(
        "workshop/requirement_move.html",
        key,
        status=status,
        form=form,
        gate=gate,
        token=token,
        gate_label=process.label("gate", gate),
        message=filled(text(one.get("message")), names_of(process.whole)) or token,
        guards=list(gate_rows.guarded(process, gate)),
        tests=gate_rows.tests_of(process, text(one.get("id"))),
    )
