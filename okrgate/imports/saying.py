"""How a file may say a choice: in the words that people read; and what is said of a cell that names none."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wtforms import BooleanField
from wtforms.fields.choices import SelectFieldBase

from okrgate.imports.mapping import quoted
from okrgate.web.fields import Listed, Somebody

_MOST_NAMED = 10
_YES, _NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0", "-"}
_UNITS = {"home_unit", "unit"}
# As a path is shown here, and as people write one.
_SHOWN_STEP = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
_STEP = re.compile("\\s*[\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}>/]\\s*")


def take_words(form: Any, typed: Mapping[str, str]) -> dict[str, str]:
    """Let a file say a choice as it reads on the form. Returns why not, by field, for cells that name no choice.

    Something in a tree may be named alone where no other has its name, else by its whole path.
    """
    wrong = {}
    for one in form:
        cell = typed.get(one.name, "")
        if cell and isinstance(one, BooleanField):
            one.data = _truth(cell)
            if one.data is None:
                wrong[one.name] = f"{quoted(cell)} is neither yes nor no."
                one.process_errors = [wrong[one.name]]
            continue
        # A person was found by address before, and stands here by number.
        if not cell or not isinstance(one, SelectFieldBase) or isinstance(one, Somebody):
            continue
        choices = [(str(choice.value), str(choice.label)) for choice in one.iter_choices()]
        found = _matching(cell, choices, is_by_key=not isinstance(one, Listed))
        if len(found) == 1:
            one.data, one.process_errors = one.coerce(found[0][0]), []
        else:
            offered = [label for key, label in found or choices if key]
            wrong[one.name] = _none_such(one, cell, offered, is_unclear=bool(found))
            one.process_errors = [wrong[one.name]]
    return wrong


def _matching(
    cell: str, choices: Sequence[tuple[str, str]], *, is_by_key: bool
) -> list[tuple[str, str]]:
    # Keys first: a map that is written by hand may name them. The number of a row is no name.
    wanted, named = _plain(cell), [one for one in choices if one[0]]
    ways = (
        [one for one in named if is_by_key and one[0] == cell],
        [one for one in named if _plain(one[1]) == wanted],
        [one for one in named if _plain(one[1].rpartition(_SHOWN_STEP)[2]) == wanted],
    )
    return next((found for found in ways if found), [])


def _truth(cell: str) -> bool | None:
    word = cell.casefold()
    return word in _YES if word in _YES | _NO else None


def _plain(text: str) -> str:
    return _STEP.sub("/", " ".join(text.split())).casefold()


def _none_such(field: Any, cell: str, offered: Sequence[str], *, is_unclear: bool) -> str:
    named = ", ".join(offered[:_MOST_NAMED]) + (", …" if len(offered) > _MOST_NAMED else "")
    is_unit = field.name in _UNITS
    if is_unclear:
        return f"{quoted(cell)} may be more than one of these; write it in full: {named}."
    what = "no unit here" if is_unit else "none of the choices"
    if not offered:
        return f"{quoted(cell)} is {what}: there are none."
    return f"{quoted(cell)} is {what}. {'Units' if is_unit else 'Choices'}: {named}."
