"""Prove that it is them, now, for exactly this act: check what was shown, then use it up with the act itself.

`check` counts a try and changes nothing else; `spend` runs inside the transaction of the act, so that an act and its
proof are stored together or not at all, and a code or a challenge counts once, whichever process is faster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Update, literal, select, update

from okrgate import clock
from okrgate.accounts import directory, throttle
from okrgate.audit import service as audit
from okrgate.database import check_writing, db, transaction
from okrgate.errors import Refused
from okrgate.events import Recipient, SecondFactorChanged, publish
from okrgate.factors import challenges, codes, passkeys, sealing
from okrgate.factors.challenges import Challenge, FactorRefused
from okrgate.factors.models import RecoveryCode, SecondFactor

APP, PASSKEY, RECOVERY = "app", "passkey", "recovery"
_PURPOSE = "factor"
_USED = "This code was used already. Wait until your app shows the next one."


class FactorNeeded(Refused):
    """The act asks for a second factor; `binding` is the digest of what is to be confirmed."""

    def __init__(self, binding: str) -> None:
        """Say where it can be done, to whoever did not come by the page that asks."""
        super().__init__(
            "This gate asks for your second factor. Open it on its own page and decide there."
        )
        self.binding = binding


@dataclass(frozen=True)
class Proof:
    """What somebody shows: the challenge they were given, and a code or a passkey's answer."""

    token: str
    session: int
    network: str
    code: str = field(default="", repr=False)
    passkey: str = field(default="", repr=False)


@dataclass(frozen=True)
class Checked:
    """A proof that holds. `label` is what the person calls the factor; `evidence` what a passkey signed."""

    challenge: Challenge
    method: str
    factor_id: int
    label: str
    at: datetime
    network: str
    credential: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    step: int = 0
    uses: int = 0
    reseal: str = field(default="", repr=False)


def check(proof: Proof, binding: str, *, person: int) -> Checked:
    """Return what was proved. Raises FactorRefused (wrong, too late, for something else) or TooMany."""
    challenge = challenges.fitting(proof.token, binding, person=person, session=proof.session)
    if not proof.passkey and not codes.plain(proof.code):
        raise FactorRefused("Type the code that your app shows now, or a recovery code.")
    throttle.count_try(*_counters(person, proof.network))
    rows = list(db.session().scalars(select(SecondFactor).where(SecondFactor.person_id == person)))
    try:
        if proof.passkey:
            return _by_passkey(proof, challenge, [one for one in rows if one.kind == PASSKEY])
        return _by_code(proof, challenge, [one for one in rows if one.kind == APP])
    except FactorRefused:
        with transaction():
            audit.record("person.factor_refused", by=person, target=f"person:{person}")
        raise


def spend(checked: Checked) -> None:
    """Use a proof up, in the open transaction. Raises FactorRefused when somebody was faster with it."""
    check_writing()
    challenges.spend(checked.challenge)
    if checked.method == RECOVERY:
        _spend_recovery(checked)
    elif not _spend_factor(checked):
        raise FactorRefused(_USED if checked.method == APP else "This was used already. Try again.")
    account, network = _counters(checked.challenge.person, checked.network)
    throttle.forgive(account)
    throttle.forgive(network, all_tries=False)


def _counters(person: int, network: str) -> tuple[throttle.Counter, throttle.Counter]:
    return throttle.account(_PURPOSE, str(person)), throttle.network(_PURPOSE, network)


def _by_passkey(proof: Proof, challenge: Challenge, rows: list[SecondFactor]) -> Checked:
    found = passkeys.answered(proof.passkey, challenge, rows)
    if found is None:
        raise FactorRefused("This passkey was not accepted. Try again, or type a code.")
    return Checked(
        challenge=challenge,
        method=PASSKEY,
        factor_id=found.factor.id,
        label=found.factor.label,
        at=clock.now(),
        network=proof.network,
        credential=found.factor.credential or "",
        evidence={**found.evidence, "nonce": challenge.nonce},
        uses=found.uses,
    )


def _by_code(proof: Proof, challenge: Challenge, apps: list[SecondFactor]) -> Checked:
    typed = codes.plain(proof.code)
    if not codes.is_code(typed):
        return _by_recovery(proof, challenge, typed)
    shown = codes.shown_by(apps, typed)
    if shown is None:
        raise FactorRefused("This code is not right. Type the one that your app shows now.")
    if shown.step <= shown.factor.last_step:
        raise FactorRefused(_USED)
    return Checked(
        challenge=challenge,
        method=APP,
        factor_id=shown.factor.id,
        label=shown.factor.label,
        at=clock.now(),
        network=proof.network,
        step=shown.step,
        reseal=shown.reseal,
    )


def _by_recovery(proof: Proof, challenge: Challenge, typed: str) -> Checked:
    person = challenge.person
    row = db.session().scalar(
        select(RecoveryCode).where(
            RecoveryCode.person_id == person,
            RecoveryCode.code_hash == codes.recovery_hash(person, typed),
        )
    )
    if row is None:
        raise FactorRefused("This code is not right. Look at it once more.")
    if row.used_at is not None:
        raise FactorRefused("This recovery code was used already. Take another.")
    return Checked(
        challenge=challenge,
        method=RECOVERY,
        factor_id=row.id,
        label="",
        at=clock.now(),
        network=proof.network,
    )


def _spend_factor(checked: Checked) -> bool:
    """Move the factor's count on; whoever comes second with the same code finds it moved."""
    moved: dict[str, object] = {"last_used_at": clock.now()}
    if checked.method == APP:
        newer = SecondFactor.last_step < checked.step
        moved["last_step"] = checked.step
    else:
        # Some passkeys never count: what they sign is spent with the challenge.
        newer = (SecondFactor.uses < checked.uses) | (
            (SecondFactor.uses == 0) & literal(checked.uses == 0)
        )
        moved["uses"] = checked.uses
    if checked.reseal:
        moved["secret"] = sealing.seal(checked.reseal, codes.place_of(checked.challenge.person))
    return _update(
        update(SecondFactor).where(SecondFactor.id == checked.factor_id, newer).values(**moved)
    )


def _spend_recovery(checked: Checked) -> None:
    person = checked.challenge.person
    used = _update(
        update(RecoveryCode)
        .where(RecoveryCode.id == checked.factor_id, RecoveryCode.used_at.is_(None))
        .values(used_at=clock.now())
    )
    if not used:
        raise FactorRefused("This recovery code was used already. Take another.")
    audit.record("person.recovery_code_used", by=person, target=f"person:{person}")
    publish(
        SecondFactorChanged(
            recipients=(Recipient(person, "it is your account", asked=True),),
            by=directory.names([person]).get(person, "Somebody"),
            by_id=person,
            path="/account/second-factor",
            kind="recovery",
        )
    )


def _update(statement: Update) -> bool:
    found = db.session().execute(statement.execution_options(synchronize_session=False))
    return bool(getattr(found, "rowcount", 0) == 1)
