"""Plan a meeting: the list, the form, the agenda, the invitations."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import directory
from okrgate.errors import Forbidden, Invalid
from okrgate.meetings import agenda, calling, ready, rights, shown
from okrgate.meetings.blueprint import blueprint
from okrgate.meetings.calling import Plan
from okrgate.meetings.forms import MeetingForm, ReasonForm, zones
from okrgate.meetings.models import OPEN, Meeting
from okrgate.stages.reading import Reader
from okrgate.web.fields import NOBODY
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me, remove_row

_NUMBER = "int(max=2147483647)"


def reader() -> Reader:
    """Return whoever looks."""
    return Reader(me(), current_user.is_admin, current_user.is_auditor)


@blueprint.get("/meetings")
@requires(signed_in)
def list_meetings() -> ResponseReturnValue:
    """Show the meetings to come and those that were."""
    coming, past = shown.listed(reader())
    return render(
        "meetings/list.html", coming=coming, past=past, may_call=bool(rights.gates_for(reader()))
    )


@blueprint.route("/meetings/new", methods=["GET", "POST"])
@requires(signed_in)
def plan_meeting() -> ResponseReturnValue:
    """Prepare a meeting; nobody is invited yet."""
    form = MeetingForm()
    _offer(form)
    if not form.gates.choices:
        raise Forbidden(rights.MAY_NOT_CALL)
    if request.method == "GET":
        form.key.data = secrets.token_hex(16)
        form.zone.data, form.minutes.data, form.chair.data = current_user.zone.key, 60, me()
        form.gates.data = [one for one, _ in form.gates.choices][:1]
    elif not _changes_rows(form) and form.validate():
        number = _kept(form, lambda plan: calling.begin(plan, reader(), key=_key(form)))
        if number is not None:
            return done(
                "Now put projects on its agenda. Nobody is invited yet.",
                url_for("meetings.show_agenda", meeting_id=number),
            )
    return _form_page(form, None)


@blueprint.route(f"/meetings/<{_NUMBER}:meeting_id>/edit", methods=["GET", "POST"])
@requires(signed_in)
def edit_meeting(meeting_id: int) -> ResponseReturnValue:
    """Change time, place, name or people."""
    meeting = rights.led_by(meeting_id, reader())
    form = MeetingForm()
    _offer(form, meeting)
    if request.method == "GET":
        _fill(form, meeting)
    elif not _changes_rows(form) and form.validate():
        version = whole(form.version.data or "")

        def change(plan: Plan) -> int:
            calling.change(meeting_id, plan, reader(), version=version)
            return meeting_id

        if _kept(form, change) is not None:
            return done("Saved.", _here(meeting_id))
    return _form_page(form, meeting)


@blueprint.get(f"/meetings/<{_NUMBER}:meeting_id>/agenda")
@requires(signed_in)
def show_agenda(meeting_id: int) -> ResponseReturnValue:
    """Show what is available and what is on the agenda."""
    meeting = rights.led_by(meeting_id, reader())
    if meeting.state not in {"draft", "called", OPEN}:
        return redirect(_here(meeting_id), 303)
    seen = shown.of(meeting, reader(), brief=True)
    taken = {one.reference for one in seen.lines}
    return render(
        "meetings/agenda.html",
        shown=seen,
        meeting=meeting,
        available=[
            one for one in ready.ready(meeting.gates, reader()) if one.reference not in taken
        ],
        gates=rights.gate_labels(meeting.gates),
    )


@blueprint.post(f"/meetings/<{_NUMBER}:meeting_id>/agenda")
@requires(signed_in)
def change_agenda(meeting_id: int) -> ResponseReturnValue:
    """Add, remove, move: one button is one act; the minutes are all saved together."""
    act, _, number = request.form.get("act", "").partition(":")
    row = whole(number)
    if act == "minutes":
        agenda.allot(meeting_id, _minutes(), reader())
    elif row is None:
        raise Invalid("Choose a project of the agenda.")
    elif act == "add":
        agenda.add(meeting_id, row, reader())
    elif act == "remove":
        agenda.remove(meeting_id, row, reader())
    elif act in {"up", "down"}:
        agenda.shift(meeting_id, row, reader(), by=-1 if act == "up" else 1)
    else:
        raise Invalid("Choose what to do with it.")
    return redirect(url_for("meetings.show_agenda", meeting_id=meeting_id), 303)


@blueprint.post(f"/meetings/<{_NUMBER}:meeting_id>/signers")
@requires(signed_in)
def invite_signers(meeting_id: int) -> ResponseReturnValue:
    """Invite everybody whose sign-off the agenda waits for."""
    count = calling.invite(meeting_id, calling.awaited(meeting_id), reader())
    said = f"{count} more {'people are' if count != 1 else 'person is'} on the list."
    return done(
        said if count else "Everybody who signs is on the list already.",
        url_for("meetings.show_agenda", meeting_id=meeting_id),
    )


@blueprint.post(f"/meetings/<{_NUMBER}:meeting_id>/call")
@requires(signed_in)
def call_meeting(meeting_id: int) -> ResponseReturnValue:
    """Send the invitations."""
    calling.call(meeting_id, reader())
    return done("The invitations are on their way.", _here(meeting_id))


@blueprint.route(f"/meetings/<{_NUMBER}:meeting_id>/cancel", methods=["GET", "POST"])
@requires(signed_in)
def cancel_meeting(meeting_id: int) -> ResponseReturnValue:
    """Call it off."""
    meeting = rights.led_by(meeting_id, reader())
    form = ReasonForm()
    if request.method == "POST" and form.validate():
        try:
            calling.cancel(meeting_id, reader(), reason=form.reason.data or "")
        except Invalid as problem:
            form.reason.errors = [*form.reason.errors, *problem.fields.values()]
        else:
            return done("The meeting is called off.", url_for("meetings.list_meetings"))
    status = 422 if request.method == "POST" else 200
    return render(
        "meetings/cancel.html",
        status=status,
        meeting=meeting,
        form=form,
        form_errors=form.errors or None,
    )


def _here(meeting_id: int) -> str:
    return url_for("meetings.show_meeting", meeting_id=meeting_id)


def _offer(form: MeetingForm, meeting: Meeting | None = None) -> None:
    """Fill the lists; what the meeting has already stays on them."""
    known = {one.key: one.label for one in rights.gates_for(reader())}
    if meeting is not None:
        kept = [one for one in meeting.gates if one not in known]
        known |= dict(zip(kept, rights.gate_labels(kept), strict=True))
    form.gates.choices = list(known.items())
    form.zone.choices = [(name, name) for name in zones()]
    people = dict(directory.people_choices())
    if meeting is not None:
        listed = [meeting.chair_id, *calling.people_listed(meeting.id)]
        people |= directory.names(set(listed) - set(people))
    form.offered = [NOBODY, *((str(one), name) for one, name in people.items())]
    _offer_people(form)


def _offer_people(form: MeetingForm) -> None:
    for field in (form.chair, *(entry.form.person for entry in form.people)):
        field.choices = form.offered


def _fill(form: MeetingForm, meeting: Meeting) -> None:
    form.version.data, form.key.data = str(meeting.version), meeting.key
    form.title.data, form.place.data = meeting.title, meeting.place
    form.gates.data, form.zone.data = list(meeting.gates), meeting.zone
    local = meeting.starts_at.astimezone(ZoneInfo(meeting.zone))
    form.starts.data, form.minutes.data = local.replace(tzinfo=None), meeting.minutes
    form.chair.data = meeting.chair_id
    for person in calling.people_listed(meeting.id):
        if person != meeting.chair_id:
            form.people.append_entry({"person": person})
    _offer_people(form)


def _changes_rows(form: MeetingForm) -> bool:
    if request.form.get("add_row") == "people":
        if len(form.people.entries) < form.people.max_entries:
            form.people.append_entry()
            _offer_people(form)
        return True
    if request.form.get("remove_row", "").startswith("people-"):
        remove_row(form.people, request.form["remove_row"])
        return True
    return False


def _form_page(form: MeetingForm, meeting: Meeting | None) -> ResponseReturnValue:
    asked = request.method == "POST" and bool(form.errors)
    return render(
        "meetings/form.html",
        status=422 if asked else 200,
        form=form,
        meeting=meeting,
        form_errors=form.errors if asked else None,
    )


def _kept(form: MeetingForm, keep: Callable[[Plan], int]) -> int | None:
    """Keep what was typed; say beside its field what cannot be taken."""
    try:
        return keep(_plan(form))
    except Invalid as problem:
        for name, sentence in (problem.fields or {"title": problem.sentence}).items():
            field = form[name if name in form else "title"]
            field.errors = [*field.errors, sentence]
        return None


def _plan(form: MeetingForm) -> Plan:
    zone = ZoneInfo(form.zone.data)
    starts: datetime = form.starts.data.replace(tzinfo=zone).astimezone(UTC)
    people = {entry.form.person.data for entry in form.people} - {None}
    return Plan(
        title=form.title.data,
        gates=tuple(form.gates.data),
        starts=starts,
        minutes=form.minutes.data or 0,
        zone=form.zone.data,
        place=form.place.data or "",
        chair_id=form.chair.data,
        people=tuple(sorted(people)),
    )


def _key(form: MeetingForm) -> str:
    return (form.key.data or "")[:64]


def _minutes() -> dict[int, int]:
    """Return what was typed beside the items: id → minutes; what makes no sense changes nothing."""
    found: dict[int, int] = {}
    for name, text in request.form.items():
        item, count = whole(name.removeprefix("minutes-")), whole(text)
        if name.startswith("minutes-") and item is not None and count is not None:
            if not 1 <= count <= 240:
                raise Invalid("Give each project between 1 and 240 minutes.")
            found[item] = count
    return found
