"""Lists of rows keep their identity; RACI, teams, key results, dependencies and backlogs tell what they hold."""

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.database import transaction
from okrgate.events import PersonNamed
from okrgate.okrs import service as okrs
from okrgate.projects.backlog import BACKLOG, BacklogPage, put, waiting
from okrgate.projects.commitments import KEY_RESULTS, TEAMS, KeyResultsPage, TeamsPage
from okrgate.projects.models import Project
from okrgate.projects.plan_models import BacklogPlace, Document, KeyResultLink, RaciRow
from okrgate.projects.raci import RACI, RaciPage, accountable_people
from okrgate.projects.rows import find_one, listed
from okrgate.projects.surroundings import DEPENDENCIES, DependenciesPage, DocumentsPage
from tests.factories import Factory
from tests.integration.delivery.saving import save, shown, told
from tests.integration.projects.conftest import NewProject


def document(number: int, name: str, row: int | None = None) -> dict[str, str]:
    typed = {
        f"documents-{number}-name": name,
        f"documents-{number}-url": f"https://a.example/{name}",
    }
    return typed | ({f"documents-{number}-id": str(row)} if row is not None else {})


def documents(project: Project) -> list[tuple[int, str]]:
    return [(row.id, row.name) for row in listed(Document, project.id)]


def test_a_row_keeps_its_identity_when_it_is_changed_or_moved(
    app: Flask, project: Project, ann: Person
) -> None:
    save(app, DocumentsPage(), project, by=ann.id, **document(0, "one"), **document(1, "two"))
    (first, _), (second, _) = documents(project)

    typed = document(0, "two", second) | document(1, "uno", first) | document(2, "three")
    save(app, DocumentsPage(), project, by=ann.id, **typed)

    assert documents(project)[:2] == [(second, "two"), (first, "uno")]
    assert [name for _, name in documents(project)] == ["two", "uno", "three"]


def test_a_row_that_is_left_out_or_emptied_is_gone(
    app: Flask, project: Project, ann: Person
) -> None:
    save(app, DocumentsPage(), project, by=ann.id, **document(0, "one"), **document(1, "two"))
    (first, _), (second, _) = documents(project)
    emptied = {
        "documents-0-id": str(first),
        "documents-0-name": " ",
        "documents-1-id": str(second),
    }

    save(app, DocumentsPage(), project, by=ann.id, **emptied)

    assert documents(project) == []


def test_a_row_of_another_project_is_never_touched(
    app: Flask, project: Project, new_project: NewProject, ann: Person
) -> None:
    other = new_project("Another")
    save(app, DocumentsPage(), other, by=ann.id, **document(0, "theirs"))
    ((theirs, _),) = documents(other)

    for wrong in (str(theirs), "", "x", "-1", "9" * 30):
        typed = document(0, "mine") | {"documents-0-id": wrong}
        save(app, DocumentsPage(), project, by=ann.id, **typed)

        assert documents(other) == [(theirs, "theirs")]
        ((mine, name),) = documents(project)
        assert name == "mine"
        assert mine != theirs


def part(number: int, activity: str, person: Person, letter: str) -> dict[str, str]:
    return {
        f"parts-{number}-activity": activity,
        f"parts-{number}-person": str(person.id),
        f"parts-{number}-letter": letter,
    }


def raci(project: Project) -> dict[str, list[int]]:
    rows = RACI.gather(project, clock.today()).collections["raci"]
    return {str(row["activity"]): [row[key] for key in list(row)[1:]] for row in rows}


def test_the_whole_project_is_an_activity_from_the_start(app: Flask, project: Project) -> None:
    assert raci(project) == {"Whole project": [0, 0, 0, 0]}
    assert RACI.gather(project, clock.today()).values == {}
    (row,) = shown(app, RaciPage(), project).parts
    assert row.form.activity.data == "Whole project"


