"""What is done with a draft's text in a process of its own. It imports little, so that such a process begins at once."""

from okrgate.gates.checks import check_rulebook
from okrgate.gates.places import Path
from okrgate.gates.problems import Problem
from okrgate.gates.revising import (
    Change,
    Outlined,
    Revised,
    lines_of,
    try_to_outline,
    try_to_revise,
)
from okrgate.workshop.rows.process_rows import GROUPS, Process, group

RowKey = tuple[str, str]
Lines = dict[RowKey, tuple[int, int]]


def revise_and_outline(given: tuple[str, tuple[Change, ...]]) -> tuple[Revised, Outlined]:
    """Change a text, and read what comes out: the page that is shown next needs it."""
    found = try_to_revise(given)
    return found, try_to_outline(found.text)


def survey(text: str) -> tuple[tuple[Problem, ...], Lines]:
    """Check a text, and tell on which lines each of its rows stands."""
    problems = check_rulebook(text)
    outlined = try_to_outline(text)
    if outlined.problems:
        return problems, {}
    whole = group(outlined.data)
    paths: dict[RowKey, Path] = {
        (kind, name): (top, name) for kind, top in GROUPS.items() for name in group(whole.get(top))
    }
    paths["param", ""] = ("params",)
    paths["signing", ""] = ("signing",)
    for gate, place, _said in Process(whole).requirements():
        paths["requirement", f"{gate} {place}"] = ("gates", gate, "requirements", place)
    lines = zip(paths, lines_of(text, paths.values()), strict=True)
    return problems, {row: place for row, place in lines if place is not None}
