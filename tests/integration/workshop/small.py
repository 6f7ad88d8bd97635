"""A small rulebook and quick checks: what the pages about publishing are tried with."""

import pytest

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.database import transaction
from okrgate.gates.checks import check_rulebook
from okrgate.rulebooks import service
from okrgate.stages import impact_judging
from okrgate.workshop import checking, meaning
from okrgate.workshop.publishing.models import PublishingPolicy

KEY = "okr_delivery"
TEXT = """\
okrgate: 1
ruleset: {id: okr_delivery, title: Small}
roles:
  author: {label: Submitter, kind: project, fact: project.submitter}
  boss: {label: Boss, kind: org}
stages:
  begun: {label: Begun, initial: true, sections: {problem: {edit: [author]}}}
  later: {label: Later}
  done: {label: Done, terminal: true, outcome: done}
transitions:
  go: {label: Go on, from: begun, to: later, by: [author], gate: told}
  end: {label: End, from: later, to: done, by: [author], gate: agreed}
gates:
  told:
    label: Told
    material: [problem.length]
    requirements:
      - {id: long-enough, message: Tell the problem, severity: hard, if: {fact: problem.length, gte: 10}}
      - {id: boss-reads, message: The boss has read it, severity: hard, if: {signoff: {role: boss, quorum: 1}}}
  agreed:
    label: Agreed
    requirements:
      - {id: days-passed, message: Wait a day, severity: hard, if: {fact: stage.days, gte: 0}}
"""
HARDER = TEXT.replace("gte: 10}", "gte: 30}")
SOFTER = TEXT.replace("gte: 10}", "gte: 1}")
REWORDED = TEXT.replace("Tell the problem", "Say what the problem is")


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Check and compare in this process: one of its own finds the same and takes a second to begin."""

    def here(work, given, _seconds):  # type: ignore[no-untyped-def]
        return work(given)

    for module in (impact_judging, meaning, checking):
        monkeypatch.setattr(module, "in_child", here)
    for module in (service, checking):
        monkeypatch.setattr(module, "check_in_child_process", lambda text, **_more: _checked(text))


def settle_on(
    by: Person, *, approvals: int = 1, author_approves: bool = False, one_more: bool = False
) -> None:
    """Let this count for publishing, since long ago."""
    with transaction() as session:
        session.add(
            PublishingPolicy(
                approvals=approvals,
                author_approves=author_approves,
                one_more=one_more,
                effective_from=clock.now(),
                saved_at=clock.now(),
                saved_by_id=by.id,
            )
        )


def _checked(text: str):  # type: ignore[no-untyped-def]
    return check_rulebook(text)
