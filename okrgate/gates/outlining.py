"""A rules file as plain data, and what a change of it is to come to: revising the text has to give the same."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from okrgate.gates.changes import Add, Carry, Change, Move, Put, Remove, Rename
from okrgate.gates.places import NoPlace, Path, Step
from okrgate.gates.rendering import Plain
from okrgate.gates.tree import Node

_NAMES = ("id", "name")


def as_plain(node: Node) -> Plain:
    """Return a part of the tree as plain data."""
    if isinstance(node.value, dict):
        return {key: as_plain(entry.value) for key, entry in node.value.items()}
    if isinstance(node.value, list):
        return [as_plain(one) for one in node.value]
    return node.value


def same(one: Plain, other: Plain) -> bool:
    """Tell whether two plain values mean the same, keys in the same order: 1 is 1.00 but not true."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return one == other
    return type(one) is type(other) and bool(one == other)


def expected(data: Plain, change: Change) -> Plain:
    """Return the data after a change; the data given stay as they are. Raises NoPlace."""
    if not change.path and not isinstance(change, Add):
        raise NoPlace("The whole file is no place in it.")
    match change:
        case Put():
            return _put(data, change.path, change.value)
        case Add():
            return _within(data, change.path, lambda group: _added(group, change))
        case Remove():
            return _within(data, change.path[:-1], lambda group: _removed(group, change.path[-1]))
        case Move():
            return _within(data, change.path[:-1], lambda group: _moved(group, change))
        case Rename():
            return _within(data, change.path[:-1], lambda group: _renamed(group, change))
        case Carry():
            return _carried(data, change)


def _carried(data: Plain, change: Carry) -> Plain:
    """Return the data with an item in another list. It may not be the same one: there is nothing to carry."""
    if change.to == change.path[:-1]:
        raise NoPlace("It stands there already.")
    carried: list[Plain] = []

    def without(group: Plain) -> Plain:
        carried.append(_items(group)[_place(_items(group), change.path[-1])])
        return _removed(group, change.path[-1])

    rest = _within(data, change.path[:-1], without)
    return _within(rest, change.to, lambda group: [*_items(group), *carried])


def _put(data: Plain, path: Path, value: Plain) -> Plain:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(data, list):
        at = _place(data, step)
        return [_put(one, rest, value) if index == at else one for index, one in enumerate(data)]
    inner = _group(data).get(str(step))
    return {**_group(data), str(step): _put(inner, rest, value)}


def _within(data: Plain, path: Path, change: Callable[[Plain], Plain]) -> Plain:
    if not path:
        return change(data)
    step, rest = path[0], path[1:]
    if isinstance(data, list):
        at = _place(data, step)
        return [
            _within(one, rest, change) if index == at else one for index, one in enumerate(data)
        ]
    inner = _group(data).get(str(step))
    return {**_group(data), str(step): _within(inner, rest, change)}


def _added(group: Plain, change: Add) -> Plain:
    if change.key is not None:
        pairs = list(_group(group).items())
        at = len(pairs) if change.after is None else _key(group, change.after) + 1
        return dict([*pairs[:at], (change.key, change.value), *pairs[at:]])
    items = _items(group)
    at = len(items) if change.after is None else _place(items, change.after) + 1
    return [*items[:at], change.value, *items[at:]]


def _removed(group: Plain, step: Step) -> Plain:
    if isinstance(group, list):
        at = _place(group, step)
        return [one for index, one in enumerate(group) if index != at]
    _key(group, step)
    return {key: one for key, one in group.items() if key != step}


def _moved(group: Plain, change: Move) -> Plain:
    is_list, step = isinstance(group, list), change.path[-1]
    at = _place(group, step) if is_list else _key(group, step)
    brothers = list(group) if is_list else list(group.items())
    other = at + (change.by > 0) - (change.by < 0)
    if 0 <= other < len(brothers):
        brothers[at], brothers[other] = brothers[other], brothers[at]
    return brothers if is_list else dict(brothers)


def _renamed(group: Plain, change: Rename) -> Plain:
    _key(group, change.path[-1])
    return {change.to if key == change.path[-1] else key: one for key, one in group.items()}


def _group(data: Plain) -> Mapping[str, Plain]:
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise NoPlace("There is no group of names there.")
    return data


def _items(data: Plain) -> list[Plain]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise NoPlace("There is no list there.")
    return data


def _key(group: Plain, step: Step) -> int:
    if step not in _group(group):
        raise NoPlace(f"There is no “{step}” there any more.")
    return list(group).index(step)


def _place(items: Iterable[Plain], step: Step) -> int:
    for index, one in enumerate(items):
        if index == step or (isinstance(step, str) and _name(one) == step):
            return index
    raise NoPlace(f"There is no “{step}” there any more.")


def _name(item: Plain) -> object:
    if isinstance(item, Mapping):
        return next((item[key] for key in _NAMES if key in item), None)
    return item
