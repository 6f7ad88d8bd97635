"""What a draft would do to the projects there are, as pages and shells tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

# Each kind in the order of its weight, and how a heading says it.
KINDS = {
    "blocked": "Newly blocked",
    "freed": "Newly free",
    "stageless": "In a stage the new text does not have",
    "unjudged": "Cannot be judged",
    "otherwise": "Asked something else",
}

_CLOSED = {
    "blocked": "Would have been blocked",
    "freed": "Would have passed",
    "stageless": KINDS["stageless"],
    "unjudged": KINDS["unjudged"],
    "otherwise": "Would have been asked something else",
}


@dataclass(frozen=True)
class Needed:
    """Sign-offs that a project now needs: at which gate, from which roles, how many more, and who holds these roles."""

    gate: str
    roles: str
    count: int
    holders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Affected:
    """One project for which something changes. Of one that the reader may not see there is neither name nor people.

    So too where the change turns on money or statements that they may not read: the answer would tell them. Its number is 0.
    """

    project_id: int
    kind: str
    closed: bool
    stage: str
    reference: str = ""
    title: str = ""
    lead: str = ""
    asked: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    needed: tuple[Needed, ...] = ()
    problem: str = ""

    @property
    def label(self) -> str:
        """Return what becomes of it, or would have become."""
        return (_CLOSED if self.closed else KINDS)[self.kind]


@dataclass(frozen=True)
class Counted:
    """How many projects of one stage there are of each kind."""

    stage: str
    open: Mapping[str, int]


@dataclass(frozen=True)
class Passage:
    """One passage that the draft would have refused. Neither name nor day for who may not read what it turns on."""

    gate: str
    at: datetime | None
    lacked: tuple[str, ...]
    reference: str = ""
    title: str = ""


@dataclass(frozen=True)
class Replay:
    """What a draft would have made of past passages.

    `looked` were judged again, `same` do not touch what changed, `untold` turn on what was not recorded then,
    `left_out` are older. `refused` counts all, `passages` name the newest of them.
    """

    looked: int = 0
    same: int = 0
    refused: int = 0
    untold: int = 0
    left_out: int = 0
    passages: tuple[Passage, ...] = ()
    problem: str = ""

    @property
    def sentence(self) -> str:
        """Return the whole in short."""
        if self.problem:
            return f"Past decisions could not be judged again: {self.problem}."
        total = self.looked + self.same + self.left_out
        if not total:
            return "No project has passed a gate yet."
        said = [f"Of {total:,} passage{'' if total == 1 else 's'} through a gate so far"]
        said.append(f", {self.refused:,} would not have opened.")
        if self.untold:
            said.append(
                f" For {self.untold:,} it cannot be told: what the new text asks was not recorded then."
            )
        if self.left_out:
            said.append(f" The oldest {self.left_out:,} were not looked at.")
        return "".join(said)


@dataclass(frozen=True)
class Impact:
    """What a draft would do. `open` and `closed` count by kind, "same" included; `left_out` were not looked at.

    `affected` is one page of those for which something changes, the newest first; `older` is where the next begins. Those
    without a name end the first page, in no order of theirs.
    """

    open: Mapping[str, int]
    closed: Mapping[str, int]
    stages: tuple[Counted, ...] = ()
    affected: tuple[Affected, ...] = ()
    older: int | None = None
    left_out: int = 0
    problem: str = ""
    replay: Replay | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return the whole in short."""
        if self.problem:
            return (self.problem,)
        said = [f"{_projects(self.open, 'open')} under the new text: {_counts(self.open, KINDS)}."]
        if self.closed:
            said.append(f"{_projects(self.closed, 'closed')}: {_counts(self.closed, _CLOSED)}.")
        if self.left_out:
            were = "project was" if self.left_out == 1 else "projects were"
            said.append(f"{self.left_out:,} older {were} not looked at.")
        if self.replay is not None:
            said.append(self.replay.sentence)
        return tuple(said)


def _projects(counts: Mapping[str, int], word: str) -> str:
    count = sum(counts.values())
    return f"{count:,} {word} project{'' if count == 1 else 's'}"


def _counts(counts: Mapping[str, int], labels: Mapping[str, str]) -> str:
    said = [
        f"{counts[kind]:,} {label[:1].lower()}{label[1:]}"
        for kind, label in labels.items()
        if counts.get(kind)
    ]
    return ", ".join([*said, f"{counts.get('same', 0):,} unchanged"])
