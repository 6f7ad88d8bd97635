from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate.accounts.models import Person
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from okrgate.errors import Conflict
from okrgate.metrics import service
from tests.counting import statements
from tests.factories import Factory
from tests.integration.metrics.conftest import Kept

TODAY = date(2026, 12, 4)
METRIC = {"name": "Sign-ups", "direction": "up", "cadence": "weekly", "steward": ""}
EDIT = {"name": "Churn", "unit_of_measure": "%", "cadence": "monthly", "source": "Billing", "active": "y"}  # fmt: skip


def browser_of(factory: Factory, person: int) -> FlaskClient:
    return factory.browser(db.session().get_one(Person, person))


def last_entry() -> Entry:
    return db.session().scalars(select(Entry).order_by(Entry.seq.desc()).limit(1)).one()


def seen(metric: int) -> list[tuple[date, Decimal]]:
    db.session().rollback()
    return [(one.on, one.value) for one in service.series(metric)]


def test_signed_out_people_see_nothing(client: FlaskClient, churn: Kept) -> None:
    for path in ("/metrics", "/metrics/new", f"/metrics/{churn.id}", f"/metrics/{churn.id}/edit"):
        assert client.get(path).status_code in {302, 303, 401}


def test_anybody_registers_a_metric_and_owns_it(factory: Factory) -> None:
    person = factory.person().id

    sent = browser_of(factory, person).post("/metrics/new", data=METRIC)

    assert sent.status_code == 303
    (line,) = service.page_of()
    assert (line.metric.name, line.metric.owner_id, line.fresh) == ("Sign-ups", person, False)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Enter a name."),
        ("name", "x" * 121, "at most 120 characters"),
        ("name", " Churn ", "There is a metric of this name already."),
        ("direction", "", "Choose which way is better."),
        ("direction", "sideways", "Choose which way is better."),
        ("cadence", "hourly", "Choose how often it is measured."),
        ("steward", "999999", "Choose a person from the list."),
    ],
)
def test_a_bad_metric_comes_back(
    factory: Factory, churn: Kept, field: str, value: str, sentence: str
) -> None:
    page = factory.browser(factory.person()).post("/metrics/new", data=METRIC | {field: value})

    assert page.status_code == 422
    assert sentence in page.text


@pytest.mark.parametrize("who", ["owner", "steward", "admin"])
def test_owner_steward_and_administrators_add_values(
    factory: Factory, churn: Kept, who: str
) -> None:
    person = {"owner": churn.owner, "steward": churn.steward}.get(who)
    browser = browser_of(factory, person or factory.person(admin=True).id)

    assert "Add a value" in browser.get(f"/metrics/{churn.id}").text
    sent = browser.post(f"/metrics/{churn.id}", data={"on": "2026-12-01", "value": "4.20"})

    assert sent.status_code == 303
    assert seen(churn.id) == [(date(2026, 12, 1), Decimal("4.2"))]
    assert last_entry().action == "metrics.observed"


def test_nobody_else_adds_values(factory: Factory, churn: Kept) -> None:
    browser = factory.browser(factory.person())

    assert "Add a value" not in browser.get(f"/metrics/{churn.id}").text
    sent = browser.post(f"/metrics/{churn.id}", data={"on": "2026-12-01", "value": "4"})
    assert sent.status_code == 403
    assert seen(churn.id) == []


@pytest.mark.parametrize(
    ("on", "value", "sentence"),
    [
        ("2026-12-04", "a lot", "Enter a number between"),
        ("2026-12-04", "", "Enter the value."),
        ("2026-12-04", "NaN", "Enter a number between"),
        ("2026-12-04", "1e999", "Enter a number between"),
        ("2026-12-04", "0.0000001", "Use at most 6 decimals."),
        ("2026-12-05", "4", "Enter today or a day before."),
        ("2026-13-01", "4", "Enter a date, for example"),
        ("", "4", "Enter the day."),
        ("2026-11-01", "4", "There is a value for this day already."),
    ],
)
def test_a_bad_value_comes_back_as_it_was_typed(
    factory: Factory, churn: Kept, on: str, value: str, sentence: str
) -> None:
    service.observe(churn.id, date(2026, 11, 1), Decimal(5), "", by=churn.owner)

    page = browser_of(factory, churn.owner).post(
        f"/metrics/{churn.id}", data={"on": on, "value": value, "note": "Seen & noted"}
    )

    assert page.status_code == 422
    assert sentence in page.text
    assert "Seen &amp; noted" in page.text
    assert len(seen(churn.id)) == 1


