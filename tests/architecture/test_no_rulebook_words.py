"""The application knows no name of any rulebook: neither its code nor its pages hold an id of a file in rules/."""

import ast
import re
from pathlib import Path

import pytest

from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Rulebook

ROOT = Path(__file__).resolve().parents[2]
RULEBOOKS = [
    load_rulebook(path.read_text("utf-8"), name=path.stem)
    for folder in ("rules", "rules/examples")
    for path in sorted((ROOT / folder).glob("*.yaml"))
]
CODE = sorted((ROOT / "okrgate").rglob("*.py"))
PAGES = [path for path in sorted((ROOT / "templates").rglob("*")) if path.is_file()]
_WORD = re.compile(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*")


def _ids(rulebook: Rulebook) -> set[str]:
    """Return every name that a file chose itself. Outcomes are texts of the file too."""
    return {
        rulebook.id,
        *rulebook.stages,
        *(stage.outcome for stage in rulebook.stages.values() if stage.outcome),
        *rulebook.transitions,
        *rulebook.gates,
        *rulebook.roles,
        *rulebook.questions,
        *rulebook.params,
        *(one.id for gate in rulebook.gates.values() for one in gate.requirements),
        *(one.id for one in rulebook.invariants),
    }


IDS = set[str]().union(*map(_ids, RULEBOOKS))


def _named_in_code(text: str) -> list[tuple[int, str]]:
    """Return (line, id) of each text constant that is an id, or holds one as `answers.<id>` or between other marks.

    Docstrings and messages are prose: there only an id that no ordinary word could be (with _ or -) counts.
    """
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = _WORD.findall(node.value)
            found += [
                (node.lineno, word)
                for word in words
                if word in IDS and (node.value == word or "_" in word or "-" in word)
            ]
    return found


def _named_on_a_page(text: str) -> list[str]:
    """Return each id that stands on a page as a whole word; of a plain word only one in quotes."""
    quoted = set(re.findall(r"""["']([A-Za-z0-9_-]+)["']""", text))
    return sorted(
        word
        for word in {*_WORD.findall(text), *quoted} & IDS
        if word in quoted or "_" in word or "-" in word
    )


def test_both_files_were_read() -> None:
    assert len(RULEBOOKS) >= 2
    assert len(IDS) > 100


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_code_names_nothing_of_a_rulebook(path: Path) -> None:
    assert _named_in_code(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_names_nothing_of_a_rulebook(path: Path) -> None:
    assert _named_on_a_page(path.read_text("utf-8")) == []


def test_a_name_in_code_or_on_a_page_is_found() -> None:
    name = next(iter(RULEBOOKS[0].stages))

    assert _named_in_code(f"if stage == '{name}': pass") == [(1, name)]
    assert _named_in_code(f"fact = 'answers.{name}'") == [(1, name)]
    assert _named_on_a_page(f"{{% if stage == '{name}' %}}") == [name]
