"""Take a project through a transition.

Outside the transaction the facts are gathered and judged; inside they are gathered again and must be the same.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from okrgate.database import ask, transaction
from okrgate.errors import Conflict
from okrgate.gates.engine import GateUnjudgeable
from okrgate.gates.verdict import Verdict
from okrgate.once import once
from okrgate.projects.models import Visit
from okrgate.stages.crossing import cross
from okrgate.stages.preparing import Answers, prepare, still_true

_TRIES = 3


@dataclass(frozen=True)
class Outcome:
    """What came of asking for a move: moved, or the verdict that keeps the gate closed."""

    moved: bool
    target: str = ""
    verdict: Verdict | None = None
    doubt: str = ""


def move(
    project_id: int,
    transition_id: str,
    *,
    by: int | None,
    answers: Answers | None = None,
    expected_version: int | None = None,
    key: str | None = None,
    after: str = "",
) -> Outcome:
    """Take a project through a transition, if its gate is open.

    `by` is None for an automatic move, `after` then names whose act it follows. A closed gate is an answer; raises
    Forbidden (may not), Invalid (something asked for is missing), Conflict (the project is elsewhere by now).
    """
    asked = answers or Answers()
    return once(
        lambda: _known(key, project_id),
        lambda: _move(project_id, transition_id, by, asked, expected_version, key, after),
    )


def _move(
    project_id: int,
    transition_id: str,
    by: int | None,
    answers: Answers,
    expected_version: int | None,
    key: str | None,
    after: str,
) -> Outcome:
    for _ in range(_TRIES):
        try:
            prepared = prepare(
                project_id, transition_id, by=by, answers=answers, expected_version=expected_version
            )
        except GateUnjudgeable as problem:
            return Outcome(moved=False, doubt=str(problem))
        if prepared.verdict is not None and not prepared.verdict.allowed:
            return Outcome(moved=False, verdict=prepared.verdict)
        with transaction():
            if still_true(prepared):
                cross(prepared, by=by, answers=answers, key=key, after=after)
                return Outcome(moved=True, target=prepared.target.id, verdict=prepared.verdict)
    raise Conflict("Somebody keeps changing this project. Look at what is new and try again.")


def _known(key: str | None, project_id: int) -> Outcome | None:
    """Return what came of this move when it was made before. A key is one project's own."""
    if not key:
        return None
    known = ask(_WITH_KEY, {"key": key}).scalar()
    if known is not None and known != project_id:
        raise Conflict("This page was sent before. Open it again.")
    return None if known is None else Outcome(moved=True)


_WITH_KEY = select(Visit.project_id).where(Visit.key == bindparam("key"))
