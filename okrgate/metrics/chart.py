"""Where the points of a line chart stand. Pure arithmetic; the template draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

# Across in hundredths of whatever width the page has, down in pixels: so words keep their size on every screen.
WIDTH, HEIGHT = 100, 200
_SIDE, _TOP, _BOTTOM = 1, 24, 46


@dataclass(frozen=True)
class Dot:
    """One value: its place, and what it says."""

    x: str
    y: str
    on: date
    value: Decimal


@dataclass(frozen=True)
class Chart:
    """A line chart: `line` is the points of a polyline, `dots` are in the order of time."""

    line: str
    dots: tuple[Dot, ...]
    lowest: Dot
    highest: Dot

    @property
    def first(self) -> Dot:
        """Return the oldest value."""
        return self.dots[0]

    @property
    def last(self) -> Dot:
        """Return the latest value."""
        return self.dots[-1]


def draw_small(values: Sequence[tuple[date, Decimal]]) -> Chart | None:
    """Return a line for a row of a list, 28 pixels high, without room for words."""
    return draw(values, height=28, top=4, bottom=4)


def draw(
    values: Sequence[tuple[date, Decimal]],
    *,
    height: int = HEIGHT,
    top: int = _TOP,
    bottom: int = _BOTTOM,
) -> Chart | None:
    """Return the chart of these (day, value), in whatever order they come; nothing for none."""
    if not values:
        return None
    ordered = sorted(values)
    days = [on.toordinal() for on, _ in ordered]
    numbers = [float(value) for _, value in ordered]
    dots = tuple(
        Dot(
            _place(day, days, _SIDE, WIDTH - _SIDE),
            _place(number, numbers, height - bottom, top),
            on,
            value,
        )
        for (on, value), day, number in zip(ordered, days, numbers, strict=True)
    )
    return Chart(
        line=" ".join(f"{dot.x},{dot.y}" for dot in dots),
        dots=dots,
        lowest=min(dots, key=lambda dot: dot.value),
        highest=max(dots, key=lambda dot: dot.value),
    )


def _place(number: float, among: Sequence[float], start: int, end: int) -> str:
    """Return where a number stands between two edges; in the middle when all are the same."""
    low, high = min(among), max(among)
    share = (number - low) / (high - low) if high > low else 0.5
    return f"{start + share * (end - start):.2f}"
