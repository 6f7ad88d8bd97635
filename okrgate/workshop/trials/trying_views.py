"""Try a draft of the rules at any facts, and record what came out as one of its tests. Nothing else is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate import clock
from okrgate.errors import NotFound
from okrgate.gates.differing_examples import known_to
from okrgate.gates.verdict import Facts, GateUnjudgeable
from okrgate.rulebooks import drafts, service
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.standing import standing
from okrgate.web.fields import one_line
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop import keeping
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.trials import recording, tried_projects, trying
from okrgate.workshop.trials.sheets import with_row_added, without_row
from okrgate.workshop.trials.tried_projects import Choice, Taken
from okrgate.workshop.trials.trying import (
    EMPTY,
    FIXTURE,
    PROJECT,
    TEST,
    Asked,
    Begun,
    Judged,
    Tried,
)

_KINDS = (EMPTY, FIXTURE, TEST, PROJECT)
_LONGEST = 400


@dataclass(frozen=True)
class _Beside:
    """What the binding version says of the same facts: by requirement, and what only it asks."""

    allowed: bool
    lights: Mapping[str, str]
    only_there: tuple[Any, ...]
    problem: str = ""


@blueprint.get("/rules/<key>/try")
@requires(admin)
def try_rules(key: str) -> ResponseReturnValue:
    """Show how a move comes out at the facts of an example, a test, a project or nothing."""
    draft = drafts.begin(key, by=me())
    begun, taken = _begun(key, request.args.get("from", ""))
    given = request.args.get("given", "")
    chosen = replace(begun, given=given) if given or "from" in request.args else None
    asked = Asked(
        draft.text,
        request.args.get("move", "")[:_LONGEST],
        chosen,
        clock.today(),
        gate=request.args.get("gate", "")[:_LONGEST],
    )
    tried = trying.try_it(asked)
    return _page(key, draft, tried, taken)


@blueprint.post("/rules/<key>/try")
@requires(admin)
def try_again(key: str) -> ResponseReturnValue:
    """Judge what was typed, change the rows of a list, or record the try as a test."""
    draft = drafts.begin(key, by=me())
    begun, taken = _begun(key, request.form.get("from", ""), with_facts=False)
    typed, is_rows = _typed()
    move = request.form.get("move", "")[:_LONGEST]
    asked = Asked(draft.text, move, begun, clock.today(), typed, judge=not is_rows)
    if request.form.get("act") == "record" and not is_rows:
        return _record(key, draft, asked, taken)
    tried = trying.try_it(asked)
    refused = tried.sheet is not None and bool(tried.sheet.errors) and not is_rows
    return _page(key, draft, tried, taken, status=422 if refused else 200, is_rows=is_rows)


def _record(key: str, draft: Draft, asked: Asked, taken: Taken | None) -> ResponseReturnValue:
    name = one_line(request.form.get("name"))
    problem = ""
    if not name or len(name) > recording.LONGEST_NAME:
        problem = f"Give the test a name of at most {recording.LONGEST_NAME} characters."
    else:
        recorded = recording.record(asked, name)
        problem = recorded.problem
        if not problem:
            fresh = Draft(recorded.text, draft.note, draft.based_on)
            try:
                keeping.keep(key, fresh, seen=keeping.digest(draft), by=me())
            except keeping.Newer as newer:
                problem = newer.sentence
            else:
                return done(
                    f"“{name}” is a test of your draft now. It passes.",
                    url_for(".show_tests", key=key),
                )
    tried = trying.try_it(asked)
    return _page(key, draft, tried, taken, status=422, name=name, name_problem=problem)


def _typed() -> tuple[dict[str, str], bool]:
    """Return what was typed, with a row more or less if a button says so."""
    typed = dict(request.form.items())
    added, removed = request.form.get("add_row"), request.form.get("remove_row")
    if added:
        return with_row_added(typed, added), True
    if removed:
        name, _, place = removed.rpartition("-")
        number = whole(place)
        return without_row(typed, name, -1 if number is None else number), True
    return typed, False


def _begun(key: str, text: str, *, with_facts: bool = True) -> tuple[Begun, Taken | None]:
    """Return what an address says a try begins with. A project that may not be read is not there."""
    kind, _, name = text.partition(":")
    if kind not in _KINDS:
        return Begun(), None
    if kind != PROJECT:
        return Begun(kind, name[:_LONGEST]), None
    if not with_facts:
        return Begun(PROJECT, name[:_LONGEST]), None
    try:
        taken = tried_projects.take(
            key, name[:_LONGEST], reader=me(), is_auditor=current_user.is_auditor
        )
    except GateUnjudgeable:
        raise NotFound from None
    return taken.begun, taken


def _page(
    key: str,
    draft: Draft,
    tried: Tried,
    taken: Taken | None,
    *,
    status: int = 200,
    is_rows: bool = False,
    name: str = "",
    name_problem: str = "",
) -> ResponseReturnValue:
    binding = standing(key)
    query = request.args.get("q", "")
    return render(
        "workshop/try.html",
        status=status,
        key=key,
        title=binding.title,
        binding=binding,
        tried=tried,
        begins=f"{tried.begun.kind}:{tried.begun.name}",
        taken=taken,
        kept_back=_kept_back(tried, taken),
        query=query,
        choices=_choices(key, query, taken),
        beside=_beside(binding, draft, tried),
        is_same=not binding.number or binding.text == draft.text,
        is_rows=is_rows,
        name=name,
        name_problem=name_problem,
        refusals=_refusals(tried, name_problem) if not is_rows else [],
        form_errors=status != 200,
    )


def _choices(key: str, query: str, taken: Taken | None) -> list[Choice]:
    """Return projects to choose from; none beside one that was chosen, unless somebody searches."""
    if taken is not None and not query:
        return []
    return tried_projects.choices(key, query, reader=me(), is_auditor=current_user.is_auditor)


def _refusals(tried: Tried, name_problem: str) -> list[dict[str, str]]:
    found = [
        {"text": f"{one.label}: {one.error}", "href": f"#{one.name}"}
        for one in (tried.sheet.errors if tried.sheet else ())
    ]
    return found + ([{"text": name_problem, "href": "#test-name"}] if name_problem else [])


def _kept_back(tried: Tried, taken: Taken | None) -> list[str]:
    """Return what of this gate's facts the reader may not read, as the form calls it."""
    typed = tried.typed or {}
    return [
        label
        for name, label in (taken.kept_back.items() if taken else ())
        if f"fact-{name}" in typed or f"list-{name}-rows" in typed
    ]


def _beside(binding: Any, draft: Draft, tried: Tried) -> _Beside | None:
    """Return what the version that binds says, where there is a draft that differs from it."""
    if (
        not binding.number
        or binding.text == draft.text
        or tried.facts is None
        or tried.judged is None
    ):
        return None
    rulebook = service.parsed(binding.text)
    if tried.move not in rulebook.transitions:
        return _Beside(False, {}, (), f"Version {binding.number}, which binds, has no such move.")
    known = known_to(rulebook, tried.facts)
    signoffs = tuple(one for one in known.signoffs if one.role in rulebook.roles)
    found: Judged = trying.judged(rulebook, tried.move, _with(known, signoffs), tried.today)
    mine = {one.id for one in tried.judged.lit}
    return _Beside(
        found.allowed,
        {one.id: one.light for one in found.lit},
        tuple(one for one in found.lit if one.id not in mine),
        found.problem,
    )


def _with(facts: Facts, signoffs: tuple[Any, ...]) -> Facts:
    return facts.with_signoffs(signoffs)
