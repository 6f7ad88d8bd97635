"""What the form pages of a draft have in common: opening it, changing it, and saying what went wrong."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from flask import abort
from flask.typing import ResponseReturnValue

from okrgate.gates.model import Rulebook
from okrgate.gates.revising import Change
from okrgate.rulebooks import service
from okrgate.rulebooks.standing import standing
from okrgate.web.htmx import render
from okrgate.web.render import me
from okrgate.workshop import keeping
from okrgate.workshop.rows import process_draft
from okrgate.workshop.rows.plain_words import PlainWords
from okrgate.workshop.rows.process_draft import Findings, Opened, Unchangeable, Unreadable
from okrgate.workshop.rows.process_forms import FORMS, DraftPart

_FIRST = next(iter(FORMS))
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


def with_readable_draft(view: View) -> View:
    """Say on which line a draft cannot be read, instead of showing a form of it; know no `kind` of row but ours."""

    @wraps(view)
    def shown(key: str, **more: Any) -> ResponseReturnValue:
        if more.get("kind", _FIRST) not in FORMS:
            abort(404)
        try:
            return view(key, **more)
        except Unreadable as error:
            return show("workshop/unreadable.html", key, status=422, problems=error.problems)

    return shown  # type: ignore[return-value]


def open_draft(key: str) -> Opened:
    """Return what I work on. Raises NotFound for an unknown process, Unreadable."""
    return process_draft.opened(key, by=me())


def found_in(opened: Opened, *, text: str | None = None) -> Findings:
    """Return what the check finds in a draft, or in a text that it may become, in plain words."""
    found = process_draft.findings(opened.draft.text if text is None else text)
    plain = PlainWords(opened.process)
    rows = {row: plain.of(problems) for row, problems in found.by_row.items()}
    return Findings(rows, plain.of(found.elsewhere))


def binding_rules(key: str) -> Rulebook:
    """Return the rules that bind by now."""
    return service.parsed(standing(key).text)


def kept(key: str, form: DraftPart, changes: Sequence[Change]) -> int:
    """Make changes in my draft; 0 when it is done, else the status to answer, the sentence being on the form."""
    try:
        process_draft.change(key, changes, seen=form.seen.data or "", by=me())
    except keeping.Newer as refusal:
        form.form_errors.append(f"{refusal.sentence} Look at it once more, then save again.")
        form.seen.data = keeping.digest(refusal.theirs)
        return 409
    except Unchangeable as refusal:
        form.form_errors.append(refusal.sentence)
        return 422
    return 0


def show(page: str, key: str, *, status: int = 200, **context: Any) -> ResponseReturnValue:
    """Render a page about the draft of a process."""
    binding = standing(key)
    more = {"form_errors": status >= 400} | context
    return render(
        page,
        status=status,
        key=key,
        binding=binding,
        title=binding.title,
        **more,
    )