def test_parts_are_counted_activity_by_activity(
    app: Flask, project: Project, ann: Person, ben: Person
) -> None:
    typed = (
        part(0, "Design", ben, "R")
        | part(1, "", ann, "A")
        | part(2, "whole PROJECT", ben, "R")
        | part(3, "design ", ann, "C")
        | part(4, "Launch", ben, "I")
    )

    save(app, RaciPage(), project, by=ann.id, **typed)

    assert raci(project) == {
        "Whole project": [1, 1, 0, 0],
        "Design": [1, 0, 1, 0],
        "Launch": [0, 0, 0, 1],
    }
    told_now = RACI.gather(project, clock.today())
    assert told_now.values == {"raci.accountable": (str(ann.id),)}
    assert told_now.content["raci"] == sorted(
        [
            ["", ann.id, "A"],
            ["", ben.id, "R"],
            ["Design", ann.id, "C"],
            ["Design", ben.id, "R"],
            ["Launch", ben.id, "I"],
        ]
    )
    (answer,) = RACI.answers(project)
    assert answer.text.splitlines()[0] == "Whole project: Ann (accountable), Ben (responsible)"
    assert accountable_people(project.id) == {ann.id}


def test_who_becomes_accountable_is_told_once(
    app: Flask, project: Project, ann: Person, ben: Person
) -> None:
    typed = part(0, "", ben, "A") | part(1, "Launch", ben, "A") | part(2, "", ann, "A")
    events = save(app, RaciPage(), project, by=ann.id, **typed)
    again = save(app, RaciPage(), project, by=ann.id, **typed)

    assert told(events) == {ben.id}
    (event,) = events
    assert isinstance(event, PersonNamed)
    assert (event.part, event.detail) == ("accountable", "Whole project, Launch")
    assert (event.path, event.by) == (f"/projects/{project.reference}", "Ann")
    assert list(again) == []


def test_an_untouched_first_row_is_not_stored(app: Flask, project: Project, ann: Person) -> None:
    save(app, RaciPage(), project, by=ann.id, **{"parts-0-activity": "Whole project"})

    assert listed(RaciRow, project.id) == []


def test_somebody_who_left_stays_in_the_list_and_can_be_saved_again(
    app: Flask, project: Project, ann: Person, ben: Person
) -> None:
    save(app, RaciPage(), project, by=ann.id, **part(0, "", ben, "A"))
    with transaction() as session:
        gone = session.get(Person, ben.id)
        assert gone is not None
        gone.active = False

    (row,) = shown(app, RaciPage(), project).parts
    assert (str(ben.id), "Ben") in [(one.value, one.label) for one in row.form.person.choices]
    save(app, RaciPage(), project, by=ann.id, **part(0, "", ben, "A"))


def test_teams_tell_who_agreed_and_who_is_over_capacity(
    app: Flask, factory: Factory, project: Project, ann: Person
) -> None:
    web, mail = factory.unit("Web"), factory.unit("Mail")
    typed = {
        "teams-0-unit": str(web.id),
        "teams-0-effort_days": "12.5",
        "teams-0-confirmed": "yes",
        "teams-0-over_capacity": "yes",
        "teams-1-unit": str(mail.id),
    }

    save(app, TeamsPage(), project, by=ann.id, **typed)

    told_now = TEAMS.gather(project, clock.today())
    assert told_now.values == {"teams.count": 2, "capacity.over_teams": 1}
    assert told_now.collections["teams"] == [
        {"name": "Web", "confirmed": True, "over_capacity": True, "effort_days": Decimal("12.5")},
        {"name": "Mail"},
    ]
    assert told_now.content["teams"] == [
        {"unit_id": web.id, "effort_days": Decimal("12.5")},
        {"unit_id": mail.id, "effort_days": None},
    ]
    (answer,) = TEAMS.answers(project)
    assert answer.text.splitlines() == [
        "Web: 12.5 days, has agreed, over capacity",
        "Mail: effort not said, not asked yet, capacity not checked",
    ]


