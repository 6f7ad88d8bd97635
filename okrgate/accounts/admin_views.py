"""Administration: people, their roles, the units."""

from collections.abc import Callable
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from okrgate.accounts import directory, people, roles, service, sessions, units
from okrgate.accounts.blueprint import blueprint
from okrgate.accounts.forms import (
    GrantForm,
    InviteForm,
    MoveUnitForm,
    NewUnitForm,
    PersonForm,
    RightsForm,
    UnitForm,
    put_errors,
)
from okrgate.database import remembering
from okrgate.errors import Conflict, Invalid
from okrgate.web.htmx import render
from okrgate.web.keys import whole
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me

_LIMIT = 50
_GRANT = "grant-"
_MOVE = "move-"


@blueprint.get("/admin/people")
@requires(admin)
def admin_people() -> ResponseReturnValue:
    """List everybody, by name."""
    search = request.args.get("q", "").strip()[:100]
    state = request.args.get("state", "")
    role = request.args.get("role", "")[:60]
    unit_id = whole(request.args.get("unit", ""))
    to_give = request.args.get("role_to_give", "")[:60]
    unit_to_give = whole(request.args.get("unit_to_give", ""))
    after = request.args.get("after", "")
    found = people.page(
        search=search,
        state=state,
        role=role,
        unit_id=unit_id,
        after=int(after) if after.isdecimal() and len(after) < 10 else None,
        limit=_LIMIT + 1,
    )
    shown = found[:_LIMIT]
    more = len(found) > _LIMIT
    filters: dict[str, Any] = {
        "q": search or None,
        "state": state or None,
        "role": role or None,
        "unit": unit_id,
        "role_to_give": to_give or None,
        "unit_to_give": unit_to_give,
    }
    labels = directory.role_choices()
    return render(
        "accounts/people.html",
        people=shown,
        roles=roles.in_words(person.id for person in shown),
        search=search,
        state=state,
        states=[("", "Everybody"), *people.STATES],
        role=role,
        role_choices=[
            ("", "Any role"),
            *labels,
            ("admin", "Administrator"),
            ("auditor", "Auditor"),
        ],
        unit=str(unit_id or ""),
        unit_choices=[
            ("", "Any unit"),
            *((str(number), name) for number, name in directory.unit_choices()),
        ],
        to_give=to_give,
        unit_to_give=unit_to_give,
        label_to_give=dict(labels).get(to_give, ""),
        filtered=bool(search or state or role or unit_id),
        first_url=url_for("accounts.admin_people", **filters) if after else None,
        next_url=url_for("accounts.admin_people", after=shown[-1].id, **filters) if more else None,
    )


@blueprint.get("/admin/people/invite")
@requires(admin)
def admin_invite() -> ResponseReturnValue:
    """Ask whom to invite."""
    form = InviteForm()
    form.unit_id.offer(directory.unit_choices())
    return render("accounts/invite.html", form=form)


@blueprint.post("/admin/people/invite")
@requires(admin)
def invite() -> ResponseReturnValue:
    """Store somebody and mail the invitation."""
    form = InviteForm()
    form.unit_id.offer(directory.unit_choices())
    if form.validate_on_submit():
        try:
            person_id = service.invite(
                email=form.email.data, name=form.name.data, unit_id=form.unit_id.data, by=me()
            )
        except Invalid as refusal:
            put_errors(form, refusal)
        else:
            return done(
                "Invited. Give them their roles here; they can come when they open the mail.",
                url_for("accounts.admin_person", person_id=person_id),
            )
    return render("accounts/invite.html", status=422, form=form, form_errors=True)


@blueprint.get("/admin/people/<int(max=2147483647):person_id>")
@requires(admin)
def admin_person(person_id: int) -> ResponseReturnValue:
    """Show somebody: roles, rights, sessions, and what can be done."""
    grant = None
    if "role" in request.args:
        grant = GrantForm(
            formdata=None,
            prefix=_GRANT,
            role=request.args["role"][:60],
            unit_id=whole(request.args.get("unit", "")),
        )
        grant.unit_id.offer(directory.unit_choices())
    return _person_page(person_id, grant_form=grant)


@blueprint.post("/admin/people/<int(max=2147483647):person_id>")
@requires(admin)
def change_person(person_id: int) -> ResponseReturnValue:
    """Correct name or unit."""
    record = people.get(person_id)
    form = PersonForm()
    form.unit_id.offer(directory.unit_choices(), also=record.unit_id)
    if not form.validate_on_submit():
        return _person_page(person_id, status=422, person_form=form)
    service.change(person_id, name=form.name.data, unit_id=form.unit_id.data, by=me())
    return _back(person_id, "Saved.")


