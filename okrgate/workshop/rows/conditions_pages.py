"""What the page shows of a condition: each part with the choices that fit it, in words for administrators."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from okrgate.gates.conditions import ORDERED
from okrgate.gates.model import Collection, Fact
from okrgate.gates.reading_conditions import Names
from okrgate.gates.reading_gates import spoken
from okrgate.gates.values import Unfit, fit_type
from okrgate.gates.vocabulary import SECTIONS, section_of
from okrgate.workshop.rows.conditions_forms import HOWS, field_name, packed
from okrgate.workshop.rows.conditions_parts import (
    FACT,
    MARKS,
    ROOT,
    TODAY,
    VALUE,
    Group,
    Items,
    Kept,
    Line,
    Part,
    Path,
    Seats,
)
from okrgate.workshop.rows.conditions_reading import fact_of, has_choices
from okrgate.workshop.rows.conditions_words import as_written
from okrgate.workshop.rows.conditions_writing import Faults

Choices = list[tuple[str, str]]
Grouped = list[tuple[str, Choices]]
View = dict[str, Any]
_MOST_LEVELS = 3

_SET = [("set", "is filled in"), ("unset", "is not filled in")]
_AMONG = [("in", "is one of"), ("not_in", "is none of")]
_EQUAL = [("eq", "is"), ("ne", "is not")]
_NUMBERS = [
    ("gte", "is at least"),
    ("gt", "is above"),
    ("lte", "is at most"),
    ("lt", "is below"),
]
_DATES = [
    ("gte", "is on or after"),
    ("gt", "is after"),
    ("lte", "is on or before"),
    ("lt", "is before"),
]
_SAME = [("eq", "is the same as"), ("ne", "is not the same as")]
_FIRST = {"boolean": "eq", "enum": "in", "string": "set", "user": "set"}
DECISIONS = [
    ("approved", "agree"),
    ("approved_with_conditions", "agree, with conditions"),
    ("rejected", "object"),
    ("returned", "send back"),
    ("held", "hold"),
    ("declined", "decline"),
]
BOUNDS = [("quorum", "At least"), ("at_most", "At most")]


def fitted(group: Group, names: Names) -> Group:
    """Return a condition whose comparisons fit what they are about; what was typed stays with them."""
    found = _fitted(group, names, None)
    return found if isinstance(found, Group) else group


def _fitted(part: Part, names: Names, item: Collection | None) -> Part:
    if isinstance(part, Group):
        return replace(part, parts=tuple(_fitted(one, names, item) for one in part.parts))
    if isinstance(part, Items):
        inner = names.collections.get(part.of)
        where, must = (_fitted(one, names, inner) for one in (part.where, part.must))
        assert isinstance(where, Group)  # noqa: S101 - a group stays a group
        assert isinstance(must, Group)  # noqa: S101 - a group stays a group
        if inner is not None and not must.parts:
            must = Group("all", (Line(),))
        return replace(part, where=where, must=must)
    if isinstance(part, Line):
        fact = fact_of(part.fact, names, item)
        if fact is not None and part.op not in dict(_operators(fact, part)):
            op = "set" if fact.many else _FIRST.get(fact.type, "gte")
            return replace(part, op=op, against="true" if fact.type == "boolean" else part.against)
    return part


@dataclass
class Shown:
    """Makes the view of one condition. Everything that a template needs is plain values."""

    prefix: str
    names: Names
    faults: Faults
    action: str = ""

    def __post_init__(self) -> None:
        """Sort the facts once for every comparison."""
        self._grouped = grouped(self.names)
        self._inside: dict[str, Grouped] = {}

    def view(self, part: Part, path: Path = ROOT, item: Collection | None = None) -> View:
        """Return what a template shows of a part and of all parts inside."""
        return {
            "id": field_name(self.prefix, path, "part").replace(".", "-"),
            "path": "-".join(path),
            "prefix": self.prefix,
            "action": self.action,
            "name": lambda what: field_name(self.prefix, path, what),
            "fault": self.faults.get(path),
            "root": path == ROOT,
            "inner": path[-1] in MARKS.values(),
            **_VIEWS[type(part)](self, part, path, item),
        }

    def group(self, part: Group, path: Path, item: Collection | None) -> View:
        """Return a group: how its parts go together."""
        return {
            "kind": "group",
            "how": part.how,
            "hows": list(HOWS.items()),
            "in_item": item is not None,
            "may_nest": _may_nest(path),
            "parts": [
                self.view(one, (*path, str(index)), item) for index, one in enumerate(part.parts)
            ],
        }

    def line(self, part: Line, path: Path, item: Collection | None) -> View:
        """Return a comparison with the choices that fit its fact."""
        fact = fact_of(part.fact, self.names, item)
        widget = _widget(fact, part)
        view: View = {
            "kind": "line",
            "may_wrap": _may_nest(path[:-1]),
            "facts": self._with_present(self._facts(item), part.fact),
            "fact": part.fact,
            "help": fact.help if fact else "",
            "unit": _unit(fact),
            "ops": _with(_operators(fact, part), part.op) if fact else [],
            "op": part.op,
            "widget": widget,
            "typed": part.typed,
            "against": part.against,
            "chosen": list(part.chosen),
            "keyboard": "decimal"
            if fact and fact.type in {"integer", "money", "number"}
            else "text",
            "example": {"date": "2027-01-31", "money": "50000.00"}.get(
                fact.type if fact else "", ""
            ),
        }
        if fact is not None and widget == "choices":
            offered = ("true", "false") if fact.type == "boolean" else fact.values
            view["values"] = [(one, _said(one)) for one in dict.fromkeys([*offered, *part.chosen])]
        if fact is not None and widget == "side":
            view["sides"] = self._sides(fact, part, item)
            view["takes_value"] = not has_choices(fact)
        return view

    def items(self, part: Items, path: Path, _item: Collection | None) -> View:
        """Return a list with what every item, or how many of its items, have to be."""
        inner = self.names.collections.get(part.of)
        label = inner.label if inner else ""
        lists = [(one.name, one.label) for one in self.names.collections.values()]
        view: View = {
            "kind": part.shape,
            "lists": _with(lists, part.of),
            "of": part.of,
            "label": label,
            "least": part.least,
            "most": part.most,
        }
        if inner is not None:
            view["where"] = self.view(part.where, (*path, MARKS["where"]), inner)
            if part.shape == "each":
                view["must"] = self.view(part.must, (*path, MARKS["must"]), inner)
        return view

    def seats(self, part: Seats, _path: Path, _item: Collection | None) -> View:
        """Return a sign-off: who, how many, who is left out."""
        roles = [(one.id, one.label) for one in self.names.roles.values()]
        people = [(one.name, one.label) for one in self.names.facts.values() if one.type == "user"]
        return {
            "kind": "seats",
            "roles": _with(roles, *part.roles),
            "chosen_roles": list(part.roles),
            "bounds": BOUNDS,
            "bound": part.bound,
            "number": part.number,
            "decisions": DECISIONS,
            "decision": part.decision,
            "people": _with(people, *part.exclude),
            "exclude": list(part.exclude),
        }

    def kept(self, part: Kept, _path: Path, _item: Collection | None) -> View:
        """Return what stays as it is written."""
        return {"kind": "kept", "plain": packed(part.plain), "words": as_written(part.plain)}

    # choices

    def _facts(self, item: Collection | None) -> Grouped:
        if item is None:
            return self._grouped
        if item.name not in self._inside:
            fields = [(one.name, one.label or one.name) for one in item.fields.values()]
            others = [
                (f"Project: {label}", [one for one in facts if one[0] not in item.fields])
                for label, facts in self._grouped
            ]
            self._inside[item.name] = [(f"Each {item.label.lower()}", fields), *others]
        return self._inside[item.name]

    def _with_present(self, facts: Grouped, name: str) -> Grouped:
        if not name or any(name == one for _, group in facts for one, _ in group):
            return facts
        return [("Unknown", [(name, name)]), *facts]

    def _sides(self, fact: Fact, part: Line, item: Collection | None) -> Grouped:
        """Return all that a fact can be compared with."""
        plain: Choices = []
        if fact.type == "boolean":
            plain = [("true", "yes"), ("false", "no")]
        elif fact.type != "enum":
            plain = [(VALUE, "this:")]
        if fact.type == "date":
            plain.append((TODAY, "today, plus days:"))
        numbers = [
            (f"${name}", f"{name.replace('_', ' ').capitalize()} ({spoken(value)})")
            for name, value in self.names.params.items()
            if _fits(fact, value)
        ]
        others = [
            (FACT + one.name, one.label or one.name)
            for one in self._comparable(fact, item)
            if one.name != part.fact
        ]
        sides = [("", plain), ("A number of these rules", numbers), ("Another fact", others)]
        known = {value for _, group in sides for value, _ in group}
        if part.against not in known:
            nothing = part.against == VALUE
            sides[0][1].insert(0, (part.against, "Choose…" if nothing else part.against))
        return [(label, group) for label, group in sides if group]

    def _comparable(self, fact: Fact, item: Collection | None) -> Iterable[Fact]:
        fields = item.fields if item is not None else {}
        every = [
            *fields.values(),
            *(one for one in self.names.facts.values() if one.name not in fields),
        ]
        return [one for one in every if one.type == fact.type and not one.many]


_VIEWS: Mapping[type, Callable[..., View]] = {
    Group: Shown.group,
    Line: Shown.line,
    Items: Shown.items,
    Seats: Shown.seats,
    Kept: Shown.kept,
}


def _may_nest(path: Path) -> bool:
    """Tell whether a group may hold groups: a rules file bears three levels of them."""
    return len(path) < _MOST_LEVELS + (path[-1] in MARKS.values())


def grouped(names: Names) -> Grouped:
    """Return every fact by the section of the form that fills it in."""
    found: dict[str, Choices] = {label: [] for label in SECTIONS.values()}
    for fact in names.facts.values():
        if fact.name in names.answered_in:
            label = "Questions of your company"
        else:
            label = SECTIONS.get(section_of(fact.name) or "", "Facts")
        found.setdefault(label, []).append((fact.name, fact.label or fact.name))
    return [(label, facts) for label, facts in found.items() if facts]


def _operators(fact: Fact | None, line: Line) -> Choices:
    """Return the comparisons that fit a kind of fact."""
    if fact is None:
        return []
    if fact.many:
        return _SET
    if fact.type in ORDERED:
        return [*(_DATES if fact.type == "date" else _NUMBERS), *_EQUAL, *_AMONG, *_SET]
    if fact.type == "enum":
        return [*_AMONG, *_SET, *_SAME]
    if fact.type == "boolean":
        return [*_EQUAL, *_SET, *(_AMONG if line.op in dict(_AMONG) else [])]
    return [*_EQUAL, *_AMONG, *_SET]


def _widget(fact: Fact | None, line: Line) -> str:
    if fact is None or line.op in {"set", "unset", ""}:
        return "none"
    if line.op in {"in", "not_in"}:
        return "choices" if has_choices(fact) else "lines"
    return "side"


def _unit(fact: Fact | None) -> str:
    if fact is None:
        return ""
    return "in the company's currency" if fact.type == "money" else fact.unit


def _fits(fact: Fact, value: object) -> bool:
    try:
        found = fit_type(fact.type, value)
    except Unfit:
        return False
    return found is not None and (fact.type != "enum" or found in fact.values)


def _with(choices: Choices, *present: str) -> Choices:
    """Return choices with what is chosen now, known or not."""
    known = dict(choices)
    return [*choices, *((one, f"{one} (unknown)") for one in present if one and one not in known)]


def _said(value: str) -> str:
    return {"true": "yes", "false": "no"}.get(value, value.replace("_", " "))
