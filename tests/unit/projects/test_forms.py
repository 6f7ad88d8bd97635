from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms import FieldList, SelectChoice, SelectField

from okrgate import clock
from okrgate.projects import commitment_forms, raci_forms, review_forms, scope_forms, ticket_forms
from okrgate.projects.sections import SectionForm
from okrgate.web.fields import is_web_address

NOON = datetime(2026, 12, 4, 12, tzinfo=UTC)
FORMS = sorted(
    {
        form
        for module in (ticket_forms, commitment_forms, review_forms, raci_forms, scope_forms)
        for form in vars(module).values()
        if isinstance(form, type) and issubclass(form, SectionForm) and form is not SectionForm
    },
    key=lambda form: form.__name__,
)


@pytest.fixture(autouse=True)
def _request() -> Iterator[None]:
    app = Flask("forms")
    app.config.update(SECRET_KEY="x" * 32, WTF_CSRF_ENABLED=False)
    with app.test_request_context(), clock.moved_to(NOON):
        yield


def filled(form: type[Any], typed: dict[str, str]) -> Any:
    """Fill a form as a POST does; whatever is chosen from a list has the ids 1 and 2."""
    made = form(formdata=MultiDict(typed.items()))
    for field in _all_fields(made):
        if isinstance(field, SelectField) and field.short_name == "currency":
            field.choices = [SelectChoice("EUR", "EUR"), SelectChoice("USD", "USD")]
        elif isinstance(field, SelectField) and len(field.choices) == 1:
            field.choices = [
                SelectChoice("", "Nothing"),
                SelectChoice("1", "One"),
                SelectChoice("2", "Two"),
            ]
    return made


def _all_fields(form: Any) -> Iterator[Any]:
    for field in form:
        if isinstance(field, FieldList):
            for entry in field:
                yield from entry.form
        else:
            yield field


def errors_of(form: Any) -> list[str]:
    """Return every sentence of a form, however deep."""

    def flat(errors: Any) -> Iterator[str]:
        for error in errors.values() if isinstance(errors, dict) else errors:
            if isinstance(error, str):
                yield error
            else:
                yield from flat(error)

    return list(flat(form.errors))


DAYS = "Enter a number of days from 0 to 1,000,000, for example 12.5."
REACH = "Enter a whole number from 0 to 10,000,000,000."
RATE = "Enter a rate above 0 and up to 1,000,000, for example 0.9214."


