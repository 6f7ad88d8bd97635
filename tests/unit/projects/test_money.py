from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from okrgate.projects import money


@pytest.fixture(autouse=True)
def _company_in_euros() -> Iterator[None]:
    money.set_company_currency("EUR")
    yield
    money.set_company_currency("EUR")


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("0", "0"),
        ("1234.5", "1234.5"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("€ 1 234,50", "1234.50"),
        ("1 234,50 €", "1234.50"),
        ("€1,234,567.89", "1234567.89"),
        ("1.234.567", "1234567"),
        ("1'234'567.05", "1234567.05"),
        ("1\u202f234\u00a0567", "1234567"),
        ("50,000", "50000"),
        ("50000", "50000"),
        ("12,5", "12.5"),
        ("0.500", "0.5"),
        ("EUR 10", "10"),
        ("10 eur", "10"),
        (" 7 ", "7"),
        ("1000000000000", "1000000000000"),
    ],
)
def test_an_amount_is_read_as_it_was_meant(typed: str, amount: str) -> None:
    assert money.read(typed).amount == Decimal(amount)


@pytest.mark.parametrize(
    "typed",
    [
        "much", "-5", "+5", "1e5", "NaN", "inf", "Infinity", "50k", "1_000", "१२", "٣", "½", "1,23,456",
        "1,234,5", "1.234.5", "1,234.567,8", "1,2345,678", "1 2 3", "12 34", "1..5", "1,", ".5", "5.", ",",
        "€ 5 €", "€€5", "5 € 5", "10 %", "x" * 10_000, "9" * 200, "1\n2",
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(money.BadAmount, match=r"^Enter an amount"):
        money.read(typed)


@pytest.mark.parametrize("typed", ["1.234", "50.000", "€ 999.500"])
def test_what_can_be_read_in_two_ways_is_refused_with_both_of_them(typed: str) -> None:
    with pytest.raises(money.BadAmount, match="two ways"):
        money.read(typed)


def test_the_refusal_of_two_ways_offers_texts_that_are_taken() -> None:
    with pytest.raises(money.BadAmount, match=r"Write 50000 or 50\.00 instead") as refused:
        money.read("50.000")

    words = str(refused.value).split("Write ")[1].removesuffix(" instead.").split(" or ")
    assert [money.read(one).amount for one in words] == [50000, 50]


def test_too_large_an_amount_is_refused() -> None:
    with pytest.raises(money.BadAmount, match="to 1,000,000,000,000"):
        money.read("1000000000000.01")


@given(st.text(max_size=100))
@example("1,234.50")
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    sentence = ""
    try:
        found = money.read(text)
    except money.BadAmount as problem:
        sentence = str(problem)

    assert sentence.endswith(".") or 0 <= found.amount <= money.MOST


@given(st.decimals(min_value=0, max_value=10**12, places=2), st.sampled_from([",", " ", "'"]))
def test_what_pages_write_is_read_back(amount: Decimal, separator: str) -> None:
    assert money.read(f"{amount:,.2f}".replace(",", separator)).amount == amount


@given(st.integers(min_value=0, max_value=10**14), st.sampled_from(["EUR", "JPY"]))
def test_minor_units_and_back_is_the_same(minor: int, currency: str) -> None:
    amount = money.to_major(minor, currency)

    assert amount is not None
    assert money.to_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency", "sentence"),
    [
        ("1.005", "EUR", "An amount in EUR has at most 2 decimals."),
        ("1.5", "JPY", "An amount in JPY has no decimals."),
    ],
)
def test_decimals_a_currency_does_not_have_are_refused(
    amount: str, currency: str, sentence: str
) -> None:
    with pytest.raises(money.BadAmount, match=sentence):
        money.to_minor(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("mark", "currency", "fine"),
    [("€", "EUR", True), ("$", "CAD", True), ("USD", "USD", True), ("$", "EUR", False), ("ABC", "EUR", False)],
)  # fmt: skip
def test_the_sign_has_to_fit_the_currency(mark: str, currency: str, fine: bool) -> None:
    if fine:
        money.check_mark(mark, currency)
        return
    with pytest.raises(money.BadAmount, match="This amount is in EUR"):
        money.check_mark(mark, currency)


@pytest.mark.parametrize(
    ("minor", "currency", "rate", "cents"),
    [
        (100_00, "USD", "0.9214", 92_14),
        (1, "USD", "0.5", 1),
        (10_000, "JPY", "0.006134", 61_34),
        (100_000_000_000_000, "USD", "0.9999999999", 99_999_999_990_000),
    ],
)
def test_another_currency_is_converted_exactly_and_rounded_half_up(
    minor: int, currency: str, rate: str, cents: int
) -> None:
    assert money.converted(minor, currency, Decimal(rate)) == cents


def test_only_the_companys_currency_can_be_compared() -> None:
    assert money.in_company_currency(150, "EUR") == Decimal("1.50")
    assert money.in_company_currency(150, "USD") is None
    assert money.in_company_currency(None, "EUR") is None
