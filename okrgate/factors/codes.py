"""Codes that people type: of an authenticator app (RFC 6238), and for recovery."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyotp
import segno

from okrgate import clock
from okrgate.factors import sealing
from okrgate.factors.models import SecondFactor

STEP = 30
HOW_MANY = 10
_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP = 4, 4


@dataclass(frozen=True)
class Shown:
    """The app whose code was typed, the time step it is of, and the secret to seal anew, if it is time."""

    factor: SecondFactor
    step: int
    reseal: str = ""


def new_secret() -> str:
    """Return a secret for an authenticator app."""
    return pyotp.random_base32(32)


def address_of(secret: str, *, who: str, site: str) -> str:
    """Return what an app reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=who, issuer_name=site)


def picture_of(address: str) -> str:
    """Return the QR code of an address as an SVG to be put into a page."""
    return str(
        segno.make(address, error="m").svg_inline(
            scale=5,
            border=4,
            svgclass="qr",
            lineclass=None,
            omitsize=False,
            dark="#000",
            light="#fff",
        )
    )


def step_of(secret: str, code: str) -> int | None:
    """Return the time step of a code: this one, the one before or the next; nothing if it is none of theirs."""
    if not is_code(code):
        return None
    now = int(clock.now().timestamp()) // STEP
    app = pyotp.TOTP(secret)
    fits = [
        step
        for step in (now - 1, now, now + 1)
        if hmac.compare_digest(app.generate_otp(step), code)
    ]
    return max(fits, default=None)


def is_code(typed: str) -> bool:
    """Tell whether a text looks like the code of an app."""
    return len(typed) == 6 and typed.isascii() and typed.isdecimal()


def plain(typed: str) -> str:
    """Return what was typed without spaces and hyphens, in capitals."""
    return "".join(letter for letter in typed.upper() if letter.isalnum())[:64]


def shown_by(apps: Iterable[SecondFactor], code: str) -> Shown | None:
    """Return whose code this is."""
    for app in apps:
        found = secret_of(app)
        if found is None:
            continue
        step = step_of(found.plain, code)
        if step is not None:
            return Shown(app, step, reseal=found.plain if found.outdated else "")
    return None


def secret_of(app: SecondFactor) -> sealing.Unsealed | None:
    """Return the secret of an app; nothing when it was sealed with a secret that is gone."""
    return sealing.unseal(app.secret, place_of(app.person_id))


def place_of(person_id: int) -> str:
    """Name what the secret belongs to: put into another's row it opens nothing."""
    return f"app:{person_id}"


def new_recovery_codes() -> Sequence[str]:
    """Return codes that nobody can guess (79 bits each)."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(HOW_MANY)
    ]


def recovery_hash(person_id: int, code: str) -> str:
    """Return what is kept of a recovery code. It is random and long, so a plain hash gives nothing away."""
    return hashlib.sha256(f"okrgate-recovery:{person_id}:{plain(code)}".encode()).hexdigest()
