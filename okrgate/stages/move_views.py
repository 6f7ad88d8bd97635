"""Take a move: what it needs is asked, what keeps its gate shut is shown."""

import secrets
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.errors import Invalid, NotFound
from okrgate.gates.model import Rulebook, Transition
from okrgate.okrs import service as okrs
from okrgate.stages import choices, confirming, holding, judging, panel, reading, service
from okrgate.stages.forms import MoveForm
from okrgate.stages.preparing import ASKS, Answers
from okrgate.stages.views import blueprint, reader
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me
from okrgate.web.typed import words


@blueprint.route("/projects/<reference>/moves/<transition_id>", methods=["GET", "POST"])
@requires(signed_in)
def move(reference: str, transition_id: str) -> ResponseReturnValue:
    """Ask for what the move needs, then take it."""
    loaded = reading.load(reference, reader())
    transition = loaded.rulebook.transitions.get(transition_id)
    if transition is None or transition.auto:
        raise NotFound
    form = MoveForm()
    _only_asked(form, transition, loaded.rulebook)
    shut: dict[str, Any] = {}
    status = 200
    if request.method == "GET":
        form.key.data, form.version.data = secrets.token_hex(16), str(loaded.project.version)
    elif form.validate():
        try:
            outcome = service.move(
                loaded.project.id,
                transition_id,
                by=me(),
                answers=_answers(form),
                expected_version=_version(form),
                key=(form.key.data or "")[:64] or None,
            )
        except (Invalid, confirming.OnItsPage) as problem:
            status = _refused(form, problem)
        else:
            if outcome.moved and transition.kind == "forward":
                return redirect(url_for("stages.show_moved", reference=reference), 303)
            if outcome.moved:
                return done(
                    _moved(loaded, transition.target),
                    url_for("stages.show_project", reference=reference),
                )
            status, shut = 422, panel.shut(loaded, outcome.verdict)
    else:
        status = 422
    verdicts = judging.stored(loaded.project.id)
    mine = next(
        (one for one in reading.moves(loaded, verdicts) if one.url_id == transition_id), None
    )
    closed = next(
        (row for row in verdicts if row.transition == transition_id and not row.allowed), None
    )
    refusal, sign_at = _refusal(loaded, transition, mine)
    if mine and mine.refusal and closed and not shut:
        shut = panel.shut(loaded, reading.verdict_of(closed))
    return render(
        "stages/move.html",
        status=status,
        loaded=loaded,
        project=loaded.project,
        transition=transition,
        stage=loaded.rulebook.stages[loaded.project.stage],
        target=loaded.rulebook.stages.get(transition.target),
        form=form,
        form_errors=form.errors if status == 422 else None,
        refusal=refusal,
        sign_at=sign_at,
        written=words() if request.method == "POST" else [],
        shut=shut,
        signing=bool(judging.signing_transition(loaded.rulebook, loaded.project.stage)),
        hold=holding.line_of(loaded.project, loaded.rulebook.stages[loaded.project.stage]),
    )


def _refused(form: MoveForm, problem: Invalid | confirming.OnItsPage) -> int:
    """Put what is wrong beside its fields; return the page's status."""
    if not isinstance(problem, Invalid):
        return 403
    for name, sentence in problem.fields.items():
        form[name].errors = [*form[name].errors, sentence]
    return 422


def _refusal(
    loaded: reading.Loaded, transition: Transition, mine: reading.Move | None
) -> tuple[str, str]:
    """Return why the reader cannot take the move here, and where they decide instead; nothing if they can."""
    if mine is None:
        return "This move is not possible from where the project is now.", ""
    if mine.refusal:
        return mine.refusal, ""
    try:
        confirming.check_not_past(loaded.project, loaded.rulebook, transition, me())
    except confirming.OnItsPage as problem:
        return problem.sentence, url_for("stages.decide", round_id=problem.round_id)
    return "", ""


def _moved(loaded: reading.Loaded, target: str) -> str:
    stage = loaded.rulebook.stages.get(target)
    where = f"now in “{stage.label}”" if stage else "back where it was"
    return f"{loaded.project.reference} is {where}. Everybody with a part in it gets a mail."


def _only_asked(form: MoveForm, transition: Transition, rulebook: Rulebook) -> None:
    asks, further = transition.asks, choices.further(transition)
    for name in ASKS:
        if name not in asks and name not in further:
            del form[name]
        elif name == "reason" or choices.KEY_RESULT not in further:
            form[name].flags.required = True
    if {"condition", "date"} <= set(asks):
        form.condition.label.text = "Or: what has to happen first?"
        form.condition.description = "A day or a condition: one of the two is enough."
    if choices.CODE not in further:
        del form.code
    if choices.KEY_RESULT not in further:
        del form.key_result, form.bound, form.value
    results = okrs.key_result_choices() if choices.KEY_RESULT in further else []
    choices.offer_again(form, rulebook, further, results)


def _answers(form: MoveForm) -> Answers:
    said = {name: form[name].data for name in ASKS if name in form}
    return Answers(
        reason=said.get("reason") or "",
        revisit=said.get("revisit") or "",
        condition=said.get("condition") or "",
        date=said.get("date"),
        code=(form.code.data or "") if "code" in form else "",
        reach=choices.reach(form) if "key_result" in form else None,
    )


def _version(form: MoveForm) -> int:
    version = whole(str(form.version.data or ""))
    if version is None:
        raise Invalid("Open the page again: it did not say which version you saw.")
    return version
