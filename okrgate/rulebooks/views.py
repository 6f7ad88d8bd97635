"""Everybody can read the rules that bind them."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from okrgate.accounts import directory
from okrgate.rulebooks import service
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in

blueprint = Blueprint("rulebooks", __name__)


@blueprint.get("/rules")
@requires(signed_in)
def show_rules() -> ResponseReturnValue:
    """Show the versions of every rulebook, and what the newest of each asks for."""
    versions = service.versions()
    return render(
        "rulebooks/list.html",
        versions=versions,
        binding=[(version, service.rulebook(version.id)) for version in service.binding()],
        names=directory.names(version.published_by_id for version in versions),
    )


@blueprint.get("/rules/<int(max=2147483647):version_id>")
@requires(signed_in)
def show_version(version_id: int) -> ResponseReturnValue:
    """Show one version: its stages, its gates, its roles."""
    version = service.get_version(version_id)
    return render("rulebooks/show.html", version=version, rulebook=service.rulebook(version_id))


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
