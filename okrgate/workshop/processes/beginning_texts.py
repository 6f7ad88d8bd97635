"""The first text of a process: from the thin one that comes with okrgate, another process's, or a file.

It is given its own id and title in its lines, so everything else stays as it is written, comments too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from okrgate.config import resources
from okrgate.gates.checks import in_child
from okrgate.gates.language import read_rulebook
from okrgate.gates.problems import Problem, RulebookError
from okrgate.gates.revising import Change, Put, Remove, Revised, try_to_outline, try_to_revise

_SECONDS = 15.0
# What the text says of another process, or of an earlier day.
_NOT_OURS = ("change_note", "effective_from", "version")


@dataclass(frozen=True)
class Wanted:
    """A text, and what the process is to be called that it becomes."""

    text: str
    key: str
    title: str


def thin() -> str:
    """Return the smallest process that passes every check."""
    return (resources() / "rules" / "beginnings" / "thin.yaml").read_text("utf-8")


def as_beginning(wanted: Wanted) -> str:
    """Return a text as the first one of a process. A process of its own reads it: it may be any file.

    Raises RulebookError where it is no rules file that can bind projects here.
    """
    found = in_child(named, wanted, _SECONDS)
    if not isinstance(found, Revised):
        raise RulebookError((Problem(1, 1, "error", str(found)),))
    if found.missing:
        raise RulebookError((Problem(1, 1, "error", found.missing),))
    if found.problems:
        raise RulebookError(found.problems)
    return found.text


def named(wanted: Wanted) -> Revised:
    """Return a text under its new id and title, or what keeps it from being a rulebook at all."""
    outlined = try_to_outline(wanted.text)
    if outlined.problems:
        return Revised(wanted.text, outlined.problems)
    whole = outlined.data if isinstance(outlined.data, Mapping) else {}
    head = whole.get("ruleset")
    if not isinstance(head, Mapping):
        sentence = "this is no file of rules: it has no “ruleset”"
        return Revised(wanted.text, (Problem(1, 1, "error", sentence),))
    changes: list[Change] = [
        Put(("ruleset", "id"), wanted.key),
        Put(("ruleset", "title"), wanted.title),
        *(Remove(("ruleset", one)) for one in _NOT_OURS if one in head),
    ]
    found = try_to_revise((wanted.text, changes))
    return found if found.missing or found.problems else _read(found)


def _read(found: Revised) -> Revised:
    rulebook, problems = read_rulebook(found.text)
    if rulebook is None:
        return Revised(found.text, problems)
    if rulebook.vocabulary != "application":
        sentence = "only a rulebook that says “vocabulary: application” can bind projects here"
        return Revised(found.text, (Problem(1, 1, "error", sentence),))
    return found
