"""A file that somebody brought, how its columns are read, and what came of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import JsonText, Model, UTCDateTime


class ImportFile(Model):
    """One file. `state` goes mapping → asked → running → checked, or done; `task` is check or adopt.

    `done` counts the rows that were looked at, of `total`. `refused` lists [line, column, sentence].
    """

    __tablename__ = "import_files"
    __table_args__ = (Index("ix_import_files_state", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    kind: Mapped[dict[str, str]] = mapped_column(JsonText)
    choices: Mapped[dict[str, Any]] = mapped_column(JsonText)
    state: Mapped[str] = mapped_column(String(10), default="mapping")
    task: Mapped[str] = mapped_column(String(10), default="check")
    reason: Mapped[str] = mapped_column(Text, default="")
    all_or_nothing: Mapped[bool] = mapped_column(default=False)
    total: Mapped[int] = mapped_column(Integer, default=0)
    done: Mapped[int] = mapped_column(Integer, default=0)
    adopted: Mapped[int] = mapped_column(Integer, default=0)
    known: Mapped[int] = mapped_column(Integer, default=0)
    refused_rows: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[list[list[Any]]] = mapped_column(JsonText, default=list)
    problem: Mapped[str] = mapped_column(Text, default="")
    claimed_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ImportMap(Model):
    """How the columns of one list were read the last time: proposed again for a file that looks alike."""

    __tablename__ = "import_maps"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    header: Mapped[list[str]] = mapped_column(JsonText)
    choices: Mapped[dict[str, Any]] = mapped_column(JsonText)
    by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
