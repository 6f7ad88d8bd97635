"""What is wrong with a rules file, and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Problem:
    """One sentence about one place of the file; lines and columns count from 1."""

    line: int
    column: int
    severity: str
    sentence: str

    def __str__(self) -> str:
        """Return `line:column: error: sentence`."""
        return f"{self.line}:{self.column}: {self.severity}: {self.sentence}"


class RulebookError(Exception):
    """A rules file that cannot be used; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems in the order of the file."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" for the nearest known word, or nothing."""
    near = get_close_matches(word[:100], list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
