"""Where things stand in the text of a rules file: what of it is a thing's own, and what moves along with it."""

from okrgate.gates.tree import Entry, Node

Step = str | int
Path = tuple[Step, ...]
_NAMES = ("id", "name")


class NoPlace(Exception):
    """A path that leads nowhere in this text, or a name that is taken there."""


class Place:
    """Where something stands: its parent, which child it is, and what of the text is its own."""

    def __init__(self, text: str, root: Node, path: Path) -> None:
        if not path:
            raise NoPlace("The whole file is no place in it.")
        self.parent = follow(root, path[:-1])
        self.index = index_of(self.parent, path[-1])
        self.key, self.node = child(self.parent, self.index)
        self.start = self.node.start if self.key is None else self.key.start
        self.end = max(_end(text, self.node), self.start)
        self.colon = 0
        if self.key is not None:
            self.colon = text.index(":", self.key.end) + 1
            self.end = (
                max(_end(text, self.node), self.colon) if is_written(self.node) else self.colon
            )


def follow(node: Node, path: Path) -> Node:
    """Return what stands at a path below a node. Raises NoPlace."""
    for step in path:
        node = child(node, index_of(node, step))[1]
    return node


def child(parent: Node, index: int) -> tuple[Node | None, Node]:
    """Return a child by its number, with its key if its parent has keys."""
    if isinstance(parent.value, dict):
        entry: Entry = list(parent.value.values())[index]
        return entry.key, entry.value
    assert isinstance(parent.value, list)  # noqa: S101 - index_of raised for anything else
    return None, parent.value[index]


def index_of(parent: Node, step: Step) -> int:
    """Return which child a step means: a key, a place in a list, or the name of an item. Raises NoPlace."""
    if isinstance(parent.value, dict):
        if step in parent.value:
            return list(parent.value).index(str(step))
    elif isinstance(parent.value, list):
        if isinstance(step, int):
            if 0 <= step < len(parent.value):
                return step
        else:
            for index, item in enumerate(parent.value):
                if name_of(item) == step:
                    return index
    raise NoPlace(f"There is no “{step}” there any more.")


def name_of(item: Node) -> object:
    """Return how an item is called: its id, its name, or the word that it is."""
    if isinstance(item.value, dict):
        return next((item.value[key].value.value for key in _NAMES if key in item.value), None)
    return item.value


def child_place(text: str, parent: Node, index: int) -> Place:
    """Return where a child stands, by its number."""
    if isinstance(parent.value, dict):
        return Place(text, parent, (list(parent.value)[index],))
    return Place(text, parent, (index,))


def span(text: str, place: Place) -> tuple[int, int]:
    """Return what moves along with a thing: its lines and those of comment above; in a row of brackets only itself."""
    if place.parent.inline:
        return place.start, place.end
    if not starts_line(text, child_place(text, place.parent, 0)):
        # The first key stands behind a dash: comments above it belong to the item, so none of them moves.
        return place.start, line_end(text, place.end)
    return own_lines(text, place)


def is_written(node: Node) -> bool:
    """Tell whether a value is there at all: “key:” alone has none, and no place of its own."""
    return node.value is not None or node.end > node.start


def _end(text: str, node: Node) -> int:
    """Return where the text of a value ends: what stands in lines ends with the last thing in it."""
    if node.inline:
        return node.end
    if isinstance(node.value, dict | list) and node.value:
        return child_place(text, node, len(node.value) - 1).end
    return node.start + len(text[node.start : node.end].rstrip())


def dash(text: str, place: Place) -> int:
    """Return where the dash of a list's item stands."""
    if not is_written(place.node):
        return text.rindex("-", 0, place.node.start + 1)
    return text.rindex("-", 0, place.node.start)


def starts_line(text: str, place: Place) -> bool:
    """Tell whether nothing stands before a thing on its line."""
    start = place.start if place.key is not None else dash(text, place)
    return not text[text.rfind("\n", 0, start) + 1 : start].strip(" ")


def own_lines(text: str, place: Place) -> tuple[int, int]:
    """Return the lines of a thing, from the first comment right above it, without the last line's end."""
    start = place.start if place.key is not None else dash(text, place)
    start = text.rfind("\n", 0, start) + 1
    while start > 0:
        above = text.rfind("\n", 0, start - 1) + 1
        if not text[above : start - 1].lstrip(" ").startswith("#"):
            break
        start = above
    return start, line_end(text, place.end)


def line_end(text: str, index: int) -> int:
    """Return where the line ends that a character stands on."""
    found = text.find("\n", index)
    return len(text) if found < 0 else found


def line_at(text: str, index: int) -> int:
    """Return the number of a character's line, from 1."""
    return text.count("\n", 0, index) + 1


def column(text: str, index: int) -> int:
    """Return how many characters stand before one on its line."""
    return index - (text.rfind("\n", 0, index) + 1)