@blueprint.post("/admin/people/<int(max=2147483647):person_id>/roles")
@requires(admin)
def grant_role(person_id: int) -> ResponseReturnValue:
    """Give a role in a unit."""
    people.get(person_id)
    form = GrantForm(prefix=_GRANT)
    form.unit_id.offer(directory.unit_choices())
    if form.validate_on_submit():
        try:
            roles.grant(
                person_id,
                role=form.role.data,
                unit_id=form.unit_id.data,
                starts_on=form.starts_on.data,
                ends_on=form.ends_on.data,
                by=me(),
            )
        except Invalid as refusal:
            put_errors(form, refusal)
        except Conflict as refusal:
            form.form_errors.append(refusal.sentence)
        else:
            return _back(person_id, "The role is given.")
    return _person_page(person_id, status=422, grant_form=form)


@blueprint.post(
    "/admin/people/<int(max=2147483647):person_id>/roles/<int(max=2147483647):grant_id>/revoke"
)
@requires(admin)
def revoke_role(person_id: int, grant_id: int) -> ResponseReturnValue:
    """Take a role away."""
    roles.revoke(person_id, grant_id, by=me())
    return _back(person_id, "The role is taken away.")


@blueprint.post("/admin/people/<int(max=2147483647):person_id>/rights")
@requires(admin)
def set_rights(person_id: int) -> ResponseReturnValue:
    """Make somebody administrator or auditor, or no longer."""
    form = RightsForm()
    if not form.validate_on_submit():
        return _person_page(person_id, status=422)
    return _act(
        person_id,
        "Saved.",
        lambda: service.set_rights(
            person_id, is_admin=form.is_admin.data, is_auditor=form.is_auditor.data, by=me()
        ),
    )


@blueprint.post("/admin/people/<int(max=2147483647):person_id>/deactivate")
@requires(admin)
def deactivate(person_id: int) -> ResponseReturnValue:
    """Shut somebody out; what waits for them is handed over first."""
    if person_id != me() and people.must_hand_over(person_id):
        return redirect(url_for("administration.leave", person_id=person_id), 303)
    return _act(
        person_id,
        "Deactivated. They are signed out everywhere.",
        lambda: service.deactivate(person_id, by=me()),
    )


@blueprint.post("/admin/people/<int(max=2147483647):person_id>/activate")
@requires(admin)
def activate(person_id: int) -> ResponseReturnValue:
    """Let somebody in again."""
    return _act(person_id, "Activated.", lambda: service.activate(person_id, by=me()))


@blueprint.post("/admin/people/<int(max=2147483647):person_id>/invite-again")
@requires(admin)
def invite_again(person_id: int) -> ResponseReturnValue:
    """Mail another invitation."""
    return _act(
        person_id,
        "Invited again. The link mailed before no longer works.",
        lambda: service.invite_again(person_id, by=me()),
    )


@blueprint.post("/admin/people/<int(max=2147483647):person_id>/end-sessions")
@requires(admin)
def end_sessions(person_id: int) -> ResponseReturnValue:
    """Sign somebody out everywhere."""
    return _act(
        person_id,
        "They are signed out everywhere.",
        lambda: service.end_sessions(person_id, by=me()),
    )


@blueprint.post("/admin/people/<int(max=2147483647):person_id>/erase")
@requires(admin)
def erase(person_id: int) -> ResponseReturnValue:
    """Forget somebody's name, when the box is ticked."""
    if request.form.get("sure") != "yes":
        return _person_page(
            person_id, status=422, problem="Tick the box: a name that is erased cannot come back."
        )
    return _act(person_id, "The name is erased.", lambda: service.erase(person_id, by=me()))


@blueprint.get("/admin/units")
@requires(admin)
def admin_units() -> ResponseReturnValue:
    """Show the tree."""
    return render("accounts/units.html", units=units.tree())


@blueprint.get("/admin/units/new")
@requires(admin)
def new_unit() -> ResponseReturnValue:
    """Ask for a unit and its place."""
    above = request.args.get("above", "")
    form = NewUnitForm(
        formdata=None, parent_id=int(above) if above.isdecimal() and len(above) < 10 else None
    )
    form.parent_id.offer(directory.unit_choices())
    return render("accounts/unit_new.html", form=form)


@blueprint.post("/admin/units/new")
@requires(admin)
def create_unit() -> ResponseReturnValue:
    """Add a unit."""
    form = NewUnitForm()
    form.parent_id.offer(directory.unit_choices())
    if form.validate_on_submit():
        try:
            units.create(
                name=form.name.data,
                kind=form.kind.data,
                parent_id=form.parent_id.data,
                domain=form.domain.data,
                by=me(),
            )
        except Invalid as refusal:
            put_errors(form, refusal)
        else:
            return done("The unit is added.", url_for("accounts.admin_units"))
    return render("accounts/unit_new.html", status=422, form=form, form_errors=True)


