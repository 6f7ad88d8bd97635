"""Pages say so, and change nothing, where a file is the source of the rules."""

from flask import Flask, request

from okrgate.errors import Conflict
from okrgate.workshop.blueprint import blueprint
from okrgate.workshop.publishing import filed

# What stores nothing although it is sent as a form, and what is no rule: who approves, and that a process is back.
_LOOKS = frozenset({"check", "test", "compare", "impact", "show", ""})
_EDITOR = "workshop.work_on"
_TRY = "workshop.try_again"
_FREE = frozenset(
    {
        "workshop.save_publishing_policy",
        "workshop.check_while_typing",
        "workshop.bring_process_back",
    }
)


def install(app: Flask) -> None:
    """Let every page ask whether rules are edited here."""
    app.jinja_env.globals["rules_source"] = filed.sentence


@blueprint.before_request
def keep_out() -> None:
    """Refuse what would change rules that a file is the source of. Who may ask at all was checked before."""
    if request.method != "POST" or request.endpoint in _FREE or not filed.sentence():
        return
    if request.endpoint in (_EDITOR, _TRY) and _only_looks():
        return
    raise Conflict(filed.sentence())


def _only_looks() -> bool:
    return request.form.get("act", "") in _LOOKS and "go" not in request.form