def test_a_correction_keeps_the_old_value_with_its_reason(factory: Factory, churn: Kept) -> None:
    old = service.observe(churn.id, TODAY, Decimal(5), "First look", by=churn.owner).id
    browser = browser_of(factory, churn.steward)
    path = f"/metrics/values/{old}/correct"

    assert 'value="5"' in browser.get(path).text
    sent = browser.post(path, data={"on": "2026-12-03", "value": "4.5", "reason": "Counted twice"})

    assert sent.status_code == 303
    assert seen(churn.id) == [(date(2026, 12, 3), Decimal("4.5"))]
    page = browser.get(f"/metrics/{churn.id}").text
    assert "Counted twice" in page
    assert "5 on 4 Dec 2026 (Olga Owner)" in page
    entry = last_entry()
    assert (entry.action, entry.reason) == ("metrics.corrected", "Counted twice")
    assert entry.details == {"on": ["2026-12-04", "2026-12-03"], "value": ["5", "4.5"]}


def test_a_chain_of_corrections_is_told_from_the_latest(factory: Factory, churn: Kept) -> None:
    one = service.observe(churn.id, TODAY, Decimal(1), "", by=churn.owner)
    two = service.correct(one.id, on=TODAY, value=Decimal(2), reason="typo", by=churn.owner)
    three = service.correct(two.id, on=TODAY, value=Decimal(3), reason="late", by=churn.owner)

    (shown,) = service.page_of_values(churn.id)
    assert shown.id == three.id
    assert [old.value for old in service.earlier(churn.id, [shown])[three.id]] == [2, 1]


def test_a_value_is_corrected_once(factory: Factory, churn: Kept) -> None:
    old = service.observe(churn.id, TODAY, Decimal(1), "", by=churn.owner).id
    service.correct(old, on=TODAY, value=Decimal(2), reason="typo", by=churn.owner)

    with pytest.raises(Conflict):
        service.correct(old, on=TODAY, value=Decimal(3), reason="typo", by=churn.owner)
    sent = browser_of(factory, churn.owner).post(
        f"/metrics/values/{old}/correct", data={"on": "2026-12-04", "value": "9", "reason": "x"}
    )
    assert sent.status_code == 409
    assert seen(churn.id) == [(TODAY, Decimal(2))]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("reason", "  ", "Say why it is corrected."),
        ("value", "five", "Enter a number between"),
        ("value", "5.0", "This is what stands there already."),
        ("on", "2026-12-05", "Enter today or a day before."),
        ("on", "2026-11-01", "There is a value for this day already."),
    ],
)
def test_a_bad_correction_comes_back(
    factory: Factory, churn: Kept, field: str, value: str, sentence: str
) -> None:
    service.observe(churn.id, date(2026, 11, 1), Decimal(6), "", by=churn.owner)
    old = service.observe(churn.id, TODAY, Decimal(5), "", by=churn.owner).id
    typed = {"on": "2026-12-04", "value": "4" if field != "value" else value, "reason": "typo"}

    page = browser_of(factory, churn.owner).post(
        f"/metrics/values/{old}/correct", data=typed | {field: value}
    )

    assert page.status_code == 422
    assert sentence in page.text
    assert len(seen(churn.id)) == 2


def test_only_owner_and_steward_correct(factory: Factory, churn: Kept) -> None:
    old = service.observe(churn.id, TODAY, Decimal(5), "", by=churn.owner).id
    browser = factory.browser(factory.person())

    assert browser.get(f"/metrics/values/{old}/correct").status_code == 403
    assert browser.get("/metrics/values/99/correct").status_code == 404


def test_a_corrected_day_decides_what_is_fresh(factory: Factory, churn: Kept) -> None:
    old = service.observe(churn.id, TODAY, Decimal(5), "", by=churn.owner).id
    assert service.describe([churn.id])[churn.id].fresh

    long_ago = TODAY - timedelta(days=100)
    service.correct(old, on=long_ago, value=Decimal(5), reason="wrong day", by=churn.owner)

    found = service.describe([churn.id])[churn.id]
    assert (found.last_on, found.fresh) == (long_ago, False)


def test_the_steward_changes_a_metric_with_a_record(factory: Factory, churn: Kept) -> None:
    browser = browser_of(factory, churn.steward)
    path = f"/metrics/{churn.id}/edit"

    assert 'value="Churn"' in browser.get(path).text
    sent = browser.post(path, data=EDIT | {"cadence": "weekly", "steward": churn.steward})

    assert sent.status_code == 303
    assert last_entry().details == {"cadence": ["monthly", "weekly"]}


