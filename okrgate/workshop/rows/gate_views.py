"""The gates of a draft: all their requirements in words, and what a gate itself says."""

from typing import Any

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.gates.problems import RulebookError
from okrgate.gates.revising import Add, Change, Move, Put, Remove
from okrgate.gates.vocabulary import STRICT
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks import signers
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.rows import gate_changes, gate_rows, process_draft
from okrgate.workshop.rows.conditions_pages import grouped
from okrgate.workshop.rows.conditions_words import names_of
from okrgate.workshop.rows.gate_forms import GateForm, NewGateForm
from okrgate.workshop.rows.plain_words import PlainWords
from okrgate.workshop.rows.process_draft import Opened
from okrgate.workshop.rows.process_forms import DraftPart, offer
from okrgate.workshop.rows.process_pages import kept, open_draft, show, with_readable_draft
from okrgate.workshop.rows.process_rows import listed, words

_STEPS = {"up": -1, "down": 1}
_GONE = "This row is not there any more."


@blueprint.get("/rules/<key>/rows")
@requires(admin)
@with_readable_draft
def show_gates(key: str) -> ResponseReturnValue:
    """Show every gate with its requirements in words, with what the check finds in each row."""
    opened = open_draft(key)
    return _gates_page(key, opened, DraftPart(formdata=None, seen=opened.seen))


@blueprint.post("/rules/<key>/rows")
@requires(admin)
@with_readable_draft
def act_on_requirement(key: str) -> ResponseReturnValue:
    """Move a requirement up or down, or copy it."""
    opened, form = open_draft(key), DraftPart()
    act, _, rest = request.form.get("act", "").partition(" ")
    gate, _, token = rest.partition(" ")
    place = gate_rows.found_by(opened.process, gate, token)
    if not form.validate_on_submit() or place is None or act not in {*_STEPS, "copy"}:
        form.form_errors.append(_GONE)
        return _gates_page(key, opened, form, status=422)
    changes: list[Change] = [Move(gate_changes.path_of(gate, place), _STEPS.get(act, 0))]
    if act == "copy":
        token, changes = gate_changes.copied(opened.process, gate, place)
    status = kept(key, form, changes)
    if status:
        return _gates_page(key, open_draft(key), form, status=status)
    if act == "copy":
        page = url_for(".edit_requirement", key=key, gate=gate, token=token)
        return done("It is copied: change what is different.", page)
    said = f"It stands one row {'higher' if act == 'up' else 'lower'}."
    return done(said, url_for(".show_gates", key=key, _anchor=f"rule-{gate}-{token}"))


@blueprint.get("/rules/<key>/rows/new-gate")
@requires(admin)
@with_readable_draft
def new_gate(key: str) -> ResponseReturnValue:
    """Ask what a new gate is called, and where it stands."""
    opened = open_draft(key)
    form = NewGateForm(formdata=None, seen=opened.seen)
    return _new_gate_page(key, opened, form)


@blueprint.post("/rules/<key>/rows/new-gate")
@requires(admin)
@with_readable_draft
def add_gate(key: str) -> ResponseReturnValue:
    """Add a gate, and go on to its first requirement."""
    opened, form = open_draft(key), NewGateForm()
    _offer_moves(opened, form)
    if not form.validate_on_submit():
        return _new_gate_page(key, opened, form, status=422)
    name, changes = gate_changes.gate_added(opened.process, form.label.data, form.move.data)
    status = kept(key, form, changes)
    if status:
        return _new_gate_page(key, open_draft(key), form, status=status)
    return done(
        f"The gate “{form.label.data}” is in your draft. Say what it asks first.",
        url_for(".new_requirement", key=key, gate=name),
    )


@blueprint.get("/rules/<key>/rows/gates/<gate>")
@requires(admin)
@with_readable_draft
def edit_gate(key: str, gate: str) -> ResponseReturnValue:
    """Show what a gate itself says."""
    opened = open_draft(key)
    said = _said(opened, gate)
    form = GateForm(
        formdata=None,
        seen=opened.seen,
        label=opened.process.label("gate", gate),
        covers="these" if "material" in said else "read",
        material=words(said.get("material")),
        strict=said.get("signing") == STRICT,
    )
    return _gate_page(key, opened, gate, form)


@blueprint.post("/rules/<key>/rows/gates/<gate>")
@requires(admin)
@with_readable_draft
def save_gate(key: str, gate: str) -> ResponseReturnValue:
    """Change what a gate itself says."""
    opened, form = open_draft(key), GateForm()
    said = _said(opened, gate)
    _offer_material(opened, form, said)
    if not form.validate_on_submit():
        return _gate_page(key, opened, gate, form, status=422)
    status = kept(key, form, _gate_edited(gate, said, form))
    if status:
        return _gate_page(key, open_draft(key), gate, form, status=status)
    return done("Kept in your draft.", url_for(".show_gates", key=key, _anchor=f"gate-{gate}"))


@blueprint.get("/rules/<key>/rows/gates/<gate>/remove")
@requires(admin)
@with_readable_draft
def remove_gate_page(key: str, gate: str) -> ResponseReturnValue:
    """Say what goes along with a gate before it is taken away."""
    opened = open_draft(key)
    _said(opened, gate)
    return _removal_page(key, opened, gate, DraftPart(formdata=None, seen=opened.seen))