@blueprint.get("/admin/units/<int(max=2147483647):unit_id>")
@requires(admin)
def admin_unit(unit_id: int) -> ResponseReturnValue:
    """Show one unit, to rename or close it."""
    unit = units.get(unit_id)
    form = UnitForm(formdata=None, name=unit.name, kind=unit.kind, domain=unit.domain)
    return _unit_page(unit_id, form=form)


@blueprint.post("/admin/units/<int(max=2147483647):unit_id>")
@requires(admin)
def change_unit(unit_id: int) -> ResponseReturnValue:
    """Rename a unit."""
    units.get(unit_id)
    form = UnitForm()
    if form.validate_on_submit():
        try:
            units.change(
                unit_id,
                name=form.name.data,
                kind=form.kind.data,
                domain=form.domain.data,
                by=me(),
            )
        except Invalid as refusal:
            put_errors(form, refusal)
        else:
            return done("Saved.", url_for("accounts.admin_units"))
    return _unit_page(unit_id, status=422, form=form)


@blueprint.post("/admin/units/<int(max=2147483647):unit_id>/move")
@requires(admin)
def move_unit(unit_id: int) -> ResponseReturnValue:
    """Put a unit below another."""
    unit = units.get(unit_id)
    form = MoveUnitForm(prefix=_MOVE)
    form.parent_id.offer(directory.unit_choices(), also=unit.parent_id)
    if form.validate_on_submit():
        try:
            units.move(unit_id, parent_id=form.parent_id.data, by=me())
        except Invalid as refusal:
            put_errors(form, refusal)
        else:
            return done("The unit is moved.", url_for("accounts.admin_units"))
    return _unit_page(unit_id, status=422, move_form=form)


@blueprint.post("/admin/units/<int(max=2147483647):unit_id>/active")
@requires(admin)
def set_unit_active(unit_id: int) -> ResponseReturnValue:
    """Close a unit, or open it again."""
    active = request.form.get("active") == "yes"
    units.set_active(unit_id, active=active, by=me())
    said = "The unit is open again." if active else "The unit is closed."
    return done(said, url_for("accounts.admin_units"))


def _unit_page(
    unit_id: int,
    *,
    status: int = 200,
    form: UnitForm | None = None,
    move_form: MoveUnitForm | None = None,
) -> ResponseReturnValue:
    unit = units.get(unit_id)
    if form is None:
        form = UnitForm(formdata=None, name=unit.name, kind=unit.kind, domain=unit.domain)
    if move_form is None:
        move_form = MoveUnitForm(formdata=None, prefix=_MOVE, parent_id=unit.parent_id)
        move_form.parent_id.offer(directory.unit_choices(), also=unit.parent_id)
    return render(
        "accounts/unit.html",
        status=status,
        form=form,
        move_form=move_form,
        unit=unit,
        form_errors=status != 200,
    )


def _act(person_id: int, said: str, act: Callable[[], None]) -> ResponseReturnValue:
    """Do it; when the state forbids it, show the person with the sentence."""
    try:
        act()
    except Conflict as refusal:
        return _person_page(person_id, status=409, problem=refusal.sentence)
    return _back(person_id, said)


def _back(person_id: int, said: str) -> ResponseReturnValue:
    return done(said, url_for("accounts.admin_person", person_id=person_id))


def _person_page(
    person_id: int,
    *,
    status: int = 200,
    person_form: PersonForm | None = None,
    grant_form: GrantForm | None = None,
    problem: str = "",
) -> ResponseReturnValue:
    with remembering({}):
        record = people.get(person_id)
        choices = directory.unit_choices()
        if person_form is None:
            person_form = PersonForm(formdata=None, name=record.name, unit_id=record.unit_id)
            person_form.unit_id.offer(choices, also=record.unit_id)
        if grant_form is None:
            grant_form = GrantForm(formdata=None, prefix=_GRANT)
            grant_form.unit_id.offer(choices)
        rights: Any = RightsForm(
            formdata=None, is_admin=record.is_admin, is_auditor=record.is_auditor
        )
        return render(
            "accounts/person.html",
            status=status,
            person=record,
            person_form=person_form,
            grant_form=grant_form,
            rights_form=rights,
            roles=roles.of_person(person_id),
            has_roles_to_give=bool(directory.role_choices()),
            sessions=len(sessions.open_sessions(person_id)),
            is_me=person_id == me(),
            waiting=people.waits_for(person_id),
            problem=problem,
            form_errors=status != 200,
        )
