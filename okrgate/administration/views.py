"""The administrator's landing page, the company's settings, and roles that nobody holds."""

from flask import current_app, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.administration import overview, preferences, unheld
from okrgate.administration.blueprint import blueprint
from okrgate.administration.forms import SettingsForm
from okrgate.administration.preferences import Preferences
from okrgate.errors import Conflict, Invalid
from okrgate.rulebooks import service as rulebooks
from okrgate.rulebooks import signers
from okrgate.watching import incidents
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me


@blueprint.get("/admin")
@requires(admin)
def landing() -> ResponseReturnValue:
    """Show what an administrator looks after, and what needs them now."""
    binding = [(one, rulebooks.rulebook(one.id)) for one in rulebooks.binding()]
    return render(
        "administration/landing.html",
        counts=overview.counts(),
        gaps=unheld.gaps(),
        nowhere=unheld.nowhere(),
        binding=binding,
        lacking=signers.cannot_sign_yet(rulebook for _version, rulebook in binding),
        health=overview.health(),
        incidents=incidents.open_ones(),
        preferences=preferences.current(),
        import_url=_import_url(),
    )


@blueprint.post("/admin/incidents/<kind>/seen")
@requires(admin)
def close_incident(kind: str) -> ResponseReturnValue:
    """Close what somebody has looked into."""
    incidents.close_seen(kind, by=me())
    return done("Closed. It opens again when it happens again.", url_for(".landing"))


@blueprint.get("/admin/roles")
@requires(admin)
def unheld_roles() -> ResponseReturnValue:
    """Show the roles that nobody holds, and who waits because of it."""
    person, auditor = me(), bool(current_user.is_auditor)
    return render(
        "administration/roles.html",
        gaps=unheld.gaps(reader=person, is_auditor=auditor),
        short=unheld.short_seats(reader=person, is_auditor=auditor),
        nowhere=unheld.nowhere(),
    )


@blueprint.get("/admin/settings")
@requires(admin)
def settings() -> ResponseReturnValue:
    """Show the company's settings."""
    preferences.refresh()
    now = preferences.current()
    form = SettingsForm(
        formdata=None,
        version=now.version,
        name=now.name,
        timezone=now.timezone,
        currency=now.currency,
        welcome=now.welcome,
        help_contact=now.help_contact,
    )
    return _page(form)


@blueprint.post("/admin/settings")
@requires(admin)
def save_settings() -> ResponseReturnValue:
    """Store the company's settings; they are in force everywhere within seconds."""
    form = SettingsForm()
    if not form.validate_on_submit():
        return _page(form, status=422)
    wanted = Preferences(
        name=form.name.data or "",
        timezone=form.timezone.data or "",
        currency=form.currency.data or "",
        welcome=form.welcome.data or "",
        help_contact=form.help_contact.data or "",
        version=form.version.data or 0,
    )
    if _changes_currency(wanted) and not form.sure.data:
        form.sure.errors = ["Tick this if you mean to change the currency."]
        return _page(form, status=422)
    try:
        preferences.save(wanted, by=me())
    except Invalid as refusal:
        for name, sentence in refusal.fields.items():
            form[name].errors = [sentence]
        return _page(form, status=422)
    except Conflict as refusal:
        preferences.refresh()
        form.version.data = preferences.current().version
        form.version.raw_data = None
        form.form_errors.append(refusal.sentence)
        return _page(form, status=409)
    return done("The settings are saved.", url_for(".settings"))


def _changes_currency(wanted: Preferences) -> bool:
    known = preferences.current().currency
    return wanted.currency != known and bool(overview.open_projects())


def _page(form: SettingsForm, *, status: int = 200) -> ResponseReturnValue:
    return render(
        "administration/settings.html",
        status=status,
        form=form,
        form_errors=status != 200,
        now=preferences.current(),
        conflict=status == 409,
        open_projects=sum(overview.open_projects().values()),
    )


def _import_url() -> str | None:
    """Return the first page of the import room, when there is one."""
    for rule in current_app.url_map.iter_rules():
        methods = rule.methods or set()
        if rule.endpoint.startswith("imports.") and "GET" in methods and not rule.arguments:
            return url_for(rule.endpoint)
    return None
