"""Hold a meeting: its page, live; and what is kept of it."""

from email.utils import parseaddr

from flask import Response, current_app, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.config import Settings
from okrgate.delivery.calendar import Mailbox
from okrgate.errors import Invalid
from okrgate.meetings import agenda, minutes, news, rights, running, shown
from okrgate.meetings.blueprint import blueprint
from okrgate.meetings.forms import NotesForm
from okrgate.meetings.models import CLOSED, OPEN
from okrgate.meetings.views import reader
from okrgate.notifications import invitations
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me

_NUMBER = "int(max=2147483647)"


@blueprint.get(f"/meetings/<{_NUMBER}:meeting_id>")
@requires(signed_in)
def show_meeting(meeting_id: int) -> ResponseReturnValue:
    """Show the meeting: what is planned, what is going on, or the minutes."""
    meeting = rights.seen_by(meeting_id, reader())
    kept = shown.kept(meeting, reader()) if meeting.state == CLOSED else None
    if kept is not None:
        return render(
            "meetings/minutes.html",
            meeting=meeting,
            minutes=kept,
            leads=rights.leads(meeting, reader()),
        )
    return render(
        "meetings/show.html",
        meeting=meeting,
        shown=shown.of(meeting, reader()),
        gates=rights.gate_labels(meeting.gates) if meeting.state != OPEN else [],
    )


@blueprint.get(f"/meetings/<{_NUMBER}:meeting_id>/live")
@requires(signed_in)
def show_live(meeting_id: int) -> ResponseReturnValue:
    """Give the part of the page that changes; with an ETag, so that asking whether anything is new sends nothing."""
    meeting = rights.seen_by(meeting_id, reader())
    answer = Response(status=304)
    answer.set_etag(shown.mark(meeting, reader()))
    if request.if_none_match.contains(answer.get_etag()[0] or ""):
        return answer
    seen = shown.of(meeting, reader())
    part = make_response(render_template("meetings/_live.html", meeting=meeting, shown=seen))
    part.set_etag(seen.mark)
    return part


@blueprint.post(f"/meetings/<{_NUMBER}:meeting_id>/begin")
@requires(signed_in)
def begin_meeting(meeting_id: int) -> ResponseReturnValue:
    """Begin with the first project."""
    running.begin(meeting_id, reader())
    return _back(meeting_id, "The meeting is on.")


@blueprint.post(f"/meetings/<{_NUMBER}:meeting_id>/step")
@requires(signed_in)
def step(meeting_id: int) -> ResponseReturnValue:
    """Go to another project of the agenda."""
    to = whole(request.form.get("to", ""))
    if to is None:
        raise Invalid("Choose a project of the agenda.")
    running.step(meeting_id, reader(), seen=whole(request.form.get("seen", "")), to=to)
    return _back(meeting_id)


@blueprint.post(f"/meetings/<{_NUMBER}:meeting_id>/here")
@requires(signed_in)
def note_presence(meeting_id: int) -> ResponseReturnValue:
    """Say that I am here; who leads says it of everybody."""
    person = whole(request.form.get("person", "")) or me()
    running.here(meeting_id, reader(), person=person, came=request.form.get("came", "1") == "1")
    return _back(meeting_id)


@blueprint.route(
    f"/meetings/<{_NUMBER}:meeting_id>/items/<{_NUMBER}:item_id>/notes", methods=["GET", "POST"]
)
@requires(signed_in)
def write_notes(meeting_id: int, item_id: int) -> ResponseReturnValue:
    """Keep notes on one project."""
    meeting = rights.led_by(meeting_id, reader())
    item = agenda.readable_item(meeting, item_id, reader())
    line = next(one for one in shown.of(meeting, reader(), brief=True).lines if one.id == item.id)
    form = NotesForm()
    if request.method == "GET":
        form.notes.data = item.notes
        form.was.data = minutes.digest_of({"notes": item.notes})
    elif form.validate():
        running.note(meeting_id, item_id, form.notes.data or "", reader(), was=form.was.data or "")
        return _back(meeting_id, "The notes are kept.")
    return render(
        "meetings/notes.html",
        status=422 if request.method == "POST" else 200,
        meeting=meeting,
        line=line,
        form=form,
        form_errors=form.errors or None,
    )


@blueprint.route(f"/meetings/<{_NUMBER}:meeting_id>/end", methods=["GET", "POST"])
@requires(signed_in)
def end_meeting(meeting_id: int) -> ResponseReturnValue:
    """Ask once, then freeze the minutes and send them."""
    meeting = rights.led_by(meeting_id, reader())
    if request.method == "POST":
        running.end(meeting_id, reader())
        return _back(meeting_id, "The minutes are frozen and on their way.")
    return render(
        "meetings/end.html", meeting=meeting, shown=shown.of(meeting, reader(), brief=True)
    )


@blueprint.get(f"/meetings/<{_NUMBER}:meeting_id>/meeting.ics")
@requires(signed_in)
def meeting_calendar(meeting_id: int) -> ResponseReturnValue:
    """Give the meeting as a file for a calendar."""
    meeting = rights.seen_by(meeting_id, reader())
    settings: Settings = current_app.extensions["okrgate.settings"]
    text, method = invitations.meeting(
        news.as_it_stands(meeting, me()),
        organizer=parseaddr(settings.mail.sender)[1],
        link=f"{settings.base_url}/meetings/{meeting.id}",
        attendee=Mailbox(current_user.name, current_user.email),
    )
    answer = Response(text.encode(), content_type=f"text/calendar; charset=utf-8; method={method}")
    answer.headers["Content-Disposition"] = 'attachment; filename="meeting.ics"'
    return answer


def _back(meeting_id: int, said: str = "") -> ResponseReturnValue:
    to = url_for("meetings.show_meeting", meeting_id=meeting_id)
    if said:
        return done(said, to)
    return make_response("", 303, {"Location": to})
