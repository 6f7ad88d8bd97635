"""Comments: who reads them, who is told, and what becomes of what is typed."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from okrgate import clock, events
from okrgate.accounts.models import Person
from okrgate.audit.models import Entry
from okrgate.comments import following, service
from okrgate.comments.models import Comment, Follow, Look
from okrgate.database import db, transaction
from okrgate.notifications.models import MAIL, OutboxRow
from okrgate.projects.models import Project
from tests.factories import Factory


class Story:
    """Sue submitted, Lea leads, Pat has no part, Aud audits."""

    def __init__(self, factory: Factory) -> None:
        self.factory = factory
        self.people = {
            name: factory.person(f"{name} {last}", auditor=name == "Aud")
            for name, last in (("Sue", "Submit"), ("Lea", "Lead"), ("Pat", "Plain"), ("Aud", "It"))
        }
        made = factory.project(submitter=self.people["Sue"], lead=self.people["Lea"])
        self.id, self.reference = made.id, made.reference
        self.home = f"/projects/{self.reference}/comments"

    def person(self, name: str) -> Person:
        return db.session().get_one(Person, self.ids[name])

    @property
    def ids(self) -> dict[str, int]:
        return {name: one.id for name, one in self.people.items()}

    def say(self, name: str, text: str, **more: str) -> int:
        data = {"text": text, "key": more.pop("key", f"{name} {text}"[:64]), **more}
        answer = self.factory.browser(self.people[name]).post(self.home, data=data)
        return answer.status_code

    def page(self, name: str) -> str:
        return self.factory.browser(self.people[name]).get(self.home).text

    def hide(self) -> None:
        with transaction() as session:
            session.get_one(Project, self.id).confidential = True


@pytest.fixture
def story(app: Flask, factory: Factory) -> Story:
    return Story(factory)


def told(kind: str) -> set[str]:
    db.session().rollback()
    query = (
        select(Person.name)
        .join(OutboxRow, OutboxRow.person_id == Person.id)
        .where(OutboxRow.event == kind, OutboxRow.channel == MAIL)
    )
    return {name.split(" ")[0] for name in db.session().scalars(query)}


def stored() -> list[Comment]:
    db.session().rollback()
    return list(db.session().scalars(select(Comment).order_by(Comment.id)))


def test_a_comment_is_read_by_everybody_who_reads_the_project(story: Story) -> None:
    assert story.say("Pat", "Which region\nfirst?") == 303

    assert "Which region\nfirst?" in story.page("Sue")
    assert told("CommentAdded") == {"Sue", "Lea"}


def test_a_private_comment_is_for_those_involved(story: Story) -> None:
    assert story.say("Lea", "It costs too much.", private="y") == 303

    assert "It costs too much." in story.page("Sue")
    assert "It costs too much." in story.page("Aud")
    assert "It costs too much." not in story.page("Pat")
    home = f"/projects/{story.reference}"
    assert "No comments" in " ".join(
        story.factory.browser(story.people["Pat"]).get(home).text.split()
    )
    rows = db.session().scalars(select(OutboxRow).where(OutboxRow.event == "CommentAdded"))
    assert all(row.snapshot["said"] == "" for row in rows)


def test_nobody_without_a_part_writes_a_private_comment(story: Story) -> None:
    story.say("Pat", "Psst", private="y")

    assert all(not one.private for one in stored())


def test_who_is_named_is_told_once_and_nobody_of_their_own_act(story: Story) -> None:
    assert story.say("Lea", "@pat and @lea and @sue", tell=str(story.ids["Sue"])) == 303

    assert told("Mentioned") == {"Pat", "Sue"}
    assert told("CommentAdded") == set()


def test_somebody_chosen_beside_the_text_is_told(story: Story) -> None:
    assert story.say("Sue", "Look here", other=str(story.ids["Pat"])) == 303

    assert told("Mentioned") == {"Pat"}


def test_what_is_not_clear_is_asked_back(story: Story) -> None:
    story.factory.person("Sam One")
    story.factory.person("Sam Two")
    browser = story.factory.browser(story.people["Sue"])
    for text, sentence in (
        ('@"Nobody Here"', "Nobody here is called Nobody Here."),
        ("@sam", "Several people are called sam."),
        ("", "Write your comment first."),
        ("x" * 10_001, "Use at most 10,000 characters."),
    ):
        answer = browser.post(story.home, data={"text": text, "key": "k"})

        assert answer.status_code == 422
        assert sentence in answer.text
    assert stored() == []


def test_nobody_is_named_who_may_not_read(story: Story) -> None:
    story.hide()
    browser = story.factory.browser(story.people["Sue"])

    answer = browser.post(story.home, data={"text": "@pat look", "key": "k"})

    assert answer.status_code == 422
    assert "Pat Plain may not read this project" in answer.text
    assert story.say("Sue", "Look", other=str(story.ids["Pat"])) == 422
    assert stored() == []


def test_a_hidden_project_has_no_comments_for_others(story: Story) -> None:
    story.say("Sue", "Quiet")
    number = stored()[0].id
    story.hide()
    browser = story.factory.browser(story.people["Pat"])

    assert browser.get(story.home).status_code == 404
    assert browser.post(story.home, data={"text": "Hm", "key": "k"}).status_code == 404
    assert browser.post(f"/projects/{story.reference}/follow").status_code == 404
    assert browser.get(f"/comments/{number}/edit").status_code == 404
    assert browser.post(f"/comments/{number}/withdraw").status_code == 404


def test_the_same_page_sent_twice_is_one_comment(story: Story) -> None:
    assert story.say("Pat", "Once", key="one") == 303
    assert story.say("Pat", "Once", key="one") == 303
    assert story.say("Lea", "Not mine", key="one") == 409

    assert [one.text for one in stored()] == ["Once"]
    assert told("CommentAdded") == {"Sue", "Lea"}


def test_a_fresh_comment_is_corrected_and_the_old_text_kept(story: Story) -> None:
    story.say("Pat", "Frist")
    number = stored()[0].id
    browser = story.factory.browser(story.people["Pat"])

    assert browser.post(f"/comments/{number}/edit", data={"text": "First @lea"}).status_code == 303
    assert browser.post(f"/comments/{number}/edit", data={"text": ""}).status_code == 422
    assert "edited" in story.page("Sue")
    entry = db.session().scalars(select(Entry).where(Entry.action == "comment.edited")).one()
    assert entry.details["text"] == ["Frist", "First @lea"]
    assert told("Mentioned") == {"Lea"}


def test_an_old_comment_stays_as_it_is(story: Story) -> None:
    story.say("Pat", "First")
    number = stored()[0].id
    browser = story.factory.browser(story.people["Pat"])

    with clock.moved_to(clock.now() + service.EDIT_FOR + timedelta(seconds=1)):
        page = browser.get(f"/comments/{number}/edit")
        answer = browser.post(f"/comments/{number}/edit", data={"text": "Second"})

    assert (page.status_code, answer.status_code) == (200, 403)
    assert stored()[0].text == "First"


def test_a_withdrawn_comment_leaves_the_page_and_stays_in_the_record(story: Story) -> None:
    story.say("Pat", "Regretted words")
    number = stored()[0].id
    other, browser = (story.factory.browser(story.people[one]) for one in ("Sue", "Pat"))

    assert other.post(f"/comments/{number}/withdraw").status_code == 403
    assert browser.post(f"/comments/{number}/withdraw").status_code == 303
    assert browser.post(f"/comments/{number}/withdraw").status_code == 303

    page = story.page("Sue")
    assert "Regretted words" not in page
    assert "Withdrawn by Pat Plain" in page
    entry = db.session().scalars(select(Entry).where(Entry.action == "comment.withdrawn")).one()
    assert entry.details["text"] == "Regretted words"


def test_what_is_typed_cannot_run(story: Story) -> None:
    payloads = (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        'https://a.example/"onclick="alert(1)',
        "{{ 7 * 7 }}{% raw %}",
        "\u202ereversed\x0b",
        "javascript:alert(1)",
    )
    assert [story.say("Pat", payload) for payload in payloads] == [303] * len(payloads)

    page = story.page("Sue")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'onclick="' not in page
    assert 'href="javascript' not in page
    assert "{{ 7 * 7 }}" in page


def test_comments_go_on_from_page_to_page(story: Story) -> None:
    with transaction() as session:
        for number in range(service.PAGE + 3):
            session.add(
                Comment(
                    project_id=story.id,
                    by_id=story.ids["Pat"],
                    text=f"no {number}.",
                    at=clock.now(),
                )
            )
    browser = story.factory.browser(story.people["Sue"])

    first = browser.get(story.home).text
    oldest = stored()[3].id
    second = browser.get(story.home, query_string={"before": oldest}).text

    assert "no 22." in first
    assert "no 2." not in first
    assert "no 2." in second
    assert "no 3." not in second


def test_a_strange_address_is_no_fault(story: Story) -> None:
    browser = story.factory.browser(story.people["Sue"])

    for query in ("before=x", "before=-1", "about=nothing", "about[]"):
        assert browser.get(f"{story.home}?{query}").status_code == 200, query


def test_whoever_follows_hears_of_moves_and_updates(story: Story) -> None:
    browser = story.factory.browser(story.people["Pat"])
    for _ in range(2):
        assert browser.post(f"/projects/{story.reference}/follow").status_code == 303
    assert db.session().scalar(select(func.count(Follow.id))) == 1

    post_update(story, by="Lea")

    assert told("StatusPosted") == {"Pat"}
    assert "Pat Plain" in story.page("Sue")


def test_whoever_lost_sight_hears_nothing_more(story: Story) -> None:
    following.follow(story.id, by=story.ids["Pat"])
    story.hide()

    post_update(story, by="Lea")
    story.say("Lea", "Only us")

    assert told("StatusPosted") == set()
    assert told("CommentAdded") == {"Sue"}
    assert "Pat Plain" not in story.page("Sue").partition('id="followers"')[2]


def test_whoever_unfollowed_hears_nothing_more(story: Story) -> None:
    following.follow(story.id, by=story.ids["Pat"])
    browser = story.factory.browser(story.people["Pat"])

    assert browser.post(f"/projects/{story.reference}/unfollow").status_code == 303
    post_update(story, by="Lea")

    assert told("StatusPosted") == set()


def test_a_followed_project_stands_in_my_work_until_it_was_seen(story: Story) -> None:
    browser = story.factory.browser(story.people["Pat"])
    browser.post(f"/projects/{story.reference}/follow")
    story.say("Lea", "News for you")

    assert "Mark all as seen" in browser.get("/").text
    seq = db.session().scalar(select(func.max(Entry.seq)))
    data = {"seen": [f"{story.id}-{seq}", "999999-5", "x", "1-", "-"]}
    assert browser.post("/seen", data=data).status_code == 303

    page = browser.get("/").text
    assert "Mark all as seen" not in page
    assert story.reference in page
    assert db.session().scalar(select(func.count(Look.id))) == 1


def test_my_own_acts_are_no_news_to_me(story: Story) -> None:
    story.say("Lea", "I said it")

    assert "Mark all as seen" not in story.factory.browser(story.people["Lea"]).get("/").text


def test_a_private_comment_is_no_news_to_others(story: Story) -> None:
    following.follow(story.id, by=story.ids["Pat"])
    story.say("Lea", "Between us", private="y")

    assert "Commented" not in story.factory.browser(story.people["Pat"]).get("/").text
    assert "Commented" in story.factory.browser(story.people["Sue"]).get("/").text


def test_nobody_looks_further_than_the_record_goes(story: Story) -> None:
    service.mark_seen({story.id: 999_999}, by=story.ids["Pat"], is_auditor=False)

    newest = db.session().scalar(select(func.max(Entry.seq))) or 0
    assert [row.seq for row in db.session().scalars(select(Look))] == [newest]


def post_update(story: Story, *, by: str) -> None:
    with transaction():
        events.publish(
            events.StatusPosted(
                project_id=story.id,
                reference=story.reference,
                title="Renewals",
                by=by,
                by_id=story.ids[by],
                status="on_track",
            )
        )
