"""Every page: what is typed is stored, shown again, told to the gates and read by people."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.database import canonical_json, db, transaction
from okrgate.gates.vocabulary import APPLICATION_COLLECTIONS, APPLICATION_FACTS
from okrgate.gates.vocabulary import SECTIONS as SECTION_IDS
from okrgate.projects import money
from okrgate.projects.all_sections import SECTIONS
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Scope
from okrgate.projects.sections import Gathered, Page
from okrgate.stages.facts import plain
from tests.factories import Factory
from tests.integration.delivery.saving import save, shown, told
from tests.integration.projects.conftest import NewProject

_BY_KEY = {section.key: section for section in SECTIONS}


def page(path: str) -> Page:
    section, _, key = path.partition(".")
    found = _BY_KEY[section].page(key)
    assert found is not None
    return found


def gathered(section: str, project: Project) -> Gathered:
    return _BY_KEY[section].gather(project, clock.today())


def read(section: str, project: Project) -> dict[str, str]:
    return {one.field: one.text for one in _BY_KEY[section].answers(project)}


@pytest.fixture
def acme(factory: Factory) -> int:
    return factory.unit("Acme").id


# page, what is typed, facts (name → value), what people read (field → text)
PAGES: list[tuple[str, dict[str, str], dict[str, Any], dict[str, str]]] = [
    (
        "problem.problem",
        {"title": "One step", "problem": "Four steps.", "affected": "Members", "since": "May"},
        {"project.title_length": 8, "problem.length": 11},
        {"title": "One step", "problem": "Four steps.", "affected": "Members", "since": "May"},
    ),
    (
        "value.value",
        {"users": "Faster", "users_amount": "1,234.50", "platform": "Less code"},
        {
            "value.user_length": 6,
            "value.customer_length": 0,
            "value.business_length": 0,
            "value.platform_length": 9,
        },
        {"users": "Faster", "users_amount": "€\u202f1,234.50", "platform_amount": ""},
    ),
    (
        "value.discovery",
        {
            "entries-0-kind": "interview",
            "entries-0-who": "Five members",
            "entries-0-on": "2026-11-02",
            "entries-0-finding": "They give up.",
            "entries-0-link": "https://notes.example.com/5",
            "entries-1-who": "",
        },
        {"value.discovery_entries": 1},
        {
            "entries": "Interview, Five members, 2 Nov 2026: They give up. (https://notes.example.com/5)"
        },
    ),
    (
        "value.reach",
        {"amount": "€ 250 000", "reach": "1200", "first_value_by": "2027-03-01"},
        {
            "value.amount": Decimal(250000),
            "value.reach": 1200,
            "value.first_value_by": date(2027, 3, 1),
        },
        {"amount": "€\u202f250,000.00", "reach": "1,200 people", "first_value_by": "1 Mar 2027"},
    ),
    (
        "solution.solution",
        {"solution": "Do it in one step.", "alternatives": "Leave it"},
        {"solution.length": 18},
        {"solution": "Do it in one step.", "alternatives": "Leave it"},
    ),
    (
        "review.fit",
        {
            "team_fit": "yes",
            "technical": "yes",
            "operational": "no",
            "feasibility": "Support is full",
        },
        {"review.team_fit": True, "review.feasible": False},
        {
            "team_fit": "Yes",
            "technical": "Yes",
            "operational": "No",
            "feasibility": "Support is full",
        },
    ),
    (
        "review.capacity",
        {"fits": "later", "later_start": "2027-04-01"},
        {"review.fits": "later", "review.later_start": date(2027, 4, 1)},
        {"fits": "Later", "later_start": "1 Apr 2027", "yields": ""},
    ),
    (
        "review.priority",
        {"priority": "wont", "note": "Not now"},
        {"project.priority": "wont"},
        {"priority": "Won't do", "note": "Not now"},
    ),
    (
        "scope.effort",
        {"effort_days": "12.5", "size": "M", "includes": "The form", "excludes": "Mail"},
        {"scope.effort_days": Decimal("12.5")},
        {"effort_days": "12.5 days", "size": "M", "includes": "The form", "excludes": "Mail"},
    ),
    (
        "scope.time",
        {"start": "2027-01-04", "end": "2027-03-31"},
        {"scope.start": date(2027, 1, 4), "scope.end": date(2027, 3, 31)},
        {"start": "4 Jan 2027", "end": "31 Mar 2027"},
    ),
    (
        "scope.people",
        {"people": "4", "skills": "Two who know the old form"},
        {"scope.people": 4},
        {"people": "4", "skills": "Two who know the old form"},
    ),
    (
        "scope.money",
        {"budget": "30.000,01", "other": "A room"},
        {"scope.budget": Decimal("30000.01")},
        {"budget": "€\u202f30,000.01", "other": "A room"},
    ),
    (
        "files.documents",
        {"documents-0-name": "Sketch", "documents-0-url": "https://files.example.com/1"},
        {"files.count": 1},
        {"documents": "Sketch: https://files.example.com/1"},
    ),
]


def test_what_is_typed_is_stored_shown_told_and_read(
    app: Flask, project: Project, ann: Person
) -> None:
    for path, typed, facts, texts in PAGES:
        save(app, page(path), project, by=ann.id, **typed)

        section = path.partition(".")[0]
        values = gathered(section, project).values
        assert {name: values.get(name) for name in facts} == facts, path
        assert {name: read(section, project)[name] for name in texts} == texts, path
        _assert_shown_again(app, path, project)


def _assert_shown_again(app: Flask, path: str, project: Project) -> None:
    """What a form shows can be saved as it is and changes nothing."""
    section = path.partition(".")[0]
    before = (_BY_KEY[section].answers(project), gathered(section, project))
    form = shown(app, page(path), project)
    again = {name: value for field in form for name, value in _typed_in(field)}
    save(app, page(path), project, by=project.submitter_id, **again)

    assert (_BY_KEY[section].answers(project), gathered(section, project)) == before


def _typed_in(field: Any) -> list[tuple[str, str]]:
    """Return what a browser would send for a field as it is shown."""
    if field.type == "FieldList":
        return [pair for entry in field for inner in entry.form for pair in _typed_in(inner)]
    if hasattr(field, "iter_choices"):
        return [(field.name, str(one.value)) for one in field.iter_choices() if one.selected]
    if field.type == "BooleanField":
        return [(field.name, "y")] if field.data else []
    return [] if field.name == "csrf_token" else [(field.name, field._value())]


def test_every_section_of_the_plan_is_one_that_rulebooks_know() -> None:
    assert {section.key for section in SECTIONS} <= set(SECTION_IDS)
    assert len(_BY_KEY) == len(SECTIONS) == 12


def test_an_empty_project_tells_only_what_the_vocabulary_knows(project: Project) -> None:
    known = {*APPLICATION_FACTS, *APPLICATION_COLLECTIONS}
    for section in SECTIONS:
        told_now = section.gather(project, clock.today())

        assert set(told_now.values) <= set(APPLICATION_FACTS), section.key
        assert set(told_now.collections) <= set(APPLICATION_COLLECTIONS), section.key
        assert set(told_now.content) <= known, section.key
        assert canonical_json(plain(told_now.content))


def test_every_answer_has_its_own_field_of_its_page(app: Flask, project: Project) -> None:
    for section in SECTIONS:
        found = section.answers(project)
        fields = [(one.page, one.field) for one in found]

        assert len(fields) == len(set(fields))
        assert {one.page for one in found} == {one.key for one in section.pages}
        with app.test_request_context():
            for one in found:
                shown_page = section.page(one.page)
                assert shown_page is not None
                assert one.field in shown_page.form(formdata=None)


def test_gathering_a_section_takes_few_queries_and_writes_nothing(project: Project) -> None:
    project_id = project.id
    for section in SECTIONS:
        db.session().rollback()
        loaded = db.session().get(Project, project_id)
        assert loaded is not None
        statements: list[str] = []

        def note(*call: Any, into: list[str] = statements) -> None:
            into.append(call[2])

        event.listen(db.engine, "before_cursor_execute", note)
        section.gather(loaded, clock.today())
        event.remove(db.engine, "before_cursor_execute", note)

        assert len(statements) <= 2, section.key
        assert all(statement.startswith("SELECT") for statement in statements)


def test_money_is_private(project: Project) -> None:
    private = {
        (section.key, one.field)
        for section in SECTIONS
        for one in section.answers(project)
        if one.private
    }

    kinds = ("users", "customers", "business", "platform")
    assert private == {
        ("scope", "budget"),
        ("value", "amount"),
        *(("value", f"{kind}_amount") for kind in kinds),
    }


FEASIBLE = [
    ("yes", "yes", True),
    ("yes", "no", False),
    ("no", "", False),
    ("yes", "", None),
    ("", "", None),
]


def test_feasible_is_what_is_technically_and_operationally_so(
    app: Flask, project: Project, ann: Person
) -> None:
    for technical, operational, feasible in FEASIBLE:
        typed = {"technical": technical, "operational": operational}
        save(app, page("review.fit"), project, by=ann.id, **typed)

        assert gathered("review", project).values.get("review.feasible") is feasible, typed


def test_another_project_can_yield_and_is_named(
    app: Flask, project: Project, new_project: NewProject, ann: Person
) -> None:
    other = new_project("Old portal")
    secret = new_project("Take-over", confidential=True)
    draft = new_project("Half an idea", draft=True)
    offered = {one.value for one in shown(app, page("review.capacity"), project).yields.choices}

    save(app, page("review.capacity"), project, by=ann.id, yields=str(other.id))

    assert offered == {"", str(other.id)}
    assert not {str(secret.id), str(draft.id), str(project.id)} & offered
    told_now = gathered("review", project)
    assert told_now.values["review.yields"] == f"{other.reference} Old portal"
    assert told_now.content["review.yields"] == other.id


def test_a_project_that_became_confidential_is_named_by_its_reference_only(
    app: Flask, project: Project, new_project: NewProject, ann: Person
) -> None:
    other = new_project("Take-over")
    save(app, page("review.capacity"), project, by=ann.id, yields=str(other.id))
    with transaction() as session:
        loaded = session.get(Project, other.id)
        assert loaded is not None
        loaded.confidential = True

    assert read("review", project)["yields"] == other.reference
    assert gathered("review", project).values["review.yields"] == other.reference
    _assert_shown_again(app, "review.capacity", project)


def test_another_currency_needs_a_dated_rate_to_be_compared(
    app: Flask, project: Project, ann: Person
) -> None:
    save(app, page("scope.money"), project, by=ann.id, budget="$ 100.00", currency="USD")
    without = gathered("scope", project)
    rate = {"rate": "0.9214", "rate_on": "2026-12-01"}
    save(app, page("scope.money"), project, by=ann.id, budget="100", currency="USD", **rate)
    with_rate = gathered("scope", project)

    assert "scope.budget" not in without.values
    assert with_rate.values["scope.budget"] == Decimal("92.14")
    assert without.content["scope.budget"] != with_rate.content["scope.budget"]
    shown_budget = "$\u202f100.00 = €\u202f92.14 at 0.9214 of 1 Dec 2026"
    assert read("scope", project)["budget"] == shown_budget
    stored = db.session().get(Scope, project.id)
    assert stored is not None
    assert (stored.budget_minor, stored.currency, stored.rate) == (10_000, "USD", "0.9214")
    _assert_shown_again(app, "scope.money", project)


def test_amounts_from_before_the_companys_currency_changed_are_not_compared(
    app: Flask, project: Project, ann: Person
) -> None:
    save(app, page("value.reach"), project, by=ann.id, amount="100")
    save(app, page("value.value"), project, by=ann.id, users_amount="70")
    money.set_company_currency("CHF")
    try:
        told_now = gathered("value", project)
        save(app, page("value.reach"), project, by=ann.id, amount="90")
        told_later = gathered("value", project)
        texts = read("value", project)
    finally:
        money.set_company_currency("EUR")

    assert "value.amount" not in told_now.values
    assert told_later.values["value.amount"] == 90
    assert (texts["amount"], texts["users_amount"]) == ("CHF\u202f90.00", "€\u202f70.00")


def test_home_people_and_confidentiality_stand_on_the_project(
    app: Flask, factory: Factory, project: Project, ann: Person, ben: Person, acme: int
) -> None:
    save(app, page("people.home"), project, by=ann.id, home_unit=str(acme), confidential="y")
    typed = {"lead": str(ben.id), "sponsor": str(ann.id), "benefits_owner": ""}
    events = save(app, page("people.parts"), project, by=ann.id, **typed)

    assert (project.home_unit_id, project.confidential) == (acme, True)
    assert (project.lead_id, project.sponsor_id) == (ben.id, ann.id)
    assert gathered("people", project).values == {
        "project.home_unit": "Acme",
        "project.confidential": True,
        "project.lead": str(ben.id),
        "project.sponsor": str(ann.id),
    }
    assert told(events) == {ben.id}
    assert [recipient.why for one in events for recipient in one.recipients] == [
        "you were named lead"
    ]
    assert read("people", project)["lead"] == "Ben"
    assert not save(app, page("people.parts"), project, by=ann.id, **typed)
    _assert_shown_again(app, "people.home", project)
    _assert_shown_again(app, "people.parts", project)


def test_co_editors_are_told_once_and_the_submitter_is_none(
    app: Flask, project: Project, ann: Person, ben: Person
) -> None:
    typed = {"co_editors-0-person": str(ben.id), "co_editors-1-person": str(ann.id)}
    events = save(app, page("people.co_editors"), project, by=ann.id, **typed)
    again = save(app, page("people.co_editors"), project, by=ann.id, **typed)
    named = read("people", project)["co_editors"]
    save(app, page("people.co_editors"), project, by=ann.id)

    assert (told(events), list(again)) == ({ben.id}, [])
    assert named == "Ben"
    assert read("people", project)["co_editors"] == ""
