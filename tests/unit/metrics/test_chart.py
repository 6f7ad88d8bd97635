from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from okrgate.metrics.chart import HEIGHT, WIDTH, draw

DAY = date(2026, 12, 4)
values = st.lists(
    st.tuples(
        st.dates(date(1900, 1, 1), date(2100, 1, 1)),
        st.decimals(-9_000_000_000, 9_000_000_000, places=6),
    ),
    min_size=1,
    max_size=30,
)


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([]) is None


@given(values)
def test_every_point_stands_inside_the_picture(given_values: list[tuple[date, Decimal]]) -> None:
    chart = draw(given_values)

    assert chart is not None
    assert len(chart.dots) == len(given_values)
    for dot in chart.dots:
        assert 0 <= float(dot.x) <= WIDTH
        assert 0 <= float(dot.y) <= HEIGHT


def test_time_runs_to_the_right_and_more_is_higher() -> None:
    chart = draw([(DAY, Decimal(5)), (DAY - timedelta(days=7), Decimal(3))])

    assert chart is not None
    assert float(chart.first.x) < float(chart.last.x)
    assert float(chart.first.y) > float(chart.last.y)
    assert (chart.lowest.value, chart.highest.value) == (Decimal(3), Decimal(5))
    assert chart.line == f"{chart.first.x},{chart.first.y} {chart.last.x},{chart.last.y}"


def test_one_value_stands_in_the_middle() -> None:
    chart = draw([(DAY, Decimal(5))])

    assert chart is not None
    assert chart.first == chart.last == chart.lowest == chart.highest
