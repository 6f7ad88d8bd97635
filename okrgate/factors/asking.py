"""Ask for a second factor on a page, and read what the page sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_login import current_user

from okrgate.accounts import browsers
from okrgate.database import canonical_json
from okrgate.factors import challenges, passkeys, service
from okrgate.factors.proving import Proof


@dataclass(frozen=True)
class Asked:
    """What a page needs to ask: the challenge, which ways there are, and what a browser asks a passkey with."""

    token: str
    apps: bool
    codes: bool
    passkey_options: str

    @property
    def possible(self) -> bool:
        """Tell whether the person has anything to answer with."""
        return self.apps or self.codes or bool(self.passkey_options)


def ask(binding: str) -> Asked:
    """Ask whoever is signed in, in this browser, for one act. Nothing is stored."""
    person = int(current_user.id)
    challenge = challenges.make(binding, person=person, session=current_user.session_id)
    rows = service.rows_of(person)
    keys = [one for one in rows if one.kind == service.PASSKEY] if passkeys.usable() else []
    options = canonical_json(passkeys.request_options(challenge, keys)) if keys else ""
    return Asked(
        token=challenge.token,
        apps=any(one.kind == service.APP for one in rows),
        codes=service.codes_left(person) > 0,
        passkey_options=options,
    )


def proof_in(sent: Mapping[str, Any]) -> Proof | None:
    """Return the proof that came with a form, if one came."""
    token = sent.get("factor_token", "")
    if not token:
        return None
    return Proof(
        token=token,
        session=current_user.session_id,
        network=browsers.network(),
        code=sent.get("factor_code", ""),
        passkey=sent.get("factor_passkey", ""),
    )
