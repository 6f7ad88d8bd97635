"""A gate that is signed strictly, and people who have something to sign with."""

import re
from dataclasses import dataclass, replace

import pyotp
from flask.testing import FlaskClient
from sqlalchemy import select

from okrgate import clock
from okrgate.accounts import sessions
from okrgate.approvals.models import Round
from okrgate.database import db, transaction
from okrgate.factors import challenges, codes, sealing
from okrgate.factors.models import RecoveryCode, SecondFactor
from okrgate.factors.proving import Proof
from okrgate.gates.model import Gate
from okrgate.projects.models import Project
from okrgate.rulebooks import service as rulebooks
from okrgate.stages import confirming
from okrgate.stages.signing import Ask
from tests.integration.journey.company import Company

NETWORK = "192.0.2.1"


@dataclass
class Vault:
    """What somebody keeps: the secret of their app."""

    person: int
    secret: str

    def code(self, steps: int = 0) -> str:
        """Return the code that the app shows so many steps from now."""
        step = int(clock.now().timestamp()) // codes.STEP + steps
        return pyotp.TOTP(self.secret).generate_otp(step)


def give_app(person: int, label: str = "Phone") -> Vault:
    """Give somebody an authenticator app."""
    secret = codes.new_secret()
    with transaction() as session:
        session.add(
            SecondFactor(
                person_id=person,
                kind="app",
                label=label,
                secret=sealing.seal(secret, codes.place_of(person)),
                created_at=clock.now(),
            )
        )
    return Vault(person, secret)


def give_recovery_code(person: int) -> str:
    """Give somebody one recovery code."""
    code = codes.new_recovery_codes()[0]
    with transaction() as session:
        session.add(
            RecoveryCode(
                person_id=person,
                code_hash=codes.recovery_hash(person, code),
                created_at=clock.now(),
            )
        )
    return code


def strict_gate(company: Company) -> tuple[dict[str, Gate], str, Gate]:
    """Return what to put where, so that the gate of the open round is signed strictly."""
    rulebook = rulebooks.rulebook(company.project().rulebook_version_id)
    gate = round_of(company).gate
    assert isinstance(rulebook.gates, dict)
    return rulebook.gates, gate, replace(rulebook.gates[gate], strict=True)


def round_of(company: Company) -> Round:
    """Return the project's newest round."""
    query = select(Round).join(Project, Project.id == Round.project_id)
    query = query.where(Project.reference == company.reference).order_by(Round.id.desc())
    return db.session.scalars(query.limit(1)).one()


def ask_of(company: Company, key: str = "a key", decision: str = "approved") -> Ask:
    """Decide on what is put before the signers now."""
    return Ask(decision, round_of(company).digest, key, reason="It pays.")


def session_of(person: int) -> int:
    """Sign somebody in and return the number of their session."""
    token = sessions.start(person)
    return sessions.id_of(token)


def proof_for(
    company: Company, person: int, ask: Ask, session: int, *, code: str = "", passkey: str = ""
) -> Proof:
    """Answer the challenge for exactly this decision."""
    act = confirming.act_of(round_of(company), ask, person)
    token = challenges.make(challenges.digest_of(act), person=person, session=session).token
    return Proof(token, session, NETWORK, code=code, passkey=passkey)


def token_in(page: str) -> str:
    """Return the challenge that a page asks."""
    found = re.search(r'name="factor_token"[^>]*value="([^"]+)"', page)
    assert found, page.partition("<main")[2][:900]
    return found[1]


def send(client: FlaskClient, company: Company, status: int, **more: str) -> str:
    """Send an approval from the page, whatever it offers."""
    found = round_of(company)
    said = {"decision": "approved", "digest": found.digest, "key": "a key", "reason": "It pays."}
    answer = client.post(f"/approvals/{found.id}", data=said | more)
    page = answer.get_data(as_text=True)
    assert answer.status_code == status, page.partition("<main")[2][:900]
    return page
