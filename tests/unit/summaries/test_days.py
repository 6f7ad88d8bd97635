from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from okrgate.summaries.days import before_and_in

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Stay:
    stage: str
    entered_at: datetime
    left_at: datetime | None


def stays(*lengths: tuple[str, float | None]) -> list[Stay]:
    found, moment = [], START
    for stage, days in lengths:
        left = moment + timedelta(days=days) if days is not None else None
        found.append(Stay(stage, moment, left))
        moment = left or moment
    return found


def test_days_before_the_work_and_in_it() -> None:
    path = stays(("idea", 3), ("plan", 7), ("build", 20), ("learn", None))

    found = before_and_in(path, {"build"}, START + timedelta(days=50))

    assert found == (Decimal("10.0"), Decimal("20.0"))


def test_time_on_hold_is_neither() -> None:
    path = stays(("plan", 1), ("build", 2.5), ("hold", 30), ("build", 4), ("learn", None))

    found = before_and_in(path, {"build"}, START + timedelta(days=50))

    assert found == (Decimal("1.0"), Decimal("6.5"))


def test_work_that_goes_on_counts_until_now() -> None:
    path = stays(("plan", 1), ("build", None))

    found = before_and_in(path, {"build"}, START + timedelta(days=3))

    assert found == (Decimal("1.0"), Decimal("2.0"))


def test_work_that_never_began_has_no_days() -> None:
    assert before_and_in(stays(("plan", None)), {"build"}, START) is None
    assert before_and_in([], {"build"}, START) is None
