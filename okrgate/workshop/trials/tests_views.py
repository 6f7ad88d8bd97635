"""A draft's own tests: how they go, what they cover, what they would not notice; take one away."""

from flask import request, url_for
from flask.typing import ResponseReturnValue

from okrgate.gates.changes import Remove
from okrgate.rulebooks import drafts
from okrgate.rulebooks.standing import standing
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me
from okrgate.workshop import keeping
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.rows import process_draft
from okrgate.workshop.trials import testing


@blueprint.get("/rules/<key>/tests")
@requires(admin)
def show_tests(key: str) -> ResponseReturnValue:
    """Show how the tests of the draft go."""
    return _page(key)


@blueprint.post("/rules/<key>/tests")
@requires(admin)
def remove_test(key: str) -> ResponseReturnValue:
    """Take one test out of the draft."""
    name = request.form.get("name", "")
    try:
        process_draft.change(
            key, [Remove(("tests", name))], seen=request.form.get("seen", ""), by=me()
        )
    except keeping.Newer as newer:
        return _page(key, problem=newer.sentence, status=409)
    except process_draft.Unchangeable as refusal:
        return _page(key, problem=refusal.sentence, status=422)
    except process_draft.Unreadable as refusal:
        return _page(key, problem=refusal.problems[0].sentence, status=422)
    return done(f"“{name}” is no longer a test of your draft.", url_for(".show_tests", key=key))


def _page(key: str, *, problem: str = "", status: int = 200) -> ResponseReturnValue:
    draft = drafts.begin(key, by=me())
    binding = standing(key)
    return render(
        "workshop/tests.html",
        status=status,
        key=key,
        title=binding.title,
        binding=binding,
        tests=testing.look(draft.text),
        seen=keeping.digest(draft),
        problem=problem,
        form_errors=status != 200,
    )
