"""What whoever watches over security wants to find in the record: each act leaves its row, with who and about what."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.audit import denials, service
from okrgate.audit.models import Entry
from okrgate.database import db, transaction
from tests.conftest import DATABASES
from tests.factories import Factory
from tests.faults.ground import READERS, ground
from tests.integration.journey.stops import Stops
from tests.integration.test_extra_fields import VALID
from tests.integration.test_route_matrix import TABLE

# What is done by a form, and the row that it leaves.
EVENTS = {
    "accounts.activate": "person.activated",
    "accounts.change_details": "person.changed",
    "accounts.change_person": "person.changed",
    "accounts.change_unit": "unit.changed",
    "accounts.create_unit": "unit.created",
    "accounts.deactivate": "person.deactivated",
    "accounts.end_sessions": "person.sessions_ended",
    "accounts.erase": "person.erased",
    "accounts.export": "person.exported",
    "accounts.grant_role": "person.role_granted",
    "accounts.invite": "person.invited",
    "accounts.invite_again": "person.invited_again",
    "accounts.revoke_role": "person.role_revoked",
    "accounts.set_rights": "person.rights_changed",
    "accounts.sign_out": "person.signed_out",
    "approvals.close_condition": "condition.closed",
    "audit.export": "audit.exported",
    "evidence.export_record": "audit.exported",
    "comments.edit": "comment.edited",
    "comments.withdraw": "comment.withdrawn",
    "measurement.confirm": "measurement.confirmed",
    "metrics.new_metric": "metrics.registered",
    "metrics.show_metric": "metrics.observed",
    "notifications.send_again": "notifications.sent_again",
    "okrs.edit_objective": "okrs.objective_changed",
    "okrs.new_period": "okrs.period_added",
    "stages.ask_waiver": "waiver.asked",
    "stages.choose_co_editors": "project.co_editor_added",
    "stages.decide": "signoff.approved",
    "stages.edit_page": "section.saved",
    "stages.export_projects": "projects.exported",
    "stages.hand_over": "project.handed_over",
    "stages.move": "project.moved",
    "stages.nudge": "requirement.nudged",
    "stages.save_view": "list_view.saved",
    "stages.start": "project.started",
    "stages.waive": "waiver.granted",
}
# Whoever could grant it has nobody to ask.
FIRST = {"stages.ask_waiver": "Lea"}


@pytest.mark.parametrize("stops", DATABASES[:1], indirect=True)
@pytest.mark.parametrize("stop", ["planned", "in approval"])
def test_each_act_leaves_its_row(stops: Stops, stop: str) -> None:
    problems = []
    with ground(stops, stop) as (kept, words):
        for endpoint, action in EVENTS.items():
            row = TABLE[f"POST {endpoint}"]
            if row.stop != stop:
                continue
            who, data = VALID.get(endpoint, ("", row.data))
            may = [one for one in READERS if row.expected("POST", one) in {200, 303}]
            reader = who or FIRST.get(endpoint, may[0])
            kept.anew()
            with transaction() as session:
                if "gone" in words:
                    session.get_one(Person, kept.company.ids["Gil"]).active = False
            last = service.head()[0]
            sent = {key: text.format(**words, day=12) for key, text in data.items()}
            answer = kept.browsers[reader].post(row.path.format(**words), data=sent)
            answer.get_data()
            found = rows_since(last)
            actor = kept.company.ids[reader]
            if (action, actor) not in {(one.action, one.actor_id) for one in found}:
                said = [one.action for one in found]
                problems.append(f"{endpoint} ({answer.status_code}) by {reader}: {said}")
    assert not problems, "\n".join(problems)


def test_what_somebody_may_not_do_is_recorded(app: Flask, factory: Factory) -> None:
    reader = factory.person("Pat")
    browser = factory.browser(reader)
    last = service.head()[0]
    for _ in range(3):
        assert browser.post("/audit/export").status_code == 403
        assert browser.get("/audit").status_code == 403
    (denied,) = rows_since(last)
    assert (denied.action, denied.actor_id) == (denials.ACTION, reader.id)
    assert (denied.target, denied.details) == ("address:/audit/export", {"act": "audit.export"})
    assert denied.reason == "Only an auditor or an administrator may see this."
    with clock.moved_to(clock.now() + timedelta(days=1, seconds=1)):
        assert factory.browser(reader).post("/audit/export").status_code == 403
    assert len(rows_since(last)) == 2


def test_nobody_fills_the_record_by_trying(app: Flask, factory: Factory) -> None:
    reader, other = factory.person("Pat"), factory.person("Sue")
    for number in range(denials.MOST_A_DAY + 20):
        denials.note(reader.id, path=f"/{number}", act="any", sentence="No.")
    denials.note(other.id, path="/1", act="any", sentence="No.")
    rows = rows_since(0)
    assert [row.actor_id for row in rows] == [reader.id] * denials.MOST_A_DAY + [other.id]


def test_rules_and_passwords_leave_their_rows(app: Flask, factory: Factory) -> None:
    ada = factory.person("Ada", admin=True)
    factory.rulebook()
    browser, stranger = factory.browser(ada), app.test_client()
    with transaction() as session:
        session.get_one(Person, ada.id).password_hash = None
    text = (db.session.scalar(select(Entry.details).limit(1)) or {}).get("process", "")
    stranger.post("/sign-in", data={"email": ada.email, "password": "a wrong guess"})
    stranger.post("/forgotten", data={"email": ada.email})
    typed = {"current": "not mine", "password": "a longer password", "again": "a longer password"}
    browser.post("/account/password", data=typed)
    browser.post(f"/rules/{text}/edit", data={"act": "keep", "based_on": "1", "text": "id: x"})
    said = [row.action for row in rows_since(0)]
    for action in (
        "rulebook.published",
        "person.sign_in_failed",
        "person.reset_asked",
        "person.password_refused",
        "rulebook.draft_kept",
    ):
        assert action in said, said


def rows_since(last: int) -> list[Entry]:
    """Return the rows of the record after one."""
    db.session.rollback()
    return list(db.session.scalars(select(Entry).where(Entry.seq > last).order_by(Entry.seq)))
