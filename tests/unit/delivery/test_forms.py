from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import SelectChoice

from okrgate import clock
from okrgate.delivery import forms

TODAY = datetime(2026, 12, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _request() -> Iterator[None]:
    app = Flask("forms")
    app.config.update(SECRET_KEY="x" * 32, WTF_CSRF_ENABLED=False)
    with app.test_request_context(), clock.moved_to(TODAY):
        yield


def filled(form: type[Any], **typed: str) -> Any:
    return form(formdata=MultiDict(typed.items()))


def people(*fields: Any) -> None:
    for field in fields:
        field.choices = [
            SelectChoice("", "Nobody yet"),
            SelectChoice("1", "Ann"),
            SelectChoice("2", "Ben"),
        ]


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"starts": "tomorrow"}, "Enter a date and a time, for example 2026-12-04 14:00."),
        ({"starts": "0001-01-01T00:00"}, "Enter a date between 1970 and 2100."),
        ({"minutes": "1e9"}, "Enter a whole number from 5 to 1,440."),
        ({"minutes": "2"}, "Enter a whole number from 5 to 1,440."),
        ({"place": "x" * 501}, "Use at most 500 characters."),
        ({"timeline": "x" * 10_001}, "Use at most 10,000 characters."),
    ],
)
def test_a_session_is_refused_with_a_sentence(typed: dict[str, str], error: str) -> None:
    form = filled(forms.SessionForm, **typed)

    assert not form.validate()
    assert list(form.errors.values()) == [[error]]


def test_an_invitation_that_is_out_keeps_its_date() -> None:
    form = filled(forms.SessionForm, place="Room 4", minutes="60")
    form.invited = True

    assert form.validate() is False
    assert form.starts.errors == [
        "The invitation is out. Enter the new date and time instead of taking it away."
    ]


def test_a_session_to_come_was_not_held() -> None:
    form = filled(forms.HeldForm, held_on="2026-12-05")

    assert not form.validate()
    assert form.held_on.errors == ["Enter the day it took place; this one is still to come."]


def test_a_text_is_kept_in_one_spelling() -> None:
    form = filled(forms.SessionForm, place=" Cafe\u0301\x00 ")

    assert form.validate()
    assert form.place.data == "Caf\u00e9"


@pytest.mark.parametrize(
    "typed",
    ["nan", "inf", "-1", "1000001", "1e400", "0.001", "sNaN", "many", "1e-400000"],
)
def test_effort_must_be_a_sensible_number(typed: str) -> None:
    form = filled(forms.ResultForm, actual_effort_days=typed)

    assert not form.validate()
    assert form.actual_effort_days.errors


def test_effort_is_exact() -> None:
    form = filled(forms.ResultForm, actual_effort_days="12.5", finished="yes")

    assert form.validate()
    assert form.actual_effort_days.data == Decimal("12.5")


def test_finished_may_be_left_open() -> None:
    form = filled(forms.ResultForm)

    assert form.validate()
    assert form.finished.data is None


def test_an_answer_that_is_not_offered_is_refused() -> None:
    form = filled(forms.ResultForm, finished="perhaps")

    assert not form.validate()
    assert form.finished.errors == ["Choose one of the answers."]


def test_a_task_with_an_owner_has_a_name() -> None:
    form = filled(forms.TasksForm, **{"tasks-0-owner": "1", "tasks-0-id": ""})
    people(form.tasks[0].form.owner)

    assert not form.validate()
    assert form.tasks[0].form.name.errors == ["Say what the task is."]


@pytest.mark.parametrize("owner", ["3", "abc", "999999999999999999999999"])
def test_an_owner_is_somebody_on_the_list(owner: str) -> None:
    form = filled(forms.TasksForm, **{"tasks-0-owner": owner, "tasks-0-name": "Test it"})
    people(form.tasks[0].form.owner)

    assert not form.validate()
    assert form.tasks[0].form.owner.errors == ["Choose a person from the list."]


def test_a_sprint_ends_after_it_starts() -> None:
    form = filled(
        forms.SprintsForm,
        **{
            "sprints-0-name": "One",
            "sprints-0-start": "2026-12-10",
            "sprints-0-end": "2026-12-09",
        },
    )

    assert not form.validate()
    assert form.sprints[0].form.end.errors == ["A sprint cannot end before it starts."]


def test_there_is_an_end_to_a_list() -> None:
    form = filled(forms.SprintsForm, **{f"sprints-{row}-name": "One" for row in range(101)})

    assert not form.validate()
    assert "Use at most 100 rows." in form.sprints.errors


def test_an_empty_update_is_fine() -> None:
    assert filled(forms.UpdateForm).validate()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"status": "on_track"}, "focus"),
        ({"focus": "yes"}, "status"),
        ({"note": "All well"}, "status"),
        ({"status": "at_risk", "focus": "doubtful"}, "why"),
        ({"status": "at_risk", "focus": "no"}, "why"),
        ({"status": "great", "focus": "yes"}, "status"),
    ],
)
def test_an_update_is_whole(typed: dict[str, str], field: str) -> None:
    form = filled(forms.UpdateForm, **typed)

    assert not form.validate()
    assert field in form.errors


def test_focus_on_value_needs_no_reason() -> None:
    assert filled(forms.UpdateForm, status="on_track", focus="yes").validate()


def test_an_attendee_is_one_of_us_or_from_outside() -> None:
    form = filled(forms.HeldForm, **{"attendees-0-person": "1", "attendees-0-name": "Guest"})
    people(form.attendees[0].form.person)

    assert not form.validate()
    assert form.attendees[0].form.name.errors == [
        "Choose a person or enter a name from outside, not both."
    ]


def test_the_lead_is_not_asked_how_it_went() -> None:
    form = filled(forms.StakeholdersForm, **{"stakeholders-0-person": "1"})
    people(form.stakeholders[0].form.person)
    form.lead_id = 1

    assert not form.validate()
    assert form.stakeholders.errors == [
        "The lead runs the project and is not asked. Choose somebody else."
    ]


def test_who_has_answered_stays_on_the_list() -> None:
    form = filled(forms.StakeholdersForm, **{"stakeholders-0-person": "1"})
    people(form.stakeholders[0].form.person)
    form.answered = {2: "Ben"}

    assert not form.validate()
    assert form.stakeholders.errors == ["Ben has answered already and stays on the list."]


def test_a_statement_needs_a_rating() -> None:
    form = filled(forms.StatementForm, went_well="All of it")

    assert not form.validate()
    assert form.rating.errors == ["Choose from 1 to 5."]


@pytest.mark.parametrize("rating", ["0", "6", "five", "1.5"])
def test_a_rating_is_from_1_to_5(rating: str) -> None:
    assert not filled(forms.StatementForm, rating=rating).validate()
