"""A project's comments, whom it is followed by, and the buttons to follow and to say what was seen."""

import secrets
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import SelectChoice

from okrgate.comments import following, service
from okrgate.comments.forms import CommentForm, EditForm
from okrgate.comments.mentions import Named, as_html
from okrgate.errors import Invalid
from okrgate.projects import permissions
from okrgate.rulebooks import service as rulebooks
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me, safe_next

blueprint = Blueprint("comments", __name__)

_COMMENT = "/comments/<int(max=2147483647):comment_id>"
_MOST_NEAR = 12
_MOST_SEEN = 100


@blueprint.get("/projects/<reference>/comments")
@requires(signed_in)
def list_comments(reference: str) -> ResponseReturnValue:
    """Show what was said about a project, and a form to say more."""
    seen = _seen(reference)
    form = CommentForm(formdata=None)
    form.key.data, form.section.data = secrets.token_hex(16), request.args.get("about", "")
    return _page(seen, form, service.people())


@blueprint.post("/projects/<reference>/comments")
@requires(signed_in)
def add(reference: str) -> ResponseReturnValue:
    """Store a comment."""
    seen, form, everybody = _seen(reference), CommentForm(), service.people()
    _offer(form, seen, everybody)
    if not form.validate():
        return _page(seen, form, everybody, status=422)
    words = service.Words(
        form.text.data or "", form.told(), form.section.data or "", bool(form.private.data)
    )
    try:
        row = service.add(seen, words, by=me(), key=(form.key.data or "")[:64] or None)
    except Invalid as problem:
        form.text.errors = [*form.text.errors, *problem.fields.values()]
        return _page(_seen(reference), form, everybody, status=422)
    return done(
        "Your comment is stored. You follow the project now.",
        _home(reference) + f"#comment-{row.id}",
    )


@blueprint.route(f"{_COMMENT}/edit", methods=["GET", "POST"])
@requires(signed_in)
def edit(comment_id: int) -> ResponseReturnValue:
    """Correct one's own comment while it is fresh."""
    comment, seen = service.own(comment_id, by=me(), is_auditor=current_user.is_auditor)
    project, text, shown_id = seen.project, comment.text, comment.id
    form = EditForm(data={"text": text})
    status = 200
    if request.method == "POST" and form.validate():
        try:
            service.edit(
                comment_id, form.text.data or "", by=me(), is_auditor=current_user.is_auditor
            )
        except Invalid as problem:
            form.text.errors = [*form.text.errors, *problem.fields.values()]
            status = 422
        else:
            to = f"{_home(project.reference)}#comment-{shown_id}"
            return done("Your comment is corrected.", to)
    elif request.method == "POST":
        status = 422
    return render(
        "comments/edit.html",
        status=status,
        project=project,
        comment_id=shown_id,
        fresh=service.is_fresh(comment),
        minutes=int(service.EDIT_FOR.total_seconds() // 60),
        form=form,
        form_errors=form.errors if status == 422 else None,
    )


@blueprint.post(f"{_COMMENT}/withdraw")
@requires(signed_in)
def withdraw(comment_id: int) -> ResponseReturnValue:
    """Take one's own comment back."""
    project = service.withdraw(comment_id, by=me(), is_auditor=current_user.is_auditor)
    return done("Your comment is withdrawn.", _home(project.reference))


@blueprint.post("/projects/<reference>/follow")
@requires(signed_in)
def follow(reference: str) -> ResponseReturnValue:
    """Follow a project."""
    following.follow(_seen(reference).project.id, by=me())
    return done(
        f"You follow {reference}: you hear of moves, comments and status updates.", _back(reference)
    )


@blueprint.post("/projects/<reference>/unfollow")
@requires(signed_in)
def unfollow(reference: str) -> ResponseReturnValue:
    """Follow a project no longer."""
    following.unfollow(_seen(reference).project.id, by=me())
    return done(f"You no longer follow {reference}.", _back(reference))


@blueprint.post("/seen")
@requires(signed_in)
def mark_seen() -> ResponseReturnValue:
    """Remember what was seen of projects: each `seen` is "<project id>-<row of the record>"."""
    wanted = (one.partition("-") for one in request.form.getlist("seen")[:_MOST_SEEN])
    pairs = [(whole(project), whole(seq)) for project, _, seq in wanted]
    service.mark_seen(
        {project: seq for project, seq in pairs if project and seq},
        by=me(),
        is_auditor=current_user.is_auditor,
    )
    return done("Marked as seen.", safe_next("stages.my_work"))


def _page(
    seen: service.Seen, form: CommentForm, everybody: Sequence[Named], *, status: int = 200
) -> ResponseReturnValue:
    project, about = seen.project, request.args.get("about", "")[:40]
    parts = _offer(form, seen, everybody)
    before = whole(request.args.get("before", ""))
    rows = service.page_of(seen, everybody, reader=me(), before=before, section=about)
    lines = rows[: service.PAGE]
    here: dict[str, Any] = {"reference": project.reference, "about": about or None}
    return render(
        "comments/list.html",
        status=status,
        project=project,
        involved=seen.involved,
        follows=seen.follows,
        followers=following.followers(project),
        lines=[(one, as_html(one.text, one.told)) for one in lines],
        parts=parts,
        about=about,
        form=form,
        form_errors=form.errors if status == 422 else None,
        next_url=url_for(".list_comments", **here, before=lines[-1].id)
        if len(rows) > service.PAGE
        else None,
        first_url=url_for(".list_comments", **here) if before else None,
    )


def _offer(form: CommentForm, seen: service.Seen, everybody: Sequence[Named]) -> dict[str, str]:
    """Fill the choices: the parts this process uses, those involved to tick, the others to choose from."""
    parts = service.parts_of(rulebooks.rulebook(seen.project.rulebook_version_id))
    form.section.choices = [("", "The project as a whole"), *parts.items()]
    if form.section.data not in parts:
        form.section.data = ""
    may = following.readers_of(seen.project)
    able = [
        one for one in everybody if one.active and one.id != me() and (may is None or one.id in may)
    ]
    near = permissions.involved(seen.project.id)
    ticked = [one for one in able if one.id in near][:_MOST_NEAR]
    form.tell.choices = [(one.id, one.name) for one in ticked]
    form.other.choices = [
        form.other.empty,
        *(SelectChoice(one.id, one.name) for one in able if one not in ticked),
    ]
    if not seen.involved:
        form.private.data = False
    return parts


def _seen(reference: str) -> service.Seen:
    return service.find_project(reference, reader=me(), is_auditor=current_user.is_auditor)


def _home(reference: str) -> str:
    return url_for(".list_comments", reference=reference)


def _back(reference: str) -> str:
    """Return where the button stood: the project's page, or its comments."""
    return _home(reference) if request.form.get("from") == "comments" else f"/projects/{reference}"