@blueprint.post("/rules/<key>/rows/gates/<gate>/remove")
@requires(admin)
@with_readable_draft
def remove_gate(key: str, gate: str) -> ResponseReturnValue:
    """Take a gate away, with its requirements and all that tests say of them."""
    opened, form = open_draft(key), DraftPart()
    _said(opened, gate)
    status = 422
    if form.validate_on_submit():
        status = kept(key, form, gate_changes.gate_removed(opened.process, gate))
        if not status:
            label = opened.process.label("gate", gate)
            return done(f"The gate “{label}” is gone.", url_for(".show_gates", key=key))
    return _removal_page(key, open_draft(key), gate, form, status=status)


def _said(opened: Opened, gate: str) -> Any:
    said = opened.process.one("gate", gate)
    if said is None:
        abort(404)
    return said


def _gate_edited(gate: str, said: Any, form: GateForm) -> list[Change]:
    path = ("gates", gate)
    changes: list[Change] = []
    if said.get("label") != form.label.data:
        changes.append(Put((*path, "label"), form.label.data))
    material = form.wanted_material(words(said.get("material")))
    if material is None and "material" in said:
        changes.append(Remove((*path, "material")))
    elif material is not None and "material" not in said:
        changes.append(Add(path, material, key="material", after="label"))
    elif material is not None and material != words(said.get("material")):
        changes.append(Put((*path, "material"), material))
    return [*changes, *_signing_edited(path, said, form)]


def _signing_edited(path: tuple[str, str], said: Any, form: GateForm) -> list[Change]:
    if form.strict.data == (said.get("signing") == STRICT):
        return []
    if not form.strict.data:
        return [Remove((*path, "signing"))]
    if "signing" in said:
        return [Put((*path, "signing"), STRICT)]
    return [Add(path, STRICT, key="signing", after="label")]


def _offer_moves(opened: Opened, form: NewGateForm) -> None:
    moves = opened.process.named("move")
    free = [one for one in opened.process.choices("move") if not moves[one[0]].get("gate")]
    offer(form.move, [("", "No move yet"), *free])


def _offer_material(opened: Opened, form: GateForm, said: Any) -> None:
    names = names_of(opened.process.whole)
    facts = [one for _, group in grouped(names) for one in group]
    lists = [(one.name, f"{one.label} (every item)") for one in names.collections.values()]
    offer(form.material, [*facts, *lists], words(said.get("material")))


def _gates_page(
    key: str, opened: Opened, form: DraftPart, *, status: int = 200
) -> ResponseReturnValue:
    findings = process_draft.findings(opened.draft.text)
    return show(
        "workshop/gates.html",
        key,
        status=status,
        form=form,
        kept_at=opened.draft.changed_at,
        gates=gate_rows.gates(opened.process, findings),
        severities=gate_rows.SEVERITIES,
        findings=findings,
        elsewhere=PlainWords(opened.process).of(findings.elsewhere),
    )


def _new_gate_page(
    key: str, opened: Opened, form: NewGateForm, *, status: int = 200
) -> ResponseReturnValue:
    _offer_moves(opened, form)
    return show("workshop/new_gate.html", key, status=status, form=form)


def _gate_page(
    key: str, opened: Opened, gate: str, form: GateForm, *, status: int = 200
) -> ResponseReturnValue:
    said = _said(opened, gate)
    _offer_material(opened, form, said)
    names = names_of(opened.process.whole)
    boxes = dict(form.material.choices)
    sections = [
        (label, [one for one in group if one[0] in boxes]) for label, group in grouped(names)
    ]
    known = {name for _, group in sections for name, _ in group}
    return show(
        "workshop/gate.html",
        key,
        status=status,
        form=form,
        gate=gate,
        label=opened.process.label("gate", gate),
        sections=[
            *sections,
            ("Lists and others", [(one, boxes[one]) for one in boxes if one not in known]),
        ],
        guards=list(gate_rows.guarded(opened.process, gate)),
        lacking=_lacking(opened, gate) if form.strict.data else [],
        found=PlainWords(opened.process).of(
            process_draft.findings(opened.draft.text).of("gate", gate)
        ),
        count=len(listed(said.get("requirements"))),
    )


def _lacking(opened: Opened, gate: str) -> list[str]:
    """Return who would have to sign here and has no second factor yet; nobody while the draft cannot be read."""
    try:
        rulebook = rulebooks.parsed(opened.draft.text)
    except RulebookError:
        return []
    return signers.names_lacking(signers.signing_roles(rulebook, gate))


def _removal_page(
    key: str, opened: Opened, gate: str, form: DraftPart, *, status: int = 200
) -> ResponseReturnValue:
    said, process = _said(opened, gate), opened.process
    rules = listed(said.get("requirements"))
    names = [one.get("id", "") for one in rules if isinstance(one, dict)]
    tests = [test for name in names for test in gate_rows.tests_of(process, str(name))]
    return show(
        "workshop/remove_rule.html",
        key,
        status=status,
        form=form,
        heading=f"Remove the gate “{process.label('gate', gate)}”?",
        action=url_for(".remove_gate", key=key, gate=gate),
        back=url_for(".show_gates", key=key, _anchor=f"gate-{gate}"),
        rules=len(rules),
        moves=list(gate_rows.guarded(process, gate)),
        tests=list(dict.fromkeys(tests)),
    )
