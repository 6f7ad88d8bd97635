"""The questions of sign-in, of one's own account and of administration."""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    PasswordField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from okrgate import clock
from okrgate.accounts import addresses, directory, passwords
from okrgate.accounts.units import KINDS
from okrgate.errors import Invalid

_NAME = 120
_NO_DAY = "Enter a day like 2026-12-04, or leave it empty."
_YEARS = range(2000, 2101)


def one_line(value: str | None) -> str:
    """Take out what no name needs: space around and in rows, control and direction characters."""
    plain = unicodedata.normalize("NFC", value or "")
    spaced = " ".join(plain.split())
    return "".join(letter for letter in spaced if unicodedata.category(letter)[0] != "C")


def _address(_form: Any, field: Any) -> None:
    sentence = addresses.fault(field.data or "")
    if sentence:
        raise ValidationError(sentence)


def _day(_form: Any, field: Any) -> None:
    if field.data is not None and field.data.year not in _YEARS:
        raise ValidationError("Enter a day between 2000 and 2100.")


class _Day(DateField):
    """A day that may be left out."""

    def __init__(self, label: str, **more: Any) -> None:
        super().__init__(label, validators=[Optional(), _day], **more)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Say in our words what is no day."""
        try:
            super().process_formdata(valuelist)
        except ValueError as problem:
            raise ValueError(_NO_DAY) from problem


class _Unit(SelectField):
    """One of the open units, or none."""

    def __init__(self, label: str, *, nothing: str, needed: str = "", **more: Any) -> None:
        validators = [InputRequired(needed)] if needed else []
        super().__init__(label, coerce=_number, validators=validators, **more)
        self.nothing = nothing

    def offer(self, choices: Sequence[tuple[int, str]], *, also: int | None = None) -> None:
        """Set the choices; a unit chosen before stays choosable when it was closed since."""
        known = {number for number, _name in choices}
        kept = directory.unit(also) if also is not None and also not in known else None
        closed = [(kept.id, f"{kept.name} (closed)")] if kept else []
        self.choices = _offered([("", self.nothing), *choices, *closed])

    def pre_validate(self, form: Any) -> None:
        """Refuse what was not offered, in our words."""
        if self.data is not None and self.data not in {one.value for one in self.choices or ()}:
            raise ValidationError("Choose one of the units.")


def _offered(choices: Iterable[tuple[Any, str]]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in choices]


def _number(value: Any) -> int | None:
    text = str(value if value is not None else "")
    if text.isdecimal() and len(text) < 10:
        return int(text)
    return None if text in {"", "None"} else -1


def _name_field(label: str, need: str) -> StringField:
    return StringField(
        label,
        filters=[one_line],
        validators=[
            InputRequired(need),
            Length(min=1, max=_NAME, message=f"Use between 1 and {_NAME} characters."),
        ],
    )


def _new_password(label: str) -> PasswordField:
    return PasswordField(
        label,
        description=f"At least {passwords.SHORTEST} characters. A few words in a row are easy to remember.",
        validators=[
            InputRequired("Choose a password."),
            Length(max=passwords.LONGEST, message=f"Use at most {passwords.LONGEST} characters."),
        ],
        render_kw={"autocomplete": "new-password"},
    )


def _current_password() -> PasswordField:
    return PasswordField(
        "Your password now",
        validators=[
            InputRequired("Enter the password you have now."),
            Length(max=passwords.LONGEST, message="This is not your password."),
        ],
        render_kw={"autocomplete": "current-password"},
    )


class SignInForm(FlaskForm):
    """Who, and the secret."""

    email = StringField(
        "Mail address",
        validators=[
            InputRequired("Enter your mail address."),
            Length(max=addresses.LONGEST, message="Enter your mail address."),
        ],
        render_kw={"autocomplete": "username", "inputmode": "email", "spellcheck": "false"},
    )
    password = PasswordField(
        "Password",
        validators=[
            InputRequired("Enter your password."),
            Length(max=1000, message="Enter your password."),
        ],
        render_kw={"autocomplete": "current-password"},
    )


class ForgottenForm(FlaskForm):
    """Where to send the link."""

    email = StringField(
        "Mail address",
        validators=[InputRequired("Enter your mail address."), _address],
        render_kw={"autocomplete": "username", "inputmode": "email", "spellcheck": "false"},
    )


class NewPasswordForm(FlaskForm):
    """A password for a link."""

    password = _new_password("New password")


class ChangePasswordForm(FlaskForm):
    """Another password."""

    current = _current_password()
    password = _new_password("New password")


class EmailForm(FlaskForm):
    """Another address."""

    email = StringField(
        "New mail address",
        validators=[InputRequired("Enter the new address."), _address],
        description="We mail a link to it. The address is changed when you open the link and confirm.",
        render_kw={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"},
    )
    current = _current_password()


class DetailsForm(FlaskForm):
    """What people keep up themselves."""

    name = _name_field("Name", "Enter your name.")
    timezone = SelectField(
        "Time zone", description="Hours are shown in it. What is due when follows the company's."
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        company = f"The company's ({clock.company_zone().key})"
        self.timezone.choices = _offered([("", company), *((name, name) for name in _zones())])


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    return tuple(sorted(name for name in available_timezones() if name[0].isupper()))


class InviteForm(FlaskForm):
    """Somebody new."""

    name = _name_field("Name", "Enter their name.")
    email = StringField(
        "Mail address",
        validators=[InputRequired("Enter their mail address."), _address],
        description="The invitation goes here. Its link works once, for three days.",
        render_kw={"autocomplete": "off", "inputmode": "email", "spellcheck": "false"},
    )
    unit_id = _Unit("Unit", nothing="No unit yet", description="Where they work.")


class PersonForm(FlaskForm):
    """Name and unit, corrected by an administrator."""

    name = _name_field("Name", "Enter their name.")
    unit_id = _Unit("Unit", nothing="No unit yet")


class RightsForm(FlaskForm):
    """What goes beyond projects."""

    is_admin = BooleanField(
        "Administrator", description="Invites people, gives roles, keeps the units."
    )
    is_auditor = BooleanField("Auditor", description="Reads every project and the whole record.")


class GrantForm(FlaskForm):
    """A role, where, and for how long."""

    role = SelectField("Role", coerce=lambda value: value or "", validate_choice=False)
    unit_id = _Unit(
        "In",
        nothing="Choose a unit",
        needed="Choose the unit where they hold it.",
        description="The role counts there and in every unit below.",
    )
    starts_on = _Day("From", description="Empty: from today on.")
    ends_on = _Day("Until", description="The last day. Empty: until it is taken away.")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.role.choices = _offered([("", "Choose a role"), *directory.role_choices()])

    def validate_role(self, field: Any) -> None:
        """Ask for a role that can be given."""
        if not field.data:
            raise ValidationError("Choose a role.")
        if field.data not in {one.value for one in field.choices}:
            raise ValidationError("Choose one of the roles.")


class UnitForm(FlaskForm):
    """A unit of the tree."""

    name = _name_field("Name", "Enter a name.")
    kind = SelectField("Kind", choices=_offered(KINDS))
    domain = StringField(
        "Domain",
        filters=[one_line],
        validators=[Length(max=40, message="Use at most 40 characters.")],
        description="What it works on, such as Product or Growth.",
    )


class NewUnitForm(UnitForm):
    """A unit and the one above it."""

    parent_id = _Unit("Belongs to", nothing="Nothing: it is the first unit")


class MoveUnitForm(FlaskForm):
    """The unit above."""

    parent_id = _Unit(
        "Belongs to",
        nothing="Choose a unit",
        needed="Choose the unit above.",
        description="All units below move with it. Roles held above count there from then on.",
    )


def put_errors(form: FlaskForm, refusal: Invalid) -> None:
    """Show a service's refusal in the form: beside the fields it names, else above all."""
    placed = False
    for name, sentence in refusal.fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, sentence]
            placed = True
    if not placed:
        form.form_errors.append(refusal.sentence)
