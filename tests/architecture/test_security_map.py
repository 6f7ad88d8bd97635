"""Every test that docs/security.md names exists, and every row names one or says that it is not there yet."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_ROW = re.compile(r"^\| (S[\d, S]+) \|", re.MULTILINE)
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if _ROW.match(line)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_row_is_shown_by_tests_that_exist(row: str) -> None:
    named = _NAMED.findall(row)

    assert named or "not there yet" in row
    for path, name in named:
        assert (ROOT / path).is_file(), path
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}, name


def test_the_map_holds_the_rows() -> None:
    assert len(ROWS) >= 35
    assert len({row.split("|")[1] for row in ROWS}) == len(ROWS)
