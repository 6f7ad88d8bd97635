"""The map: which column fills which field, how values are spelt, and in which stage a project lands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

_KEYS = {
    "name",
    "process",
    "unit",
    "submitter",
    "file",
    "key",
    "title",
    "empty",
    "dates",
    "money",
    "fields",
    "stage",
}
_FIELD_KEYS = {"column", "as", "value"}
_KINDS = ("text", "choice", "date", "money", "person")
_LONGEST_NAME = 60
_LONGEST_QUOTE = 60
# The one field that says to which unit a project belongs: with it a map needs no unit for all.
UNIT = "people.home.home_unit"
LEAD = "people.parts.lead"
_EXAMPLE = date(2026, 12, 31)
_AMOUNT = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?")
_SWAPPED = str.maketrans(",.", ".,")


class BadMap(ValueError):
    """The map cannot be used; the sentences name the places, all that were found."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


class BadValue(ValueError):
    """A cell does not say what its column should; the sentence is for the row's report."""


@dataclass(frozen=True)
class FieldMap:
    """One field of one page: `target` is section.page.field; the value comes from a column or is fixed.

    A `text` is kept as it stands; a `choice`, `date`, `money` or `person` (an address) is left out where its cell is blank.
    """

    target: tuple[str, str, str]
    column: str | int | None
    kind: str
    value: str


@dataclass(frozen=True)
class StageMap:
    """Where a project lands: by its start and end dates, as ids of the rulebook's stages."""

    start: str | int | None
    end: str | int | None
    future: str
    running: str
    past: str
    none: str


@dataclass(frozen=True)
class Map:
    """A whole map. `unit` and `submitter` say to whom the projects belong; `factor` turns amounts into whole money.

    Where a field fills the unit, `unit` is for the rows that name none, and may be empty.
    """

    name: str
    process: str
    unit: str
    submitter: str
    encoding: str
    delimiter: str
    key: str | int
    title: str | int
    empty: tuple[str, ...]
    dates: tuple[str, ...]
    factor: Decimal
    signs: tuple[str, ...]
    fields: tuple[FieldMap, ...]
    stage: StageMap
    decimal: str = "."

    def blank(self, cell: str) -> bool:
        """Tell whether a cell says that there is no value."""
        return not cell or any(cell.casefold().startswith(start.casefold()) for start in self.empty)

    def read_date(self, cell: str) -> date | None:
        """Read a date; None for a blank cell. Raises BadValue."""
        if self.blank(cell):
            return None
        for spelling in self.dates:
            try:
                return datetime.strptime(cell, spelling).date()  # noqa: DTZ007 a date has no zone
            except ValueError:
                continue
        written = dict.fromkeys(_EXAMPLE.strftime(spelling) for spelling in self.dates)
        raise BadValue(f"{quoted(cell)} is not a date written like {' or '.join(written)}")

    def read_money(self, cell: str) -> Decimal | None:
        """Read an amount and scale it; None for a blank cell. Raises BadValue."""
        if self.blank(cell):
            return None
        text = cell
        for sign in self.signs:
            text = text.replace(sign, "")
        text = text.strip()
        if self.decimal == ",":
            text = text.translate(_SWAPPED)
        # A comma that does not group thousands may be a decimal one: a hundredfold error, so it is refused.
        if not _AMOUNT.fullmatch(text):
            example = "1.234,50" if self.decimal == "," else "1,234.50"
            raise BadValue(f"{quoted(cell)} is not an amount such as {example}")
        return Decimal(text.replace(",", "")) * self.factor


def quoted(cell: str) -> str:
    """Return a cell between quotation marks, short and on one line."""
    text = " ".join(cell.split())
    return f"“{text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + '…'}”"


def load_map(path: Path) -> Map:
    """Read a map. Raises BadMap."""
    try:
        raw = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadMap(f"{path} cannot be read: {problem.strerror}.") from problem
    except (YAMLError, UnicodeDecodeError) as problem:
        raise BadMap(f"{path} is not YAML: {problem}.") from problem
    return map_of(raw)


