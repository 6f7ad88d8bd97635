"""Find who is meant by @name in a text, and show the text with its names and links marked.

Meant are: @"Ada Novak" and @Ada Novak by the whole name, @ada.novak by what stands before the @ of an address,
and @ada by a first name that only one person has, or only one of those involved.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_MENTION = re.compile(
    r"(?<![\w@./])@(?:\"(?P<quoted>[^\"\n]{1,120})\"|(?P<word>[^\W_][\w.'-]{0,80}))"
)
_LINK = re.compile(r"\bhttps?://[^\s<>\"'`\\]{1,2000}")
_NOT_OF_THE_LINK = ".,;:!?)]}*_"
# No name is longer.
_LONGEST = 130


@dataclass(frozen=True)
class Named:
    """Somebody who can be meant."""

    id: int
    name: str
    email: str
    active: bool = True


@dataclass(frozen=True)
class Place:
    """One @name in a text: where it stands, what was written, and who may be meant."""

    start: int
    end: int
    written: str
    quoted: bool
    people: tuple[Named, ...]


@dataclass(frozen=True)
class _Index:
    """People by what they can be called, so that a text full of names is read as fast as one with few."""

    whole: Mapping[str, Sequence[Named]]
    first_of_several: Mapping[str, Sequence[Named]]
    short: Mapping[str, Sequence[Named]]


def places(text: str, people: Sequence[Named], *, first: Collection[int] = ()) -> Iterator[Place]:
    """Yield every @name of a text. Of several who fit, those in `first` are meant."""
    matches = list(_MENTION.finditer(text))
    index = _index(people if matches else ())
    for match in matches:
        quoted = match["quoted"]
        if quoted is not None:
            fitting = index.whole.get(" ".join(quoted.split()).casefold(), ())
            yield Place(match.start(), match.end(), quoted, True, _nearest(fitting, first))
            continue
        begins = match.start() + 1
        whole = _whole_names(text[begins : begins + _LONGEST], index)
        if whole:
            end = begins + len(whole[0].name)
            yield Place(match.start(), end, whole[0].name, False, _nearest(whole, first))
            continue
        word = match["word"].rstrip(".'-")
        found = index.short.get(word.casefold(), ())
        yield Place(match.start(), begins + len(word), word, False, _nearest(found, first))


def as_html(text: str, people: Sequence[Named]) -> Markup:
    """Return a text as safe markup: links can be followed, the names of these people are marked."""
    found, last = Markup(), 0
    for match in _LINK.finditer(text):
        address = match[0].rstrip(_NOT_OF_THE_LINK)
        found += _names_marked(text[last : match.start()], people)
        found += Markup('<a href="{0}" rel="nofollow noopener noreferrer">{0}</a>').format(address)
        last = match.start() + len(address)
    return found + _names_marked(text[last:], people)


def _names_marked(text: str, people: Sequence[Named]) -> Markup:
    found, last = Markup(), 0
    for place in places(text, people):
        if place.people:
            found += escape(text[last : place.start])
            found += Markup('<span class="mention">{}</span>').format(text[place.start : place.end])
            last = place.end
    return found + escape(text[last:])


def _index(people: Sequence[Named]) -> _Index:
    whole: dict[str, list[Named]] = {}
    several: dict[str, list[Named]] = {}
    short: dict[str, list[Named]] = {}
    for one in people:
        name = one.name.casefold()
        whole.setdefault(name, []).append(one)
        if " " in name:
            several.setdefault(name.split(" ")[0], []).append(one)
        for word in _short_names(one):
            short.setdefault(word, []).append(one)
    return _Index(whole, several, short)


def _whole_names(text: str, index: _Index) -> list[Named]:
    """Return those whose whole name of two words or more begins the text, the longest name only."""
    start = text.casefold()
    fitting = [
        one
        for one in index.first_of_several.get(start.split(" ")[0], ())
        if start.startswith(one.name.casefold())
        and not start[len(one.name) : len(one.name) + 1].isalnum()
    ]
    longest = max((len(one.name) for one in fitting), default=0)
    return [one for one in fitting if len(one.name) == longest]


def _short_names(one: Named) -> set[str]:
    name = one.name.casefold()
    return {name.split(" ")[0], name.replace(" ", ""), one.email.partition("@")[0].casefold()}


def _nearest(found: Sequence[Named], first: Collection[int]) -> tuple[Named, ...]:
    near = [one for one in found if one.id in first]
    return tuple(near if len(found) > 1 and near else found)
