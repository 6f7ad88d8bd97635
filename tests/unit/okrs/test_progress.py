from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okrgate.okrs.progress import clamped, elapsed, progress, roll_up, status

numbers = st.decimals(min_value=-1_000_000, max_value=1_000_000, places=3)
APRIL = (date(2026, 4, 1), date(2026, 4, 30))


@pytest.mark.parametrize(("current", "share"), [(80, "0.5"), (70, "0.75"), (50, "1.25")])
def test_bugs_from_100_to_60(current: int, share: str) -> None:
    assert progress(Decimal(100), Decimal(60), Decimal(current)) == Decimal(share)


def test_no_data_is_not_zero() -> None:
    assert progress(Decimal(0), Decimal(10), None) is None
    assert progress(Decimal(0), Decimal(10), Decimal(0)) == 0


def test_a_target_that_is_the_baseline_is_refused() -> None:
    with pytest.raises(ValueError, match="differs"):
        progress(Decimal(5), Decimal(5), Decimal(5))


@given(numbers, numbers, numbers)
def test_progress_is_the_same_seen_from_either_direction(
    baseline: Decimal, target: Decimal, current: Decimal
) -> None:
    if baseline != target:
        assert progress(baseline, target, current) == progress(-baseline, -target, -current)
        assert progress(baseline, target, target) == 1
        assert progress(baseline, target, baseline) == 0


def test_an_objective_is_the_mean_of_its_key_results() -> None:
    found = roll_up([(1, Decimal(1)), (1, Decimal(0)), (1, Decimal(0))])

    assert found is not None
    assert round(found, 2) == Decimal("0.33")


def test_weights_count() -> None:
    parts = [(40, Decimal("0.3")), (20, Decimal("0.3")), (40, Decimal("0.4"))]

    assert roll_up(parts) == Decimal("0.34")


def test_more_than_all_counts_as_all_and_less_than_nothing_as_nothing() -> None:
    assert roll_up([(1, Decimal("1.25")), (1, Decimal("-3"))]) == Decimal("0.5")


def test_without_data_an_objective_has_no_progress() -> None:
    assert roll_up([(1, None)]) is None
    assert roll_up([]) is None
    assert roll_up([(1, None), (1, Decimal("0.5"))]) == Decimal("0.5")


@given(st.lists(st.tuples(st.integers(1, 100), st.none() | numbers)))
def test_an_objective_lies_between_nothing_and_all(parts: list[tuple[int, Decimal | None]]) -> None:
    found = roll_up(parts)

    assert found is None or 0 <= found <= 1


def test_the_middle_of_april_is_a_half() -> None:
    assert elapsed(*APRIL, date(2026, 4, 15)) == Decimal("0.5")
    assert elapsed(*APRIL, date(2026, 3, 1)) == 0
    assert elapsed(*APRIL, date(2026, 6, 1)) == 1


@pytest.mark.parametrize(
    ("share", "expected"),
    [("0.5", "on_track"), ("0.4", "on_track"), ("0.39", "at_risk"), ("0.25", "at_risk"), ("0.24", "off_track")],
)  # fmt: skip
def test_the_gap_to_the_expected_line_decides(share: str, expected: str) -> None:
    today = date(2026, 4, 15)

    assert status(Decimal(share), today, *APRIL, today) == expected


def test_silence_is_never_green() -> None:
    year = (date(2026, 1, 1), date(2026, 12, 31))

    assert status(None, None, *year, date(2026, 4, 15)) == "pending"
    assert status(Decimal(1), date(2026, 1, 1), *year, date(2026, 4, 15)) == "outdated"
    assert status(Decimal(1), date(2026, 12, 20), *year, date(2028, 1, 1)) == "on_track"


@given(numbers)
def test_clamping_twice_is_clamping_once(share: Decimal) -> None:
    assert clamped(clamped(share)) == clamped(share)
