"""What mails say, without a database."""

from zoneinfo import ZoneInfo

import pytest

from okrgate import events
from okrgate.events import Event, Recipient
from okrgate.notifications import messages, outbox, snapshots, subjects, wording
from tests.unit.notifications.samples import OWN, sample

KINDS = sorted(snapshots.kinds().values(), key=lambda kind: kind.__name__)


def test_every_event_has_a_sample_here() -> None:
    assert set(OWN) == set(KINDS)


def test_an_event_that_nobody_wrote_words_for_is_refused() -> None:
    class Unheard(Event):
        """Nobody knows it."""

    with pytest.raises(LookupError, match="Unheard has no headline"):
        subjects.headline(Unheard())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_event_comes_back_from_its_snapshot(kind: type[Event]) -> None:
    event = sample(kind, 5)

    stored = snapshots.take(event, event.recipients[0])
    back = snapshots.restore(kind.__name__, stored, person_id=5, asked=False)

    assert back == event


def test_a_snapshot_names_no_other_recipient() -> None:
    event = sample(events.StatusPosted, 5, 6)

    stored = snapshots.take(event, event.recipients[0])

    assert "recipients" not in stored
    assert stored["why"] == "You lead this project."


def test_a_snapshot_of_another_version_loses_only_what_is_unknown() -> None:
    event = sample(events.StatusPosted, 5)
    stored = snapshots.take(event, event.recipients[0]) | {"mood": "sunny"}

    back = snapshots.restore("StatusPosted", stored, person_id=5, asked=False)

    assert back == event


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (
            sample(events.SignoffAsked, again=False),
            "[OKR-042] Renewals in one step: sign-off needed by 4 Dec 2031",
        ),
        (sample(events.ProjectMoved), "[OKR-042] Renewals in one step: sent back to Planning"),
        (
            sample(events.ProjectMoved, kind="forward"),
            "[OKR-042] Renewals in one step: now in Planning",
        ),
        (sample(events.ResetAsked), "Choose a new password for okrgate"),
    ],
    ids=["asked", "sent back", "moved on", "reset"],
)
def test_a_subject_says_what_happened(event: Event, wanted: str) -> None:
    assert messages.subject(event) == wanted


@pytest.mark.parametrize(
    "title",
    ["A\r\nBcc: all@example.com", "A\nX: y", "A\x00B", "A\u2028B: c", "A\x1b[31m", "A\u202eB"],
)
def test_a_subject_stays_one_line_whatever_the_title(title: str) -> None:
    subject = messages.subject(sample(events.StatusPosted, title=title))

    assert all(character.isprintable() for character in subject)


def test_a_very_long_title_is_cut() -> None:
    assert len(wording.one_line("x" * 5000)) == 180


def test_a_moment_is_written_in_the_readers_zone() -> None:
    written = wording.moment("2031-12-04T13:00:00+00:00", ZoneInfo("Europe/Berlin"))

    assert written == "4 Dec 2031, 14:00 CET"


@pytest.mark.parametrize("text", ["soon", "", "2031-13-44"])
def test_what_is_no_date_is_written_as_it_stands(text: str) -> None:
    assert wording.day(text) == text


def test_who_acted_is_not_told_unless_asked() -> None:
    me, other = Recipient(3, "you follow it"), Recipient(4, "you follow it")
    asked = Recipient(3, "you sign", asked=True)

    told = outbox.recipients(sample(events.StatusPosted, recipients=(me, other)))
    told_when_asked = outbox.recipients(sample(events.StatusPosted, recipients=(asked, other)))

    assert told == [other]
    assert told_when_asked == [asked, other]


def test_somebody_with_two_reasons_is_told_once_and_the_request_wins() -> None:
    follows, signs = Recipient(5, "You follow it."), Recipient(5, "You sign it.", asked=True)

    told = outbox.recipients(sample(events.StatusPosted, recipients=(follows, signs)))

    assert told == [Recipient(5, "You sign it; You follow it.", asked=True)]
