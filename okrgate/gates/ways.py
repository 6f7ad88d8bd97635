"""Where one gets from a stage: the little of graphs that a rulebook's stages and transitions need."""

from collections.abc import Mapping, Sequence

Ways = Mapping[str, Sequence[str]]


def onward(ways: Ways, start: str) -> dict[str, str]:
    """Return everything that can be reached from `start`, nearest first, each with the place one comes from.

    `start` itself is in it only when a way leads back to it.
    """
    found: dict[str, str] = {}
    edge = [start]
    while edge:
        beyond: list[str] = []
        for place in edge:
            for target in ways.get(place, ()):
                if target not in found:
                    found[target] = place
                    beyond.append(target)
        edge = beyond
    return found


def backward(ways: Ways) -> dict[str, list[str]]:
    """Return the ways turned round."""
    turned: dict[str, list[str]] = {place: [] for place in ways}
    for place, targets in ways.items():
        for target in targets:
            turned.setdefault(target, []).append(place)
    return turned


def shortest(ways: Ways, start: str, end: str) -> list[str]:
    """Return a shortest way between two different places, both included; nothing when there is none."""
    came_from = onward(ways, start)
    if end not in came_from:
        return []
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]


def circles(ways: Ways) -> list[list[str]]:
    """Return the groups of places from each of which all others of the group are reached, each once."""
    reach = {place: onward(ways, place) for place in ways}
    found: list[list[str]] = []
    seen: set[str] = set()
    for place in ways:
        if place in seen:
            continue
        group = [
            other
            for other in ways
            if other == place or (other in reach[place] and place in reach[other])
        ]
        seen.update(group)
        if len(group) > 1:
            found.append(group)
    return found
