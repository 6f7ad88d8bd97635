"""The questions about second factors. Fields begin with `factor_`: such are never shown again on a page that refuses."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from okrgate.accounts.forms import one_line

_CODE = "The six digits that your app shows now, or one of your recovery codes."
_NAME = "So that you know which one it is: work phone, blue key."


def code_field(description: str = _CODE) -> StringField:
    """Return the field for a code."""
    return StringField(
        "Code",
        description=description,
        filters=[lambda typed: typed.strip()[:40] if typed else ""],
        render_kw={"inputmode": "text", "autocapitalize": "characters", "spellcheck": "false"},
    )


class ProofForm(FlaskForm):
    """What proves that it is them: a challenge and its answer."""

    factor_token = HiddenField()
    factor_passkey = HiddenField()
    factor_code = code_field()


class ConfirmForm(ProofForm):
    """The same, or the password of somebody who has no factor yet."""

    current_password = PasswordField("Your password", description="You have no second factor yet.")


class NewForm(FlaskForm):
    """What every new factor has: a name."""

    factor_token = HiddenField()
    label = StringField(
        "Its name",
        description=_NAME,
        filters=[one_line],
        validators=[
            InputRequired("Give it a name."),
            Length(max=60, message="Use at most 60 characters."),
        ],
    )


class NewAppForm(NewForm):
    """An authenticator app, and that it shows the right code."""

    factor_code = code_field("The six digits that the app shows now for okrgate.")


class NewPasskeyForm(NewForm):
    """A passkey that the browser just made."""

    factor_passkey = HiddenField()
