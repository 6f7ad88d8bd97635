"""The front door of this room; each use case stands in its own module behind it."""

from okrgate.accounts.held import export
from okrgate.accounts.passwords import DEMO_PASSWORD
from okrgate.accounts.people import (
    STATES,
    activate,
    change,
    change_own,
    deactivate,
    end_sessions,
    erase,
    first_admin_link,
    invite,
    invite_again,
    set_rights,
)
from okrgate.accounts.personas import Group, Persona, demo_personas
from okrgate.accounts.signing_in import (
    DeadLink,
    WrongPassword,
    ask_email_change,
    ask_reset,
    change_password,
    sign_in,
    sign_out,
    use_email_link,
    use_password_link,
)
from okrgate.accounts.throttle import TooMany

__all__ = [
    "DEMO_PASSWORD",
    "STATES",
    "DeadLink",
    "Group",
    "Persona",
    "TooMany",
    "WrongPassword",
    "activate",
    "ask_email_change",
    "ask_reset",
    "change",
    "change_own",
    "change_password",
    "deactivate",
    "demo_personas",
    "end_sessions",
    "erase",
    "export",
    "first_admin_link",
    "invite",
    "invite_again",
    "set_rights",
    "sign_in",
    "sign_out",
    "use_email_link",
    "use_password_link",
]