def test_a_teams_agreement_is_not_part_of_what_is_signed(
    app: Flask, factory: Factory, project: Project, ann: Person
) -> None:
    typed = {"teams-0-unit": str(factory.unit("Web").id), "teams-0-effort_days": "5"}
    save(app, TeamsPage(), project, by=ann.id, **typed)
    before = TEAMS.gather(project, clock.today())
    save(app, TeamsPage(), project, by=ann.id, **typed, **{"teams-0-confirmed": "yes"})
    after = TEAMS.gather(project, clock.today())

    assert before.content == after.content
    assert before.collections != after.collections


@pytest.fixture
def key_results(factory: Factory, ann: Person) -> tuple[int, int]:
    """Two key results: one of next year's, one of a period that is over."""
    acme = factory.unit("Acme").id
    next_year = okrs.add_period("2027", "year", date(2027, 1, 1), date(2027, 12, 31), by=ann.id)
    summer = okrs.add_period("2026 Q3", "quarter", date(2026, 7, 1), date(2026, 9, 30), by=ann.id)
    found = []
    for period, title in ((next_year, "Renewals to 80 %"), (summer, "Churn below 3 %")):
        objective = okrs.add_objective(
            "Members stay", period_id=period.id, unit_id=acme, owner_id=ann.id, by=ann.id
        )
        made = okrs.add_key_result(
            objective.id,
            title,
            baseline=Decimal(60),
            target=Decimal(80),
            unit_of_measure="%",
            by=ann.id,
        )
        found.append(made.id)
    return found[0], found[1]


def test_key_results_are_listed_with_level_and_period(
    app: Flask, project: Project, ann: Person, key_results: tuple[int, int]
) -> None:
    chosen = key_results[0]
    typed = {"links-0-key_result": str(chosen), "links-0-contribution": "Half of it"}

    save(app, KeyResultsPage(), project, by=ann.id, **typed)

    told_now = KEY_RESULTS.gather(project, clock.today())
    assert told_now.values == {"key_results.count": 1}
    assert told_now.collections["key_results"] == [
        {"name": "Renewals to 80 %", "level": "company", "period": "2027", "open": True}
    ]
    assert told_now.content["key_results"] == [[chosen, "Half of it"]]
    (answer,) = KEY_RESULTS.answers(project)
    assert answer.text == "Renewals to 80 % (company, 2027): Half of it"


def test_a_key_result_of_a_past_period_can_stay_but_not_be_chosen_anew(
    app: Flask, project: Project, ann: Person, key_results: tuple[int, int]
) -> None:
    current, past = key_results
    save(app, KeyResultsPage(), project, by=ann.id, **{"links-0-key_result": str(current)})
    (before,) = shown(app, KeyResultsPage(), project).links
    with transaction():
        (link,) = listed(KeyResultLink, project.id)
        link.key_result_id = past
    (after,) = shown(app, KeyResultsPage(), project).links

    choices = [[one.value for one in row.form.key_result.choices] for row in (before, after)]
    assert choices == [["", str(current)], ["", str(current), str(past)]]


def test_dependencies_tell_what_was_accepted(
    app: Flask, factory: Factory, project: Project, ann: Person, ben: Person
) -> None:
    mail = factory.unit("Mail")
    typed = {
        "dependencies-0-name": "New template",
        "dependencies-0-unit": str(mail.id),
        "dependencies-0-person": str(ben.id),
        "dependencies-0-accepted": "no",
        "dependencies-0-needed_by": "2027-02-01",
        "dependencies-1-name": "Test data",
    }

    save(app, DependenciesPage(), project, by=ann.id, **typed)

    told_now = DEPENDENCIES.gather(project, clock.today())
    assert told_now.collections["dependencies"] == [
        {"name": "New template", "accepted": False},
        {"name": "Test data"},
    ]
    assert told_now.content["dependencies"] == [
        ["New template", mail.id, ben.id, "2027-02-01"],
        ["Test data", None, None, None],
    ]
    (answer,) = DEPENDENCIES.answers(project)
    assert answer.text.splitlines() == [
        "New template from Mail and Ben: refused, needed by 1 Feb 2027",
        "Test data: not answered yet",
    ]


