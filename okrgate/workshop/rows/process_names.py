"""Names in a rules file: ids made from labels, and everywhere that one is used."""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from okrgate.gates.places import Path
from okrgate.gates.revising import Change, Put, Rename
from okrgate.workshop.rows.process_rows import GROUPS, Process, group, listed, text

_LONGEST = 60
_ID = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")
_RESERVED = frozenset({"previous"})


def id_from(label: str, taken: Collection[str]) -> str:
    """Return an id made of a label that nothing has yet."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    stem = _NOT_IN_IDS.sub("_", plain).strip("_").lstrip("0123456789_")[: _LONGEST - 5].rstrip("_")
    stem = stem or "new"
    name, number = stem, 2
    while name in taken or name in _RESERVED:
        name, number = f"{stem}_{number}", number + 1
    return name


def is_id(name: str) -> bool:
    """Tell whether a name can be an id."""
    return _ID.fullmatch(name) is not None and name not in _RESERVED


@dataclass(frozen=True)
class Use:
    """A place where a name is used: its path, what stands there, and which thing of the process it is part of."""

    path: Path
    value: Any

    @property
    def owner(self) -> tuple[str, str | int]:
        """Return the group and the entry this is in."""
        return str(self.path[0]), self.path[1] if len(self.path) > 1 else ""


def uses(process: Process, kind: str, name: str) -> Iterator[Use]:
    """Yield every scalar of the file that means this entry, in the order of the file."""
    means = _MEANS[kind]
    for path, value in walk(process.whole, ()):
        if isinstance(value, str) and means(path, value, name):
            yield Use(path, value)


def keys_meant(process: Process, kind: str, name: str) -> Iterator[Path]:
    """Yield the path of every key that means this entry, but the entry's own: facts that a question makes."""
    if kind != "question":
        return
    fact = f"answers.{name}"
    for fixture, said in group(process.whole.get("fixtures")).items():
        if fact in group(group(said).get("facts")):
            yield ("fixtures", fixture, "facts", fact)
    for place, test in enumerate(listed(process.whole.get("tests"))):
        if fact in group(group(test).get("set")):
            yield ("tests", place, "set", fact)


def renamed(process: Process, kind: str, name: str, to: str) -> list[Change]:
    """Return the changes by which an entry gets another id, here and wherever it is used."""
    changes: list[Change] = []
    for use in uses(process, kind, name):
        value = f"answers.{to}" if use.value == f"answers.{name}" else to
        changes.append(Put(use.path, value))
    changes += [Rename(path, f"answers.{to}") for path in keys_meant(process, kind, name)]
    return [*changes, Rename((GROUPS[kind], name), to)]


def walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield (path, value) of every scalar, in the order of the file."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from walk(one, (*path, key))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from walk(one, (*path, place))
    else:
        yield path, value


def _keys(path: Path) -> list[str]:
    return [step for step in path if isinstance(step, str)]


def _means_stage(path: Path, value: str, name: str) -> bool:
    keys = _keys(path)
    return value == name and (
        (keys[0] == "transitions" and keys[2:] in (["from"], ["to"]))
        or (keys[0] == "questions" and keys[2:] == ["stage"])
        or keys == ["invariants", "never_reach"]
    )


def _means_move(path: Path, value: str, name: str) -> bool:
    return value == name and _keys(path) in (["tests", "transition"], ["invariants", "at"])


def _means_gate(path: Path, value: str, name: str) -> bool:
    keys = _keys(path)
    return value == name and keys[0] == "transitions" and keys[2:] == ["gate"]


def _means_role(path: Path, value: str, name: str) -> bool:
    keys = _keys(path)
    if value != name:
        return False
    if keys[0] == "stages":
        return keys[2:] == ["escalate_to"] or (keys[2:3] == ["sections"] and keys[4:] == ["edit"])
    if keys[0] == "transitions":
        return keys[2:] in (["by"], ["notify"])
    return keys[-2:] == ["waiver", "by"] or (
        keys[-1:] == ["role"]
        and any(one in keys for one in ("signoff", "signoffs", "waivers"))
        and keys[0] in ("gates", "invariants", "fixtures", "tests")
    )


def _means_question(path: Path, value: str, name: str) -> bool:
    keys = _keys(path)
    if value != f"answers.{name}":
        return False
    return (
        keys[-1:] == ["fact"]
        or (keys[0] == "gates" and keys[2:] == ["material"])
        or keys == ["tests", "unset"]
    )


_MEANS = {
    "stage": _means_stage,
    "move": _means_move,
    "gate": _means_gate,
    "role": _means_role,
    "question": _means_question,
}


def where(process: Process, use: Use) -> str:
    """Return where a name is used, as an administrator would call the place."""
    return _place(process, use.path)


def _place(process: Process, path: Path) -> str:
    top, name = str(path[0]), path[1] if len(path) > 1 else ""
    if top == "transitions":
        return f"the move “{process.label('move', str(name))}”"
    if top == "stages":
        return f"the stage {process.label('stage', str(name))}"
    if top == "questions":
        return f"the question “{process.label('question', str(name))}”"
    if top == "gates":
        return _in_gate(process, path)
    if top == "invariants":
        one = group(_item(process, "invariants", name))
        said = text(one.get("label")) or text(one.get("id"))
        return f"the promise “{process.filled(said)}”"
    if top == "tests":
        return f"the test “{text(group(_item(process, 'tests', name)).get('name'))}”"
    if top == "fixtures":
        return f"the example project {name}"
    return top


def _in_gate(process: Process, path: Path) -> str:
    label = process.label("gate", str(path[1]))
    if len(path) > 3 and path[2] == "requirements" and isinstance(path[3], int):
        requirements = listed((process.one("gate", str(path[1])) or {}).get("requirements"))
        message = process.filled(text(group(requirements[path[3]]).get("message")))
        return f"“{message}” of the gate {label}"
    return f"what a sign-off covers at the gate {label}"


def _item(process: Process, name: str, place: Any) -> Any:
    items = listed(process.whole.get(name))
    return items[place] if isinstance(place, int) and place < len(items) else {}