@pytest.mark.parametrize(
    ("form", "typed", "error"),
    [
        ("ProblemForm", {"title": "  "}, "Enter a title."),
        ("ProblemForm", {"title": "x" * 201}, "Use at most 200 characters."),
        ("ProblemForm", {"title": "A", "problem": "x" * 10_001}, "Use at most 10,000 characters."),
        ("ValueForm", {"users_amount": "a lot"}, "Enter an amount of money such as 1,234.50."),
        ("ValueForm", {"users_amount": "$ 5"}, "This amount is in EUR. Enter it without $."),
        ("ValueForm", {"users_amount": "5.555"}, "5.555 can be read in two ways. Write 5555 or 5.55 instead."),
        ("ValueForm", {"users_amount": "5.5555"}, "An amount in EUR has at most 2 decimals."),
        ("ReachForm", {"reach": "many"}, REACH),
        ("ReachForm", {"reach": "-1"}, REACH),
        ("ReachForm", {"reach": "1.5"}, REACH),
        ("ReachForm", {"reach": "9" * 5000}, REACH),
        ("ReachForm", {"reach": "१२"}, REACH),
        ("ReachForm", {"first_value_by": "soon"}, "Enter a date, for example 2026-12-04."),
        ("ReachForm", {"first_value_by": "0001-01-01"}, "Enter a date between 1970 and 2100."),
        ("DiscoveryForm", {"entries-0-who": "Customers"}, "Say what you found."),
        (
            "DiscoveryForm",
            {"entries-0-finding": "Slow", "entries-0-on": "2026-12-05"},
            "Enter the day it took place; this one is still to come.",
        ),
        (
            "DiscoveryForm",
            {"entries-0-finding": "Slow", "entries-0-link": "javascript:alert(1)"},
            "Enter an address that starts with https://.",
        ),
        ("DiscoveryForm", {"entries-0-finding": "x", "entries-0-kind": "magic"}, "Choose one of the answers."),
        (
            "KeyResultsForm",
            {"links-0-contribution": "Half"},
            "Choose the key result that this contributes to.",
        ),
        (
            "KeyResultsForm",
            {"links-0-key_result": "1", "links-1-key_result": "1"},
            "A key result is in the list twice. Keep one of them.",
        ),
        ("KeyResultsForm", {"links-0-key_result": "3"}, "Choose from the list."),
        ("KeyResultsForm", {"links-0-key_result": "one"}, "Choose from the list."),
        ("TeamsForm", {"teams-0-effort_days": "5"}, "Choose the team that this is about."),
        ("TeamsForm", {"teams-0-unit": "1", "teams-0-effort_days": "NaN"}, DAYS),
        ("TeamsForm", {"teams-0-unit": "1", "teams-0-effort_days": "1e400"}, DAYS),
        ("TeamsForm", {"teams-0-unit": "1", "teams-0-effort_days": "-1"}, DAYS),
        ("TeamsForm", {"teams-0-unit": "1", "teams-0-effort_days": "1.005"}, "Use at most 2 decimals."),
        ("TeamsForm", {"teams-0-unit": "1", "teams-0-confirmed": "perhaps"}, "Choose one of the answers."),
        ("FitForm", {"team_fit": "maybe"}, "Choose one of the answers."),
        (
            "CapacityForm",
            {"fits": "quarter", "later_start": "2027-01-01"},
            "Take the date away, or answer “Later” above.",
        ),
        ("BacklogForm", {"rank": "2"}, "Choose the backlog in which it has this rank."),
        ("BacklogForm", {"unit": "1", "rank": "0"}, "Enter a whole number from 1 to 100,000."),
        ("RaciForm", {"parts-0-person": "1"}, "Choose what part this person has."),
        ("RaciForm", {"parts-0-letter": "A"}, "Choose the person."),
        ("EffortForm", {"effort_days": "twelve"}, DAYS),
        ("EffortForm", {"size": "XXL"}, "Choose one of the answers."),
        ("TimeForm", {"start": "2027-02-01", "end": "2027-01-31"}, "It cannot end before it starts."),
        ("WhoForm", {"people": "a few"}, "Enter a whole number from 0 to 100,000."),
        ("MoneyForm", {"budget": "5", "currency": "XXX"}, "Choose a currency from the list."),
        ("MoneyForm", {"budget": "5", "currency": "USD", "rate": "0"}, RATE),
        ("MoneyForm", {"budget": "€5", "currency": "USD"}, "This amount is in USD. Enter it without €."),
        ("MoneyForm", {"budget": "5", "currency": "USD", "rate": "0.9"}, "Say of which day this rate is."),
        (
            "MoneyForm",
            {"budget": "5", "currency": "USD", "rate_on": "2026-12-01"},
            "Enter the rate of that day.",
        ),
        (
            "MoneyForm",
            {"budget": "5", "currency": "USD", "rate": "0.9", "rate_on": "2026-12-05"},
            "Enter a rate of today or before.",
        ),
        (
            "MoneyForm",
            {"budget": "1000000000000", "currency": "USD", "rate": "1.1", "rate_on": "2026-12-01"},
            "Check the rate: the budget becomes too large with it.",
        ),
        ("DependenciesForm", {"dependencies-0-accepted": "no"}, "Say what is needed."),
        ("DocumentsForm", {"documents-0-name": "Plan"}, "Enter the document's address."),
        ("DocumentsForm", {"documents-0-url": "https://a.example"}, "Give the document a name."),
        (
            "DocumentsForm",
            {"documents-0-name": "Plan", "documents-0-url": "http://a.example"},
            "Enter an address that starts with https://.",
        ),
        (
            "CoEditorsForm",
            {"co_editors-0-person": "1", "co_editors-1-person": "1"},
            "A person is in the list twice. Keep one of them.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_refused_with_one_sentence(
    form: str, typed: dict[str, str], error: str
) -> None:
    found = filled(next(one for one in FORMS if one.__name__ == form), typed)

    assert not found.validate()
    assert errors_of(found) == [error]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_an_empty_form_is_taken_but_for_the_title(form: type[Any]) -> None:
    found = filled(form, {"title": "Renewals"})

    assert found.validate(), found.errors


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
@given(data=st.data())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_is_typed_a_form_answers_with_yes_or_sentences(
    form: type[Any], data: st.DataObject
) -> None:
    names = [name for name, _ in filled(form, {})._fields.items()]
    for name in list(names):
        field = filled(form, {})[name]
        if isinstance(field, FieldList):
            row = field.append_entry()
            names += [f"{name}-0-{one.short_name}" for one in row.form]
    odd = st.sampled_from(
        ["", " ", "1", "yes", "A", "1e999", "NaN", "-0", "2026-13-01", "9" * 400, "\x00"]
    )
    typed = {name: data.draw(st.one_of(odd, st.text(max_size=30)), label=name) for name in names}

    found = filled(form, typed)
    fine = found.validate()

    assert fine == (not found.errors)
    assert all(isinstance(error, str) and error.endswith(".") for error in errors_of(found))


def test_what_was_typed_stays_in_the_field_when_it_is_refused() -> None:
    found = filled(scope_forms.EffortForm, {"effort_days": "twelve or so"})
    found.validate()

    assert 'value="twelve or so"' in str(found.effort_days())


def test_days_and_money_keep_their_decimals_exactly() -> None:
    effort = filled(scope_forms.EffortForm, {"effort_days": "12.10"})
    budget = filled(scope_forms.MoneyForm, {"budget": "1 234,50", "currency": "USD"})

    assert effort.validate()
    assert budget.validate(), budget.errors
    assert effort.effort_days.data == Decimal("12.10")
    assert budget.budget.data == Decimal("1234.50")


def test_an_answer_can_be_taken_back() -> None:
    found = filled(review_forms.FitForm, {"team_fit": "", "technical": "yes", "operational": "no"})

    assert found.validate()
    assert (found.team_fit.data, found.technical.data, found.operational.data) == (
        None,
        True,
        False,
    )


def test_a_person_may_be_accountable_and_responsible_but_not_twice_the_same() -> None:
    one = {"parts-0-activity": "Design", "parts-0-person": "1", "parts-0-letter": "A"}
    other = {"parts-1-activity": "design", "parts-1-person": "1"}

    assert filled(raci_forms.RaciForm, one | other | {"parts-1-letter": "R"}).validate()
    assert not filled(raci_forms.RaciForm, one | other | {"parts-1-letter": "A"}).validate()


def test_a_row_more_than_a_page_can_show_is_refused() -> None:
    typed = {f"documents-{number}-name": "" for number in range(5000)}
    found = filled(scope_forms.DocumentsForm, typed)

    assert not found.validate()
    assert errors_of(found) == ["Use at most 100 rows."]


@pytest.mark.parametrize(
    ("address", "fine"),
    [
        ("https://docs.example.com/a?b=1#c", True),
        ("http://docs.example.com", False),
        ("https://", False),
        ("https://user:secret@example.com", False),
        ("https://exa mple.com", False),
        ("https://[::1", False),
        ("javascript:alert(1)", False),
        ("//example.com", False),
        ("https:\\\\example.com", False),
    ],
)
def test_only_a_plain_https_address_is_a_web_address(address: str, fine: bool) -> None:
    assert is_web_address(address) is fine
