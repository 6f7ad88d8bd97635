"""Seal what must be read again with a key that follows from the installation's secret.

After a change of the secret the one before still opens what it sealed, as long as it is given beside the new one;
whatever is used meanwhile is sealed anew.
"""

import base64
import hashlib
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from okrgate.config import Settings

_NONCE = 12


@dataclass(frozen=True)
class Unsealed:
    """What was sealed, and whether it is time to seal it anew."""

    plain: str
    outdated: bool


def seal(plain: str, place: str) -> str:
    """Return a text that only this installation opens, and only as what belongs to `place`."""
    key = _keys()[0]
    nonce = os.urandom(_NONCE)
    closed = AESGCM(key).encrypt(nonce, plain.encode(), place.encode())
    return f"{_mark(key)}.{base64.urlsafe_b64encode(nonce + closed).decode()}"


def unseal(sealed: str, place: str) -> Unsealed | None:
    """Return what was sealed for `place`; nothing if no secret at hand opens it."""
    mark, _, body = sealed.partition(".")
    for number, key in enumerate(_keys()):
        if _mark(key) == mark:
            try:
                raw = base64.urlsafe_b64decode(body)
                plain = AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], place.encode())
            except (InvalidTag, ValueError):
                return None
            return Unsealed(plain.decode(), outdated=number > 0)
    return None


def _keys() -> list[bytes]:
    settings: Settings = current_app.extensions["okrgate.settings"]
    secrets = [settings.secret_key, settings.secret_key_before]
    return [_derived(secret) for secret in secrets if secret]


def _derived(secret: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"okrgate second factors").derive(secret.encode())


def _mark(key: bytes) -> str:
    return hashlib.sha256(b"mark" + key).hexdigest()[:8]
