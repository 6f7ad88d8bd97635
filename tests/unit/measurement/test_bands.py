from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from okrgate.measurement.bands import (
    BANDS,
    NEGATIVE,
    NONE,
    PARTIAL,
    SUCCESS,
    classify,
    in_order,
    measured,
)

numbers = st.decimals(-1_000_000, 1_000_000, places=6)
directions = st.sampled_from(["up", "down"])
LEAST = Decimal("0.000001")


@pytest.mark.parametrize(
    ("value", "band"),
    [
        ("2.99", SUCCESS),
        ("3.0", SUCCESS),
        ("3.000001", PARTIAL),
        ("3.1", PARTIAL),
        ("4.0", PARTIAL),
        ("4.01", NONE),
        ("5.99", NONE),
        ("6.0", NEGATIVE),
        ("60", NEGATIVE),
    ],
)
def test_churn_where_lower_is_better(value: str, band: str) -> None:
    assert classify(Decimal(value), Decimal(3), Decimal(4), Decimal(6), "down") == band


@pytest.mark.parametrize(
    ("value", "band"),
    [("600", SUCCESS), ("599.999999", PARTIAL), ("500", PARTIAL), ("499.999999", NONE), ("400.000001", NONE), ("400", NEGATIVE)],
)  # fmt: skip
def test_signups_where_higher_is_better(value: str, band: str) -> None:
    assert classify(Decimal(value), Decimal(600), Decimal(500), Decimal(400), "up") == band


def _ordered(points: list[Decimal], direction: str) -> tuple[Decimal, Decimal, Decimal]:
    success, partial, negative = sorted(points, reverse=direction == "up")
    return success, partial, negative


@given(st.lists(numbers, min_size=3, max_size=3, unique=True), numbers, directions)
def test_every_number_falls_into_exactly_one_band(
    points: list[Decimal], value: Decimal, direction: str
) -> None:
    success, partial, negative = _ordered(points, direction)
    sign = 1 if direction == "up" else -1
    u, s, p, n = (sign * one for one in (value, success, partial, negative))

    fits = {
        SUCCESS: u >= s,
        PARTIAL: p <= u < s,
        NONE: n < u < p,
        NEGATIVE: u <= n,
    }

    assert sum(fits.values()) == 1
    assert fits[classify(value, success, partial, negative, direction)]


@given(st.lists(numbers, min_size=3, max_size=3, unique=True), directions)
def test_the_edges_belong_to_the_bands_that_they_open(
    points: list[Decimal], direction: str
) -> None:
    success, partial, negative = _ordered(points, direction)
    cuts = (success, partial, negative, direction)
    step = LEAST if direction == "up" else -LEAST

    assert classify(success, *cuts) == SUCCESS
    assert classify(partial, *cuts) == PARTIAL
    assert classify(negative, *cuts) == NEGATIVE
    assert classify(success - step, *cuts) == PARTIAL
    assume(abs(partial - negative) > LEAST)
    assert classify(partial - step, *cuts) == NONE
    assert classify(negative + step, *cuts) == NONE


@given(st.lists(numbers, min_size=3, max_size=3, unique=True), numbers)
def test_both_directions_are_mirror_images(points: list[Decimal], value: Decimal) -> None:
    success, partial, negative = _ordered(points, "up")

    assert classify(value, success, partial, negative, "up") == classify(
        -value, -success, -partial, -negative, "down"
    )


@given(numbers, numbers, numbers, directions)
def test_cut_points_out_of_order_are_refused(
    success: Decimal, partial: Decimal, negative: Decimal, direction: str
) -> None:
    assume(not in_order(success, partial, negative, direction))

    with pytest.raises(ValueError, match="not in order"):
        classify(Decimal(0), success, partial, negative, direction)


@given(numbers, numbers)
def test_equal_cut_points_are_out_of_order(one: Decimal, other: Decimal) -> None:
    for direction in ("up", "down"):
        assert not in_order(one, one, other, direction)
        assert not in_order(one, other, other, direction)


def test_what_is_compared() -> None:
    value, baseline = Decimal(4), Decimal(5)

    assert measured(value, None, "absolute") == 4
    assert measured(value, baseline, "change") == -1
    assert measured(value, baseline, "percent") == -20
    assert measured(value, Decimal(-5), "percent") == 180
    assert measured(value, None, "change") is None
    assert measured(value, None, "percent") is None
    assert measured(value, Decimal(0), "percent") is None


def test_every_band_has_its_words() -> None:
    assert list(BANDS) == [SUCCESS, PARTIAL, NONE, NEGATIVE]