def map_of(raw: Any) -> Map:
    """Build a map from plain data. Raises BadMap."""
    if not isinstance(raw, Mapping):
        raise BadMap("The map must be a list of keys and values.")
    unknown = set(raw) - _KEYS
    if unknown:
        raise BadMap(f"The map does not know “{', '.join(sorted(map(str, unknown)))}”.")
    if len(_text(raw, "name")) > _LONGEST_NAME:
        raise BadMap(f"The map's name has at most {_LONGEST_NAME} characters.")
    file, money, stage = _part(raw, "file"), _part(raw, "money"), _part(raw, "stage")
    return Map(
        name=_text(raw, "name"),
        process=_text(raw, "process"),
        unit=_text(raw, "unit", default="" if UNIT in _part(raw, "fields") else None),
        submitter=_text(raw, "submitter", default=""),
        encoding=str(file.get("encoding", "utf-8")),
        delimiter=_delimiter(file),
        key=_column(raw, "key"),
        title=_column(raw, "title"),
        empty=tuple(str(one) for one in raw.get("empty", ())),
        dates=tuple(str(one) for one in raw.get("dates", ("%Y-%m-%d",))),
        factor=_factor(money),
        signs=tuple(str(one) for one in money.get("signs", ("£", "€", "$"))),
        fields=tuple(_field(target, said) for target, said in _part(raw, "fields").items()),
        stage=StageMap(
            start=stage.get("start"),
            end=stage.get("end"),
            future=_text(stage, "future", where="stage."),
            running=_text(stage, "running", where="stage."),
            past=_text(stage, "past", where="stage."),
            none=_text(stage, "none", where="stage."),
        ),
        decimal=_decimal(money),
    )


def _decimal(money: Mapping[str, Any]) -> str:
    found = str(money.get("decimal", "."))
    if found not in {".", ","}:
        raise BadMap("money.decimal must be a point or a comma.")
    return found


def _field(target: str, said: Any) -> FieldMap:
    steps = tuple(str(target).split("."))
    if len(steps) != 3:
        raise BadMap(f"“{target}” must be written as section.page.field.")
    if not isinstance(said, Mapping):
        said = {"column": said}
    unknown = set(said) - _FIELD_KEYS
    if unknown:
        raise BadMap(f"fields.{target} does not know “{', '.join(sorted(map(str, unknown)))}”.")
    if ("column" in said) == ("value" in said):
        raise BadMap(f"fields.{target} needs either a column or a value.")
    kind = str(said.get("as", "text"))
    if kind not in _KINDS:
        raise BadMap(f"fields.{target}: “as” must be {', '.join(_KINDS[:-1])} or {_KINDS[-1]}.")
    column = said.get("column")
    if column is not None and not isinstance(column, (str, int)):
        raise BadMap(f"fields.{target}: a column is a name or a number.")
    return FieldMap((steps[0], steps[1], steps[2]), column, kind, str(said.get("value", "")))


def _part(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = raw.get(key, {})
    if not isinstance(found, Mapping):
        raise BadMap(f"“{key}” must be a list of keys and values.")
    return found


def _text(raw: Mapping[str, Any], key: str, *, default: str | None = None, where: str = "") -> str:
    found = raw.get(key, default)
    if not isinstance(found, str) or (default is None and not found):
        raise BadMap(f"The map needs “{where}{key}”.")
    return found


def _column(raw: Mapping[str, Any], key: str) -> str | int:
    found = raw.get(key)
    if not isinstance(found, (str, int)) or isinstance(found, bool):
        raise BadMap(f"The map needs “{key}”: a column's name or number.")
    return found


def _delimiter(file: Mapping[str, Any]) -> str:
    found = str(file.get("delimiter", ","))
    if len(found) != 1:
        raise BadMap("file.delimiter must be one character.")
    return found


def _factor(money: Mapping[str, Any]) -> Decimal:
    try:
        factor = Decimal(str(money.get("factor", 1)))
    except InvalidOperation:
        raise BadMap("money.factor must be a number.") from None
    if not factor.is_finite() or factor <= 0:
        raise BadMap("money.factor must be above 0.")
    return factor
