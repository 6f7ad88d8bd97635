"""Everybody can read the rules that bind them; administrators see what is in work."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import directory
from okrgate.rulebooks import beginnings, drawing, retiring, service, wording
from okrgate.rulebooks import drafts as kept_drafts
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in

blueprint = Blueprint("rulebooks", __name__)


@blueprint.get("/rules")
@requires(signed_in)
def show_rules() -> ResponseReturnValue:
    """Show each process: the version that binds, those before, and (to administrators) drafts."""
    versions = service.versions()
    drafts = kept_drafts.drafts() if current_user.is_admin else []
    binding = service.binding()
    begun = beginnings.unpublished() if current_user.is_admin else []
    people = [version.published_by_id for version in versions] + [one.person_id for one in drafts]
    retired = retiring.retired()
    people += [one.begun_by_id for one in begun] + [one.by_id for one in retired.values()]
    return render(
        "rulebooks/list.html",
        processes=[
            (
                version,
                service.rulebook(version.id),
                [one for one in versions if one.process_id == version.process_id],
            )
            for version in binding
        ],
        binding={version.id for version in binding},
        retired=retired,
        drafts=drafts,
        begun=begun,
        proposed=service.proposed() if current_user.is_admin else [],
        open_projects=service.open_projects(),
        names=directory.names(people),
    )


@blueprint.get("/rules/<int(max=2147483647):version_id>")
@requires(signed_in)
def show_version(version_id: int) -> ResponseReturnValue:
    """Show one version in plain words and as a map: its stages, gates, roles and numbers."""
    version = service.get_version(version_id)
    rulebook = service.rulebook(version_id)
    return render(
        "rulebooks/show.html",
        version=version,
        newest=service.newest(version.process).number,
        plain=wording.in_words(rulebook),
        map=drawing.draw(rulebook),
    )


@blueprint.get("/rules/<int(max=2147483647):version_id>.yaml")
@requires(signed_in)
def download(version_id: int) -> ResponseReturnValue:
    """Give the text of one version, as it was published."""
    version = service.get_version(version_id)
    answer = Response(version.text, mimetype="text/yaml")
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="rules-{version.process}-{version.number}.yaml"'
    )
    return answer
