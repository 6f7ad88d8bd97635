"""Administration: which days a unit works."""

from typing import Any

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from wtforms import SelectField

from okrgate import clock
from okrgate.accounts import calendars, units
from okrgate.accounts.blueprint import blueprint
from okrgate.accounts.forms import put_errors
from okrgate.accounts.models import OrgUnit, UnitCalendar
from okrgate.accounts.working_days import (
    Calendar,
    calendar_of,
    countries,
    country_names,
    holidays_of,
    region_names,
)
from okrgate.errors import Invalid
from okrgate.web.fields import Day, Line
from okrgate.web.htmx import render
from okrgate.web.permissions import admin, requires
from okrgate.web.render import done, me

_ABOVE = "above"
_NOBODY = "nobody"
_CLOSED = "closed-"


class CalendarForm(FlaskForm):  # type: ignore[misc]
    """Whose public holidays a unit keeps; what was chosen is checked by the service."""

    country = SelectField("Public holidays of", validate_choice=False)
    region = SelectField("Region", validate_choice=False)

    def offer(self, unit: OrgUnit, own: UnitCalendar | None) -> None:
        """Fill the lists; the regions are those of the country that is kept now."""
        named = sorted(((code, country_names().get(code, code)) for code in countries()), key=_name)
        above = [(_ABOVE, "As the unit above")] if unit.parent_id else []
        self.country.choices = [*above, (_NOBODY, "Nobody: weekends only"), *named]
        regions = sorted(region_names(own.country).items(), key=_name) if own else []
        self.region.choices = [("", "The whole country"), *regions]


class ClosedForm(FlaskForm):  # type: ignore[misc]
    """Some days in a row on which nobody works."""

    first = Day("First day", needed="Enter the first day.")
    last = Day("Last day", description="Leave it empty for one day.")
    why = Line("What for?", most=120, needed="Say what for: company holidays, for example.")


def _name(choice: tuple[str, str]) -> str:
    return choice[1]


@blueprint.get("/admin/units/<int(max=2147483647):unit_id>/days")
@requires(admin)
def unit_days(unit_id: int) -> ResponseReturnValue:
    """Show which days a unit works."""
    return _page(unit_id)


@blueprint.post("/admin/units/<int(max=2147483647):unit_id>/days")
@requires(admin)
def keep_holidays(unit_id: int) -> ResponseReturnValue:
    """Say whose public holidays a unit keeps."""
    unit, own = units.get(unit_id), calendars.own_calendar(unit_id)
    form = CalendarForm()
    form.offer(unit, own)
    if form.validate_on_submit():
        country = {_NOBODY: ""}.get(form.country.data, form.country.data or "?")
        # The regions on the page are those of the country that was kept before.
        region = form.region.data if own and own.country == country else ""
        try:
            if country == _ABOVE and unit.parent_id:
                calendars.follow(unit_id, by=me())
            else:
                calendars.keep(unit_id, country=country, region=region or "", by=me())
        except Invalid as refusal:
            put_errors(form, refusal)
        else:
            return done("Saved.", url_for("accounts.unit_days", unit_id=unit_id))
    return _page(unit_id, status=422, form=form)


@blueprint.post("/admin/units/<int(max=2147483647):unit_id>/days/closed")
@requires(admin)
def close_days(unit_id: int) -> ResponseReturnValue:
    """Close a unit for some days."""
    units.get(unit_id)
    form = ClosedForm(prefix=_CLOSED)
    if form.validate_on_submit():
        try:
            calendars.close(
                unit_id,
                first=form.first.data,
                last=form.last.data or form.first.data,
                why=form.why.data,
                by=me(),
            )
        except Invalid as refusal:
            put_errors(form, refusal)
        else:
            return done("The days are noted.", url_for("accounts.unit_days", unit_id=unit_id))
    return _page(unit_id, status=422, closed_form=form)


@blueprint.post(
    "/admin/units/<int(max=2147483647):unit_id>/days/closed/<int(max=2147483647):row_id>/remove"
)
@requires(admin)
def reopen_days(unit_id: int, row_id: int) -> ResponseReturnValue:
    """Take closed days back."""
    calendars.reopen(unit_id, row_id, by=me())
    return done("Removed.", url_for("accounts.unit_days", unit_id=unit_id))


def _page(
    unit_id: int,
    *,
    status: int = 200,
    form: CalendarForm | None = None,
    closed_form: ClosedForm | None = None,
) -> ResponseReturnValue:
    unit, own = units.get(unit_id), calendars.own_calendar(unit_id)
    if form is None:
        form = CalendarForm(formdata=None, data=_kept(unit, own))
        form.offer(unit, own)
    return render(
        "accounts/unit_days.html",
        status=status,
        unit=unit,
        form=form,
        closed_form=closed_form or ClosedForm(formdata=None, prefix=_CLOSED),
        form_errors=status != 200,
        **_shown(calendar_of(unit_id)),
        own_closed=calendars.own_closed_days(unit_id),
    )


def _kept(unit: OrgUnit, own: UnitCalendar | None) -> dict[str, str]:
    if own is None:
        return {"country": _ABOVE if unit.parent_id else _NOBODY, "region": ""}
    return {"country": own.country or _NOBODY, "region": own.region}


def _shown(calendar: Calendar) -> dict[str, Any]:
    """Return what the page says of the calendar as it counts: the country and the days off of a year."""
    today = clock.today()
    name = country_names().get(calendar.country, calendar.country)
    region = region_names(calendar.country).get(calendar.region, "")
    return {
        "country": f"{name}, {region}" if region else name,
        "holidays": holidays_of(calendar.country, calendar.region, today) if name else [],
        "next_day": calendar.after(today, 1),
        "closed": [one for one in calendar.closed if one[1] >= today],
    }
