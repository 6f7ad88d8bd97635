"""Pages: the inbox, the dead letters, and in the demo the mail that was caught."""

from itertools import groupby
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate import clock
from okrgate.config import Settings
from okrgate.errors import NotFound
from okrgate.notifications import catcher, service
from okrgate.web.filters import show_date
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import admin, requires, signed_in
from okrgate.web.render import done, me, safe_next

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select

blueprint = Blueprint("notifications", __name__)

# How long news stand under their own day.
_DAYS = 7


def badge(person_id: int) -> "Select[int]":
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


@blueprint.get("/admin/dead-letters")
@requires(admin)
def dead_letters() -> ResponseReturnValue:
    before = _number("before")
    rows = service.dead_letters(before=before)
    letters, more = rows[: service.PAGE], len(rows) > service.PAGE
    return render(
        "notifications/dead_letters.html",
        letters=letters,
        backlog=service.backlog(),
        previous_url=url_for(".dead_letters") if before else None,
        next_url=url_for(".dead_letters", before=letters[-1].id) if more else None,
    )


@blueprint.post("/admin/dead-letters/<int(max=2147483647):row_id>/send-again")
@requires(admin)
def send_again(row_id: int) -> ResponseReturnValue:
    service.send_again(row_id, by=me())
    return done("The mail will be sent again within a minute.", url_for(".dead_letters"))


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
