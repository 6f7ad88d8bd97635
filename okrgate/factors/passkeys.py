"""Passkeys (WebAuthn): make one, ask for one, check the answer again later.

A passkey belongs to the host name in okrgate's address; under a bare number browsers offer none.
"""

import ipaddress
import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from flask import current_app

from okrgate.config import Settings
from okrgate.factors.challenges import Challenge
from okrgate.factors.models import SecondFactor

_LONGEST = 20_000
_VERIFIED = UserVerificationRequirement.REQUIRED
# What the readers of JSON and CBOR raise for what no browser sends: cut short, nested too deep, of other types.
_MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    RecursionError,
    struct.error,
)


@dataclass(frozen=True)
class Made:
    """A passkey that a browser just made."""

    credential: str
    public_key: str
    uses: int


@dataclass(frozen=True)
class Answer:
    """A passkey that answered; `evidence` is all that somebody needs to check the signature once more."""

    factor: SecondFactor
    uses: int
    evidence: Mapping[str, str]


def usable() -> bool:
    """Tell whether browsers can keep passkeys for the address of this installation."""
    try:
        ipaddress.ip_address(_host())
    except ValueError:
        return True
    return False


def creation_options(
    challenge: Challenge, *, name: str, known: Iterable[SecondFactor]
) -> dict[str, Any]:
    """Return what a browser needs to make a passkey, as plain JSON."""
    options, _state = _server().register_begin(
        PublicKeyCredentialUserEntity(
            id=f"okrgate-{challenge.person}".encode(), name=name, display_name=name
        ),
        credentials=_descriptors(known),
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=_VERIFIED,
        challenge=challenge.to_sign,
    )
    return _as_json(options.public_key)


def request_options(challenge: Challenge, known: Iterable[SecondFactor]) -> dict[str, Any]:
    """Return what a browser needs to ask for one of these passkeys, as plain JSON."""
    options, _state = _server().authenticate_begin(
        _descriptors(known), user_verification=_VERIFIED, challenge=challenge.to_sign
    )
    return _as_json(options.public_key)


def made(answer: str, challenge: Challenge) -> Made | None:
    """Return the passkey that a browser made for this challenge; nothing if the answer does not hold."""
    try:
        found = _server().register_complete(_state(challenge.to_sign), _parsed(answer))
    except _MALFORMED:
        return None
    data = found.credential_data
    if data is None:
        return None
    return Made(websafe_encode(data.credential_id), websafe_encode(bytes(data)), found.counter)


def answered(answer: str, challenge: Challenge, known: Sequence[SecondFactor]) -> Answer | None:
    """Return which of these passkeys signed this challenge, the person having been verified by it."""
    keys = {one.credential: one for one in known}
    try:
        parsed = _parsed(answer)
        credentials = [AttestedCredentialData(websafe_decode(one.public_key)) for one in known]
        found = _server().authenticate_complete(_state(challenge.to_sign), credentials, parsed)
        factor = keys[websafe_encode(found.credential_id)]
        response = AuthenticationResponse.from_dict(parsed).response
    except _MALFORMED:
        return None
    uses = response.authenticator_data.counter
    if (uses or factor.uses) and uses <= factor.uses:
        # A count that does not grow: somebody copied the passkey.
        return None
    evidence = {
        "public_key": factor.public_key,
        "authenticator_data": websafe_encode(bytes(response.authenticator_data)),
        "client_data": websafe_encode(bytes(response.client_data)),
        "signature": websafe_encode(response.signature),
    }
    return Answer(factor, uses, evidence)


def still_holds(evidence: Mapping[str, str], to_sign: bytes) -> bool:
    """Check a kept answer again: the passkey's key signed exactly this challenge. Needs no table and no secret."""
    try:
        key = AttestedCredentialData(websafe_decode(evidence["public_key"])).public_key
        client = CollectedClientData(websafe_decode(evidence["client_data"]))
        seen = AuthenticatorData(websafe_decode(evidence["authenticator_data"]))
        key.verify(bytes(seen) + client.hash, websafe_decode(evidence["signature"]))
    except Exception:
        return False
    return client.challenge == to_sign and seen.is_user_verified()


def _server() -> Fido2Server:
    settings: Settings = current_app.extensions["okrgate.settings"]
    parts = urlsplit(settings.base_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    entity = PublicKeyCredentialRpEntity(id=_host(), name="okrgate")
    return Fido2Server(entity, verify_origin=lambda said: said == origin)


def _host() -> str:
    settings: Settings = current_app.extensions["okrgate.settings"]
    return urlsplit(settings.base_url).hostname or ""


def _state(challenge: bytes) -> dict[str, Any]:
    return {"challenge": websafe_encode(challenge), "user_verification": _VERIFIED}


def _descriptors(known: Iterable[SecondFactor]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            type=PublicKeyCredentialType.PUBLIC_KEY, id=websafe_decode(one.credential or "")
        )
        for one in known
    ]


def _parsed(answer: str) -> dict[str, Any]:
    found = json.loads(answer) if 0 < len(answer) <= _LONGEST else None
    if not isinstance(found, dict):
        raise ValueError
    return found


def _as_json(options: Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(dict(options))))
