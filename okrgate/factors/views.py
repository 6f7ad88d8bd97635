"""My account, second factor: add, remove, recovery codes; and an administrator's reset."""

from collections.abc import Sequence

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms import Form

from okrgate.accounts import browsers, people, sessions
from okrgate.accounts.forms import put_errors
from okrgate.accounts.service import TooMany
from okrgate.accounts.signing_in import check_own_password
from okrgate.database import canonical_json
from okrgate.errors import Invalid
from okrgate.factors import asking, challenges, codes, passkeys, proving, sealing, service
from okrgate.factors.forms import ConfirmForm, NewAppForm, NewPasskeyForm
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires, signed_in
from okrgate.web.render import done, me, safe_next

blueprint = Blueprint("factors", __name__)


@blueprint.get("/account/second-factor")
@requires(signed_in)
def show() -> ResponseReturnValue:
    """Show my second factors."""
    return render(
        "factors/show.html",
        factors=service.of_person(me()),
        codes_left=service.codes_left(me()),
        passkeys_usable=passkeys.usable(),
        words=service.WORDS,
    )


@blueprint.route("/account/second-factor/confirm", methods=["GET", "POST"])
@requires(signed_in)
def confirm() -> ResponseReturnValue:
    """Ask who it is, before a factor may change: the factor they have, or the password of whoever has none."""
    form, status, to = ConfirmForm(), 200, safe_next("factors.show")
    if form.is_submitted() and form.validate():
        try:
            token = _confirmed(form)
        except TooMany as refusal:
            form.form_errors.append(refusal.sentence)
            status = 429
        except Invalid as refusal:
            fields = {"current": "current_password"}
            put_errors(
                form,
                Invalid(refusal.sentence, {fields.get(k, k): v for k, v in refusal.fields.items()}),
            )
            status = 422
        else:
            sessions.take_into_browser(token)
            return redirect(to, 303)
    asked = asking.ask(_confirming())
    form.factor_token.data, form.factor_passkey.data = asked.token, ""
    return render(
        "factors/confirm.html",
        status=status,
        form=form,
        form_errors=status != 200,
        asked=asked,
        next_url=to,
    )


@blueprint.route("/account/second-factor/app", methods=["GET", "POST"])
@requires(signed_in)
def add_app() -> ResponseReturnValue:
    """Show a picture for an authenticator app, and take the app once it shows the right code."""
    if not service.is_confirmed(me(), current_user.session_id):
        return _confirm_first("factors.add_app")
    form, status = NewAppForm(), 200
    pending = sealing.unseal(form.factor_token.data or "", _pending()) if request.form else None
    if pending is not None and form.validate():
        try:
            made = service.add_app(
                me(),
                secret=pending.plain,
                label=form.label.data,
                code=form.factor_code.data,
                session=current_user.session_id,
            )
        except Invalid as refusal:
            put_errors(form, refusal)
        else:
            return _added(made, "Your app is added.")
    if form.is_submitted():
        status = 422
    secret = pending.plain if pending else codes.new_secret()
    form.factor_token.data = sealing.seal(secret, _pending())
    address = codes.address_of(secret, who=current_user.email, site="okrgate")
    return render(
        "factors/app.html",
        status=status,
        form=form,
        form_errors=status != 200,
        picture=codes.picture_of(address),
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        address=address,
    )


@blueprint.route("/account/second-factor/passkey", methods=["GET", "POST"])
@requires(signed_in)
def add_passkey() -> ResponseReturnValue:
    """Let the browser make a passkey, and take it."""
    if not service.is_confirmed(me(), current_user.session_id):
        return _confirm_first("factors.add_passkey")
    form, status = NewPasskeyForm(), 200
    session, binding = current_user.session_id, challenges.digest_of({"act": "add a passkey"})
    if form.is_submitted():
        status = 422
        try:
            if form.validate():
                token = form.factor_token.data or ""
                challenge = challenges.fitting(token, binding, person=me(), session=session)
                made = passkeys.made(form.factor_passkey.data or "", challenge)
                if made is None:
                    raise challenges.FactorRefused("No passkey was made. Try again.")
                given = service.add_passkey(me(), made, label=form.label.data, session=session)
                return _added(given, "Your passkey is added.")
        except Invalid as refusal:
            form.form_errors.append(refusal.sentence)
    challenge = challenges.make(binding, person=me(), session=session)
    form.factor_token.data, form.factor_passkey.data = challenge.token, ""
    known = service.rows_of(me(), service.PASSKEY)
    options = passkeys.creation_options(challenge, name=current_user.email, known=known)
    return render(
        "factors/passkey.html",
        status=status,
        form=form,
        form_errors=status != 200,
        usable=passkeys.usable(),
        options=canonical_json(options),
    )


@blueprint.post("/account/second-factor/codes")
@requires(signed_in)
def new_codes() -> ResponseReturnValue:
    """Make new recovery codes and show them, this once."""
    session = current_user.session_id
    if not service.is_confirmed(me(), session):
        return _confirm_first("factors.show")
    made = service.new_codes(me(), session=session)
    return _added(made, "You have new recovery codes.")


@blueprint.post("/account/second-factor/<int(max=2147483647):factor_id>/remove")
@requires(signed_in)
def remove(factor_id: int) -> ResponseReturnValue:
    """Remove one of my factors."""
    session = current_user.session_id
    if not service.is_confirmed(me(), session):
        return _confirm_first("factors.show")
    service.remove(factor_id, by=me(), session=session)
    return done("It is removed. Every other browser is signed out.", url_for("factors.show"))


@blueprint.route(
    "/admin/people/<int(max=2147483647):person_id>/second-factor", methods=["GET", "POST"]
)
@requires(admin)
def reset(person_id: int) -> ResponseReturnValue:
    """Take the factors away from somebody who lost them."""
    person = people.get(person_id)
    if request.method == "POST":
        service.reset(person_id, by=me())
        return done(
            f"{person.name} has no second factor now, and is signed out everywhere.",
            url_for("accounts.admin_person", person_id=person_id),
        )
    return render(
        "factors/reset.html",
        person=person,
        factors=service.of_person(person_id),
        codes_left=service.codes_left(person_id),
        is_me=person_id == me(),
        words=service.WORDS,
    )


def _confirmed(form: Form) -> str:
    """Return the token of the session that goes on once it is clear who it is."""
    session, device = current_user.session_id, browsers.device()
    checked = None
    if service.has_any(me()):
        proof = asking.proof_in(request.form)
        if proof is None:
            raise challenges.FactorRefused("Show your second factor.")
        checked = proving.check(proof, _confirming(), person=me())
    elif not form.current_password.data:
        sentence = "Type your password."
        raise Invalid(sentence, {"current": sentence})
    else:
        check_own_password(me(), form.current_password.data)
    return service.confirm(me(), session=session, device=device, checked=checked)


def _confirming() -> str:
    return challenges.digest_of({"act": "change my second factors"})


def _pending() -> str:
    return f"pending:{me()}:{current_user.session_id}"


def _confirm_first(endpoint: str) -> ResponseReturnValue:
    return redirect(url_for("factors.confirm", next=url_for(endpoint)), 303)


def _added(made: Sequence[str], sentence: str) -> ResponseReturnValue:
    if not made:
        return done(f"{sentence} Every other browser is signed out.", url_for("factors.show"))
    return render("factors/codes.html", codes=made, sentence=sentence)
