"""Pages: the inbox, the dead letters, and in the demo the mail that was caught."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate import clock
from okrgate.config import Settings
from okrgate.errors import Invalid, NotFound
from okrgate.notifications import catcher, dead, service, wishes
from okrgate.web.filters import show_date
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import admin, requires, signed_in
from okrgate.web.render import done, me, safe_next

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import BindParameter, Select

blueprint = Blueprint("notifications", __name__)

# How long news stand under their own day.
_DAYS = 7


def badge(person_id: "int | BindParameter[int]") -> "Select[int]":
    return service.unread_count(person_id)


def demo_only(**_arguments: Any) -> None:
    """Let everybody in, but only where no real mail is caught: in the demo."""
    if not _settings().demo:
        raise NotFound


@blueprint.get("/inbox")
@requires(signed_in)
def inbox() -> ResponseReturnValue:
    unread = request.args.get("show") == "unread"
    before, among_read = _number("before"), "read" in request.args
    rows = service.inbox(me(), before=before, among_read=among_read, unread=unread)
    news, more = rows[: service.PAGE], len(rows) > service.PAGE
    show = "unread" if unread else None
    last = news[-1] if more else None
    return render(
        "notifications/inbox.html",
        groups=_groups(news),
        unread_only=unread,
        any_unread=any(one.unread for one in news),
        newest=max((one.id for one in news), default=0),
        here=request.full_path.rstrip("?"),
        previous_url=url_for(".inbox", show=show) if before else None,
        next_url=url_for(".inbox", show=show, before=last.id, read=None if last.unread else 1)
        if last
        else None,
    )


def _groups(news: "Sequence[service.News]") -> list[tuple[str, list[service.News]]]:
    """Put news together by day in the reader's zone, older ones by month; what is unread is said to be new."""
    today = clock.now().astimezone(current_user.zone).date()

    def heading(one: service.News) -> str:
        day = one.at.astimezone(current_user.zone).date()
        age = (today - day).days
        if age > _DAYS:
            when = f"{day:%B %Y}"
        else:
            when = {0: "today", 1: "yesterday"}.get(age) or show_date(one.at)
        return f"New, {when}" if one.unread else when[:1].upper() + when[1:]

    return [(title, list(same)) for title, same in groupby(news, heading)]


@blueprint.post("/inbox/<int(max=2147483647):row_id>/read")
@requires(signed_in)
def mark_read(row_id: int) -> ResponseReturnValue:
    service.mark_read(row_id, by=me())
    return done("Marked as read.", safe_next("notifications.inbox"))


@blueprint.post("/inbox/read")
@requires(signed_in)
def mark_all_read() -> ResponseReturnValue:
    newest = whole(request.form.get("newest", ""))
    count = service.mark_all_read(by=me(), up_to=newest)
    return done(
        "Everything is marked as read." if count else "Everything was read already.",
        url_for(".inbox"),
    )


@blueprint.get("/account/mail")
@requires(signed_in)
def my_mail() -> ResponseReturnValue:
    """Show what comes to me by mail, and when."""
    return _mail_page(wishes.of(me()))


@blueprint.post("/account/mail")
@requires(signed_in)
def choose_mail() -> ResponseReturnValue:
    """Say what comes to me by mail, and when."""
    wanted = wishes.Wishes(
        how={kind.id: request.form.get(kind.id, wishes.NOW) for kind in wishes.KINDS},
        weekday=_chosen("weekday", wishes.EVERY_DAY),
        hour=_chosen("hour", wishes.HOUR),
    )
    try:
        wishes.choose(me(), wanted)
    except Invalid as refusal:
        return _mail_page(wanted, status=422, problem=refusal.sentence)
    return done("Saved.", url_for(".my_mail"))


def _chosen(name: str, usual: int) -> int:
    """Return the number chosen from a list; one that no list holds when something else was sent."""
    said = request.form.get(name)
    if said is None or said == str(usual):
        return usual
    found = whole(said)
    return 99 if found is None else found


def _mail_page(
    chosen: wishes.Wishes, *, status: int = 200, problem: str = ""
) -> ResponseReturnValue:
    return render(
        "notifications/my_mail.html",
        status=status,
        form_errors=bool(problem),
        problem=problem,
        kinds=wishes.KINDS,
        choices=wishes.choices,
        chosen=chosen,
        every_day=wishes.EVERY_DAY,
    )


@blueprint.get("/admin/dead-letters")
@requires(admin)
def dead_letters() -> ResponseReturnValue:
    return _dead_page()


@blueprint.post("/admin/dead-letters")
@requires(admin)
def settle_dead_letters() -> ResponseReturnValue:
    """Send the chosen mails again, or give them up with a reason."""
    ids = [one for one in map(whole, request.form.getlist("letter")) if one is not None]
    if not ids:
        return _dead_page(422, "Choose at least one mail.")
    if request.form.get("act") != "give_up":
        tried, stayed = dead.send_many_again(ids, by=me())
        kept = f" {stayed} cannot be sent again." if stayed else ""
        return done(f"{tried} will be sent again within a minute.{kept}", url_for(".dead_letters"))
    try:
        count = dead.give_up(ids, reason=request.form.get("reason", ""), by=me())
    except Invalid as refusal:
        return _dead_page(422, refusal.sentence, chosen=ids)
    return done(f"{count} given up for good. The record says so.", url_for(".dead_letters"))


@blueprint.post("/admin/dead-letters/<int(max=2147483647):row_id>/send-again")
@requires(admin)
def send_again(row_id: int) -> ResponseReturnValue:
    dead.send_again(row_id, by=me())
    return done("The mail will be sent again within a minute.", url_for(".dead_letters"))


def _dead_page(
    status: int = 200, problem: str = "", chosen: Sequence[int] = ()
) -> ResponseReturnValue:
    before = _number("before")
    wanted = dead.Wanted(
        request.args.get("q", "").strip()[:100], request.args.get("reason", "")[:20]
    )
    rows = dead.letters(wanted, before=before)
    letters, more = rows[: dead.PAGE], len(rows) > dead.PAGE
    here: dict[str, Any] = {"q": wanted.person or None, "reason": wanted.reason or None}
    return render(
        "notifications/dead_letters.html",
        status=status,
        form_errors=bool(problem),
        problem=problem,
        chosen=chosen,
        typed=request.form.get("reason", ""),
        letters=letters,
        wanted=wanted,
        reasons=[("", "Any reason"), *dead.REASONS],
        backlog=service.backlog(),
        previous_url=url_for(".dead_letters", **here) if before else None,
        next_url=url_for(".dead_letters", before=letters[-1].id, **here) if more else None,
    )


@blueprint.get("/demo/mail")
@requires(demo_only)
def caught_mail() -> ResponseReturnValue:
    return render("notifications/caught_mail.html", mails=catcher.listed(_settings().data_dir))


@blueprint.get("/demo/mail/<name>")
@requires(demo_only)
def show_caught_mail(name: str) -> ResponseReturnValue:
    mail = catcher.find(_settings().data_dir, name, base_url=_settings().base_url)
    if mail is None:
        raise NotFound
    return render("notifications/caught_mail_message.html", mail=mail)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["okrgate.settings"]
    return settings


def _number(name: str) -> int | None:
    return whole(request.args.get(name, ""))
