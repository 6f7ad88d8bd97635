"""Passwords: argon2id, the same work whether or not somebody is known, and rules that a person can meet."""

import re
import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app

from okrgate.config import Settings

SHORTEST = 12
LONGEST = 128
DEMO_PASSWORD = "okrgate demo 2026"  # noqa: S105 printed on the demo's own sign-in page

_FEWEST_DIFFERENT = 5
_COMMON_WORDS = """
password passwort motdepasse contraseña passw0rd p@ssword p@ssw0rd passwordpassword changeme changemeplease
letmein letmeinplease welcome welcomewelcome iloveyou iloveyouforever trustno1 correcthorsebatterystaple
qwerty qwertyuiop qwertyqwerty qwertyuiopasdfghjkl qwertzuiop azertyuiop asdfghjkl asdfghjklqwertyuiop
zxcvbnm zxcvbnmasdfghjkl 1q2w3e4r5t6y q1w2e3r4t5y6 qwerty123456 abcdefghijkl abcdefghijklm abcdefabcdef
administrator adminadmin adminadminadmin rootrootroot secretsecret testtesttest mypassword
mypasswordismypassword thisismypassword nopassword football basketball princessprincess sunshinesunshine
okrgate okrgateokrgate okrgatedemo stagegate companyname
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def hash_of(password: str) -> str:
    """Return what is stored for a password."""
    return _hasher().hash(_plain(password))


def fits(stored: str | None, password: str) -> bool:
    """Tell whether the password is the stored one. Nobody's password (None) is checked too, against a dummy."""
    hasher = _hasher()
    try:
        hasher.verify(stored or _dummy(hasher), _plain(password))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Tell whether a hash was made with weaker parameters than today's."""
    return _hasher().check_needs_rehash(stored)


def weakness(password: str, *, name: str, email: str) -> str | None:
    """Return why a password cannot be taken, as a sentence; nothing when it is good."""
    plain = _plain(password)
    if len(plain) < SHORTEST:
        return f"Use at least {SHORTEST} characters. A few words in a row are easy to remember."
    if len(plain) > LONGEST:
        return f"Use at most {LONGEST} characters."
    said = _letters(plain)
    if said in {_letters(own) for own in (name, email, email.partition("@")[0])}:
        return "Use something other than your name or your address."
    if _is_common(plain.casefold()):
        return "Choose another password: this one is among the first that others would try."
    return None


def _is_common(plain: str) -> bool:
    squeezed = re.sub(r"\s", "", plain)
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", squeezed)
    if len(set(squeezed)) < _FEWEST_DIFFERENT or squeezed in _COMMON or core in _COMMON:
        return True
    return any(squeezed in run or squeezed[::-1] in run for run in _RUNS)


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _plain(password: str) -> str:
    """Spell a password in one way, whichever keyboard it came from."""
    return unicodedata.normalize("NFKC", password)


def _hasher() -> PasswordHasher:
    settings: Settings = current_app.extensions["okrgate.settings"]
    return _cheap() if settings.testing else _costly()


@lru_cache(maxsize=1)
def _costly() -> PasswordHasher:
    # OWASP's second choice for argon2id: 19 MiB, 2 passes. Small hosts stay usable under a burst.
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@lru_cache(maxsize=1)
def _cheap() -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@lru_cache(maxsize=2)
def _dummy(hasher: PasswordHasher) -> str:
    return hasher.hash("nobody has this password")
