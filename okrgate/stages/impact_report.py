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


# Fewer projects than these are not told apart from others.
LEAST = 5


@dataclass(frozen=True)
class Sought:
    """Sign-offs that a project now needs; `people` are the first of those who can give them."""

    gate: str
    roles: str
    count: int
    people: tuple[int, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a draft does to one project, whoever may know it.

    `private`: what is asked otherwise turns on what only those involved may read.
    """

    project_id: int
    kind: str
    closed: bool
    stage: str
    private: bool = False
    asked: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    needed: tuple[Sought, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Needed:
    """Sign-offs that a project now needs: at which gate, from which roles, how many more, and who holds these roles."""

    gate: str
    roles: str
    count: int
    holders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Affected:
    """One project for which something changes, by name."""

    project_id: int
    kind: str
    closed: bool
    stage: str
    reference: str
    title: str
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
class Hidden:
    """Projects of which a reader may know nothing more than that they are there.

    `groups` say what becomes of many of them, where somebody else sees the text, too; `rest` are not told apart.
    """

    count: int
    groups: Mapping[str, int] | None = None

    @property
    def rest(self) -> int:
        """Return how many are in no group."""
        return self.count - sum((self.groups or {}).values())

    @property
    def sentence(self) -> str:
        """Return it in short; empty where there are none."""
        if not self.count:
            return ""
        if self.groups is None:
            are = "project is" if self.count == 1 else "projects are"
            return (
                f"{self.count:,} {are} not counted here: they, or what changes for them, are not yours to read. "
                "Once others are asked to approve the text, it says what becomes of them in groups."
            )
        many = _number(
            self.count, "project that you may not read", "projects that you may not read"
        )
        if not self.groups:
            return f"{many}: so few, or so alike, that a count would tell of single ones."
        said = _counts(self.groups, KINDS, always_same=False)
        apart = f", {self.rest:,} not told apart" if self.rest else ""
        return f"{many}: {said}{apart}."


@dataclass(frozen=True)
class Passage:
    """One passage that the draft would have refused."""

    gate: str
    at: datetime
    lacked: tuple[str, ...]
    reference: str
    title: str


@dataclass(frozen=True)
class Replay:
    """What a draft would have made of past passages.

    `looked` were judged again, `same` do not touch what changed, `untold` turn on what was not recorded then, `hidden`
    on what the reader may not read, `left_out` are older. `looked` holds neither. `refused` counts all, `passages` name the newest of them.
    """

    looked: int = 0
    same: int = 0
    refused: int = 0
    untold: int = 0
    hidden: int = 0
    left_out: int = 0
    passages: tuple[Passage, ...] = ()
    problem: str = ""

    @property
    def sentence(self) -> str:
        """Return the whole in short."""
        if self.problem:
            return f"Past decisions could not be judged again: {self.problem}."
        total = self.looked + self.same + self.hidden + self.left_out
        if not total:
            return "No project has passed a gate yet."
        said = [f"Of {total:,} passage{'' if total == 1 else 's'} through a gate so far"]
        said.append(f", {self.refused:,} would not have opened.")
        if self.untold:
            said.append(
                f" For {self.untold:,} it cannot be told: what the new text asks was not recorded then."
            )
        if self.hidden:
            said.append(f" {self.hidden:,} turn on what you may not read, and are not counted.")
        if self.left_out:
            said.append(f" The oldest {self.left_out:,} were not looked at.")
        return "".join(said)


@dataclass(frozen=True)
class Impact:
    """What a draft would do. `open` and `closed` count by kind, "same" included; `left_out` were not looked at.

    `affected` is one page of those for which something changes, the newest first; `older` is where the next begins.
    """

    open: Mapping[str, int]
    closed: Mapping[str, int]
    stages: tuple[Counted, ...] = ()
    affected: tuple[Affected, ...] = ()
    older: int | None = None
    left_out: int = 0
    hidden: Hidden = Hidden(0)
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
        if self.hidden.count:
            said.append(self.hidden.sentence)
        if self.left_out:
            were = "project was" if self.left_out == 1 else "projects were"
            said.append(f"{self.left_out:,} older {were} not looked at.")
        if self.replay is not None:
            said.append(self.replay.sentence)
        return tuple(said)


def in_groups(counts: Mapping[str, int]) -> Hidden:
    """Return counts by kind as they may be told: at least LEAST of a kind, as many others, and never all alike.

    What is left over is told as a rest only if it is as many: else it could be worked out from the groups.
    """
    groups = {kind: count for kind, count in counts.items() if count >= LEAST}
    total = sum(counts.values())
    while groups and 0 < total - sum(groups.values()) < LEAST:
        del groups[min(groups, key=lambda kind: (groups[kind], kind))]
    if list(groups.values()) == [total]:
        groups = {}
    return Hidden(total, groups)


def _projects(counts: Mapping[str, int], word: str) -> str:
    return _number(sum(counts.values()), f"{word} project", f"{word} projects")


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _counts(
    counts: Mapping[str, int], labels: Mapping[str, str], *, always_same: bool = True
) -> str:
    said = [
        f"{counts[kind]:,} {label[:1].lower()}{label[1:]}"
        for kind, label in labels.items()
        if counts.get(kind)
    ]
    if always_same or counts.get("same"):
        said.append(f"{counts.get('same', 0):,} unchanged")
    return ", ".join(said)
