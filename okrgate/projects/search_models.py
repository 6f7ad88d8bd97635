"""The words by which projects are found."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from okrgate.database import Model

WORD = 40
# Bytes in their order on both databases: a word's beginning is then one range of the index.
_WORD = String(WORD).with_variant(String(WORD, collation="C"), "postgresql")


class SearchEntry(Model):
    """That a project's words are kept, and of which texts (`digest`)."""

    __tablename__ = "search_entries"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))


class SearchWord(Model):
    """One word of a project's reference, title or problem, folded: no case, no accents."""

    __tablename__ = "search_words"
    __table_args__ = (
        Index("ix_search_words_project", "project_id", "word"),
        {"sqlite_with_rowid": False},
    )

    word: Mapped[str] = mapped_column(_WORD, primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id"), primary_key=True, autoincrement=False
    )
