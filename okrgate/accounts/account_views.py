"""My account: who I am here, where I am signed in, what is held on me."""

import json

from flask import Response, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import browsers, directory, people, roles, service, sessions
from okrgate.accounts.blueprint import blueprint
from okrgate.accounts.forms import ChangePasswordForm, DetailsForm, EmailForm, put_errors
from okrgate.errors import Invalid
from okrgate.web.htmx import render
from okrgate.web.permissions import requires, signed_in
from okrgate.web.render import done, me


@blueprint.get("/account")
@requires(signed_in)
def my_account() -> ResponseReturnValue:
    """Show what okrgate knows of me, and let me correct it."""
    record = people.get(me())
    return _account_page(DetailsForm(name=record.name, timezone=record.timezone))


@blueprint.post("/account")
@requires(signed_in)
def change_details() -> ResponseReturnValue:
    """Correct my name or zone."""
    form = DetailsForm()
    if not form.validate_on_submit():
        return _account_page(form, status=422)
    service.change_own(me(), name=form.name.data, timezone=form.timezone.data)
    return done("Saved.", url_for("accounts.my_account"))


@blueprint.get("/account/password")
@requires(signed_in)
def password() -> ResponseReturnValue:
    """Ask for the password now and a new one."""
    return render("accounts/password.html", form=ChangePasswordForm())


@blueprint.post("/account/password")
@requires(signed_in)
def change_password() -> ResponseReturnValue:
    """Set another password; every other browser is signed out."""
    form = ChangePasswordForm()
    if form.validate_on_submit():
        try:
            token = service.change_password(
                me(), form.current.data, form.password.data, device=browsers.device()
            )
        except service.TooMany as refusal:
            return _refuse("accounts/password.html", form, refusal)
        except Invalid as refusal:
            put_errors(form, refusal)
        else:
            sessions.take_into_browser(token)
            return done(
                "Your password is changed. Every other browser is signed out.",
                url_for("accounts.my_account"),
            )
    return render("accounts/password.html", status=422, form=form, form_errors=True)


@blueprint.get("/account/email")
@requires(signed_in)
def email() -> ResponseReturnValue:
    """Ask for another address."""
    return render("accounts/email.html", form=EmailForm(), before=current_user.email)


@blueprint.post("/account/email")
@requires(signed_in)
def change_email() -> ResponseReturnValue:
    """Mail a link to the new address."""
    form, before = EmailForm(), current_user.email
    if form.validate_on_submit():
        try:
            service.ask_email_change(me(), form.email.data, form.current.data)
        except service.TooMany as refusal:
            return _refuse("accounts/email.html", form, refusal, before=before)
        except Invalid as refusal:
            put_errors(form, refusal)
        else:
            return done(
                "We mailed a link to the new address. Open it here to confirm.",
                url_for("accounts.my_account"),
            )
    return render("accounts/email.html", status=422, form=form, form_errors=True, before=before)


@blueprint.post("/account/sessions/<int(max=2147483647):session_id>/end")
@requires(signed_in)
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign me out in one browser, which may be this one."""
    sessions.end_one(session_id, person_id=me())
    if session_id == current_user.session_id:
        sessions.forget_in_browser()
        return redirect(url_for("accounts.sign_in"), 303)
    return done("That browser is signed out.", url_for("accounts.my_account"))


@blueprint.post("/account/sessions/end-others")
@requires(signed_in)
def end_other_sessions() -> ResponseReturnValue:
    """Sign me out everywhere but here."""
    sessions.end_all(me(), but=current_user.session_id)
    return done("Every other browser is signed out.", url_for("accounts.my_account"))


@blueprint.post("/account/export")
@requires(signed_in)
def export() -> ResponseReturnValue:
    """Hand over what is held on me, as a file."""
    text = json.dumps(service.export(me()), indent=2, ensure_ascii=False)
    return Response(
        text,
        mimetype="application/json",
        headers={"Content-Disposition": 'attachment; filename="okrgate-about-me.json"'},
    )


def _account_page(form: DetailsForm, *, status: int = 200) -> ResponseReturnValue:
    unit = directory.unit(current_user.unit_id)
    return render(
        "accounts/my_account.html",
        status=status,
        form=form,
        form_errors=status != 200,
        unit=unit.name if unit else "",
        roles=roles.of_person(me()),
        sessions=sessions.open_sessions(me()),
        current_session=current_user.session_id,
    )


def _refuse(
    template: str, form: ChangePasswordForm | EmailForm, refusal: service.TooMany, **more: str
) -> ResponseReturnValue:
    form.form_errors.append(refusal.sentence)
    return render(template, status=429, form=form, form_errors=True, **more)
