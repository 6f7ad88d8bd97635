from datetime import UTC, datetime

from icalendar import Calendar

from okrgate import clock
from okrgate.delivery.calendar import Mailbox, invitation
from okrgate.events import KickoffInvited

LINK = "https://okr.example.com/projects/OKR-007"


def invited(**changed: object) -> KickoffInvited:
    values: dict[str, object] = {
        "project_id": 7,
        "reference": "OKR-007",
        "title": "Renewals in one step",
        "starts": "2026-12-04T14:00:00+01:00",
        "ends": "2026-12-04T15:30:00+01:00",
        "place": "Room 4",
        "sequence": 0,
    }
    return KickoffInvited(**(values | changed))  # type: ignore[arg-type]


def read(text: str) -> dict[str, object]:
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    return dict(event.property_items(sorted=False))


def test_it_is_a_request_with_times_in_utc() -> None:
    with clock.moved_to(datetime(2026, 12, 1, 9, tzinfo=UTC)):
        text = invitation(invited(), organizer="okrgate@example.com", link=LINK)

    lines = text.split("\r\n")
    assert "METHOD:REQUEST" in lines
    assert "VERSION:2.0" in lines
    assert "DTSTART:20261204T130000Z" in lines
    assert "DTEND:20261204T143000Z" in lines
    assert "DTSTAMP:20261201T090000Z" in lines
    assert "ORGANIZER;CN=okrgate:mailto:okrgate@example.com" in lines
    assert lines[0] == "BEGIN:VCALENDAR"
    assert lines[-2:] == ["END:VCALENDAR", ""]


def test_a_change_keeps_the_uid_and_raises_the_sequence() -> None:
    first = read(invitation(invited(), organizer="o@example.com", link=LINK))
    second = read(
        invitation(invited(sequence=3, place="Room 5"), organizer="o@example.com", link=LINK)
    )

    assert first["UID"] == second["UID"] == "kickoff-7@okr.example.com"
    assert (first["SEQUENCE"], second["SEQUENCE"]) == (0, 3)


def test_text_is_escaped_and_comes_back_as_typed() -> None:
    place = "Room 4, 2nd floor; ask \\ ring"

    text = invitation(invited(place=place), organizer="o@example.com", link=LINK)

    assert "LOCATION:Room 4\\, 2nd floor\\; ask \\\\ ring" in text
    assert read(text)["LOCATION"] == place


def test_long_lines_are_folded_at_75_bytes() -> None:
    title = "Überlange Überschrift " * 9

    text = invitation(invited(title=title.strip()), organizer="o@example.com", link=LINK)

    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert read(text)["SUMMARY"] == f"Kick-off: {title.strip()} (OKR-007)"


def test_no_line_can_be_smuggled_in() -> None:
    nasty = 'x\r\nATTENDEE:mailto:eve@example.com\x00\x07"'

    text = invitation(
        invited(place=nasty, title=nasty),
        organizer="o@example.com",
        link=LINK,
        attendee=Mailbox(nasty, "ann@example.com"),
    )

    assert "\r\nATTENDEE:mailto:eve" not in text
    assert "\x00" not in text
    assert "\x07" not in text
    assert str(read(text)["ATTENDEE"]) == "mailto:ann@example.com"


def test_the_one_invited_is_asked_to_answer() -> None:
    ann = Mailbox("Ann Lee", "ann@example.com")

    text = invitation(invited(), organizer="o@example.com", link=LINK, attendee=ann)

    attendee = read(text)["ATTENDEE"]
    assert attendee.params["RSVP"] == "TRUE"  # type: ignore[attr-defined]
    assert attendee.params["PARTSTAT"] == "NEEDS-ACTION"  # type: ignore[attr-defined]
