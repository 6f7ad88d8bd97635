import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms import Form

from okrgate.metrics.fields import Value, exactly
from okrgate.web.fields import Day, Line, Listed, with_point
from okrgate.web.keys import whole


class Sample(Form):  # type: ignore[misc]
    value = Value("Value", needed="Enter the value.")
    share = Value("Share", least=0, most=100, decimals=0)
    on = Day("Day", needed="Enter the day.")
    line = Line("Line", most=5, needed="Say it.")
    chosen = Listed("Chosen")


GOOD = {"value": "1.50", "on": "2026-12-04", "line": " a  b ", "chosen": "2"}


def filled(**typed: str) -> Sample:
    form = Sample(MultiDict(GOOD | typed))
    form.chosen.choices = [("", "None"), (2, "Two")]
    return form


def test_what_is_good_is_read_exactly() -> None:
    form = filled(share=" 70 ")

    assert form.validate(), form.errors
    assert str(form.value.data) == "1.5"
    assert form.share.data == Decimal(70)
    assert (form.line.data, form.chosen.data) == ("a b", 2)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("value", ""),
        ("value", "   "),
        ("value", "one"),
        ("value", "1,500"),
        ("value", "1,5,5"),
        ("value", "1,500.5"),
        ("value", "2.6 %"),
        ("value", "1_000"),
        ("value", "NaN"),
        ("value", "-Infinity"),
        ("value", "1e3"),
        ("value", "0x10"),
        ("value", "٣"),
        ("value", "9000000000.1"),
        ("value", "0.0000001"),
        ("value", "1" * 1000),
        ("share", "0.5"),
        ("share", "-1"),
        ("share", "101"),
        ("on", ""),
        ("on", "4.12.2026"),
        ("on", "2026-02-30"),
        ("on", "0001-01-01"),
        ("line", " \t "),
        ("line", "abcdef"),
        ("chosen", "3"),
        ("chosen", "x"),
        ("chosen", "9" * 50),
    ],
)
def test_what_is_bad_is_refused_and_shown_again(field: str, typed: str) -> None:
    form = filled(**{field: typed})

    assert not form.validate()
    assert list(form.errors) == [field]


@pytest.mark.parametrize(("typed", "value"), [("3,2", "3.2"), ("-3,25", "-3.25"), ("12,5", "12.5")])
def test_a_lone_comma_is_a_point(typed: str, value: str) -> None:
    form = filled(value=typed)

    assert form.validate(), form.errors
    assert form.value.data == Decimal(value)


def test_a_comma_that_could_be_two_things_is_asked_about() -> None:
    form = filled(value="3,200")

    assert not form.validate()
    assert form.errors["value"] == ["Use a point: 3.2. Leave out what separates thousands."]


@pytest.mark.parametrize("typed", ["2.6 %", "2.6%", "2,6 %", " 2.6\u00a0% "])
def test_the_unit_may_stand_behind_a_number(typed: str) -> None:
    form = filled(value=typed)
    form.value.in_unit("%")

    assert form.validate(), form.errors
    assert form.value.data == Decimal("2.6")


@pytest.mark.parametrize(("typed", "unit"), [("2.6 %", "days"), ("2.6 % %", "%"), ("1e3", "")])
def test_another_unit_is_refused(typed: str, unit: str) -> None:
    form = filled(value=typed)
    form.value.in_unit(unit)

    assert not form.validate()


@given(st.text())
def test_any_text_behind_a_number_is_taken_or_refused(text: str) -> None:
    form = filled(value=f"1 {text}")
    form.value.in_unit(text)

    assert form.validate() or form.errors["value"]


@given(st.text())
def test_no_text_breaks_the_reading_of_numbers(text: str) -> None:
    found = exactly(text)

    assert found is None or found.is_finite()
    assert whole(text) is None or whole(text) == int(text)


@given(st.decimals(-9_000_000_000, 9_000_000_000, places=6))
def test_a_number_keeps_its_value_and_has_one_spelling(number: Decimal) -> None:
    text = f"{number:f}"

    assert exactly(text) == number
    assert str(exactly(text)) == str(exactly(text.rstrip("0")))
    assert str(exactly(f"+{text}" if number >= 0 else text)) == str(exactly(text))


@pytest.mark.parametrize(
    "typed", ["1," * 50_000 + "x", "1," * 50_000, "," * 100_000, "1" * 100_000]
)
def test_a_number_of_any_length_is_read_at_once(typed: str) -> None:
    began = time.process_time()
    assert exactly(with_point(typed)) is None
    assert time.process_time() - began < 5
