"""A waiver goes along to other rules only where those who gave it still mean the same."""

import pytest

from okrgate.gates.language import load_rulebook
from okrgate.stages.migrating import asked_by_id

RULES = """\
okrgate: 1
ruleset: {id: small, title: Small}
roles:
  author: {label: Submitter, kind: project, fact: project.submitter}
  boss: {label: Boss, kind: org, scope: home}
  chief: {label: Chief, kind: org}
stages:
  begun: {label: Begun, initial: true, sections: {problem: {edit: [author]}}}
  done: {label: Done, terminal: true, outcome: done}
transitions:
  go: {label: Go on, from: begun, to: done, by: [author], gate: told}
gates:
  told:
    label: Told
    requirements:
      - {id: long-enough, message: Tell it, severity: soft, waiver: {by: [boss], reason_min: 3, expires_days: 30}, if: {fact: problem.length, gte: 10}}
      - {id: chief-reads, message: Read it, severity: hard, if: {signoff: {role: chief, quorum: 1}}}
"""


def changed(old: str = "", new: str = "") -> set[str]:
    """Return the requirements that no longer mean the same."""
    before, after = (asked_by_id(load_rulebook(text)) for text in (RULES, RULES.replace(old, new)))
    return {name for name, said in before.items() if after[name] != said}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("label: Boss", "label: Head", set()),
        ("Tell it", "Tell all of it", set()),
        ("scope: home", "scope: company", {"long-enough"}),
        (
            "boss: {label: Boss, kind: org, scope: home}",
            "boss: {label: Boss, kind: project, fact: project.lead}",
            {"long-enough"},
        ),
        (
            "chief: {label: Chief, kind: org}",
            "chief: {label: Chief, kind: org, scope: teams}",
            {"chief-reads"},
        ),
        ("gte: 10", "gte: 11", {"long-enough"}),
    ],
)
def test_what_the_roles_mean_counts(old: str, new: str, expected: set[str]) -> None:
    assert old in RULES
    assert changed(old, new) == expected
