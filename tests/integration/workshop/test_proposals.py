"""Publishing is a gate of its own: nobody lets their own text through, and nothing but the text that was read binds."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from okrgate import clock
from okrgate.accounts import people
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.errors import Conflict, Forbidden
from okrgate.gates.differing import differ
from okrgate.gates.language import load_rulebook
from okrgate.notifications.models import MAIL, OutboxRow
from okrgate.rulebooks import drafts, service, wording
from okrgate.rulebooks.drafts import Draft
from okrgate.rulebooks.models import RulebookVersion
from okrgate.web.filters import show_date
from okrgate.workshop import keeping
from okrgate.workshop.publishing import policy, proposals
from okrgate.workshop.publishing.loosening import may_loosen
from okrgate.workshop.publishing.models import Proposal
from okrgate.workshop.publishing.policy import Policy
from tests.counting import statements
from tests.factories import Factory
from tests.integration.workshop.small import HARDER, KEY, REWORDED, SOFTER, TEXT, hurry, settle_on

PUBLISH = f"/rules/{KEY}/publish"


@pytest.fixture
def ada(factory: Factory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    hurry(monkeypatch)
    path = tmp_path / "rules.yaml"
    path.write_text(TEXT, encoding="utf-8")
    factory.rulebook(path)
    return factory.person("Ada", admin=True)


@pytest.fixture
def otto(ada: Person, factory: Factory) -> Person:
    return factory.person("Otto", admin=True)


def typed(text: str = HARDER, **more: str) -> dict[str, str]:
    return {"based_on": "1", "text": text, "note": "Say more."} | more


def propose(by: Person, text: str = HARDER, based_on: int = 1, **more: object) -> Proposal:
    return proposals.propose(KEY, Draft(text, "Say more.", based_on), by=by.id, **more)  # type: ignore[arg-type]


def approve(proposal: Proposal, by: Person, words: str = "") -> Proposal:
    return proposals.decide(
        proposal.id, by=by.id, approves=True, words=words, digest=proposal.sha256
    )


def newest() -> RulebookVersion:
    db.session.rollback()
    return service.newest(KEY)


def mails(kind: str) -> list[tuple[int, bool]]:
    query = select(OutboxRow.person_id, OutboxRow.asked).where(
        OutboxRow.event == kind, OutboxRow.channel == MAIL
    )
    return [(person, asked) for person, asked in db.session.execute(query.order_by(OutboxRow.id))]


def test_the_only_administrator_needs_nobody(ada: Person, factory: Factory) -> None:
    page = factory.browser(ada).get("/admin/publishing").get_data(as_text=True)
    assert "You are the only administrator" in page
    assert propose(ada).state == "published"
    assert newest().number == 2


def test_with_a_second_one_it_waits_for_their_word(
    ada: Person, otto: Person, factory: Factory
) -> None:
    hers, his = factory.browser(ada), factory.browser(otto)
    asked = hers.post(f"/rules/{KEY}/edit", data=typed(act="publish")).get_data(as_text=True)
    assert "This needs 1 approval" in asked
    assert "Asked by mail: Otto" in asked
    answer = hers.post(PUBLISH, data=typed())
    here = answer.headers["Location"]
    assert newest().number == 1
    assert mails("RulesApprovalAsked") == [(otto.id, True)]
    assert "You wrote this" in hers.get(here).get_data(as_text=True)
    assert "Approve or refuse new rules" in his.get("/").get_data(as_text=True)
    assert "Ada wants to publish new rules" in his.get("/rules").get_data(as_text=True)
    assert "1 text waits for approval" in his.get("/admin").get_data(as_text=True)
    page = his.get(here).get_data(as_text=True)
    assert "Say more." in page
    assert "Approve this text" in page
    digest = db.session.scalar(select(Proposal.sha256)) or ""
    said = his.post(
        f"{here}/decide", data={"digest": digest, "decision": "approve", "words": "Good."}
    )
    assert said.status_code == 303
    assert (newest().number, newest().published_by_id) == (2, ada.id)
    assert "Good." in his.get(here).get_data(as_text=True)
    assert (ada.id, False) in mails("RulesProposalDecided")


def test_its_page_asks_little(ada: Person, otto: Person, factory: Factory) -> None:
    factory.person("Uma", admin=True)
    settle_on(ada, approvals=2)
    proposal = approve(propose(ada), otto)
    client, path = factory.browser(ada), f"/rules/proposals/{proposal.id}"
    client.get(path)
    db.session.remove()
    with statements() as asked:
        assert client.get(path).status_code == 200
    assert len(asked) <= 12


def test_nobody_lets_their_own_text_through(ada: Person, otto: Person, factory: Factory) -> None:
    proposal = propose(ada)
    with pytest.raises(Forbidden):
        approve(proposal, ada)
    late = factory.person("Late", admin=True)
    with pytest.raises(Forbidden):
        approve(proposal, late)
    page = factory.browser(late).get(f"/rules/proposals/{proposal.id}").get_data(as_text=True)
    assert "you cannot approve it" in page
    assert "Approve this text" not in page
    proposals.decide(
        proposal.id, by=late.id, approves=False, words="Not like this.", digest=proposal.sha256
    )
    assert proposals.get(proposal.id).state == "refused"
    assert newest().number == 1


def test_the_bar_cannot_be_lowered_on_the_way(ada: Person, otto: Person) -> None:
    saved = policy.save(Policy(approvals=0, one_more=False), by=ada.id)
    assert policy.in_force() == Policy()
    assert mails("PublishingChanged") == [(otto.id, False)]
    assert propose(ada).state == "waiting"
    with transaction() as session:
        session.get_one(Person, ada.id).password_hash = "so that she can sign in"
    people.deactivate(otto.id, by=ada.id)
    assert propose(ada, SOFTER).state == "waiting"
    with clock.moved_to(clock.now() + timedelta(days=1, minutes=1)):
        assert policy.in_force().version == saved.version
        assert propose(ada, REWORDED).state == "published"


def test_a_milder_way_that_was_replaced_never_counts(ada: Person, otto: Person) -> None:
    begun = clock.now()
    settle_on(ada, approvals=2)
    last = policy.last_saved().version
    mildest = policy.save(Policy(approvals=0, one_more=False, version=last), by=ada.id)
    with clock.moved_to(begun + timedelta(hours=2)):
        kept = policy.save(Policy(approvals=1, one_more=False, version=mildest.version), by=otto.id)
    with clock.moved_to(begun + timedelta(days=1, hours=1)):
        assert policy.in_force().approvals == 2
    with clock.moved_to(begun + timedelta(days=1, hours=3)):
        assert policy.in_force().version == kept.version


def test_to_ask_for_more_counts_at_once(ada: Person, otto: Person) -> None:
    settle_on(ada, approvals=0)
    assert propose(ada).state == "published"
    policy.save(
        Policy(approvals=1, one_more=False, version=policy.last_saved().version), by=otto.id
    )
    assert propose(ada, REWORDED, based_on=2).state == "waiting"
    with pytest.raises(Conflict):
        policy.save(Policy(approvals=2), by=ada.id)


def test_one_more_where_something_becomes_easier(
    ada: Person, otto: Person, factory: Factory
) -> None:
    factory.person("Uma", admin=True)
    settle_on(ada, approvals=1, one_more=True)
    assert propose(ada, HARDER).needed == 1
    assert propose(ada, REWORDED).needed == 1
    assert propose(ada, SOFTER).needed == 2


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (("Tell the problem", "Say it"), False),
        (("label: Begun", "label: Started"), False),
        (("gte: 10}", "gte: 11}"), False),
        (("gte: 10}", "gte: 9}"), True),
        (("fact: problem.length, gte: 10", "fact: problem.length, ne: 12"), True),
        (("by: [author], gate: agreed", "by: [author]"), True),
        (("by: [author], gate: agreed", "by: [author, boss], gate: agreed"), True),
        (("kind: org}", "kind: org, scope: company}"), True),
        (
            ("severity: hard, if: {fact: stage.days", "severity: advisory, if: {fact: stage.days"),
            True,
        ),
    ],
)
def test_what_may_loosen_the_rules_is_known(change: tuple[str, str], wanted: bool) -> None:
    changed = TEXT.replace(*change)
    assert changed != TEXT
    if "gate: agreed" not in changed:
        changed = changed[: changed.index("  agreed:")]
    before, after = load_rulebook(TEXT), load_rulebook(changed)
    assert may_loosen(before, after, differ(before, after, say=wording.said)) is wanted


def make_admin(person: Person, by: Person, *, admin: bool = True) -> None:
    people.set_rights(person.id, is_admin=admin, is_auditor=False, by=by.id)


def may_sign_in(person: Person) -> None:
    with transaction() as session:
        session.get_one(Person, person.id).password_hash = "so that they can sign in"


def test_an_administrator_made_today_approves_nothing_yet(
    ada: Person, otto: Person, factory: Factory
) -> None:
    eve = factory.person("Eve")
    make_admin(eve, by=ada)
    page = factory.browser(ada).post(f"/rules/{KEY}/edit", data=typed(act="publish")).text
    assert "Asked by mail: Otto" in page
    assert "counts from tomorrow: Eve." in page
    proposal = propose(ada)
    assert (proposal.asked, proposal.needed) == ([otto.id], 1)
    with pytest.raises(Forbidden):
        approve(proposal, eve)
    with clock.moved_to(clock.now() + timedelta(days=1, minutes=1)):
        assert propose(ada, SOFTER).asked == [otto.id, eve.id]


def test_one_let_in_again_today_approves_nothing_yet(
    ada: Person, otto: Person, factory: Factory
) -> None:
    eve = factory.person("Eve", admin=True)
    with clock.moved_to(clock.now() - timedelta(days=3)):
        may_sign_in(ada)
        people.deactivate(eve.id, by=ada.id)
    people.activate(eve.id, by=ada.id)
    assert propose(ada).asked == [otto.id]
    people.deactivate(otto.id, by=ada.id)
    people.activate(otto.id, by=ada.id)
    assert propose(ada, SOFTER).asked == [otto.id]


def test_nobody_approves_what_one_they_made_today_proposes(
    ada: Person, otto: Person, factory: Factory
) -> None:
    eve, fay = factory.person("Eve"), factory.person("Fay")
    make_admin(eve, by=ada)
    make_admin(fay, by=eve)
    proposal = propose(fay)
    assert (proposal.asked, proposal.needed) == ([otto.id], 1)
    with pytest.raises(Forbidden):
        approve(proposal, ada)
    assert approve(proposal, otto).state == "published"


def test_with_one_administrator_of_yesterday_work_goes_on(ada: Person, factory: Factory) -> None:
    eve = factory.person("Eve")
    make_admin(eve, by=ada)
    assert propose(eve, SOFTER).asked == [ada.id]
    page = factory.browser(ada).post(f"/rules/{KEY}/edit", data=typed(act="publish")).text
    assert "Nobody else counts yet" in page
    assert propose(ada).state == "published"


def test_whom_the_only_administrator_forgets_counts_if_they_were_one(
    ada: Person, factory: Factory
) -> None:
    may_sign_in(ada)
    pat, otto = factory.person("Pat"), factory.person("Otto", admin=True)
    people.deactivate(pat.id, by=ada.id)
    people.erase(pat.id, by=ada.id)
    with clock.moved_to(clock.now() - timedelta(days=3)):
        people.deactivate(otto.id, by=ada.id)
    assert propose(ada).state == "published"


def test_to_forget_an_administrator_lowers_no_bar(ada: Person, otto: Person) -> None:
    may_sign_in(ada)
    people.deactivate(otto.id, by=ada.id)
    people.erase(otto.id, by=ada.id)
    assert propose(ada).state == "waiting"


def test_the_authors_own_word_counts_where_that_is_settled(ada: Person, otto: Person) -> None:
    settle_on(otto, author_approves=True)
    proposal = propose(ada)
    assert proposal.state == "waiting"
    assert approve(proposal, ada).state == "published"


def test_a_draft_kept_while_it_is_published_stays(
    ada: Person, otto: Person, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = factory.browser(ada)
    drafts.keep(KEY, Draft(TEXT, "Begun.", 1), by=ada.id)
    seen = keeping.digest(drafts.begin(KEY, by=ada.id))

    def slowly(key: str, text: str) -> None:
        drafts.keep(KEY, Draft(REWORDED, "Typed in another tab.", 1), by=ada.id)

    with monkeypatch.context() as patched:
        patched.setattr(proposals, "check", slowly)
        assert client.post(PUBLISH, data=typed(seen=seen)).status_code == 303
    assert db.session.scalar(select(func.count()).select_from(Proposal)) == 1
    there = drafts.begin(KEY, by=ada.id)
    assert (there.text, there.note) == (REWORDED, "Typed in another tab.")
    answer = client.post(PUBLISH, data=typed(SOFTER, seen=keeping.digest(there)))
    assert answer.status_code == 303
    assert drafts.drafts() == []


def test_an_approval_is_for_the_text_that_was_read(ada: Person, otto: Person) -> None:
    proposal = propose(ada)
    with pytest.raises(Conflict):
        proposals.decide(proposal.id, by=otto.id, approves=True, words="", digest="0" * 64)
    assert newest().number == 1


def test_everybody_speaks_once(ada: Person, otto: Person, factory: Factory) -> None:
    factory.person("Uma", admin=True)
    settle_on(ada, approvals=2)
    proposal = propose(ada)
    assert approve(proposal, otto).state == "waiting"
    with pytest.raises(Conflict):
        approve(proposal, otto)


def test_a_refusal_needs_a_reason_and_ends_it(ada: Person, otto: Person, factory: Factory) -> None:
    proposal = propose(ada)
    his = factory.browser(otto)
    path = f"/rules/proposals/{proposal.id}"
    no = {"digest": proposal.sha256, "decision": "refuse"}
    answer = his.post(f"{path}/decide", data=no)
    assert answer.status_code == 422
    assert "Say why not" in answer.get_data(as_text=True)
    assert his.post(f"{path}/decide", data=no | {"words": "Not now."}).status_code == 303
    assert db.session.get_one(Proposal, proposal.id, populate_existing=True).state == "refused"
    hers = factory.browser(ada)
    assert "Not now." in hers.get(path).get_data(as_text=True)
    assert hers.post(f"{path}/take-up").status_code == 303
    assert drafts.begin(KEY, by=ada.id).text == HARDER
    assert his.post(f"{path}/decide", data=no | {"decision": "approve"}).status_code == 409
    assert newest().number == 1


def test_its_author_takes_it_back(ada: Person, otto: Person, factory: Factory) -> None:
    proposal = propose(ada)
    path = f"/rules/proposals/{proposal.id}/withdraw"
    assert factory.browser(otto).post(path).status_code == 403
    assert factory.browser(ada).post(path).status_code == 303
    assert factory.browser(ada).post(path).status_code == 303
    with pytest.raises(Conflict):
        approve(proposal, otto)


def test_the_second_of_two_on_one_version_is_stopped(ada: Person, otto: Person) -> None:
    first, second = propose(ada), propose(otto, SOFTER)
    assert approve(first, otto).state == "published"
    again = proposals.get(second.id)
    assert (again.state, again.ended_because) == ("stopped", proposals.OVERTAKEN)
    assert (otto.id, True) in mails("RulesProposalDecided")
    with pytest.raises(Conflict):
        approve(second, ada)
    assert db.session.scalar(select(func.count()).select_from(RulebookVersion)) == 2


def test_the_same_form_twice_asks_once(ada: Person, otto: Person) -> None:
    assert propose(ada).id == propose(ada).id
    assert mails("RulesApprovalAsked") == [(otto.id, True)]


def test_the_same_text_on_other_terms_is_not_taken_for_the_old_one(
    ada: Person, otto: Person, factory: Factory
) -> None:
    day = clock.today() + timedelta(days=3)
    first = propose(ada, takes_effect=day, in_flight="keep")
    assert propose(ada, takes_effect=day, in_flight="keep").id == first.id
    others: tuple[dict[str, Any], ...] = (
        {"takes_effect": day + timedelta(days=1), "in_flight": "keep"},
        {"takes_effect": day, "in_flight": "migrate"},
        {"in_flight": "keep"},
    )
    for other in others:
        with pytest.raises(Conflict, match=f"already, to bind from {show_date(day)}.*Withdraw"):
            propose(ada, **other)
    answer = factory.browser(ada).post(PUBLISH, data=typed(in_flight="keep"))
    assert answer.status_code == 409
    assert "Withdraw that first" in answer.get_data(as_text=True)
    proposals.withdraw(first.id, by=ada.id)
    assert propose(ada, in_flight="migrate").in_flight == "migrate"


@pytest.mark.parametrize(
    "mine",
    [Draft(HARDER, "My own words.", 1), Draft(HARDER, "Say more.", 2), Draft(SOFTER, "Mine.", 1)],
)
def test_taking_a_text_up_loses_no_draft(
    ada: Person, otto: Person, factory: Factory, mine: Draft
) -> None:
    path = f"/rules/proposals/{propose(ada).id}/take-up"
    drafts.keep(KEY, mine, by=otto.id)
    answer = factory.browser(otto).post(path)
    assert answer.status_code == 409
    assert "You keep another draft" in answer.get_data(as_text=True)
    there = drafts.begin(KEY, by=otto.id)
    assert (there.text, there.note, there.based_on) == (mine.text, mine.note, mine.based_on)
    drafts.discard(KEY, by=otto.id)
    for _ in range(2):
        assert factory.browser(otto).post(path).status_code == 303
    db.session.expire_all()
    assert drafts.begin(KEY, by=otto.id).note == "Say more."


def test_only_administrators_see_proposals(ada: Person, otto: Person, factory: Factory) -> None:
    proposal = propose(ada)
    pat = factory.browser(factory.person("Pat"))
    path = f"/rules/proposals/{proposal.id}"
    assert pat.get(path).status_code == 403
    for end in ("decide", "withdraw", "take-up"):
        assert pat.post(f"{path}/{end}").status_code == 403
    assert "wants to publish" not in pat.get("/rules").get_data(as_text=True)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"decision": "perhaps"},
        {"decision": "approve"},
        {"decision": "approve", "digest": "x" * 999},
    ],
)
def test_forms_that_were_not_ours_decide_nothing(
    ada: Person, otto: Person, factory: Factory, form: dict[str, str]
) -> None:
    proposal = propose(ada)
    his = factory.browser(otto)
    assert his.post(f"/rules/proposals/{proposal.id}/decide", data=form).status_code in {409, 422}
    assert his.post("/rules/proposals/999/decide", data=form).status_code == 404
    assert newest().number == 1


def save(client: FlaskClient, **form: str) -> int:
    return client.post("/admin/publishing", data=form).status_code


def test_settings_are_told_from_nonsense(ada: Person, otto: Person, factory: Factory) -> None:
    client = factory.browser(ada)
    assert save(client, version="0", approvals="9") == 422
    assert save(client, version="0", approvals="") == 422
    assert save(client, version="0", approvals="x") == 422
    assert save(client, version="0", approvals="2") == 303
    assert save(client, version="0", approvals="3") == 409
    assert policy.in_force() == policy.last_saved()