def test_saving_what_is_there_already_leaves_no_trace(factory: Factory, churn: Kept) -> None:
    before = last_entry().seq

    browser_of(factory, churn.steward).post(
        f"/metrics/{churn.id}/edit", data=EDIT | {"steward": churn.steward}
    )

    assert last_entry().seq == before


def test_an_owner_cannot_replace_the_steward(factory: Factory, churn: Kept) -> None:
    browser = browser_of(factory, churn.owner)

    assert "/edit" not in browser.get(f"/metrics/{churn.id}").text
    sent = browser.post(f"/metrics/{churn.id}/edit", data=EDIT | {"steward": churn.owner})
    assert sent.status_code == 403


def test_the_owner_of_a_metric_without_a_steward_names_one(factory: Factory) -> None:
    owner, steward = factory.person().id, factory.person().id
    browser = browser_of(factory, owner)
    path = browser.post("/metrics/new", data=METRIC).location

    sent = browser.post(f"{path}/edit", data=EDIT | {"steward": steward})

    assert sent.status_code == 303
    assert browser.get(f"{path}/edit").status_code == 403


def test_a_name_that_is_taken_is_refused(factory: Factory, churn: Kept) -> None:
    factory.browser(factory.person()).post("/metrics/new", data=METRIC)

    page = browser_of(factory, churn.steward).post(
        f"/metrics/{churn.id}/edit", data=EDIT | {"name": "Sign-ups"}
    )

    assert page.status_code == 422
    assert "There is a metric of this name already." in page.text


def test_a_retired_metric_is_not_offered_but_found(factory: Factory, churn: Kept) -> None:
    typed = EDIT | {"steward": str(churn.steward)}
    del typed["active"]
    browser = browser_of(factory, churn.steward)

    browser.post(f"/metrics/{churn.id}/edit", data=typed)

    assert service.choices() == []
    assert "No metrics" in browser.get("/metrics").text
    assert "Churn" in browser.get("/metrics?state=retired").text


def test_the_list_is_filtered_and_paged_by_name(factory: Factory, churn: Kept) -> None:
    for number in range(55):
        service.register(
            f"Metric {number:02}",
            unit_of_measure="",
            direction="up",
            cadence="daily",
            steward_id=None,
            source="",
            by=churn.owner,
        )
    browser = factory.browser(factory.person())

    first = browser.get("/metrics?q=metric").text
    assert "Metric 49" in first
    assert "Metric 50" not in first
    second = browser.get("/metrics?q=metric&after=Metric+49").text
    assert "Metric 50" in second
    mine = browser.get(f"/metrics?steward={churn.steward}").text
    assert "Churn" in mine
    assert "Metric 01" not in mine
    assert "No metrics here" in browser.get("/metrics?q=%25").text


def test_values_come_a_page_at_a_time_with_a_picture(factory: Factory, churn: Kept) -> None:
    with transaction():
        for number in range(60):
            day = TODAY - timedelta(days=number)
            service.append(churn.id, day, Decimal(number), f"note {number:02}", by=churn.owner)
    browser = factory.browser(factory.person())

    with statements() as asked:
        first = browser.get(f"/metrics/{churn.id}").text

    assert len([one for one in asked if one.lstrip().startswith("SELECT")]) <= 12
    assert "<polyline" in first
    assert "60 values from 6 Oct 2026 (59) to 4 Dec 2026 (0); lowest 0, highest 59 %" in first
    assert "note 49" in first
    assert "note 50" not in first
    second = browser.get(f"/metrics/{churn.id}?before=2026-10-16~50").text
    assert "note 50" in second
    assert "note 49" not in second


@pytest.mark.parametrize(
    "typed", ["x", "2026-10-16", "~", "2026-10-16~x", "9999-99-99~1", "~" * 99]
)
def test_odd_places_in_a_list_do_no_harm(factory: Factory, churn: Kept, typed: str) -> None:
    browser = factory.browser(factory.person())

    assert browser.get(f"/metrics/{churn.id}?before={typed}").status_code == 200
    assert browser.get(f"/metrics?steward={typed}&after={typed}&state={typed}").status_code == 200


@pytest.mark.parametrize("number", ["0", "99", "2147483648", "-1", "x"])
def test_a_metric_that_is_none_is_not_found(factory: Factory, number: str) -> None:
    browser = factory.browser(factory.person(admin=True))

    assert browser.get(f"/metrics/{number}").status_code == 404
    assert browser.get(f"/metrics/{number}/edit").status_code == 404


def test_an_empty_registry_says_what_to_do(factory: Factory) -> None:
    assert "Register the first one" in factory.browser(factory.person()).get("/metrics").text
