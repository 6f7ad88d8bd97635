"""Authenticator apps and passkeys, recovery codes, and what was confirmed with them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Model, UTCDateTime


class SecondFactor(Model):
    """An authenticator app (`secret` is sealed, `last_step` the newest time step used) or a passkey.

    `credential` is the passkey's id, `public_key` what checks it, `uses` the count the authenticator reported last.
    """

    __tablename__ = "second_factors"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    label: Mapped[str] = mapped_column(String(60))
    secret: Mapped[str] = mapped_column(String(300), default="")
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    credential: Mapped[str | None] = mapped_column(String(1400), unique=True)
    public_key: Mapped[str] = mapped_column(Text, default="")
    uses: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class RecoveryCode(Model):
    """A code for the day on which every other factor is lost. Only its hash is kept; it counts once."""

    __tablename__ = "recovery_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SpentChallenge(Model):
    """A challenge that was answered: nobody answers it again. Kept for a day; it is too old after five minutes."""

    __tablename__ = "spent_challenges"

    nonce: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class ConfirmedSession(Model):
    """In this browser somebody showed a moment ago who they are, so they may change their factors."""

    __tablename__ = "confirmed_sessions"

    session_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