class Backlogs:
    """Two units and projects A to D, the first three of which wait in one backlog."""

    def __init__(self, factory: Factory, new_project: NewProject) -> None:
        self.web, self.mail = factory.unit("Web").id, factory.unit("Mail").id
        self.projects = {name: new_project(name) for name in "ABCD"}
        for name in "ABC":
            self.put(name, self.web, None)

    def put(self, name: str, unit: int | None, rank: int | None) -> None:
        with transaction():
            put(self.projects[name].id, unit, rank)

    def order(self, unit: int) -> list[tuple[str, int]]:
        names = {project.id: name for name, project in self.projects.items()}
        return [(names[place.project_id], place.rank) for place in waiting(unit)]


@pytest.fixture
def backlogs(factory: Factory, new_project: NewProject) -> Backlogs:
    return Backlogs(factory, new_project)


MOVES = [
    ("D", None, "ABCD"),
    ("D", 1, "DABC"),
    ("D", 2, "ADBC"),
    ("D", 99, "ABCD"),
    ("C", 1, "CAB"),
    ("A", 3, "BCA"),
    ("A", 2, "BAC"),
    ("B", None, "ABC"),
    ("B", 2, "ABC"),
]


def test_a_project_is_put_at_its_rank_and_the_others_close_ranks(backlogs: Backlogs) -> None:
    for name, rank, order in MOVES:
        backlogs.put("D", None, None)
        for place, one in enumerate("ABC", start=1):
            backlogs.put(one, backlogs.web, place)

        backlogs.put(name, backlogs.web, rank)

        expected = [(one, at) for at, one in enumerate(order, start=1)]
        assert backlogs.order(backlogs.web) == expected, (name, rank)


def test_a_project_waits_in_one_backlog_only(app: Flask, backlogs: Backlogs, ann: Person) -> None:
    project = backlogs.projects["A"]
    save(app, BacklogPage(), project, by=ann.id, unit=str(backlogs.mail), rank="1")

    assert [name for name, _ in backlogs.order(backlogs.web)] == ["B", "C"]
    assert backlogs.order(backlogs.mail) == [("A", 1)]
    told_now = BACKLOG.gather(project, clock.today())
    assert told_now.values == {"project.backlog": "Mail"}
    assert told_now.content == {"project.backlog": backlogs.mail}
    left = BACKLOG.answers(backlogs.projects["B"])
    assert [one.text for one in left] == ["Web", "1"]


def test_a_project_can_leave_its_backlog(app: Flask, backlogs: Backlogs, ann: Person) -> None:
    project = backlogs.projects["B"]
    save(app, BacklogPage(), project, by=ann.id, unit="", rank="")

    assert find_one(BacklogPlace, project.id) is None
    assert BACKLOG.gather(project, clock.today()).values == {}
    assert [name for name, _ in backlogs.order(backlogs.web)] == ["A", "C"]


def test_a_project_that_ended_takes_no_rank(backlogs: Backlogs) -> None:
    with transaction() as session:
        ended = session.get(Project, backlogs.projects["A"].id)
        assert ended is not None
        ended.closed_at = clock.now()
    backlogs.put("D", backlogs.web, 2)

    assert backlogs.order(backlogs.web) == [("B", 1), ("D", 2), ("C", 3)]
    assert [one.text for one in BACKLOG.answers(backlogs.projects["B"])] == ["Web", "1"]


def test_what_is_shown_of_a_backlog_can_be_saved_and_moves_nothing(
    app: Flask, backlogs: Backlogs, ann: Person
) -> None:
    form = shown(app, BacklogPage(), backlogs.projects["B"])
    save(
        app, BacklogPage(), backlogs.projects["B"], by=ann.id,
        unit=str(form.unit.data), rank=str(form.rank.data),
    )  # fmt: skip

    assert [name for name, _ in backlogs.order(backlogs.web)] == ["A", "B", "C"]
