"""Come in and go out: sign-in, sign-out, forgotten passwords, mailed links."""

from flask import Response, flash, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from okrgate.accounts import (
    account_views,
    admin_views,
    browsers,
    calendar_views,
    links,
    service,
    sessions,
)
from okrgate.accounts.blueprint import blueprint
from okrgate.accounts.forms import ForgottenForm, NewPasswordForm, SignInForm, put_errors
from okrgate.errors import Invalid
from okrgate.web.htmx import render, wants_part
from okrgate.web.permissions import SignInNeeded, anyone, requires, signed_in
from okrgate.web.render import done, is_own_path, me, safe_next
from okrgate.web.typed import typed

__all__ = ["account_views", "admin_views", "blueprint", "calendar_views"]

_CARRIED = "carried:"
_LONGEST_PATH = 2000


@blueprint.get("/sign-in")
@requires(anyone)
def sign_in() -> ResponseReturnValue:
    """Ask who it is."""
    if current_user.is_authenticated:
        return redirect(safe_next("stages.my_work"), 303)
    return _sign_in_page(SignInForm(), next_path=request.args.get("next", ""))


@blueprint.post("/sign-in")
@requires(anyone)
def enter() -> ResponseReturnValue:
    """Let them in; whoever was signed in here before is out."""
    form = SignInForm()
    next_path, carried = request.form.get("next", ""), _carried_along()
    if not form.validate_on_submit():
        return _sign_in_page(form, next_path=next_path, carried=carried, status=422)
    try:
        token = service.sign_in(
            form.email.data,
            form.password.data,
            network=browsers.network(),
            device=browsers.device(),
        )
    except service.TooMany as refusal:
        form.form_errors.append(refusal.sentence)
        g.retry_after = refusal.seconds
        return _sign_in_page(form, next_path=next_path, carried=carried, status=429)
    except service.WrongPassword as refusal:
        form.form_errors.append(refusal.sentence)
        return _sign_in_page(form, next_path=next_path, carried=carried, status=422)
    _end_the_one_before()
    sessions.take_into_browser(token)
    if carried and is_own_path(next_path):
        return render("accounts/resume.html", fields=carried, path=next_path)
    return redirect(safe_next("stages.my_work"), 303)


@blueprint.post("/sign-out")
@requires(anyone)
def sign_out() -> ResponseReturnValue:
    """End the session here and on the server."""
    _end_the_one_before()
    sessions.forget_in_browser()
    flash("You are signed out.", "info")
    answer = make_response(redirect(url_for("accounts.sign_in"), 303))
    # Texts kept in the browser belong to whoever typed them.
    answer.headers["Clear-Site-Data"] = '"storage"'
    return answer


@blueprint.get("/forgotten")
@requires(anyone)
def forgotten() -> ResponseReturnValue:
    """Ask where to send a link."""
    return render("accounts/forgotten.html", form=ForgottenForm())


@blueprint.post("/forgotten")
@requires(anyone)
def ask_reset() -> ResponseReturnValue:
    """Answer the same, whether or not anybody has this address."""
    form = ForgottenForm()
    if not form.validate_on_submit():
        return render("accounts/forgotten.html", status=422, form=form, form_errors=True)
    try:
        service.ask_reset(form.email.data, network=browsers.network())
    except service.TooMany as refusal:
        form.form_errors.append(refusal.sentence)
        g.retry_after = refusal.seconds
        return render("accounts/forgotten.html", status=429, form=form, form_errors=True)
    return render("accounts/mailed.html", email=form.email.data)


@blueprint.get("/accounts/link/<token>")
@requires(anyone)
def link(token: str) -> ResponseReturnValue:
    """Show what a mailed link is for. Opening it uses nothing."""
    return _link_page(_found(token), NewPasswordForm())


@blueprint.post("/accounts/link/<token>")
@requires(anyone)
def use_link(token: str) -> ResponseReturnValue:
    """Use a mailed link, once."""
    found = _found(token)
    if found.purpose == links.EMAIL_CHANGE:
        service.use_email_link(token, by=me())
        return done("Your address is changed.", url_for("accounts.my_account"))
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return _link_page(found, form, status=422)
    try:
        session_token = service.use_password_link(
            token, form.password.data, device=browsers.device()
        )
    except Invalid as refusal:
        put_errors(form, refusal)
        return _link_page(found, form, status=422)
    _end_the_one_before()
    sessions.take_into_browser(session_token)
    return done("Your password is set and you are signed in.", url_for("stages.my_work"))


@blueprint.app_errorhandler(SignInNeeded)
def ask_to_sign_in(_needed: SignInNeeded) -> ResponseReturnValue:
    """Ask for a sign-in and come back here; what was typed comes along."""
    wanted = request.full_path.rstrip("?")
    if request.method in {"GET", "HEAD"}:
        wanted = wanted if len(wanted) <= _LONGEST_PATH else "/"
        to = url_for("accounts.sign_in", next=wanted if wanted != "/" else None)
        return ("", 401, {"HX-Redirect": to}) if wants_part() else redirect(to, 303)
    form = SignInForm(formdata=None)
    form.form_errors.append("You are no longer signed in. Sign in again; nothing was sent yet.")
    return _sign_in_page(form, next_path=wanted, carried=typed(never=(_CARRIED,)), status=401)


@blueprint.after_app_request
def _say_when_to_come_back(response: Response) -> Response:
    if "retry_after" in g:
        response.headers["Retry-After"] = str(g.retry_after)
    return response


def _sign_in_page(
    form: SignInForm,
    *,
    next_path: str,
    carried: list[tuple[str, str]] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    form.password.data = ""
    return render(
        "accounts/sign_in.html",
        status=status,
        form=form,
        form_errors=status != 200,
        next_path=next_path if is_own_path(next_path) else "",
        carried=[(f"{_CARRIED}{name}", value) for name, value in carried or ()],
        personas=service.demo_personas(),
        demo_password=service.DEMO_PASSWORD,
    )


def _link_page(
    found: links.Found, form: NewPasswordForm, *, status: int = 200
) -> ResponseReturnValue:
    return render(
        "accounts/link.html",
        status=status,
        found=found,
        form=form,
        form_errors=status != 200,
        changes_address=found.purpose == links.EMAIL_CHANGE,
        welcomes=found.purpose in {links.INVITE, links.FIRST_ADMIN},
    )


def _found(token: str) -> links.Found:
    found = links.find(token)
    if found is None:
        raise service.DeadLink
    if found.purpose == links.EMAIL_CHANGE:
        # Whoever reads the new mailbox must be the one who asked, or an address typed wrong gives an account away.
        signed_in()
    return found


def _end_the_one_before() -> None:
    if current_user.is_authenticated:
        service.sign_out(current_user.token, by=me())


def _carried_along() -> list[tuple[str, str]]:
    return [
        (name.removeprefix(_CARRIED), value)
        for name, value in request.form.items(multi=True)
        if name.startswith(_CARRIED)
    ]
